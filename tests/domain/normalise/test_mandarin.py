"""Mandarin: one token per character, numbers as they are said."""

import pytest

from domain.normalise import AZURE_ZH_CN, normaliser_for

AUTOMATIC = [
    ("3.1415", "三 点 一 四 一 五"),
    ("￥ 3.5", "三 元 五 角"),
    ("ｗ ｆ ｙ ｚ", "W F Y Z"),
    ("1992 年 8 月 8 日", "一 九 九 二 年 八 月 八 日"),
    ("你吃饭了吗?", "你 吃饭 了 吗"),
    ("下午 5:00 的航班", "下午 五点 的 航班"),
    ("我今年 21 岁", "我 今年 二十 一 岁"),
]
"""Microsoft's table "automatic transcription normalization", zh-CN; spaces are where its segmenter put them."""

OUR_READING = [
    ("二〇二四年", "二零二四年"),
    ("第3号楼，2000元", "第三号楼两千元"),
    ("504", "五百零四"),
    ("10 12 100 110", "十十二一百一百一十"),
    ("20005 20500", "二零零零五两万零五百"),
    ("1,250,000", "一百二十五万"),
    ("100,000,001", "一亿零一"),
    ("¥0.5 ¥3.05 ¥2 ¥1,250", "五角三元零五分两元一千二百五十元"),
    ("¥1.234 ¥0", "一点二三四元零元"),
    ("9:05 12:30", "九点零五分十二点三十分"),
    ("5%和12.5％", "百分之五和百分之十二点五"),
    ("010 12345678901234567", "零一零一二三四五六七八九零一二三四五六七"),
]


@pytest.mark.parametrize(("written", "said"), AUTOMATIC)
def test_every_example_that_microsoft_documents_comes_out_as_documented(written: str, said: str) -> None:
    """All but the words, which nobody can make again without Azure's segmenter."""
    assert normaliser_for("zh-CN")(written).replace(" ", "") == said.replace(" ", "")


@pytest.mark.parametrize(("written", "said"), OUR_READING)
def test_other_numbers_are_written_as_most_people_say_them(written: str, said: str) -> None:
    """Microsoft says that numbers are expanded, but not how: our choice is pinned here."""
    assert AZURE_ZH_CN(written) == " ".join(said)


def test_words_in_latin_letters_stay_whole_within_chinese() -> None:
    """WiFi is one word that was heard or not, whatever its case or width."""
    assert AZURE_ZH_CN("打开ＷｉＦｉ吧") == AZURE_ZH_CN("打开 wifi 吧") == "打 开 WIFI 吧"
