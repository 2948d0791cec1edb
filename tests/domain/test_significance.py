"""Is the gain more than chance? Figures that stay what they are, on any machine and in any order of utterances."""

import itertools
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.comparison import Comparison, Measured
from domain.significance import (
    Gain,
    block_sums,
    blocks_of,
    gain_of,
    gain_over,
    gap_change,
    holm,
    needed,
    smallest_gain,
    wer_interval,
)
from domain.significance.draws import flipped, resampled
from domain.significance.student import t_probability, t_quantile
from domain.wer import Scorecard, UtteranceScore

WORDS = 100
"""Per recording."""
Errors = Sequence[tuple[int, int]]
"""Errors of benchmark and candidate, recording by recording."""


def measured(model: str, errors: Mapping[str, int]) -> Measured:
    """A model with so many errors in each recording of 100 words."""
    utterances = (UtteranceScore(name, "", "", "S" * bad + "H" * (WORDS - bad)) for name, bad in errors.items())
    return Measured(model, Scorecard(tuple(utterances), "n1"), None)


def comparison(speakers: Mapping[str, Errors], seconds: float | None = None) -> Comparison:
    """Two models on the recordings of these speakers."""
    both = {f"{speaker}-{one}.wav": pair for speaker, some in speakers.items() for one, pair in enumerate(some)}
    return Comparison(
        measured("old", {name: pair[0] for name, pair in both.items()}),
        measured("new", {name: pair[1] for name, pair in both.items()}),
        labels={name: {"speaker": name.rpartition("-")[0]} for name in both},
        seconds={} if seconds is None else dict.fromkeys(both, seconds),
    )


def speakers(gains: Sequence[int], errors: int = 20) -> dict[str, Errors]:
    """One recording per speaker, in which the candidate saves so many errors."""
    return {f"s{number:02}": [(errors, errors - gain)] for number, gain in enumerate(gains)}


def test_the_unit_is_the_speaker_else_the_session_else_the_recording() -> None:
    """Recordings of one person are no independent witnesses. A session that is called like a speaker is not that speaker."""
    labels = {"1": {"speaker": "awb", "session": "x"}, "2": {"speaker": " ", "session": "awb"}, "3": {"noise": "car"}}

    blocks = blocks_of(measured("m", dict.fromkeys("1234", 0)), labels)

    assert blocks == {"1": "speaker:awb", "2": "session:awb", "3": "recording:3", "4": "recording:4"}


@pytest.mark.parametrize(
    ("labels", "unit"),
    [
        ({"1": {"speaker": "a"}, "2": {"speaker": "b"}}, "speakers"),
        ({"1": {"session": "a"}, "2": {"session": "b"}}, "sessions"),
        ({}, "recordings"),
        ({"1": {"speaker": "a"}}, "blocks"),
    ],
)
def test_the_gain_tells_what_its_unit_is(labels: Mapping[str, Mapping[str, str]], unit: str) -> None:
    """ "20 speakers" must not be said of 20 recordings."""
    sides = (measured(name, {"1": 0, "2": 0}) for name in ("old", "new"))

    assert gain_of(Comparison(*sides, labels=labels)).unit == unit


def test_a_gain_that_most_speakers_share_is_more_than_chance() -> None:
    """Twenty speakers, nearly all better: the interval lies above zero."""
    gain = gain_of(comparison(speakers([3, 2, 4, 1, 3, 2, 0, 2, 5, 3] * 2)))

    assert gain.value == pytest.approx(0.025)
    assert gain.method == "block bootstrap"
    assert (gain.blocks, gain.words) == (20, 2000)
    assert gain.interval is not None
    assert 0.018 < gain.interval[0] < gain.value < gain.interval[1] < 0.032
    assert gain.worse_or_equal is not None
    assert gain.worse_or_equal < 0.001


