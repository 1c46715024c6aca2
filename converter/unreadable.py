"""Say why ffmpeg cannot open a file, and what the file looks like."""

from pathlib import Path

import filetype

from converter import encryption, errors
from converter.errors import ConversionFailed

HEAD_BYTES = 8192
CONTAINERS = {
    b".RMF": "RealMedia",
    b".ra\xfd": "RealAudio",
    bytes.fromhex("b7d80020 3749da11 a64e0007 e95ead8d"): "Windows TV recording (WTV)",
    b".snd": "Sun audio (AU)",
    b"Creative Voice File": "Creative Voice (VOC)",
    b"TTA1": "True Audio (TTA)",
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio (APE)",
    b"nut/multimedia container": "NUT",
    b"FWS": "Flash animation (SWF)",
    b"CWS": "Flash animation (SWF)",
    b"ZWS": "Flash animation (SWF)",
    b"DKIF": "IVF",
    bytes.fromhex("0000000001bc"): "GXF",
    b"MPCK": "Musepack",
    b"MP+": "Musepack",
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b"NSVf": "Nullsoft video (NSV)",
    b"FORM": "IFF",
    b"MThd": "MIDI",
    b"ea3": "Sony OpenMG (OMA)",
    b"EA3": "Sony OpenMG (OMA)",
    b"tBaK": "TAK",
    b"OFR ": "OptimFROG",
    b"ajkg": "Shorten",
    b"TWIN": "TwinVQ (VQF)",
    b"BIK": "Bink video",
    b"SMK2": "Smacker video",
    b"YUV4MPEG2": "uncompressed video (Y4M)",
    b"Extended Module: ": "Tracker module",
    b"IMPM": "Tracker module",
    b"PSID": "C64 music (SID)",
}
"""What people have and may not send, by its first bytes; the type that a library guesses says less."""
PIECES = (b"styp", b"moof", b"sidx", b"emsg", b"prft")
"""The boxes that a piece of a stream begins with (ISO 14496-12)."""
CLUSTER = bytes.fromhex("1f43b675")
"""What a piece of a WebM stream begins with."""
AUDIBLE = bytes.fromhex("57907536")
"""The second word of Audible's old books, all of which are encrypted."""
ACCEPTED = (b"caff", bytes.fromhex("1a45dfa3"), b"OggS", b"FLV\1")
"""How containers begin that the library does not know in full."""
BOXES = (b"ftyp", b"mdat", b"free", b"wide", b"skip")
NO_INDEX = "moov atom not found"
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def why_unreadable(video: Path, log: list[str]) -> ConversionFailed:
    """Return the error for a file of which ffmpeg said this and no more."""
    with video.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if encryption.is_aacs(video) or head[4:8] == AUDIBLE:
        return errors.drm_protected()
    kind = filetype.guess(head)
    media = head.startswith(ACCEPTED) or (
        kind is not None and kind.mime.partition("/")[0] in ("audio", "video")
    )
    name = next((name for magic, name in CONTAINERS.items() if head.startswith(magic)), None)
    refused = name is not None or any("Format not on whitelist" in line for line in log)
    if refused and (media or name is not None or (kind is None and not _is_text(head))):
        return errors.unsupported_container(name or (kind.mime if kind else None))
    if head[4:8] in PIECES or head.startswith(CLUSTER):
        return errors.headless()
    if any(NO_INDEX in line for line in log) and (media or (kind is None and head[4:8] in BOXES)):
        return errors.no_index()
    if media:
        return errors.unreadable_media("its structure makes no sense")
    return errors.not_media(_looks_like(head, kind.mime if kind else None))


def _looks_like(head: bytes, mime: str | None) -> str:
    if mime is not None:
        return f"a file of the type {mime}"
    if _is_text(head):
        return "text"
    if not head.strip(b"\0"):
        return "data that begins with zeros"
    return "data of an unknown kind"


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not a character that was cut in two
            return False
    return len(head) > 1 and not CONTROLS.intersection(head)
