"""Names of files: from strangers into headers and mails, and back out as names of MP3s."""

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

MAX_NAME = 150
MAX_GIVEN = 1024
"""How much of a name is kept as it was given."""
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
NAMELESS = "video"


def clean(name: str) -> str:
    """Return a file name fit for a header and a mail: no path, no control or direction characters."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip(". \u2028\u2029")
    suffix = PurePosixPath(name).suffix[-16:]
    stem = name[: len(name) - len(suffix)]
    return (stem[: MAX_NAME - len(suffix)] + suffix) or NAMELESS


def media_type(given: str | None) -> str:
    """Return the media type that a file is said to have (RFC 6838, section 4.2), without parameters."""
    name = (given or "").partition(";")[0].strip()
    return name if MEDIA_TYPE.fullmatch(name) else "application/octet-stream"


def of_mp3(video: str) -> str:
    """Return the name of the MP3 made from a video: `talk.mp4` → `talk.mp3`."""
    stem, dot, _ = video.rpartition(".")
    return f"{stem if dot and stem else video}.mp3"


def disposition(kind: str, name: str, otherwise: str) -> str:
    """Return `Content-Disposition` with the name in both forms.

    RFC 6266: `filename*` holds the true name; `curl -OJ` reads only the plain one, which is `otherwise`
    where no letter or digit of the true one is left.
    """
    near = _ascii(name)
    stem = near.rpartition(".")[0] or near
    plain = near if re.search("[A-Za-z0-9]", stem) else otherwise
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _ascii(name: str) -> str:
    """Return the nearest name in ASCII: accents go, what has no near letter becomes `_`."""
    letters = (c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r'[^ -~]|["\\%]', "_", "".join(letters))
