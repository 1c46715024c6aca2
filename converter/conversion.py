"""What came of a conversion, as the job's `result` says it."""

from dataclasses import asdict, dataclass
from typing import Any

from converter.parts import Part
from converter.report import Loudness
from converter.tags import Cover
from converter.whole import Warned


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of a conversion."""

    duration: float
    complete: bool
    warnings: tuple[Warned, ...]
    reencoded: bool
    track: int
    language: str | None
    channels: int
    sample_rate: int
    bitrate: int
    """In kbit/s, on average."""
    quality: str
    encoders: int
    """How many worked on it at once."""
    chapters: int
    gain: float | None
    """In dB, if a loudness was asked for."""
    loudness: Loudness | None
    """Of the MP3 where one was asked for, else of what was encoded."""
    cover: Cover | None
    """The picture in the MP3."""
    parts: tuple[Part, ...] = ()
    """If it was split; each lies in a file of its own beside the MP3."""
    peaks: bytes = b""
    """Its waveform, as `peaks` draws it."""

    def as_document(self) -> dict[str, Any]:
        """Return what the job's `result` says, but for what is stored."""
        document = asdict(self) | {"warnings": [asdict(warned) for warned in self.warnings]}
        del document["parts"], document["peaks"]
        return document
