"""Letters, marks and digits of the world: nothing that is heard may be lost."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.normalise import ALL, Normaliser, normaliser_for

LOCALES = ["th-TH", "lo-LA", "km-KH", "my-MM", "hi-IN", "ta-IN", "ar-EG", "he-IL", "vi-VN", "fr-FR", "en-US", "de-DE"]
WRITTEN = {
    "th-TH": "กินน้ำที่นี่",
    "lo-LA": "ກິນນ້ຳ",
    "km-KH": "ភាសាខ្មែរ",
    "my-MM": "မြန်မာစာ",
    "hi-IN": "हिन्दी में लिखिए",
    "ta-IN": "தமிழ் மொழி",
    "ar-EG": "مَرْحَبًا بِكُمْ",
    "he-IL": "שָׁלוֹם לָכֶם",
    "vi-VN": "tiếng Việt dễ",
}


def marks(text: str) -> list[str]:
    """The combining marks of the text in canonical decomposition, sorted."""
    return sorted(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one)[0] == "M")


@pytest.mark.parametrize("locale", WRITTEN)
def test_every_mark_of_a_sentence_survives(locale: str) -> None:
    """Vowels and tones are marks in these scripts: without them words become other words."""
    assert marks(normaliser_for(locale)(WRITTEN[locale])) == marks(WRITTEN[locale])


SYLLABLES = st.one_of(
    st.tuples(st.sampled_from("กขคงจ"), st.sampled_from(["", "ิ", "ุ", "่", "ี่", "ึ้", "็"])),
    st.tuples(st.sampled_from("कखगत"), st.sampled_from(["", "ि", "ी", "ु", "्", "ं", "ें"])),
    st.tuples(st.sampled_from("கசதப"), st.sampled_from(["", "ி", "ு", "்", "ை", "ொ"])),
    st.tuples(st.sampled_from("بتسك"), st.sampled_from(["", "َ", "ّ", "ِّ", "ْ", "ً"])),
    st.tuples(st.sampled_from("שלםב"), st.sampled_from(["", "ָ", "ׁ", "ּ", "ִ", "ְּ"])),
    st.tuples(st.sampled_from("aeou"), st.sampled_from(["", "\u0302", "\u0301", "\u0323\u0302", "\u0309"])),
).map("".join)


@settings(max_examples=300)
@given(st.sampled_from(LOCALES), st.lists(SYLLABLES, max_size=8).map("".join))
def test_no_locale_loses_a_mark(locale: str, text: str) -> None:
    """Names in another script keep their marks as well."""
    assert marks(normaliser_for(locale)(text)) == marks(text)


@pytest.mark.parametrize("locale", [*LOCALES, "zh-CN", "ja-JP", "tr-TR"])
@pytest.mark.parametrize("text", ["Việt Nam", "café", "Ångström", "がぎ", "한국", "हिन्दी", "น้ำ"])
def test_composed_and_decomposed_text_are_the_same(locale: str, text: str) -> None:
    """Which of the two a keyboard makes nobody sees."""
    normaliser = normaliser_for(locale)
    composed, decomposed = (normaliser(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))

    assert composed == decomposed == unicodedata.normalize("NFC", composed)


@settings(max_examples=300)
@given(st.sampled_from(ALL), st.text())
def test_the_result_is_always_in_canonical_composition(normaliser: Normaliser, text: str) -> None:
    """Equal words are equal strings."""
    said = normaliser(text)

    assert unicodedata.is_normalized("NFC", said)


@pytest.mark.parametrize(
    ("locale", "written", "said"),
    [
        ("fr-FR", "L’eau", "l'eau"),
        ("fr-FR", "Straße ①ﬁ", "strasse 1fi"),
        ("hi-IN", "हिन्दी है। २४", "हिन्दी है 24"),
        ("ar-EG", "٢٤ \u061cنعم", "24 نعم"),
        ("ko-KR", "안녕 ２４", "안녕 24"),
        ("el-GR", "ΟΔΟΣ", "οδοσ"),
        ("tr-TR", "ISPARTA İzmir IĞDIR", "ısparta izmir ığdır"),
        ("az-Latn-AZ", "I İ", "ı i"),
        ("tr-TR", "i\u0307zmir I\u0307zmir", "izmir izmir"),
        ("fr-FR", "\u2764\ufe0f oui 1\ufe0f\u20e3", "oui 1"),
        ("fr-FR", "\u0301 a", "a"),
    ],
)
def test_words_with_spaces_between_them(locale: str, written: str, said: str) -> None:
    """Punctuation, case, width and the kind of digit go; letters and their marks stay."""
    assert normaliser_for(locale)(written) == said


@pytest.mark.parametrize(
    ("locale", "written", "said"),
    [
        ("th-TH", "ไปที่ WiFi 7 ครับ", "ไ ป ที่ wifi 7 ค รั บ"),
        ("th-TH", "น้ำ", "น้ ำ"),
        ("th-TH", "น\u0e4d\u0e49\u0e32", "น้ ำ"),
        ("lo-LA", "ນ\u0ecd\u0ec9\u0eb2", "ນ້ ຳ"),
        ("th-TH", "๒๔ ก.", "24 ก"),
        ("km-KH", "ក្រុង", "ក្ រុ ង"),
        ("my-MM", "မြန်မာ", "မြ န် မာ"),
        ("ja-JP", "「ｶﾞｷﾞ」とテスト、１２回", "ガ ギ と テ ス ト 12 回"),
        ("ja-JP", "人々のPython 3", "人 々 の python 3"),
        ("zh-TW", "你好，ＷＦ①", "你 好 wf1"),
        ("yue-CN", "唔該𠮷", "唔 該 𠮷"),
        ("th-TH", "rock'n'roll 'ก' don'tข", "rock'n'roll ก don't ข"),
    ],
)
def test_scripts_without_spaces_are_parted_by_character(locale: str, written: str, said: str) -> None:
    """A word error rate of such a line would be 0 or 1; Latin words and numbers stay whole."""
    assert normaliser_for(locale)(written) == said
