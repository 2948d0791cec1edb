"""Requests that nobody here thought of: schemathesis makes them from Microsoft's file, sensible and broken ones.

Each answer is judged twice: by schemathesis, and by our judge, which also refuses what is undeclared.
"""

import copy
import re
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from emulator.app import create_app
from tests.contract.emulator_spec import VERSION, check, document, require_spec
from tests.emulator.service_kit import KEY, free_port, settings_for

require_spec()
HEADERS = {"Ocp-Apim-Subscription-Key": KEY}
NOT_JUDGED = {
    checks.positive_data_acceptance: "the file says string where a locale, a filter, an entity's address is meant",
    checks.unsupported_method: "what a method answers that no operation has is not in Microsoft's file",
    checks.allow_header_conformance: "the same",
    checks.content_type_conformance: "it wants a type of answers without a body; our judge asks it of those with one",
}
"""Checks of schemathesis that are off, and why."""


def narrowed() -> dict[str, Any]:
    """Microsoft's file, in which the version is known: any other one is refused, and nothing behind it is reached."""
    content = copy.deepcopy(document())
    content["parameters"]["apiVersionQueryParameter"]["enum"] = [VERSION]
    return content


CONFIG = SchemathesisConfig()
CONFIG.projects.default.generation.allow_extra_parameters = False  # Azure ignores what it does not know, as most do
CONFIG.projects.default.generation.with_security_parameters = False  # the key is ours to give
schema = schemathesis.openapi.from_dict(narrowed(), config=CONFIG)
turns = count()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator."""
    port = free_port()
    app = create_app(settings_for(tmp_path_factory.mktemp("schemathesis")))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/speechtotext"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def there(service: str) -> dict[str, str]:
    """Ids of entities that there are, by the noun in their path; requests about nothing would only ever meet 404."""
    bodies = {
        "datasets": {"kind": "Language"},
        "endpoints": {},
        "webhooks": {"webUrl": "http://127.0.0.1:9/", "events": {"ping": True}},
    }
    with httpx.Client(base_url=service, headers=HEADERS, params={"api-version": VERSION}) as http:
        made = {
            noun: http.post(f"/{noun}", json={"displayName": "x", "locale": "en-US", **body}).json()
            for noun, body in bodies.items()
        }
        made["models"] = http.get("/models/base").json()["values"][0]
    return {noun: httpx.URL(entity["self"]).path.rsplit("/", 1)[-1] for noun, entity in made.items()}


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_meets_an_undeclared_answer(case: schemathesis.Case, service: str, there: dict[str, str]) -> None:
    """No 5xx, no undeclared status, header or property; what is no valid request is refused."""
    noun = case.path.split("/")[1]
    is_about_one = re.fullmatch("[0-9a-f-]{36}", str(case.path_parameters.get("id")))
    if noun in there and case.method != "DELETE" and is_about_one and next(turns) % 2:
        case.path_parameters["id"] = there[noun]
    answer = case.call(base_url=service, headers=HEADERS)
    sent = httpx.Request(str(answer.request.method), str(answer.request.url))
    assert answer.status_code < 500
    if case.method.lower() in document()["paths"][case.path]:
        check(httpx.Response(answer.status_code, headers=flat(answer.headers), content=answer.content, request=sent))
    off = [*NOT_JUDGED, checks.negative_data_rejection] if holds_null(case.body) else [*NOT_JUDGED]
    case.validate_response(answer, excluded_checks=off, headers=HEADERS)


def holds_null(body: Any) -> bool:
    """Whether there is a null in it: ours takes it for "not given", in a merge patch for "remove" (a guess)."""
    if isinstance(body, dict | list):
        return any(holds_null(value) for value in (body.values() if isinstance(body, dict) else body))
    return body is None


def flat(headers: Any) -> dict[str, str]:
    """Headers, each with its one value."""
    return {name: value[0] if isinstance(value, list) else value for name, value in headers.items()}
