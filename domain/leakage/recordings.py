"""Recordings that are in training and in testing data, or in testing data twice."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from domain.leakage.data import Recording
from domain.leakage.findings import Leak


def shared_recordings(training: Sequence[Recording], testing: Sequence[Recording]) -> Iterator[Leak]:
    """Training recordings that are testing recordings too: the same bytes, or the same sound in another wrapping.

    Silence is no sound that two recordings could share.
    """
    contents = _by({recording: recording.contents for recording in testing})
    sounds = _by({recording: recording.sound for recording in testing if recording.sound})
    for recording in training:
        same = contents.get(recording.contents, [])
        for tested in same:
            yield _leak("same bytes", recording, tested, "is the testing recording")
        for tested in sounds.get(recording.sound, []):
            if tested not in same:
                yield _leak("same audio", recording, tested, "has the very sound of the testing recording")


def tested_twice(testing: Sequence[Recording]) -> Iterator[Leak]:
    """Testing recordings that are another one again: they count twice, and look like more evidence than there is."""
    for copies in _by({recording: recording.sound for recording in testing if recording.sound}).values():
        for copy in copies[1:]:
            leak = _leak("tested twice", copy, copies[0], "has the very sound of the testing recording")
            yield leak.model_copy(update={"utterance": copy.name, "blocks": False, "suspicious": False})


def _by(digests: dict[Recording, str]) -> dict[str, list[Recording]]:
    grouped = defaultdict(list)
    for recording, digest in digests.items():
        grouped[digest].append(recording)
    return grouped


def _leak(kind: str, recording: Recording, tested: Recording, likeness: str) -> Leak:
    reason = f"the recording {likeness} '{tested.name}'"
    return Leak(kind=kind, file=recording.file, utterance=tested.name, reason=reason)
