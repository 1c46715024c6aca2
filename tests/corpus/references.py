"""Files that point at other files of the server, or at servers: under a video's name, every one."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.corpus.boxes import atom, chunk, moov
from tests.corpus.ffmpeg import PICTURE, run, sound
from tests.corpus.hostile import CONVERTED, PARTIAL, Bait, Hostile, text

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:0\n"
SEGMENT = "#EXTINF:9.0,\n{}\n#EXT-X-ENDLIST\n"
PLAYLIST = "not_media"
ANY = ("-protocol_whitelist", "file,http,tcp,crypto")
HLS_TRAP = (*ANY, "-f", "hls", "-extension_picky", "0", "-allowed_extensions", "ALL")
CONCAT_TRAP = (*ANY, "-f", "concat", "-safe", "0")


def _hls(segment: str, before: str = "") -> Callable[[Bait, Path], bytes]:
    return text(HLS + before + SEGMENT.format(segment))


def _dash(base: str, before: str = "") -> Callable[[Bait, Path], bytes]:
    return text(
        f"""<?xml version="1.0"?>{before}
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"
 profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="audio/wav">
<Representation id="1" bandwidth="1000"><BaseURL>{base}</BaseURL></Representation>
</AdaptationSet></Period></MPD>"""
    )


def _url_reference(url: Callable[[Bait], str]) -> Callable[[Bait, Path], bytes]:
    """A movie whose samples lie in the file at a URL (the data reference `url `)."""

    def make(bait: Bait, _: Path) -> bytes:
        reference = atom(b"url ", b"\0" * 4, url(bait).encode() + b"\0")
        return _movie(bait, reference)

    return make


def _alias(bait: Bait, _: Path) -> bytes:
    """A movie whose samples lie in the file that an alias of the Macintosh names."""
    path = str(bait.secret).encode()
    name = bait.secret.name.encode()
    record = struct.pack(">IHHH", 0, 0, 2, 0)[:10] + bytes([4]) + b"disk".ljust(27, b"\0")
    record += (
        b"\0" * 12 + bytes([len(name)]) + name.ljust(63, b"\0") + b"\0" * 16 + struct.pack(">hh", -1, -1)
    )
    record += b"\0" * 16
    absolute = struct.pack(">HH", 2, len(path)) + path + b"\0" * (len(path) % 2)
    body = record + absolute + struct.pack(">HH", 0xFFFF, 0)
    return _movie(bait, atom(b"alis", b"\0" * 4, body))


def _movie(bait: Bait, reference: bytes) -> bytes:
    kind = atom(b"ftyp", b"qt  ", b"\0\0\2\0", b"qt  ")
    return kind + moov(entry=b"sowt", references=reference, size=bait.secret.stat().st_size)


def _reference_movie(bait: Bait, _: Path) -> bytes:
    """A QuickTime movie that only says where the movie is."""
    url = f"{bait.url}/movie.mov".encode() + b"\0"
    where = atom(b"rdrf", b"\0" * 4, b"url ", struct.pack(">I", len(url)), url)
    return atom(b"ftyp", b"qt  ", b"\0\0\2\0", b"qt  ") + atom(b"moov", atom(b"rmra", atom(b"rmda", where)))


def _subtitle_playlist(bait: Bait, folder: Path) -> bytes:
    """An AVI whose subtitle stream (GAB2) holds a playlist; its own sound is honest."""
    file = folder / "honest.avi"
    picture = (*PICTURE, "-map", "1", "-map", "0", "-t", "3", "-c:v", "mjpeg", "-c:a", "pcm_s16le")
    run(*sound("mono", 8000), *picture, file)
    playlist = _hls("file://{secret}")(bait, folder)
    gab2 = b"GAB2\0" + struct.pack("<HI", 2, 4) + b"s\0\0\0" + struct.pack("<HI", 4, len(playlist)) + playlist
    header = b"txts" + b"\0" * 16 + struct.pack("<7I", 1, 1, 0, 1, len(gab2), 0, 0) + b"\0" * 8
    stream = chunk(b"LIST", b"strl", chunk(b"strh", header), chunk(b"strf", b""))
    whole = bytearray(file.read_bytes())
    _grow(whole, whole.index(b"hdrl") - 8, stream)
    _grow(whole, whole.index(b"movi") - 8, chunk(b"02tx", gab2))
    cut = whole.rindex(b"idx1")  # it no longer tells the truth
    struct.pack_into("<I", whole, 4, cut - 8)
    return bytes(whole[:cut])


def _grow(whole: bytearray, at: int, more: bytes) -> None:
    """Append to the RIFF list at a place."""
    (size,) = struct.unpack_from("<I", whole, at + 4)
    whole[at + 8 + size : at + 8 + size] = more
    struct.pack_into("<I", whole, at + 4, size + len(more))


def _linked_cover(bait: Bait, folder: Path) -> bytes:
    """An MP3 whose cover (APIC) and pages (WXXX, WOAR) are links."""
    file = folder / "honest.mp3"
    run(*sound("mono", 8000), file)
    url = bait.url.encode()
    frames = b""
    for name, body in (
        (b"APIC", b"\0-->\0\3\0" + url),
        (b"WXXX", b"\0\0" + url),
        (b"WOAR", url),
        (b"LINK", b"TIT2" + url + b"\0"),
    ):
        frames += name + struct.pack(">IH", len(body), 0) + body
    size = bytes(len(frames) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames + file.read_bytes()


REFERENCES = (
    Hostile("HLS playlist of a file", _hls("{secret}"), PLAYLIST, trap=HLS_TRAP),
    Hostile("HLS playlist of a file URL", _hls("file://{secret}"), PLAYLIST, "video.mkv", trap=HLS_TRAP),
    Hostile("HLS playlist of a web page", _hls("{url}/x.ts"), PLAYLIST, "video.m3u8", trap=HLS_TRAP),
    Hostile("HLS playlist of concat", _hls("concat:{secret}|{secret}"), PLAYLIST),
    Hostile("HLS playlist of subfile", _hls("subfile,,start,0,end,999,,:{secret}"), PLAYLIST),
    Hostile("HLS playlist of crypto", _hls("crypto+file://{secret}"), PLAYLIST),
    Hostile("HLS playlist of a data URL", _hls("data:text/plain;base64,UklGRgAAAABXQVZF"), PLAYLIST),
    Hostile("HLS playlist of gopher", _hls("gopher://127.0.0.1:{port}/_x"), PLAYLIST),
    Hostile("HLS playlist of TCP", _hls("tcp://127.0.0.1:{port}"), PLAYLIST),
    Hostile(
        "HLS playlist with a key on the web",
        _hls("{secret}", '#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n'),
        PLAYLIST,
        trap=HLS_TRAP,
    ),
    Hostile(
        "HLS playlist with a map",
        _hls("{secret}", '#EXT-X-MAP:URI="{secret}"\n'),
        PLAYLIST,
        "video.ts",
        trap=HLS_TRAP,
    ),
    Hostile(
        "HLS master playlist",
        text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}/list.m3u8\n"),
        PLAYLIST,
        trap=HLS_TRAP,
    ),
    Hostile(
        "HLS playlist behind a byte order mark", text("\ufeff" + HLS + SEGMENT.format("{secret}")), PLAYLIST
    ),
    Hostile("plain M3U", text("{secret}\n{url}/x.mp3\n"), PLAYLIST, "list.m3u"),
    Hostile("PLS", text("[playlist]\nFile1={secret}\nNumberOfEntries=1\nVersion=2\n"), PLAYLIST),
    Hostile(
        "ASX", text('<asx version="3.0"><entry><ref href="{url}/x.wmv"/></entry></asx>'), PLAYLIST, "x.wmv"
    ),
    Hostile(
        "XSPF",
        text(
            '<playlist version="1"><trackList><track><location>{url}/x</location></track>'
            "</trackList></playlist>"
        ),
        PLAYLIST,
    ),
    Hostile("SMIL", text('<smil><body><video src="{url}/x.mp4"/></body></smil>'), PLAYLIST),
    Hostile("RealMedia metafile", text("rtsp://127.0.0.1:{port}/x.rm\n"), PLAYLIST, "x.rm"),
    Hostile("RTSP redirection", text("RTSPtext\nrtsp://127.0.0.1:{port}/x\n"), PLAYLIST, "x.mov"),
    Hostile("ASF redirection", text("[Reference]\nRef1={url}/x.asf\nRef2={url}/y.asf\n"), PLAYLIST, "x.asf"),
    Hostile(
        "ffconcat of a file", text("ffconcat version 1.0\nfile '{secret}'\n"), PLAYLIST, trap=CONCAT_TRAP
    ),
    Hostile(
        "ffconcat of a URL",
        text("ffconcat version 1.0\nfile '{url}/x.ts'\n"),
        PLAYLIST,
        "x.avi",
        trap=CONCAT_TRAP,
    ),
    Hostile("concat protocol as text", text("concat:{secret}|{secret}\n"), PLAYLIST),
    Hostile("DASH of a file", _dash("{secret}"), PLAYLIST, trap=()),
    Hostile("DASH of a URL", _dash("{url}/x.mp4"), PLAYLIST, trap=ANY),
    Hostile(
        "DASH with an external entity",
        _dash("&x;", '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{secret}">]>'),
        PLAYLIST,
    ),
    Hostile(
        "Smooth Streaming",
        text(
            '<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2" Duration="90000000">'
            '<StreamIndex Type="audio" Url="{url}/q({{bitrate}})"/></SmoothStreamingMedia>'
        ),
        PLAYLIST,
    ),
    Hostile(
        "IMF composition",
        text(
            '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
            "<Id>urn:uuid:0</Id><EditRate>24 1</EditRate></CompositionPlaylist>"
        ),
        PLAYLIST,
        "CPL.mxf",
    ),
    Hostile(
        "SDP",
        text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"),
        PLAYLIST,
    ),
    Hostile("AviSynth script", text('LoadModule("{secret}")\n'), PLAYLIST, "video.avs"),
    Hostile("filter graph", text("amovie={secret}\n"), PLAYLIST),
    Hostile("ffmpeg metadata", text(";FFMETADATA1\ntitle={secret}\n"), PLAYLIST),
    Hostile("VobSub index", text("# VobSub index file, v7 \nid: en, index: 0\n"), PLAYLIST, "video.idx"),
    Hostile("SVG of an image", text('<svg xmlns="x"><image href="file://{secret}"/></svg>'), PLAYLIST),
    Hostile("web page", text('<html><video src="{url}/x.mp4"></video></html>'), PLAYLIST),
    Hostile(
        "movie whose samples are in a file",
        _url_reference(lambda bait: f"file://{bait.secret}"),
        PARTIAL,
    ),
    Hostile("movie whose samples are on the web", _url_reference(lambda bait: f"{bait.url}/x"), PARTIAL),
    Hostile(
        "movie whose samples are behind an alias",
        _alias,
        "empty_audio",
        "video.mov",
        trap=("-enable_drefs", "1", "-use_absolute_path", "1"),
    ),
    Hostile("movie that is only a reference", _reference_movie, "no_audio_track", "video.mov"),
    Hostile("AVI with a playlist as subtitles", _subtitle_playlist, CONVERTED, "video.avi"),
    Hostile("MP3 with links as cover", _linked_cover, CONVERTED, "song.mp3"),
)
