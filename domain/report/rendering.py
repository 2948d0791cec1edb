"""Templates that escape everything: data become text on a page, never markup."""

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from domain.report.harmless import LONGEST_WORD, harmless
from domain.report.wording import percent, percents, points


def rendered(template: str, **facts: object) -> str:
    """The page that a template makes of these facts."""
    return _templates().get_template(template).render(facts)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("domain.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "percent": percent, "percents": percents, "points": points, "word": _word, "text": _text, "number": _number,
        "short": lambda digest: digest[:12],
    }  # fmt: skip
    return templates


def _harmless(value: object) -> object:
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _word(text: str) -> Markup:
    """One word or name, in its own direction: what is written from right to left turns nothing else around."""
    return Markup("<bdi>{}</bdi>").format(harmless(text, LONGEST_WORD))


def _text(text: str) -> Markup:
    """A sentence, in its own direction."""
    return Markup("<bdi>{}</bdi>").format(harmless(text))


def _number(count: int) -> str:
    return f"{count:,}"
