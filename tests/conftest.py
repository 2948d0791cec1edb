"""Settings that must stand before Prefect is imported: a home of our own, no telemetry, no colours."""

import os
import tempfile

os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="speechops-tests-prefect-")
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_COLORS"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
