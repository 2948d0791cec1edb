"""Many deliveries, doubled, shuffled, forged, cut off, with restarts between: each genuine one is stored exactly once."""

import random
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from tests.deployments.receiver.hook_kit import (
    FORGED,
    SENDERS,
    FakeClock,
    Receiver,
    Sent,
    azure_devops,
    event_grid,
    github,
    gitlab,
    payload,
    receiving,
    speech,
)

GENUINE = 700
SEED = 20260515


def genuine(number: int) -> Sent:
    """The n-th event, told by one of the five senders."""
    commit = f"{number:040x}"
    match number % 5:
        case 0:
            return github(payload("github-push") | {"after": commit}, delivery=f"d-{number}")
        case 1:
            return gitlab(payload("gitlab-push") | {"after": commit}, event=f"e-{number}")
        case 2:
            told = payload("azure-devops-push") | {"id": f"i-{number}"}
            told["resource"]["refUpdates"] = [told["resource"]["refUpdates"][0] | {"newObjectId": commit}]
            return azure_devops(told)
        case 3:
            told = payload("cloudevents-blob-created")
            return event_grid(told | {"id": f"i-{number}", "data": told["data"] | {"eTag": commit}})
        case _:
            return speech(payload("speech-model-completion") | {"invocationId": f"v-{number}"})


def forged(number: int) -> Sent:
    """One that only looks genuine."""
    source = list(SENDERS)[number % 5]
    send, name = SENDERS[source]
    return send(payload(name), FORGED)


def cut_off(sent: Sent) -> Sent:
    """The first half of its body."""
    return Sent(sent.path, sent.body[: len(sent.body) // 2], sent.headers)


async def test_a_thousand_deliveries_with_two_restarts(tmp_path: Path, clock: FakeClock) -> None:
    """Every genuine event is there once, no forged one is, whatever the order."""
    chance = random.Random(SEED)
    events = [genuine(number) for number in range(GENUINE)]
    deliveries = events + chance.sample(events, 300)
    deliveries += [forged(number) for number in range(50)] + list(map(cut_off, chance.sample(events, 50)))
    chance.shuffle(deliveries)
    statuses: Counter[int] = Counter()
    for part in (deliveries[:400], deliveries[400:800], deliveries[800:]):
        with receiving(tmp_path, clock) as receiver:
            statuses.update([(await receiver.take(sent)).status_code for sent in part])
            stored = receiver.outbox.pending(2 * GENUINE)

    assert (
        len(stored) == len({delivery.subject.model_dump_json() + delivery.sender_id for delivery in stored}) == GENUINE
    )
    assert statuses[202] == GENUINE
    assert statuses[200] == 300
    assert statuses[400] + statuses[401] == 100


HEADERS = st.sampled_from(
    [
        "X-Hub-Signature-256",
        "X-GitHub-Event",
        "X-Gitlab-Token",
        "Authorization",
        "X-MicrosoftSpeechServices-Event",
        "X-MicrosoftSpeechServices-Signature",
        "Content-Type",
        "aeg-event-type",
    ]
)
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    st.sampled_from(["push", "Challenge", "sha256=", "Basic", "Basic Og==", "Basic ====", "SubscriptionValidation"]),
).map(lambda text: text.strip().encode("latin-1"))
PATHS = st.sampled_from(list(SENDERS)).flatmap(
    lambda source: st.sampled_from(["", "?secret=", "?secret=%ff", "?validationToken=abc"]).map(
        lambda query: f"/hooks/{source}{query}"
    )
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, headers=st.dictionaries(HEADERS, VALUES, max_size=4), body=st.binary(max_size=200))
async def test_nothing_that_is_unsigned_is_stored_or_breaks_anything(
    path: str, headers: dict[str, bytes], body: bytes, receiver: Receiver
) -> None:
    """Whoever knows no secret gets a 401, whatever the bytes."""
    answer = await receiver.client.post(path, content=body, headers=headers)

    assert answer.status_code == 401
    assert receiver.outbox.count_pending() == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=st.sampled_from(list(SENDERS)), data=st.data())
async def test_no_signed_garbage_is_a_5xx(source: str, data: st.DataObject, receiver: Receiver) -> None:
    """One field of a good payload is anything: taken, ignored, or a 400."""
    send, name = SENDERS[source]
    told = payload(name)
    place = told[0] if isinstance(told, list) else told
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            break
        place = place[key] or {"": None}
    place[key] = data.draw(JSON)

    assert (await receiver.take(send(told))).status_code in (200, 202, 400)
