"""Which flows a change of the data starts, and which it does not."""

import unicodedata
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.changes import Change, Part, parts_of_tracks
from domain.plan import FlowName, Plan, make_plan, make_retest_plan, run_key, settings_reasons
from domain.policy import GatePolicy
from domain.pushes import Push, PushRules, why_ignored
from domain.track import ModelSettings, Patience, ReleaseSettings, ReportSettings, Track

TESTING, TRAINING = FlowName.TESTING, FlowName.TRAINING
FULL = {"track.toml": "s", "testing/a.wav": "1", "training/plain_text.txt": "2"}
TRACK = Track(name="taxi", locale="en-US")

Files = Mapping[str, str]
"""Path to content."""


def between(before: Files, after: Files) -> list[Change]:
    """What git tells of two states: only what differs."""
    paths = sorted(before.keys() | after.keys())
    changes = (Change(path, before.get(path, ""), after.get(path, "")) for path in paths)
    return [change for change in changes if change.before != change.after]


def tracks(**folders: Files) -> dict[str, str]:
    """A repository with these tracks in data/."""
    return {f"data/{track}/{name}": content for track, files in folders.items() for name, content in files.items()}


def planned(before: Files, after: Files, **options: object) -> Plan:
    """The plan for going from one state to the other."""
    return make_plan(between(before, after), parts_of_tracks(after, "data"), revision="abc", **options)


def flows(plan: Plan) -> list[tuple[str, str]]:
    """Track and flow of each run, in order."""
    return [(run.track, run.flow.value.removesuffix("-update")) for run in plan.runs]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/taxi/testing/new.wav", ["testing"]),
        ("data/taxi/testing/deep/er/new.wav", ["testing"]),
        ("data/taxi/testing.zip", ["testing"]),
        ("data/taxi/training/new.txt", ["training"]),
        ("data/taxi/training/audio/new.wav", ["training"]),
        ("data/taxi/training/readme.wav", ["training"]),
        ("data/taxi/training/README.md", []),
        ("data/taxi/testing/readme", []),
        ("data/taxi/README", []),
        ("data/taxi/testing/.DS_Store", []),
        ("data/taxi/testing/.cache/a.wav", []),
        ("data/taxi/testing/__MACOSX/a.wav", []),
        ("data/taxi/testing/a.wav:Zone.Identifier", []),
        ("data/taxi/updates/a/testing/a.wav", []),
        ("data/taxi/corpus.tsv", []),
        ("data/taxi/training.zip", []),
        ("data/taxi", []),
        ("data/track.toml", []),
        ("data/testing/a.wav", []),
        ("src/data/taxi/testing/a.wav", []),
        ("database/taxi/testing/a.wav", []),
        ("README.md", []),
        ("data/.hidden/testing/a.wav", []),
    ],
)
def test_only_what_a_flow_reads_starts_it(path: str, expected: list[str]) -> None:
    """A colleague who corrects a README trains no model."""
    before = tracks(taxi=FULL)

    plan = planned(before, before | {path: "new"})

    assert [flow for _, flow in flows(plan)] == expected
    assert plan.notes == ()
    assert [flow for _, flow in flows(planned(before | {path: "old"}, before))] == expected


def test_testing_comes_first_when_both_change() -> None:
    """The candidate has to beat a benchmark that was measured on the same data."""
    after = tracks(taxi=FULL | {"testing/b.wav": "3", "training/b.txt": "4"})
    plan = planned(tracks(taxi=FULL), after)

    assert flows(plan) == [("taxi", "testing"), ("taxi", "training")]
    assert [[str(reason) for reason in run.reasons] for run in plan.runs] == [["testing: b.wav"], ["training: b.txt"]]


def test_reasons_name_few_files_and_count_the_rest() -> None:
    """Ten thousand recordings are one line."""
    many = {f"testing/{number:05}.wav": "x" for number in range(10_000)}
    plan = planned(tracks(taxi=FULL), tracks(taxi=FULL | many))

    assert str(plan.runs[0].reasons[0]) == "testing: 00000.wav, 00001.wav, 00002.wav and 9997 more"
    assert len(plan.model_dump_json()) < 500


