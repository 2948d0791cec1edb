"""The commands that findings tell people to type: between backticks, exactly as a shell takes them."""

import json
import shlex

from pydantic import BaseModel, ConfigDict


class Commands(BaseModel):
    """What a watch was called with, so that the commands it proposes work on the same track, data and blocks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    track: str
    data: str = "data"
    source: str = ""
    speech: str = "speechops"
    store: str = "speechops"

    def retrain(self, base: str = "") -> str:
        """Train anew; from another base model, a candidate that is not worse than the live model may go live.

        >>> print(Commands(track="taxi").retrain())
        `prefect deployment run training-update/speechops -p track=taxi`
        >>> print(Commands(track="taxi", source="maps").retrain("20270115"))
        `prefect deployment run training-update/speechops -p track=taxi -p 'base="20270115"' -p source=maps`
        """
        return self._run("training-update", **({"base": base} if base else {}), **self._data)

    def retest(self) -> str:
        """Measure the benchmark model on the current testing data."""
        return self._run("testing-update", **self._data)

    def watch(self) -> str:
        """Watch again."""
        return self._run("watch", **self._data)

    def deploy(self, model: str, verdict: str) -> str:
        """Put a model live that passed: points the endpoint at it again and verifies it."""
        return self._run("deploy", model=model, verdict=verdict)

    def rollback(self, version: str = "") -> str:
        """Go back to an earlier release.

        >>> print(Commands(track="taxi").rollback("1.2.0"))
        `speechops rollback taxi --to 1.2.0`
        """
        return f"`speechops rollback {self.track}{f' --to {shlex.quote(version)}' if version else ''}`"

    @property
    def _data(self) -> dict[str, str]:
        told = {"source": self.source} if self.source else {"data": self.data}
        return {name: value for name, value in told.items() if (name, value) != ("data", "data")}

    def _run(self, flow: str, **parameters: str) -> str:
        blocks = {"speech": self.speech, "store": self.store}
        other = {name: value for name, value in blocks.items() if value != "speechops"}
        told = {"track": self.track, **parameters, **other}
        words = " ".join(f"-p {shlex.quote(f'{name}={_text(value)}')}" for name, value in told.items())
        return f"`prefect deployment run {flow}/speechops {words}`"


def _text(value: str) -> str:
    """As `prefect deployment run -p` must get it to take it for a text: it reads JSON, and `20270115` is a number."""
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
