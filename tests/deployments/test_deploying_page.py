"""docs/deploying.md says what is so."""

import json
import re
import shlex
from pathlib import Path

import pytest
from jinja2 import Environment

from deployments.automations import NAMES
from deployments.events import DATA_CHANGED, resource_of_source

PAGE = (Path(__file__).parents[2] / "docs/deploying.md").read_text("utf-8")
TEMPLATES = re.findall(r"prefect cloud webhook create \S+ --template '(.*?)'\n", PAGE, re.DOTALL)
JINJA = Environment(autoescape=False)  # noqa: S701  (it makes JSON, not HTML)
PUSH = {"ref": 'refs/heads/"odd"', "repository": {"name": "speech"}}


@pytest.mark.parametrize(
    ("template", "resource", "payload"),
    [
        (TEMPLATES[0], resource_of_source("my-data", "git"), {"ref": 'refs/heads/"odd"', "delivery": "7f3"}),
        (TEMPLATES[1], resource_of_source("my-blobs", "blob"), {"ref": "", "delivery": ""}),
    ],
)
def test_clouds_web_hooks_make_the_events_that_the_receiver_makes(
    template: str, resource: dict[str, str], payload: dict[str, str]
) -> None:
    """Whatever stands in the body, it is one JSON object that our automations know."""
    rendered = JINJA.from_string(template).render(body=PUSH, headers={"X-GitHub-Delivery": "7f3"})

    made = json.loads(rendered)

    assert made == {"event": DATA_CHANGED, "resource": resource, "payload": payload}


def test_every_automation_is_told() -> None:
    """Operators look there for what it does."""
    assert [name for name in NAMES if f"`{name}`" not in PAGE] == []


def test_the_commands_are_words_of_a_shell() -> None:
    """They are copied."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)

    assert all(shlex.split(block, comments=True) for block in blocks)
