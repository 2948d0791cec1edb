"""`speechops init`: a new track that runs at once, to be filled with a user's own data."""

import shutil
from pathlib import Path
from string import Template

from deployments.processes import shown
from domain.mistakes import Mistake
from domain.track import check_name, parse_track

_TEMPLATE = Path(__file__).parent / "templates" / "track"
_FILLED_IN = ("track.toml", "README.md")


def write_track(name: str, locale: str, data: Path) -> Path:
    """Write `data/<name>/` from the template; all of it or nothing.

    Args:
        name: the track's name.
        locale: language and region, such as `en-US`.
        data: the folder of all tracks; made when missing.

    Returns:
        The track's folder.

    Raises:
        Mistake: the name or the locale is not one, the folder exists already, or cannot be written.
    """
    folder = data / name
    texts = {file: _filled_in(file, name, locale) for file in _FILLED_IN}
    _check(name, locale, folder, texts["track.toml"])
    draft = data / f".{name}.partial"
    try:
        data.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(_TEMPLATE, draft)
        for file, text in texts.items():
            (draft / file).write_text(text, "utf-8")
        draft.rename(folder)
    except OSError as error:
        raise Mistake(
            f"{shown(folder)} cannot be written ({error.strerror}). Choose another place with --data."
        ) from None
    return folder


def next_steps(folder: Path, locale: str) -> str:
    """What to do with the new track, for the terminal."""
    foreign = (
        "" if locale.startswith("en-") else f"\nThe examples are English: replace them all before you train {locale}.\n"
    )
    return (
        f"Made {folder}/ with three example recordings; it runs as it is, to the verdict INCONCLUSIVE:\n"
        f"three recordings cannot show that a model is better. Six speakers are the least, twenty are better.\n{foreign}\n"
        f"  1. Put your recordings and trans.txt into {folder}/testing/ ({folder}/README.md tells the formats).\n"
        f"  2. Put your sentences into {folder}/training/plain_text.txt and names into pronunciation.txt.\n"
        f"  3. With `speechops up` running, in another shell:\n"
        f'     eval "$(speechops env)"\n'
        f"     prefect deployment run 'training-update/speechops' -p track={folder.name}{_data_parameter(folder)}"
    )


def _data_parameter(folder: Path) -> str:
    return "" if folder.parent == Path("data") else f" -p data={folder.parent}"


def _filled_in(file: str, name: str, locale: str) -> str:
    return Template((_TEMPLATE / file).read_text("utf-8")).substitute(track=name, locale=locale)


def _check(name: str, locale: str, folder: Path, settings: str) -> None:
    check_name(name)
    try:
        parse_track(name, settings.encode(), f"{folder}/track.toml")
    except Mistake:
        raise Mistake(f"'{locale}' is not a locale. Name language and region, such as --locale en-US.") from None
    if folder.exists():
        raise Mistake(f"{shown(folder)} exists already and is left as it is. Choose another name, or move it away.")