def test_each_track_runs_for_itself() -> None:
    """A monorepo with many tracks starts only those that changed."""
    names = [f"track-{number:02}" for number in range(50)]
    before = tracks(**dict.fromkeys(names, FULL))
    after = before | {"data/track-07/testing/b.wav": "n", "data/track-31/training/b.txt": "n"}

    assert flows(planned(before, after)) == [("track-07", "testing"), ("track-31", "training")]


def test_the_same_content_runs_nothing() -> None:
    """Neither a changed file mode nor a name stored in another Unicode form is a change."""
    composed, decomposed = (unicodedata.normalize(form, "testing/küste.wav") for form in ("NFC", "NFD"))
    same = make_plan(
        [Change("data/taxi/testing/a.wav", "1", "1")], parts_of_tracks(tracks(taxi=FULL), "data"), revision=""
    )

    assert composed != decomposed
    assert flows(planned(tracks(taxi=FULL | {composed: "k"}), tracks(taxi=FULL | {decomposed: "k"}))) == []
    assert same == Plan()


def test_a_recording_that_is_renamed_is_another_dataset() -> None:
    """Azure tells recordings apart by their names."""
    after = tracks(taxi={"track.toml": "s", "testing/b.wav": "1", "training/plain_text.txt": "2"})

    assert flows(planned(tracks(taxi=FULL), after)) == [("taxi", "testing")]


def test_a_recording_that_moves_to_training_changes_both() -> None:
    """It is tested no more, and learnt instead."""
    before = tracks(taxi=FULL | {"testing/b.wav": "3"})
    after = tracks(taxi=FULL | {"training/audio/b.wav": "3"})

    assert flows(planned(before, after)) == [("taxi", "testing"), ("taxi", "training")]


def test_a_new_track_runs_what_it_has_data_for() -> None:
    """Testing data alone give the base model's figure; nothing is trained from nothing."""
    testing_only = {"track.toml": "s", "testing/a.wav": "1"}

    plan = planned({}, tracks(taxi=testing_only))

    assert (flows(plan), plan.notes) == ([("taxi", "testing")], ())
    assert flows(planned({}, tracks(taxi=FULL))) == [("taxi", "testing"), ("taxi", "training")]


def test_a_track_without_testing_data_is_told() -> None:
    """A candidate that cannot be judged is not trained."""
    before = tracks(taxi=FULL)
    after = {path: content for path, content in before.items() if "testing" not in path} | {
        "data/taxi/training/b.txt": "n"
    }
    plan = planned(before, after)

    assert flows(plan) == []
    assert plan.notes == (
        "taxi: no testing-update, for there are no testing data",
        "taxi: no training-update, for there are no testing data",
    )


def test_a_deleted_track_runs_nothing_and_is_told() -> None:
    """Its endpoint stays: nobody's clients break because of a push."""
    plan = planned(tracks(taxi=FULL, bus=FULL), tracks(bus=FULL))

    assert flows(plan) == []
    assert plan.notes == ("taxi: the track is gone, so nothing runs; its models and its endpoint stay",)


def test_a_renamed_track_is_a_new_one_and_is_told() -> None:
    """Models, endpoint and history hang on the name."""
    plan = planned(tracks(taxi=FULL), tracks(cab=FULL))

    assert flows(plan) == [("cab", "testing"), ("cab", "training")]
    assert plan.notes == ("taxi: now called cab, which starts a history of its own; models and endpoint of taxi stay",)


