"""Label an MP3, or a part of one: the video's text as far as it is wanted, and what the conversion knows."""

from dataclasses import dataclass
from pathlib import Path

from converter import metadata, tags
from converter.encoder import Beside
from converter.metadata import Metadata
from converter.parts import Part
from converter.plan import Plan
from converter.report import Report
from converter.tags import Cover
from pipeline.options import Options


@dataclass(frozen=True, slots=True)
class Labels:
    """What the MP3s of one video are labelled with."""

    options: Options
    beside: Beside

    @property
    def kept(self) -> bool:
        """Say whether the video's text is wanted."""
        return self.options.tags == "keep"

    def text(self) -> Metadata:
        """Return the text that ffmpeg found in the video."""
        self.beside.text.seek(0)
        return metadata.read(self.beside.text.read(metadata.MAX_BYTES))

    def write(self, mp3: Path, text: Metadata, made: Plan, report: Report) -> Cover | None:
        """Write the tag of the MP3, and return the picture in it."""
        return self._write(mp3, text if self.kept else Metadata(), self.options.title, made, report)

    def write_part(self, file: Path, part: Part, count: int, made: Plan, report: Report) -> None:
        """Write the tag of a part: an album has the title of the video, and a track each of its parts."""
        text = self.text() if self.kept else Metadata()
        album = self.options.title or text.tags.get("title")
        own = {"track": f"{part.number}/{count}"}
        if album:
            own |= {"album": album, "title": f"{album} {part.number}"}
        if part.title and self.kept:
            own["title"] = part.title
        self._write(file, Metadata(text.tags | own), None, made, report)

    def _write(
        self, mp3: Path, text: Metadata, title: str | None, made: Plan, report: Report
    ) -> Cover | None:
        self.beside.cover.seek(0)
        known = tags.Known(
            title=title,
            language=made.track.language if self.kept else None,
            loudness=report.loudness,
            cover=self.beside.cover.read(tags.MAX_COVER + 1) if self.kept else b"",
        )
        return tags.write(mp3, text, known)
