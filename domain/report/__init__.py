"""What people read about a decision: Markdown for the Prefect UI and pull requests, and one self-contained HTML file."""

from domain.report.given import HistoryPoint, ModelCard, TrainingData
from domain.report.markdown import escaped, leak_markdown, measurement_page, table, verdict_page, wer_rows
from domain.report.page import charts_png, html_report, leak_page, measurement_report
from domain.report.wording import percent

__all__ = [
    "HistoryPoint",
    "ModelCard",
    "TrainingData",
    "charts_png",
    "escaped",
    "html_report",
    "leak_markdown",
    "leak_page",
    "measurement_page",
    "measurement_report",
    "percent",
    "table",
    "verdict_page",
    "wer_rows",
]
