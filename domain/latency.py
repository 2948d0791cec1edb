"""How long recognition takes."""

from collections.abc import Sequence
from math import ceil

from pydantic import BaseModel, ConfigDict


class Latency(BaseModel):
    """How long recognition took: seconds per request.

    >>> latency = Latency.of([0.4, 2.0, 0.5], where="staging endpoint")
    >>> latency.median, latency.percentile_95
    (0.5, 2.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    requests: int
    median: float
    percentile_95: float
    longest: float
    where: str = ""
    """What was asked, such as `staging endpoint`."""

    @classmethod
    def of(cls, seconds: Sequence[float], where: str = "") -> "Latency":
        """Of at least one request. Percentiles are by the nearest rank: always a time that somebody really waited.

        Args:
            seconds: how long each request took.
            where: what was asked.
        """
        ranked = sorted(seconds)

        def rank(percent: int) -> float:
            return round(ranked[ceil(percent * len(ranked) / 100) - 1], 3)

        longest = round(ranked[-1], 3)
        return cls(requests=len(ranked), median=rank(50), percentile_95=rank(95), longest=longest, where=where)
