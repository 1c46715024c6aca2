"""The files of the page, read once and kept compressed.

What npm fetches lies under static/vendor; where that was not done there is no page, and the gateway is
the API alone.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@cache
def read(folder: Path = FOLDER) -> dict[str, Asset]:
    """Return the files by their path below `folder`; none where those of others are missing."""
    if not (folder / "vendor" / "lit-html").is_dir():
        return {}
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in TYPES]
    return {file.relative_to(folder).as_posix(): _asset(file) for file in files}


def needed_first(assets: dict[str, Asset]) -> list[str]:
    """Return the modules that the page runs at once, so that a browser fetches them all together."""
    later = ("vendor/mediabunny/", "vendor/tus-js-client/", "sound.js", "matroska.js", "admin.js", "texts/")
    return [path for path in assets if path.endswith(".js") and not path.startswith(later)]


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    compressed = gzip.compress(content, mtime=0)
    return Asset(content, compressed, TYPES[file.suffix], hashlib.sha256(content).hexdigest()[:32])