def test_a_gain_that_rests_on_one_speaker_is_not() -> None:
    """Nineteen alike and one much better: the next twenty speakers may hold nobody like her."""
    gain = gain_of(comparison(speakers([20] + [0] * 19)))

    assert gain.interval is not None
    assert gain.interval[0] <= 0
    assert gain.worse_or_equal is not None
    assert gain.worse_or_equal > 0.025


def test_equal_input_gives_equal_figures_on_every_machine() -> None:
    """A verdict must come out the same in ten years: these figures were written down in 2026."""
    gain = gain_of(comparison(speakers([5, -3, 4, 1, -2, 3, 0, 2, 6, 1, 1, -1])))

    assert gain == Gain(17 / 1200, (-0.0033333333333333335, 0.0325), 0.0540843, "block bootstrap", 12, 1200, 0.954291)


def test_draws_are_the_same_everywhere() -> None:
    """They come from the raw integers of PCG64, which numpy promises to keep; its distributions may change."""
    ones = np.arange(7.0)[:, None]

    assert resampled(ones, 5, 1).ravel().tolist() == DRAWN
    assert resampled(ones, 5, 2).ravel().tolist() != DRAWN
    assert flipped(np.arange(14.0)[:, None], 4, 1).ravel().tolist() == FLIPPED


DRAWN = [23.0, 23.0, 16.0, 28.0, 13.0]
FLIPPED = [0.0, 68.0, 48.0, 58.0, 34.0]


def test_the_order_of_recordings_is_no_matter() -> None:
    """The service lists them in any order."""
    rows = [(f"s{number % 12:02}-{number}.wav", number**3 % 17, number**2 % 19) for number in range(60)]
    found = set()
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        both = (measured(str(side), {row[0]: row[side] for row in rows}) for side in (1, 2))
        found.add(gain_of(Comparison(*both, labels={row[0]: {"speaker": row[0][:3]} for row in rows})))

    assert len(found) == 1


GAINS = st.lists(st.integers(-5, 5), min_size=5, max_size=14)


@settings(max_examples=25, deadline=None)
@given(GAINS)
def test_what_is_a_gain_for_one_is_a_loss_for_the_other(gains: list[int]) -> None:
    """Nothing in the test favours either side."""
    there, back = (gain_of(comparison(speakers(some)), resamples=200) for some in (gains, [-gain for gain in gains]))

    assert there.value == pytest.approx(-back.value)
    assert (there.worse_or_equal, there.better_or_equal) == (back.better_or_equal, back.worse_or_equal)
    if there.interval and back.interval:
        assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))


