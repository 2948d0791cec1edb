"""Normalisers as values: stable, told apart, safe with any text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.naming import fingerprint
from domain.normalise import ALL, AZURE_EN_US, Normaliser, normaliser_for, normaliser_with

TRICKY = (
    st.text()
    | st.text(alphabet="0123456789 ,.:$€¥%'-stndrh年元uhr’")
    | st.text(alphabet="ŉİIıΐﬁǰß\u0345\u0301\u0307\u200d'᾿Aa ")
    | st.text(alphabet="กน\u0e4d\u0e49\u0e32\u0e33ไ漢〇々がｶﾞ\u3099\u093fहि a1'")
    | st.lists(st.sampled_from(["drei", "und", "zwanzig", "hundert", "ein", "eins", "acht", "zehn", " "])).map("".join)
)
EXAMPLES = [
    '"What?" said Batman\'s sidekick: 104 Elm Street, 102.7 FM, $1,250.50, 5%, 21st, 3:05, 1992, 5551234',
    "¡Die Straße, „groß“! 12:23 Uhr, 12,45 €, 1.250, dreiundzwanzig, geht’s",
    "我今年 21 岁，￥3.5，1992年8月8日 5:00 ＷｉＦｉ 二〇二四",
    "น\u0e4d\u0e49\u0e32 ๒๔ हिन्दी है। ISPARTA İzmir \u2764\ufe0f 1\ufe0f\u20e3 \u0301 go\u200b on ガ ក្រុង",
]


@pytest.mark.parametrize("normaliser", ALL, ids=lambda one: one.name)
@example(text="i\u0307\u0307")
@given(text=TRICKY)
def test_normalised_text_stays_as_it_is(normaliser: Normaliser, text: str) -> None:
    """Normalising twice, as reports may, changes nothing."""
    once = normaliser(text)

    assert normaliser(once) == once
    assert once == " ".join(once.split())


@pytest.mark.parametrize("normaliser", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize(
    "hostile",
    [
        "1" * 100_000,
        "1,111" * 20_000,
        "1.111" * 20_000,
        "$" * 100_000,
        "€1" * 50_000,
        "1:" * 50_000,
        "'" * 100_000,
        "achtzehn" * 12_000 + "x",
        "\u0e01\u0e48" * 50_000,
        "\u0301" * 100_000,
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_a_hostile_line_cannot_stall_a_normaliser(normaliser: Normaliser, hostile: str) -> None:
    """No expression backtracks over the whole line: in quadratic time this would never end."""
    normaliser(hostile)


def test_results_of_different_normalisers_can_be_told_apart() -> None:
    """The fingerprint differs by name, by version and by the rules."""
    newer = Normaliser(AZURE_EN_US.name, AZURE_EN_US.version + 1, AZURE_EN_US.steps)
    shorter = Normaliser(AZURE_EN_US.name, AZURE_EN_US.version, AZURE_EN_US.steps[1:])

    assert len({one.fingerprint for one in (*ALL, newer, shorter)}) == len(ALL) + 2


def test_a_normaliser_is_found_again_by_its_fingerprint() -> None:
    """Stored evidence names it by nothing else."""
    assert all(normaliser_with(one.fingerprint) is one for one in ALL)
    assert normaliser_with("of another version") is None


@pytest.mark.parametrize(
    ("locale", "name", "comparable", "unit"),
    [
        ("en-US", "azure-en-US", True, "word"),
        ("en_GB", "azure-en-US", True, "word"),
        ("de-CH", "azure-de-DE", True, "word"),
        ("fr-FR", "unicode", False, "word"),
        ("tr-TR", "unicode-turkic", False, "word"),
        ("zh-CN", "azure-zh-CN", False, "character"),
        ("zh-CN-sichuan", "azure-zh-CN", False, "character"),
        ("zh-HK", "unicode-characters", False, "character"),
        ("JA-JP", "unicode-characters", False, "character"),
        ("", "unicode", False, "word"),
    ],
)
def test_a_locale_says_what_is_counted_and_whether_the_service_counts_alike(
    locale: str, name: str, comparable: bool, unit: str
) -> None:
    """Where Microsoft documents no rule, a difference from its WER proves nothing."""
    normaliser = normaliser_for(locale)

    assert (normaliser.name, normaliser.comparable, normaliser.unit) == (name, comparable, unit)


def test_whoever_changes_the_rules_raises_the_version() -> None:
    """Old evidence names a fingerprint: what it stands for must not change under it."""
    behaviour = {f"{one.name} {one.version}": fingerprint(one.fingerprint, *map(one, EXAMPLES))[:16] for one in ALL}

    assert behaviour == {
        "azure-en-US 2": "ba8e5fd7595d0296",
        "azure-de-DE 1": "9ad350b74bec2288",
        "azure-zh-CN 1": "95fe9ef80a5015f5",
        "unicode 2": "33ac41586a9df7c5",
        "unicode-turkic 1": "ac50a0314a682fa0",
        "unicode-characters 1": "f221686714bb5946",
    }, "raise `version`, then correct this line"
