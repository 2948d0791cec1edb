"""Drift without labels: changes of production are found, chance is not, and nothing that was said gets out."""

from dataclasses import replace

import pytest

from domain.production import DriftPolicy, DriftReport, Heard, find_drift, production_findings
from domain.production.masking import MASK, masked, number_words
from tests.domain.production_kit import NAMES, VOCABULARY, period

EVERY = DriftPolicy(to_label=0, least_relative_percent=0)
"""Tells every change beyond chance, however small."""


def told(report: DriftReport) -> dict[str, str]:
    """What is said of each measure."""
    return {change.measure: change.told for change in report.changes}


def compared(seed: int, policy: DriftPolicy | None = None, **changes: float) -> DriftReport:
    """A period of 16 callers, and a later one that differs so."""
    before, now = period(seed, callers=16), period(seed + 1, callers=16, **changes)
    return find_drift(now, before, vocabulary=VOCABULARY, policy=policy or DriftPolicy(to_label=0))


def test_nothing_is_told_of_a_period_like_the_one_before() -> None:
    """Five measures, twenty pairs of periods: at most two with any alarm, where one is expected."""
    alarms = sum(set(told(compared(seed, EVERY)).values()) != {"steady"} for seed in range(0, 40, 2))

    assert alarms <= 2


@pytest.mark.parametrize(
    ("changes", "measure", "expected"),
    [
        ({"names": 0.08}, "unknown words", "worse"),
        ({"noise": 0.08}, "confidence", "worse"),
        ({"noise": 0.08}, "disagreement", "worse"),
        ({"empty": 0.25}, "empty", "worse"),
        ({"slower": 1.4}, "speed", "changed"),
        ({"noise": -0.08}, "confidence", "better"),
    ],
)
def test_a_change_of_production_is_found(changes: dict[str, float], measure: str, expected: str) -> None:
    """New names, noise, silent channels, slow speech: each in the measure that it concerns."""
    report = compared(2, **changes)

    assert told(report)[measure] == expected
    change = next(one for one in report.changes if one.measure == measure)
    assert change.interval is not None
    assert change.interval[0] <= change.change <= change.interval[1]
    assert change.interval[0] * change.interval[1] > 0
    assert report.outcome == ("steady" if expected == "better" else "drift")


def test_a_change_that_is_sure_and_small_is_not_told() -> None:
    """With many recordings everything differs beyond chance; people are told what matters."""
    before = [Heard(str(n), ("a",) * 20, (0.90 - 0.0001 * (n % 2),) * 20, 9.0) for n in range(50)]
    now = [replace(one, confidences=(0.899,) * 20) for one in before]

    assert told(find_drift(now, before))["confidence"] == "steady"
    assert told(find_drift(now, before, policy=EVERY))["confidence"] == "worse"


def test_recordings_of_one_caller_are_one_witness() -> None:
    """Four callers in a hundred recordings are four: too few to tell, and that is said."""
    report = find_drift(period(2, 100, callers=4, noise=0.2), period(1, 100, callers=4), vocabulary=VOCABULARY)

    assert report.outcome == "too few"
    assert (report.unit, report.blocks_before, report.blocks_now) == ("folder", 4, 4)
    assert "4 folders before and 4 now are too few" in report.notes[0]


def test_what_is_not_there_is_not_measured() -> None:
    """No vocabulary, no base model, no confidences: said so, and no figure is made up."""
    bare = [replace(one, confidences=(), base=None) for one in period(1)]
    report = find_drift(bare, bare)

    assert {name for name, one in told(report).items() if one == "not measured"} == {
        "confidence", "unknown words", "disagreement",
    }  # fmt: skip
    assert any("nobody gave a vocabulary" in note for note in report.notes)
    assert any("no transcripts of the base model" in note for note in report.notes)


def test_periods_without_recordings_are_too_few() -> None:
    """No traceback at three in the morning."""
    assert find_drift([], period(1)).outcome == "too few"
    assert find_drift(period(1), []).outcome == "too few"


def test_the_order_of_files_does_not_matter() -> None:
    """Equal recordings, equal figures."""
    before, now = period(1, callers=16), period(2, callers=16, noise=0.1)

    assert find_drift(now, before, vocabulary=VOCABULARY) == find_drift(now[::-1], before[::-1], vocabulary=VOCABULARY)


