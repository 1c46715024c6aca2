"""Write down what ffmpeg is asked for: argument lists, of which nothing comes from a stranger's text."""

from collections.abc import Sequence

from converter import sandbox
from converter.media import Media
from converter.plan import Plan

METER = "ebur128=peak=sample:framelog=quiet"
TRUE_METER = "ebur128=peak=true:framelog=quiet"
"""With the peaks between the samples, which takes as long as everything else in the meter."""
TAG_ROOM = 2048
"""Bytes kept free behind the tags, so that more can be added without moving the sound."""
LEAD_SECONDS = 10.0
SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers with an index of times, where one can begin close to the start that was asked for."""
VERBOSE = ("-v", "level+verbose")
NOWHERE = ("-f", "null", "-")
BARE = ("-map_metadata", "-1", "-map_chapters", "-1")
CEILING = 0.89
"""A peak of -1 dB."""


def encode(plan: Plan, media: Media, filters: Sequence[str], text: int, cover: int) -> tuple[str, ...]:
    """Return the arguments that write an MP3 and measure how loud it is on the way.

    `text` and `cover` are the descriptors that tags with chapters, and the attached picture go to.
    """
    sound = (*_part(plan, media), *_sound(plan, media, filters or (METER,)))
    return (
        *_input(plan, media),
        *_map(plan),
        *(("-c:a", "copy") if plan.copied else sound),
        *(*BARE, "-id3v2_version", "3", "-metadata_header_padding", str(TAG_ROOM)),
        *("-f", "mp3", sandbox.OUTPUT),
        *_listen(plan, filters),
        *_beside(plan, media, text, cover),
    )


def encode_frames(plan: Plan, media: Media, chosen: Sequence[str], *beside: int) -> tuple[str, ...]:
    """Return the arguments that write the frames of what the filters `chosen` let through, and no more.

    With the descriptors of `encode` they measure all of the sound, and write what belongs to it.
    """
    filters = (METER, *chosen) if beside else chosen
    bare = (*BARE, "-id3v2_version", "0", "-write_xing", "0", "-flush_packets", "0")
    return (
        *(*_input(plan, media), *_map(plan), *_sound(plan, media, filters)),
        *(*bare, "-f", "mp3", sandbox.OUTPUT),
        *(_beside(plan, media, *beside) if beside else ()),
    )


def measure(plan: Plan, media: Media, filters: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that measure what the encoder would get, and write nothing."""
    chain = _chain(plan, media, (*filters, TRUE_METER))
    return (*_input(plan, media), *_map(plan), *_part(plan, media), *chain, *NOWHERE)


def survey(picture: int, media: Media) -> tuple[str, ...]:
    """Return the arguments that read sound and pictures to the end of the file without decoding them.

    The pictures go to a muxer that asks for no more than bytes, and their bytes nowhere.
    """
    pictures = ("-map", f"0:{picture}", "-c", "copy", "-f", "image2pipe", sandbox.OUTPUT)
    return (*VERBOSE, *media.opening, *sandbox.INPUT, *pictures, "-map", "0:a", "-c", "copy", *NOWHERE)


def read_from(plan: Plan, media: Media) -> float:
    """Return where the reading begins: where it can jump there, some seconds before the start."""
    return max(plan.start - LEAD_SECONDS, 0.0) if media.container in SEEKABLE else 0.0


def _input(plan: Plan, media: Media) -> tuple[str, ...]:
    seconds = read_from(plan, media)
    seek = ("-ss", f"{seconds:.6f}") if seconds else ()
    return (*VERBOSE, *seek, *media.opening, *sandbox.INPUT)


def _map(plan: Plan) -> tuple[str, ...]:
    return ("-map", f"0:{plan.track.stream}")


def _part(plan: Plan, media: Media) -> tuple[str, ...]:
    """Return the part as the muxer has to know it, so that chapters lie at its times."""
    skipped = plan.start - read_from(plan, media)
    begin = ("-ss", f"{skipped:.6f}") if skipped else ()
    end = () if plan.end is None else ("-t", f"{plan.end - plan.start:.6f}")
    return (*begin, *end)


def _chain(plan: Plan, media: Media, filters: Sequence[str]) -> tuple[str, ...]:
    """Return the filters that give sound its shape and place in time, and what comes after.

    Silence fills what is missing at the beginning and between, so that times stay those of the video.
    Channels are mixed in floating point: in whole numbers all would be made quieter than they were.
    """
    layout = "mono" if plan.channels == 1 else "stereo"
    floats = "internal_sample_fmt=fltp:out_sample_fmt=fltp"
    times = ":async=1:first_pts=0" if plan.timed else ""
    shape = f"aresample={plan.sample_rate}:out_chlayout={layout}:{floats}{times}"
    limiter = (f"alimiter=limit={CEILING}:level=false:latency=true",) if plan.downmixed else ()
    return ("-af", ",".join((shape, *_cut(plan, media), *limiter, *filters)))


def _cut(plan: Plan, media: Media) -> tuple[str, ...]:
    """Return the filter that keeps the part and its times, so that nothing else is measured."""
    if not plan.start and plan.end is None:
        return ()
    begin = read_from(plan, media)
    end = "" if plan.end is None else f":end={plan.end - begin:.6f}"
    return (f"atrim=start={plan.start - begin:.6f}{end}",)


def _sound(plan: Plan, media: Media, filters: Sequence[str]) -> tuple[str, ...]:
    variable = plan.quality.startswith("V")
    quality = ("-q:a", plan.quality[1:]) if variable else ("-b:a", f"{plan.quality}k")
    shape = ("-ar", str(plan.sample_rate), "-ac", str(plan.channels))
    return (*_chain(plan, media, filters), "-c:a", "libmp3lame", *quality, *shape)


def _listen(plan: Plan, filters: Sequence[str]) -> tuple[str, ...]:
    """Return the output that measures what is written, where a filter before the encoder does not do.

    After a gain it is a decoder of what the encoder of the first output wrote: what counts is the MP3.
    """
    if plan.copied:
        return (*_map(plan), "-af", METER, *NOWHERE)
    if filters:
        heard = f"[dec:0]{TRUE_METER}[heard]"
        return ("-dec", "0:0", "-filter_complex", heard, "-map", "[heard]", *NOWHERE)
    return ()


def _text(plan: Plan, media: Media, text: int) -> tuple[str, ...]:
    """Return the output that takes tags, and chapters at their times in the part."""
    # Ogg has its tags on the stream.
    source = f"0:s:{plan.track.stream}" if media.container == "ogg" else "0"
    written = ("-map_metadata", source, "-f", "ffmetadata", "-fd", str(text), sandbox.OUTPUT)
    return (*_part(plan, media), *written)


def _beside(plan: Plan, media: Media, text: int, cover: int) -> tuple[str, ...]:
    picture = () if media.cover is None else _picture(media.cover, cover)
    return (*_text(plan, media, text), *picture)


def _picture(stream: int, cover: int) -> tuple[str, ...]:
    copied = ("-map", f"0:{stream}", "-c:v", "copy", "-frames:v", "1", "-f", "image2pipe")
    return (*copied, "-fd", str(cover), sandbox.OUTPUT)
