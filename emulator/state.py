"""What the emulator knows of itself, for people and tests: no transcript, no key, no token, no signed address."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

from emulator.entities import Noun
from emulator.notifications import COUNTERS as NOTIFICATION_COUNTERS
from emulator.notifications import Notifications
from emulator.quota import LIMIT, WINDOW
from emulator.service import Service
from emulator.settings import API_VERSION

SHOWN_OF_EACH_NOUN = 100
COUNTERS = (
    "imports",
    "trainings",
    "training_cache_hits",
    "evaluations",
    "decodes",
    "decode_cache_hits",
    "endpoint_updates",
    "recognitions",
    *NOTIFICATION_COUNTERS,
)


def state_of(service: Service, notifications: Notifications) -> dict[str, Any]:
    """Everything; of each noun the entities that changed last."""
    return {
        "version": version("speechops"),
        "api_version": API_VERSION,
        "started": _date(service.started),
        "settings": settings_of(service),
        "clock": clock_of(service),
        "speed": service.speed.speed,
        "counters": counters_of(service),
        "entities": service.store.counts(),
        "latest": {noun.value: service.store.latest(SHOWN_OF_EACH_NOUN, noun) for noun in Noun},
        "jobs": service.store.under_way(SHOWN_OF_EACH_NOUN),
        "recognitions_under_way": dict(service.recognitions.under_way),
        "quota": quota_of(service),
        "list_lag": list_lag_of(service),
        "notifications": {"waiting": notifications.waiting},
        "faults": [fault.model_dump(mode="json") for fault in service.faults.all],
    }


def settings_of(service: Service) -> dict[str, Any]:
    """What the emulator was started with; of tokens only the roles."""
    shown = service.settings.model_dump(mode="json", exclude={"key", "entra_tokens"})
    return {**shown, "entra_roles": [token.role for token in service.settings.entra_tokens]}


def counters_of(service: Service) -> dict[str, int]:
    """What was really done since the data folder exists."""
    return {**dict.fromkeys(COUNTERS, 0), **service.store.counters()}


def clock_of(service: Service) -> dict[str, Any]:
    """The service's time, and how far it is ahead of the machine's."""
    return {"now": _date(service.clock()), "offset_seconds": service.clock.offset.total_seconds()}


def quota_of(service: Service) -> dict[str, Any]:
    """How many requests of the window are used, and how many Azure would have refused since the start."""
    quota = service.quota
    return {
        "mode": quota.mode,
        "used": quota.used,
        "limit": LIMIT,
        "window_seconds": WINDOW.seconds,
        "beyond": quota.beyond,
    }


def list_lag_of(service: Service) -> dict[str, Any]:
    """How long a new entity stays out of lists, and how many are hidden now."""
    return {"seconds": service.lag.lag.total_seconds(), "hidden": len(service.lag.hidden())}


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
