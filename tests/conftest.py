"""Settings that must stand before Prefect is imported: a home of our own, no telemetry, no colours.

And Hypothesis: no timing decides, and where CI is set, the same examples each time.
"""

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

_HOME = tempfile.mkdtemp(prefix="speechops-tests-prefect-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["PREFECT_HOME"] = _HOME
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_COLORS"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

settings.register_profile("speechops", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("speechops")
