"""The page of a promotion: one line for each target."""

from domain.promotion import PromotionReport, Region
from domain.report.markdown import escaped
from domain.report.wording import percent

_HEAD = "| target | outcome | WER at home | WER there | before | endpoint | |\n|---|---|--:|--:|--:|---|---|"


def promotion_page(report: PromotionReport) -> str:
    """What became of the model at each target, in Markdown."""
    version = f" {escaped(report.version)}" if report.version else ""
    title = f"### {escaped(report.track)}{version}: {escaped(report.model)}"
    return "\n\n".join((title, "\n".join((_HEAD, *map(_row, report.regions)))))


def _row(region: Region) -> str:
    rates = (percent(rate) for rate in (region.home_wer, region.there_wer, region.former_wer))
    cells = (
        escaped(region.target),
        f"**{region.outcome}**",
        *rates,
        escaped(region.endpoint) or "–",
        escaped(region.told),
    )
    return f"| {' | '.join(cells)} |"
