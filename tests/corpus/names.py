"""Names that a program may take for something else; the file is an honest WAV, and must be converted."""

from tests.corpus.boxes import wav
from tests.corpus.hostile import CONVERTED, Hostile, content

CLIP = content(wav(bytes(8000 * 2)))

TRICKS = (
    "-i.mp4",
    "-y",
    "--help",
    "-",
    "http:x.mp4",
    "file:x.mp4",
    "concat:a.mp4|b.mp4",
    "subfile,,start,0,end,9,,:x.mp4",
    "data:text,x.mp4",
    "pipe:0",
    "fd:0",
    "crypto:x.mp4",
    "%03d.png",
    "%d%s%n.mp4",
    "*.mp4",
    "a?[b].mp4",
    "$(touch executed).mp4",
    "`touch executed`.mp4",
    "a;touch executed.mp4",
    "a|touch executed",
    "a&b>c.mp4",
    'it\'s "quoted".mp4',
    "back\\slash.mp4",
    "new\nline.mp4",
    "tab\tbell\a\x1b[31mred.mp4",
    " space .mp4 ",
    "...mp4",
    ".hidden",
    "~root.mp4",
    "CON.mp4",
    "video.mp4\u202egpj.exe",
    "ве́село 🎬 日本.mp4",
    "not \udcff UTF-8.mp4",
    "x" * 251 + ".mp4",
    "list.m3u8",
    "script.avs",
    "sprop.sdp",
)
NAMES = tuple(Hostile(f"name {name[:40]!r}", CLIP, CONVERTED, name) for name in TRICKS)