@pytest.mark.parametrize(
    ("path", "note"),
    [
        ("data/Taxi/testing/a.wav", "Taxi: nothing runs, for this is not a track's name"),
        ("data/bus/testing/a.wav", "bus: nothing runs, for there is no track.toml"),
        ("data/taxi/Testing/a.wav", "taxi/Testing: not read, for its name must be in small letters"),
        ("data/taxi/Track.TOML", "taxi/Track.TOML: not read, for its name must be in small letters"),
        ("data/a\tb\x1b[1m/testing/a.wav", "a\\tb\\x1b[1m: nothing runs"),
    ],
)
def test_a_folder_that_is_nearly_a_track_is_told(path: str, note: str) -> None:
    """Somebody who wonders why nothing runs reads why."""
    before = tracks(taxi=FULL)
    plan = planned(before, before | {path: "new"})

    assert flows(plan) == []
    assert [told.startswith(note) for told in plan.notes] == [True]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gate": GatePolicy(target_wer_percent=5)}, {TRAINING: ("gate",)}),
        ({"model": ModelSettings(weight_percent=30)}, {TRAINING: ("model.weight_percent",)}),
        ({"model": ModelSettings(base="20250612")}, {TESTING: ("model.base",), TRAINING: ("model.base",)}),
        ({"locale": "de-DE"}, {TESTING: ("locale",), TRAINING: ("locale",)}),
        ({"description": "other"}, {}),
        ({"release": ReleaseSettings(staging=False)}, {}),
        ({"patience": Patience(model_hours=1)}, {}),
        ({"report": ReportSettings(transcripts=False)}, {}),
        ({}, {}),
    ],
)
def test_settings_run_what_they_decide_about(
    changes: dict[str, object], expected: dict[FlowName, tuple[str, ...]]
) -> None:
    """Another gate asks the last question anew; more patience asks nothing."""
    other = TRACK.model_copy(update=changes)
    plan = planned(tracks(taxi=FULL), tracks(taxi=FULL | {"track.toml": "other"}), settings={"taxi": (TRACK, other)})

    assert settings_reasons(TRACK, other) == expected
    assert {run.flow: run.reasons[0].names for run in plan.runs} == expected


def test_every_setting_is_sorted_into_one_that_runs_or_one_that_does_not() -> None:
    """Whoever adds a setting decides what it runs."""
    assert set(Track.model_fields) == {
        "name", "locale", "description", "model", "gate", "release", "watch", "promotion", "report", "patience",
    }  # fmt: skip
    assert set(ModelSettings.model_fields) == {"base", "weight_percent"}


def test_settings_that_cannot_be_compared_run_everything() -> None:
    """The flow itself says what is wrong with them; staying silent would hide it."""
    changed = (tracks(taxi=FULL), tracks(taxi=FULL | {"track.toml": "broken"}))

    assert flows(planned(*changed)) == [("taxi", "testing"), ("taxi", "training")]
    assert flows(planned(*changed, settings={"taxi": (TRACK, None)})) == [("taxi", "testing"), ("taxi", "training")]


def test_the_folder_of_tracks_can_be_anywhere() -> None:
    """Deep in a monorepo, or the repository itself."""
    for data in ("speech/data", "./speech/data/", "./", ""):
        prefix = "speech/data/" if "data" in data else ""
        files = {f"{prefix}taxi/{name}": content for name, content in FULL.items()}
        plan = make_plan(between({}, files), parts_of_tracks(files, data), revision="", data=data)
        assert flows(plan) == [("taxi", "testing"), ("taxi", "training")]


def test_keys_tell_track_flow_and_revision_apart() -> None:
    """The same run asked for twice starts once; another one is never mistaken for it."""
    asked = [("a", TESTING, "1", ""), ("a", TRAINING, "1", ""), ("b", TESTING, "1", ""), ("a", TESTING, "2", ""),
             ("a", TESTING, "1", "tag x")]  # fmt: skip

    assert len({run_key(*one) for one in asked}) == len(asked)
    assert run_key("taxi", TESTING, "abc") == planned({}, tracks(taxi=FULL)).runs[0].key
    assert len(run_key("a", TESTING, "1")) == 64


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("baseline/2026-11", ["bus", "taxi"]), ("baseline/taxi", ["taxi"]), ("baseline/taxi/2", ["taxi"])],
)
def test_a_tag_tests_anew(tag: str, expected: list[str]) -> None:
    """Of one track, or of all; with a key of its own, for the revision was looked at when it was pushed."""
    there = parts_of_tracks(tracks(taxi=FULL, bus=FULL, empty={"track.toml": "s"}), "data")
    plan = make_retest_plan(there, tag, revision="abc")

    assert flows(plan) == [(track, "testing") for track in expected]
    assert str(plan.runs[0].reasons[0]) == f"tag: {tag}"
    assert plan.runs[-1].key != run_key("taxi", TESTING, "abc")


