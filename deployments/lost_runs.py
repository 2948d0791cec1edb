"""What to do about a run that nobody seems to be at, from what the server tells of it and for how long it was quiet.

Two things must never happen: a run that nobody owns, and two processes for one run. So silence counts only while the
server answers, and a run whose process may be asleep between two tries of Prefect's client is given the time to wake up.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, Self

from prefect.client.schemas.objects import FlowRun, State, StateType
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deployments.run_automations import GOES_ON
from domain.mistakes import Mistake

_LONGEST_GAP: Final = timedelta(minutes=4)
"""Between two tries. Less than `Windows.retry`: the automation that does the same comes last."""
_OVERSLEPT: Final = 1.2
"""How much longer than the outage a process may be asleep: the waits of Prefect's client double, with some jitter."""


class RunPatience(BaseSettings):
    """How long to leave a run alone. Environment variables are named `SPEECHOPS_RUNS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="SPEECHOPS_RUNS_", frozen=True, extra="forbid")

    look_seconds: float = Field(default=10, gt=0)
    """Between two looks at the server."""
    vanished_seconds: float = Field(default=120, gt=0)
    """A run that is Running without a heartbeat for so long has lost its process. Prefect sends one every 30 s at most."""
    stuck_seconds: float = Field(default=900, gt=0)
    """A run that is Pending for so long will not begin; longer than a container needs to start."""
    asleep_seconds: float = Field(default=1300, gt=0)
    """The longest wait of Prefect's client between two tries: 2 to the power of PREFECT_CLIENT_MAX_RETRIES, and some."""
    again_seconds: float = Field(default=30, ge=0)
    """A run that crashed is begun again after so long, then after twice that, and so on."""
    lives: int = Field(default=5, ge=1)
    """How often a run that crashes each time is begun."""
    tries: int = Field(default=12, ge=1)
    """How often it is handed to a worker again, whether it begins or not."""

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment; what is given counts more.

        Raises:
            Mistake: a variable is wrong.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise Mistake(f"SPEECHOPS_RUNS_{str(wrong['loc'][0]).upper()}: {wrong['msg']}.") from None

    def silence(self, run: FlowRun, sign: datetime, server_since: datetime) -> timedelta:
        """How long a run must have been quiet before it is taken for lost.

        Args:
            run: as it is.
            sign: when its last sign of life came.
            server_since: since when the server has answered each time.
        """
        window = self.stuck_seconds if run.state_type is StateType.PENDING else self.vanished_seconds
        away = (server_since - sign).total_seconds()
        return timedelta(seconds=max(window, min(_OVERSLEPT * away, self.asleep_seconds)))

    def gap(self, tries: int) -> timedelta:
        """How long a run must have been Crashed before it is begun again; so long may the worker's own report come late."""
        first = timedelta(seconds=self.again_seconds)
        longest: timedelta = max(_LONGEST_GAP, first)
        return min(first * (1 << min(tries, 10)), longest)


class Move(Enum):
    """What is to be done about a run that is lost."""

    MARK = auto()
    """Running: it becomes Vanished, which Prefect takes for a pause, and so refuses when it is suspended or over."""
    CRASH = auto()
    END = auto()
    """An operator cancelled it, and nobody was left to do it."""


def move_of(run: FlowRun) -> Move:
    """What becomes of a run that is not Crashed, when it has been quiet for long enough."""
    match run.state_type:
        case StateType.RUNNING:
            return Move.MARK
        case StateType.CANCELLING:
            return Move.END
        case _:
            return Move.CRASH


class Lives:
    """How often a run was begun, and handed to a worker again, since a person last had a hand in it."""

    def __init__(self, history: Iterable[State[Any]]) -> None:
        self.begun = 0
        self.tries = 0
        for state in sorted(history, key=lambda one: one.timestamp):
            self._count(state)

    def _count(self, state: State[Any]) -> None:
        if state.type is StateType.RUNNING:
            self.begun += 1
        elif state.name == "AwaitingRetry" and state.message == GOES_ON:
            self.tries += 1
        elif state.name in ("AwaitingRetry", "Resuming"):  # somebody pressed Retry, or gave an answer
            self.begun = self.tries = 0

    def told(self, patience: RunPatience) -> str:
        """Why it is given up; empty while it is not."""
        if self.begun >= patience.lives:
            return f"it was begun {self.begun} times, and crashed each time"
        if self.tries >= patience.tries:
            return f"it was handed to a worker {self.tries + 1} times, and did not come to an end"
        return ""


def last_words(history: Sequence[State[Any]]) -> str:
    """The message of the last crash."""
    crashes = [state for state in history if state.type is StateType.CRASHED]
    return (max(crashes, key=lambda one: one.timestamp).message or "") if crashes else ""
