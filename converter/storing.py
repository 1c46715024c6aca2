"""Put an MP3, its waveform and its parts into the store.

The parts lie one after the other in one blob, so that they come and go together.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converter import parts
from converter.conversion import Conversion
from pipeline.files import Blobs, BlobWriter
from pipeline.job import Job

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Storing:
    """Stores what a claim of a job made; `go_on` raises where that is not wanted any more.

    Every method raises `StoreUnavailable` when MongoDB is away, and can then be called again.
    """

    mp3s: Blobs
    job: Job
    go_on: Callable[[], None]

    def mp3(self, mp3: Path, peaks: bytes) -> dict[str, Any]:
        """Store an MP3 and return what the job's `result` says of it.

        Its waveform lies in the blob's metadata: it is there as long as the MP3, and no longer.
        """
        blob_id = self.job.claimed.blob_id
        crc32 = 0
        drawn = {"peaks": peaks} if peaks else {}
        with self._blob(blob_id, f"{self.job.id}.mp3", **drawn) as blob:
            for data in self._read(mp3):
                blob.write(data)
                crc32 = zlib.crc32(data, crc32)
        stored = {"blob": blob_id, "size": blob.size, "sha256": blob.sha256, "crc32": crc32}
        return {**stored, "peaks": len(peaks)}

    def parts(self, mp3: Path, done: Conversion) -> dict[str, Any]:
        """Store the parts of an MP3 and return what the job's `result` says of them."""
        if not done.parts:
            return {"parts": [], "parts_size": 0}
        stored = []
        with self._blob(self.job.claimed.parts_id, f"{self.job.id}.parts") as blob:
            for part in done.parts:
                place, digest, crc32 = blob.size, hashlib.sha256(), 0
                for data in self._read(parts.file_of(mp3, part.number)):
                    blob.write(data)
                    digest.update(data)
                    crc32 = zlib.crc32(data, crc32)
                sums = {"sha256": digest.hexdigest(), "crc32": crc32}
                stored.append({**asdict(part), "place": place, "size": blob.size - place, **sums})
        return {"parts": stored, "parts_size": blob.size}

    def _blob(self, blob_id: str, filename: str, **metadata: Any) -> BlobWriter:
        self.mp3s.delete(blob_id)  # of an attempt that an outage broke off
        known = {"owner": self.job.owner, "job_id": self.job.id, "content_type": "audio/mpeg"}
        return self.mp3s.create(blob_id, filename, **known, **metadata)

    def _read(self, file: Path) -> Iterator[bytes]:
        with file.open("rb") as opened:
            while data := opened.read(READ_BYTES):
                self.go_on()
                yield data