@settings(max_examples=50, deadline=None)
@given(GAINS, st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_and_the_probability_say_the_same(gains: list[int], confidence: float) -> None:
    """A report that shows an interval above zero beside p = 0.2 convinces nobody."""
    gain = gain_of(comparison(speakers(gains)), confidence=confidence, resamples=500)

    if gain.interval is not None:
        assert gain.worse_or_equal is not None
        assert (gain.interval[0] > 0) == (gain.worse_or_equal <= (1 - confidence) / 2 + 1e-6)


@pytest.mark.parametrize("blocks", [6, 8, 9])
def test_with_few_speakers_every_way_to_flip_signs_is_looked_at(blocks: int) -> None:
    """The probability is the textbook's, by enumeration."""
    gains = [3, 5, -1, 2, 4, 1, 2, -2, 3][:blocks]
    flips = [sum(map(int.__mul__, gains, signs)) for signs in itertools.product((1, -1), repeat=blocks)]

    gain = gain_of(comparison(speakers(gains)))

    assert gain.method == "sign flips"
    assert gain.worse_or_equal == pytest.approx(sum(one >= sum(gains) for one in flips) / 2**blocks, abs=1e-6)


@pytest.mark.parametrize("end", [0, 1])
def test_the_interval_of_few_speakers_holds_all_gains_that_are_not_rejected(end: int) -> None:
    """Just inside either end the sign-flip test does not reject at 2.5 %, just outside it does."""
    gains, inward = np.array([3, 5, -1, 2, 4, 1, 2, 6]), (1, -1)[end]
    interval = gain_of(comparison(speakers(gains.tolist()))).interval
    assert interval is not None

    def chance(shift: float) -> float:
        left = inward * (gains - shift * WORDS)
        flips = [float(np.dot(left, signs)) for signs in itertools.product((1, -1), repeat=len(left))]
        return float(np.mean(np.array(flips) >= left.sum() - 1e-9))

    assert chance(interval[end] + inward * 1e-6) > 0.025 >= chance(interval[end] - inward * 1e-6)


def test_under_five_speakers_nothing_is_shown() -> None:
    """However large the gain looks."""
    gain = gain_of(comparison(speakers([15, 15, 15, 15])))

    assert gain == Gain(0.15, None, None, "too few blocks", 4, 400)


def test_five_speakers_have_a_probability_and_no_interval_at_95_percent() -> None:
    """All five better is as odd as five heads in a row, 3 %: a 90 % interval can show that, a 95 % interval cannot."""
    five = comparison(speakers([5, 6, 7, 8, 9]))

    assert gain_of(five).interval is None
    assert gain_of(five).worse_or_equal == 0.03125
    assert gain_of(five, confidence=0.9).interval == pytest.approx((0.05, 0.09))


def test_ten_speakers_show_nothing_at_99_9_percent() -> None:
    """Too few draws reach that far: no interval is honest, a too narrow one is not."""
    gains = comparison(speakers([5, 6, 7, 8, 9, 5, 6, 7, 8, 9]))

    assert gain_of(gains, confidence=0.99).interval is not None
    assert gain_of(gains, confidence=0.999).interval is None


def test_many_recordings_of_one_speaker_do_not_outvote_the_others() -> None:
    """One of twelve speakers has nine tenths of the words: that is little more than one witness."""
    data = {**speakers([-1, 1, 0, 1, -1, 0, 1, 0, -1, 1, 0]), "star": [(20, 15)] * 99}

    gain = gain_of(comparison(data))

    assert gain.method == "sign flips"
    assert gain.interval is not None
    assert gain.interval[0] <= 0
    assert gain.worse_or_equal is not None
    assert gain.worse_or_equal > 0.2


def test_equal_transcripts_show_no_gain() -> None:
    """Neither better nor worse, for sure."""
    gain = gain_of(comparison(speakers([0] * 12)))

    assert (gain.value, gain.interval) == (0, (0, 0))
    assert (gain.worse_or_equal, gain.better_or_equal) == (1, 1)


def test_no_words_show_nothing() -> None:
    """Not even "no gain"."""
    none = measured("m", {})

    assert gain_of(Comparison(none, none)) == Gain(0.0, None, None, "too few blocks", 0, 0, unit="blocks")
    assert wer_interval(none, {}) is None
    assert smallest_gain(Comparison(none, none)) is None
    assert needed(Comparison(none, none)) is None


def test_a_slice_is_judged_on_its_own_recordings() -> None:
    """Better overall, worse for the slice: both are told."""
    data = comparison(speakers([4] * 12 + [-4] * 6))
    worse = frozenset(f"s{number:02}-0.wav" for number in range(12, 18))

    one = gain_of(data, only=worse)

    assert gain_of(data).value > 0 > one.value
    assert (one.blocks, one.words) == (6, 600)
    assert one.better_or_equal == 1 / 64


def test_a_recording_that_one_model_lacks_is_in_no_figure() -> None:
    """The gate calls such evidence invalid; here it must not shift a pairing."""
    data = comparison(speakers([2, 3, 4, 5, 6, 7]))
    short = Measured("new", Scorecard(data.candidate.scorecard.utterances[1:], "n1"), None)

    gain = gain_of(Comparison(data.benchmark, short, labels=data.labels))

    assert (gain.words, gain.value) == (500, 0.05)


def test_a_hundred_thousand_recordings_without_speakers_need_no_more_memory_than_a_thousand() -> None:
    """They are dealt into a thousand bundles, which gives the interval of the textbook within a tenth."""
    numbers = np.random.default_rng(1)
    words = np.full(100_000, 12)
    saved, none = numbers.integers(-1, 3, 100_000), np.full(100_000, 3)

    sums = block_sums(none, none - saved, words, np.arange(100_000), "recordings")
    gain = gain_over(sums, resamples=1_000)

    half = 1.96 * saved.std() / 12 / np.sqrt(100_000)
    assert (len(sums.words), gain.blocks, gain.words) == (1_000, 100_000, 1_200_000)
    assert gain.interval == pytest.approx((gain.value - half, gain.value + half), abs=half * 0.1)


@pytest.mark.parametrize("wrong", [{"confidence": 1.0}, {"confidence": 0}, {"resamples": 99}])
def test_settings_without_sense_are_refused(wrong: dict[str, float]) -> None:
    """A confidence of 95 (per cent) must not silently become something else."""
    with pytest.raises(ValueError, match="confidence"):
        gain_of(comparison(speakers([1] * 12)), **wrong)  # type: ignore[arg-type]


def test_the_wer_has_an_interval_from_five_speakers_on() -> None:
    """Wider with fewer speakers, and never below zero."""
    errors = [5, 25, 15, 0, 30]
    some, many = ({f"s{n:02}": [(bad, 0)] for n, bad in enumerate(errors * times)} for times in (1, 8))

    few, more = (wer_interval(one.benchmark, one.labels) for one in (comparison(some), comparison(many)))
    four = comparison({f"s{n}": [(5, 0)] for n in range(4)})

    assert few is not None
    assert more is not None
    assert 0 <= few[0] < more[0] < 0.15 < more[1] < few[1] <= 0.30
    assert wer_interval(four.benchmark, four.labels) is None


def test_the_smallest_gain_shrinks_with_more_speakers() -> None:
    """Four times as many speakers, half of it; none where no gain could be shown."""
    gains = [3, -2, 1, 4, -1, 0, 2, -3, 1, 1, 0, 2]

    few, many = (smallest_gain(comparison(speakers(gains * times))) for times in (1, 4))

    assert few is not None
    assert many is not None
    assert many == pytest.approx(few / 2, rel=0.12)
    assert smallest_gain(comparison(speakers([0] * 12))) is None
    assert smallest_gain(comparison(speakers([5, 6, 7, 8, 9]))) is None


def test_as_many_speakers_as_are_asked_for_show_the_gain() -> None:
    """With that many more of the same kind, the same gain is more than chance."""
    gains = [4, -3, 2, 5, -2, 0, 3, -4, 1, 2]
    data = comparison(speakers(gains), seconds=90)

    more = needed(data)

    assert more is not None
    assert more.speakers >= 20
    assert more.minutes == pytest.approx(more.speakers * 1.5, rel=0.15)
    assert more.minutes >= more.speakers * 1.5
    times = 1 + more.speakers // len(gains)
    before, after = (gain_of(comparison(speakers(some))).interval for some in (gains, gains * times))
    assert before is not None
    assert after is not None
    assert before[0] <= 0 < after[0]


def test_a_handful_of_speakers_is_told_to_become_ten() -> None:
    """Two speakers, both better: more of them are needed, whatever a formula makes of two figures."""
    two = needed(comparison(speakers([5, 5])))

    assert two is not None
    assert (two.speakers, two.minutes, two.unit) == (8, None, "speakers")


def test_nothing_is_needed_where_there_is_no_gain_or_enough_speakers() -> None:
    """More speakers do not help a candidate that is worse."""
    assert needed(comparison(speakers([-5, 3] * 6))) is None
    assert needed(comparison(speakers([5, 6] * 10))) is None


def groups(data: Comparison) -> dict[str, frozenset[str]]:
    """Speakers with even and with odd numbers."""
    names = [utterance.id for utterance in data.benchmark.scorecard.utterances]
    return {str(rest): frozenset(name for name in names if int(name[1:3]) % 2 == rest) for rest in (0, 1)}


def test_a_gap_between_groups_that_widens_is_seen() -> None:
    """Better for all, but for some three times as much: on average that is progress, and the gap has grown."""
    wider = comparison(speakers([9, 3] * 8))
    fair = comparison(speakers([6, 5, 7, 6] * 4))

    change, none = (gap_change(data, groups(data)) for data in (wider, fair))

    assert change.value == pytest.approx(-0.06)
    assert change.interval is not None
    assert change.interval[1] < 0
    assert change.better_or_equal is not None
    assert change.better_or_equal < 0.001
    assert none.interval is not None
    assert none.interval[1] >= 0


@pytest.mark.parametrize("gains", [[9, 3, 8, 4, 1, 2, 7, 7, 5, 6], [0, 3, 1, 0, 2, 5, 1, 2, 3, 3, 4]])
@pytest.mark.parametrize("wider", [True, False])
def test_the_interval_of_a_gap_leaves_zero_out_just_when_its_probability_says_so(gains: list[int], wider: bool) -> None:
    """The gate looks at the interval, people at the probability: to the last draw they agree."""
    there = comparison(speakers(gains))
    data = there if wider else Comparison(there.candidate, there.benchmark, labels=there.labels)
    change = gap_change(data, groups(data))
    tail = change.better_or_equal if wider else change.worse_or_equal
    assert tail is not None

    for nudge, left_out in ((1e-5, True), (-1e-5, False)):
        interval = gap_change(data, groups(data), confidence=1 - 2 * (tail + nudge)).interval
        assert interval is not None
        assert (interval[1] < 0 if wider else interval[0] > 0) == left_out


def test_a_gap_needs_two_groups_with_five_speakers() -> None:
    """Otherwise nothing is said."""
    few, many = comparison(speakers([9, 3] * 4)), comparison(speakers([9, 3] * 8))

    assert gap_change(few, groups(few)).interval is None
    assert gap_change(few, groups(few)).value == pytest.approx(-0.06)
    assert gap_change(many, {"all": groups(many)["0"]}).method == "too few blocks"
    assert gap_change(many, {}).words == 0


def test_a_speaker_may_be_in_several_groups() -> None:
    """Groups such as noise cut through speakers, who stay one witness."""
    data = comparison({f"s{n:02}": [(20, 11), (20, 17)] for n in range(12)})
    names = [utterance.id for utterance in data.benchmark.scorecard.utterances]

    change = gap_change(data, {end: frozenset(n for n in names if n.endswith(f"-{end}.wav")) for end in "01"})

    assert change.blocks == 12
    assert change.better_or_equal == pytest.approx(2**-12, abs=1e-6)


def test_holm_is_the_textbooks() -> None:
    """Holm's own step-down: the smallest times all, the next times one fewer, never falling."""
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({}) == {}


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6))
def test_holm_keeps_order_and_never_lowers(probabilities: dict[str, float]) -> None:
    """Nothing becomes more significant by being judged together with others."""
    adjusted = holm(probabilities)

    assert list(adjusted) == list(probabilities)
    assert all(probabilities[name] <= adjusted[name] <= 1 for name in adjusted)
    ranked = sorted(adjusted, key=lambda name: (probabilities[name], name))
    assert all(adjusted[one] <= adjusted[other] for one, other in itertools.pairwise(ranked))


@pytest.mark.parametrize(
    ("probability", "freedom", "t"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 9, 2.262),
        (0.95, 19, 1.729),
        (0.8, 30, 0.854),
        (0.975, 5000, 1.96),
    ],
)
def test_t_quantiles_are_those_of_the_tables(probability: float, freedom: int, t: float) -> None:
    """Every interval of few speakers rests on them."""
    assert t_quantile(probability, freedom) == pytest.approx(t, abs=0.0006)
    assert t_quantile(1 - probability, freedom) == pytest.approx(-t, abs=0.0006)
    assert t_probability(t_quantile(probability, freedom), freedom) == pytest.approx(probability)
