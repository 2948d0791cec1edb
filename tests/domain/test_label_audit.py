"""References that are probably wrong, as the models' agreement tells."""

from collections.abc import Mapping

from domain.comparison import Comparison, Measured
from domain.label_audit import Doubt, doubtful_references
from domain.normalise import normaliser_for
from domain.wer import score_utterances

SAID = {"a": "turn left here", "b": "stop", "c": "one two three four", "d": "good night"}


def compared(
    benchmark: Mapping[str, str], candidate: Mapping[str, str], base: Mapping[str, str] | None = None
) -> Comparison:
    """Models that heard all right but for what is given."""
    sides = [measured({**SAID, **heard}) if heard is not None else None for heard in (benchmark, candidate, base)]
    assert sides[0]
    assert sides[1]
    return Comparison(benchmark=sides[0], candidate=sides[1], base=sides[2])


def measured(heard: Mapping[str, str]) -> Measured:
    """A model's scorecard."""
    return Measured("model", score_utterances(SAID, heard, normaliser_for("en-US")), None)


def test_what_all_models_hear_otherwise_is_doubted_with_its_words() -> None:
    """Three models that agree are probably right; people listen and correct the reference."""
    heard = {"a": "turn right here"}

    assert doubtful_references(compared(heard, heard, heard)) == (Doubt("a", (("left", "right"),)),)


def test_a_model_that_disagrees_or_is_right_ends_the_doubt() -> None:
    """Then it is a model's mistake."""
    heard = {"a": "turn right here"}

    assert doubtful_references(compared(heard, heard, {})) == ()
    assert doubtful_references(compared(heard, {"a": "turn back here"}, heard)) == ()
    assert doubtful_references(compared({}, {}, {})) == ()


def test_without_a_base_model_two_models_must_agree() -> None:
    """A base that was not measured has no say."""
    heard = {"a": "turn right here"}

    assert [doubt.utterance for doubt in doubtful_references(compared(heard, heard))] == ["a"]
    assert doubtful_references(compared(heard, {})) == ()


def test_the_longest_list_of_words_comes_first_and_equals_are_in_order() -> None:
    """People begin with the worst, and two reports of the same data are the same."""
    heard = {"d": "good day", "b": "stop now", "c": "five six"}

    doubts = doubtful_references(compared(heard, heard, heard))

    assert [doubt.utterance for doubt in doubts] == ["c", "b", "d"]
    assert doubts[1].words == ((None, "now"),)


def test_a_recording_in_which_all_hear_nothing_is_doubted() -> None:
    """It is silent, or the reference belongs to another one."""
    silence = {"d": ""}

    assert doubtful_references(compared(silence, silence, silence)) == (Doubt("d", (("good", None), ("night", None))),)


def test_capitals_and_punctuation_are_no_other_hearing() -> None:
    """Texts are compared as they are scored."""
    assert doubtful_references(compared({"b": "Stop!"}, {"b": "STOP"}, {"b": "stop."})) == ()


def test_a_recording_that_a_model_did_not_hear_is_not_judged() -> None:
    """No evidence is no agreement."""
    heard = {"a": "turn right here"}
    base = Measured("base", score_utterances(SAID, {"b": "stop"}, normaliser_for("en-US")), None)
    comparison = Comparison(measured({**SAID, **heard}), measured({**SAID, **heard}), base)

    assert doubtful_references(comparison) == ()
