"""Ten minutes pass in one: what waits for a Prefect server that is away waits a tenth as long between its tries.

The number of tries, which decides whether a run survives an outage, stays as it is in production.
"""

from typing import Any

import anyio
import httpx

FACTOR = 10
HEARTBEAT_SECONDS = 5
"""Instead of 30; Prefect takes no less than 30 from its settings."""

_SECURE = httpx.create_ssl_context()
"""Made once, before engines are forked: each client would read all certificates anew."""


class _QuickAnyio:
    """`anyio`, as Prefect's client sees it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(anyio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """A tenth of it."""
        await anyio.sleep(seconds / FACTOR)


def install() -> None:
    """Let this process wait less."""
    import prefect.client.base
    import prefect.flow_engine
    import tenacity

    import tasks.orchestrator

    def quick_wait(*, max: float = 60, **given: float) -> Any:  # noqa: A002  (tenacity's name)
        return tenacity.wait_exponential(multiplier=1 / FACTOR, max=max / FACTOR, **given)

    httpx._transports.default.create_ssl_context = lambda *_, **__: _SECURE
    prefect.client.base.anyio = _QuickAnyio()  # type: ignore[assignment]
    tasks.orchestrator.wait_exponential = quick_wait  # type: ignore[assignment]
    prefect.flow_engine.MINIMUM_HEARTBEAT_INTERVAL = HEARTBEAT_SECONDS
    prefect.flow_engine.BaseFlowRunEngine.heartbeat_seconds = property(lambda _: HEARTBEAT_SECONDS)  # type: ignore[assignment]
