"""Language identification: which locales a request may name, and what this service makes of them.

There is a recogniser for en-US only, so nothing is really identified: speech counts as en-US when that is a candidate.
When it is not, no candidate fits: `Single` then fails with NoLanguageIdentified, as does silence, and `Continuous` falls
back on the main locale. Two fitting candidates (MultipleLanguagesIdentified) cannot happen, but can be asked for as a
job fault.

Sources: the specification's `LanguageIdentificationProperties`; azure-ai-docs, language-identification ("one locale per
base language") and includes/language-support/language-identification (the locales).
"""

from collections.abc import Sequence
from enum import StrEnum

from emulator.errors import ServiceError, invalid

CANDIDATES = frozenset(
    """
    af-ZA am-ET ar-AE ar-BH ar-DZ ar-EG ar-IL ar-IQ ar-JO ar-KW ar-LB ar-LY ar-MA ar-OM ar-PS ar-QA ar-SA ar-SY ar-TN
    ar-YE as-IN az-AZ bg-BG bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-AT de-CH de-DE el-GR en-AU en-CA en-GB en-GH en-HK
    en-IE en-IN en-KE en-NG en-NZ en-PH en-SG en-TZ en-US en-ZA es-AR es-BO es-CL es-CO es-CR es-CU es-DO es-EC es-ES
    es-GQ es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-PY es-SV es-US es-UY es-VE et-EE eu-ES fa-IR fi-FI fil-PH fr-BE
    fr-CA fr-CH fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID is-IS it-CH it-IT ja-JP jv-ID ka-GE kk-KZ
    km-KH kn-IN ko-KR lo-LA lt-LT lv-LV mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-BE nl-NL or-IN pa-IN
    pl-PL ps-AF pt-BR pt-PT ro-RO ru-RU si-LK sk-SK sl-SI so-SO sq-AL sr-RS sv-SE sw-KE sw-TZ ta-IN te-IN th-TH tr-TR
    uk-UA ur-IN uz-UZ vi-VN wuu-CN yue-CN zh-CN zh-CN-shandong zh-CN-sichuan zh-HK zh-TW zu-ZA
    """.split()  # noqa: SIM905  a list of 150 quoted strings would be harder to read
)
"""Locales that Azure can tell apart (page of 8/2025)."""

CONTINUOUS_LIMITS = (2, 10)
"""How many locales `Continuous` takes, the main one included."""
TARGET = "properties.languageIdentification.candidateLocales"


class LanguageIdentificationMode(StrEnum):
    """Whether the language may change within a recording."""

    CONTINUOUS = "Continuous"
    SINGLE = "Single"


def check_candidates(main: str, candidates: Sequence[str], mode: LanguageIdentificationMode) -> None:
    """Raise when these locales cannot be told apart."""
    if not candidates:
        raise invalid("InvalidLocale", "candidateLocales must not be empty.", TARGET)
    check_known([main, *candidates], TARGET)
    locales = list(dict.fromkeys([main, *candidates]))
    least, most = CONTINUOUS_LIMITS
    if mode is LanguageIdentificationMode.CONTINUOUS and not least <= len(locales) <= most:
        message = f"Continuous language identification takes {least} to {most} locales, the main locale included."
        raise invalid("InvalidLocale", message, TARGET)
    if len(candidates) != len(set(candidates)) or len({locale.partition("-")[0] for locale in locales}) < len(locales):
        raise invalid("InvalidLocale", "Only one locale per language can be a candidate.", TARGET)


def check_known(locales: Sequence[str], target: str) -> None:
    """Raise when one of these locales is none of Azure's."""
    unknown = [locale for locale in locales if locale not in CANDIDATES]
    if unknown:
        raise invalid("InvalidLocale", f"The language of the locale {unknown[0]!r} cannot be identified.", target)


def no_language(target: str) -> ServiceError:
    """The refusal of a request whose speech is in none of its candidates."""
    return invalid("NoLanguageIdentified", "Language Identification did not recognize any language.", target)
