"""What a folder of a blob container held at a moment: its blobs by path, and the settings of its tracks."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from domain.changes import SETTINGS, Change, parts_of_tracks, place_of
from domain.listing import Entry, refusals
from domain.naming import fingerprint
from domain.plan import Plan, make_plan
from domain.problems import DataRejected
from domain.track import Track
from tasks.changes import known_settings, with_new_settings


class Blob(BaseModel):
    """One blob. `etag` (without quotes) pins it; `md5` (hex) is empty where whoever uploaded it gave none."""

    model_config = ConfigDict(frozen=True)

    etag: str
    md5: str = ""
    size: int

    @property
    def identity(self) -> str:
        """What tells its content apart."""
        return f"md5 {self.md5}" if self.md5 else f"etag {self.etag}"


class Listing(BaseModel):
    """All blobs of a folder, by their paths below it, and the text of each track.toml by its path."""

    model_config = ConfigDict(frozen=True)

    blobs: Mapping[str, Blob] = {}
    settings: Mapping[str, str] = {}

    @property
    def revision(self) -> str:
        """SHA-256 (hex) over paths and identities: the same content has the same, however often it is uploaded."""
        return fingerprint(
            "listing", *(word for path in sorted(self.blobs) for word in (path, self.blobs[path].identity))
        )

    def files(self, track: str = "") -> Mapping[str, Blob]:
        """The blobs that flows read, of one track or of all.

        Raises:
            DataRejected: one of them has a name that is no file's, or stands where another does.
        """
        below = f"{track}/" if track else ""
        read = [Entry(path) for path in self.blobs if path.startswith(below) and place_of(path, "")]
        if problems := [*refusals(read, "")]:
            raise DataRejected(problems)
        return {entry.path: self.blobs[entry.path] for entry in read}

    def plan_since(self, before: "Listing", occasion: str) -> Plan:
        """What has to run for this state when everything is done for the one before."""
        paths = sorted(self.blobs.keys() | before.blobs.keys())
        changes = [Change(path, _identity(before, path), _identity(self, path)) for path in paths]
        changes = [change for change in changes if change.before != change.after]
        return make_plan(
            changes,
            parts_of_tracks(self.blobs, ""),
            revision=self.revision,
            data="",
            settings={
                track: (_settings(before, track), _settings(self, track)) for track in with_new_settings(changes, "")
            },
            occasion=occasion,
        )


def _identity(listing: Listing, path: str) -> str:
    blob = listing.blobs.get(path)
    return blob.identity if blob else ""


def _settings(listing: Listing, track: str) -> Track | None:
    path = f"{track}/{SETTINGS}"
    text = listing.settings.get(path)
    return known_settings(track, None if text is None else text.encode(), path)