@pytest.mark.parametrize("flow", FlowName)
def test_the_flows_are_called_so(flow: FlowName) -> None:
    """A plan names what there is to run."""
    source = Path(__file__).parents[2] / "flows" / f"{flow.value.replace('-', '_')}.py"

    assert f'name="{flow.value}"' in source.read_text()


ZEROS = "0" * 40


@pytest.mark.parametrize(
    ("push", "reason"),
    [
        (Push("refs/heads/main", "a", "b"), ""),
        (Push("refs/heads/main", ZEROS, "b"), ""),
        (Push("refs/heads/topic", "a", "b"), "branch 'topic' is not watched (watched: main, release/*)"),
        (Push("refs/heads/Main", "a", "b"), "branch 'Main' is not watched (watched: main, release/*)"),
        (Push("refs/heads/release/1", "a", "b"), ""),
        (Push("refs/heads/main", "a", ZEROS), "branch 'main' was deleted"),
        (Push("refs/tags/baseline/1", ZEROS, "b"), ""),
        (Push("refs/tags/baseline/1", "a", ZEROS), "tag 'baseline/1' was deleted"),
        (Push("refs/tags/main", ZEROS, "b"), "tag 'main' is not watched (watched: baseline/*)"),
        (Push("refs/notes/commits", "a", "b"), "neither a branch nor a tag was pushed"),
        (Push("", "a", "b"), "neither a branch nor a tag was pushed"),
        (Push("refs/heads/a\x1b[1m", "a", "b"), "branch 'a\\x1b[1m' is not watched (watched: main, release/*)"),
    ],
)
def test_only_watched_pushes_are_looked_at(push: Push, reason: str) -> None:
    """A topic branch, a deleted one and other tags start nothing, and say so."""
    assert why_ignored(push, PushRules(branches=("main", "release/*"))) == reason


NAMES = st.sampled_from(
    ["track.toml", "testing/a.wav", "testing/b\t.wav", "testing.zip", "training/p.txt", "README.md", "testing/.x"]
)
STATES = st.dictionaries(
    st.tuples(st.sampled_from(["taxi", "bus", "Bad"]), NAMES).map(lambda pair: f"data/{pair[0]}/{pair[1]}"),
    st.sampled_from("123"),
)


@given(STATES, STATES, st.randoms())
def test_a_plan_depends_on_nothing_but_the_two_states(before: Files, after: Files, random: object) -> None:
    """Not on the order in which git lists files, and not on hearing of one twice."""
    changes = between(before, after)
    shuffled = [*changes, *changes[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    there = parts_of_tracks(after, "data")

    assert make_plan(shuffled, there, revision="r").runs == make_plan(changes, there, revision="r").runs
    assert make_plan(between(after, after), there, revision="r") == Plan(revision="r")


@given(STATES, STATES)
def test_each_track_is_tested_before_it_is_trained_and_each_once(before: Files, after: Files) -> None:
    """Whatever changed."""
    runs = planned(before, after).runs
    order = [list(FlowName).index(run.flow) for run in runs]
    by_track = [
        [place for _, place in group] for _, group in groupby(zip(runs, order, strict=True), lambda one: one[0].track)
    ]

    assert len({(run.track, run.flow) for run in runs}) == len({run.key for run in runs}) == len(runs)
    assert all(places in ([0], [1], [0, 1]) for places in by_track)
    assert all(Part.SETTINGS in parts_of_tracks(after, "data")[run.track] and run.track != "Bad" for run in runs)
