"""The receiver of a chaos stack: the one behind `speechops receiver`, with a fifth of its patience."""

import sys
from datetime import timedelta

from deployments.receiver.reconciling import Patience
from deployments.receiver.serving import serve
from deployments.receiver.settings import ReceiverSettings
from tasks.sources import all_sources

PATIENCE = Patience(
    look=timedelta(seconds=2), grace=timedelta(seconds=4), settle=timedelta(seconds=2), first_gap=timedelta(seconds=6)
)

if __name__ == "__main__":
    serve(ReceiverSettings.read(), "127.0.0.1", int(sys.argv[1]), all_sources, PATIENCE)