def test_many_recordings_are_compared_in_bundles_of_one_size() -> None:
    """Ten times as many before as now, 3,300 in all: equal periods stay equal."""
    report = find_drift(period(1, 300), period(2, 3000), vocabulary=VOCABULARY, policy=EVERY)

    assert set(told(report).values()) == {"steady"}
    assert (report.blocks_before, report.blocks_now) == (3000, 300)


def test_what_is_new_and_unsure_is_labelled_first() -> None:
    """The recordings with unknown words, doubt and disagreement; the reasons give figures."""
    usual = [replace(one, name=f"usual-{one.name}") for one in period(1, 60, names=0, empty=0)]
    new = [replace(one, name=f"new-{one.name}") for one in period(2, 6, names=0.5, noise=0.3, empty=0)]
    report = find_drift([*usual, *new], period(3), vocabulary=VOCABULARY, policy=DriftPolicy(to_label=6))

    assert sum(one.name.startswith("new-") for one in report.to_label) >= 5
    assert any("words unknown" in reason for reason in report.to_label[0].reasons)


def test_recordings_to_label_are_not_all_alike() -> None:
    """Ten recordings of one sentence are one; one caller with all the doubts leaves room for others."""
    same = [Heard(f"same/{n}", ("turn", "left", "at", "xanadu"), (0.2,) * 4, 2.0) for n in range(10)]
    doubtful = [Heard(f"one/{n}", (f"go{n}", f"to{n}", f"place{n}"), (0.3,) * 3, 2.0) for n in range(10)]
    other = [Heard(f"other-{n}/1", (f"is{n}", f"it{n}", f"far{n}"), (0.6,) * 3, 2.0) for n in range(3)]
    sure = [Heard(f"sure/{n}", ("yes", "of", "course"), (0.99,) * 3, 2.0) for n in range(5)]
    report = find_drift([*same, *doubtful, *other, *sure], [], policy=DriftPolicy(to_label=6))

    folders = [one.name.partition("/")[0] for one in report.to_label]
    assert folders.count("same") == 1
    assert {"other-0", "other-1", "other-2"} <= set(folders)


def test_what_only_the_base_model_heard_is_labelled() -> None:
    """The live model went deaf in one call: that one first. Silence for both is nothing to label."""
    now = [*period(1, 20, empty=0), Heard("deaf", (), (), 3.0, ("hello", "there")), Heard("silent", (), (), 3.0, ())]
    names = [one.name for one in find_drift(now, [], policy=DriftPolicy(to_label=22)).to_label]

    assert names[0] == "deaf"
    assert "silent" not in names


def test_nothing_that_was_said_gets_out() -> None:
    """Names, numbers and rare words are masked; frequent words of our own texts are shown."""
    spoken = ("wordaa", "xanadu", "five", "wordzz")
    now = [Heard(f"{n}", spoken, (0.5,) * 4, 3.0) for n in range(10)] + [
        Heard("rare", ("wordab", "wordaa", "wordac", "xanbdu"), (0.1,) * 4, 3.0)
    ]
    report = find_drift(now, [], vocabulary=VOCABULARY | {"five"}, policy=DriftPolicy(to_label=11))

    assert report.to_label[0].name == "rare"
    assert report.to_label[0].text == f"{MASK} wordaa {MASK} {MASK}"
    document = report.model_dump_json()
    assert not any(secret in document for secret in (*NAMES, "five", "wordzz", "wordab", "wordac"))


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "ar-AE", "fr-FR"])
def test_words_of_numbers_are_never_shown(locale: str) -> None:
    """A telephone number is spoken in words that everybody uses."""
    numbers = sorted(number_words(locale))

    assert len(numbers) > 20
    assert set(masked(numbers, dict.fromkeys(numbers, 99), None, 5, locale).split()) == {MASK}


def test_without_known_number_words_no_text_is_shown() -> None:
    """Swahili's numbers are unknown to us, so its texts stay unseen."""
    assert masked(["habari"] * 9, {"habari": 99}, None, 5, "sw-KE") == ""


def test_a_watch_is_told_of_each_measure_that_got_worse() -> None:
    """One finding each, with figures and what to do; what got better wakes nobody."""
    findings = production_findings(compared(2, names=0.08, noise=-0.08), "taxi", "the page")

    assert "production-drift:unknown words" in {one.key for one in findings}
    assert "production-drift:confidence" not in {one.key for one in findings}
    assert "Label the recordings that the page lists" in findings[0].what_to_do
    assert production_findings(compared(2), "taxi", "the page") == ()
