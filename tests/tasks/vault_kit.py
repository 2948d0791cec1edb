"""A comparison, and rulings on it, kept as the flows keep them."""

from domain.comparison import Comparison, Measured
from domain.gate import decide
from domain.ledger import News
from domain.normalise import normaliser_for
from domain.ruling import ModelRef, Ruling, Subject
from domain.track import Track
from domain.wer import score_utterances
from tasks import vault
from tasks.ledger import Ledger
from tasks.store import Store

SAID = {f"{speaker}-{number}.wav": "take me to the museum now please" for speaker in "abcdef" for number in (1, 2)}
LABELS = {name: {"speaker": name[0], "noise": "clean"} for name in SAID}


def heard(model: str, wrong: int) -> Measured:
    """A model that misses the last words of each recording."""
    texts = {name: " ".join(text.split()[: 7 - wrong]) for name, text in SAID.items()}
    return Measured(model, score_utterances(SAID, texts, normaliser_for("en-US")), None)


COMPARISON = Comparison(heard("old", 3), heard("new", 1), labels=LABELS)


async def ruled(store: Store, **changes: object) -> str:
    """Judge and keep as the flow does; the digest of the ruling."""
    track, model = Track(name="places", locale="en-US"), ModelRef(path="models/1", name="new")
    subject = Subject(
        track=track, revision="abc", base=model, benchmark=model, candidate=model, testing_hash="t", testing="k",
        sheet="s", recipe="r",
    )  # fmt: skip
    kept = await vault.keep_comparison(store, COMPARISON)
    ruling = Ruling(subject=subject, verdict=decide(COMPARISON, track.gate), measurement="", comparison=kept)
    return await vault.keep_ruling(store, ruling.model_copy(update=changes))


async def told(store: Store, digest: str, track: str = "places") -> None:
    """Let the history tell of a ruling."""
    news = News(kind="training-update", flow_run="", revision="abc", facts={"ruling": digest})
    await Ledger(store, track).append(news)
