"""Write down what ffmpeg is asked for: argument lists, of which nothing comes from a stranger's text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from converter import peaks, sandbox
from converter.media import Media, Track
from converter.parts import SILENCE_SECONDS
from converter.plan import Plan, Timing

METER = "ebur128=peak=sample:framelog=verbose"
TRUE_METER = "ebur128=peak=true:framelog=verbose"
"""With the peaks between the samples, which takes as long as everything else in the meter."""
PEAKS = "astats=measure_perchannel=Peak_level:measure_overall=none"
"""The peak of each channel before they are mixed to one, which takes a fifth of the time of all the rest."""
TAG_ROOM = 2048
"""Bytes kept free behind the tags, so that more can be added without moving the sound."""
LEAD_SECONDS = 10.0
SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers with an index of times, where one can begin close to the start that was asked for."""
VERBOSE = ("-v", "level+verbose")
NOWHERE = ("-f", "null", "-")
WAVEFORM = f"aresample={peaks.RATE}:out_chlayout=mono:out_sample_fmt=u8,asetnsamples={peaks.RATE}:pad=0"
"""A second at a time: small pieces take more of the processor than what is in them."""
DRAWN = f",asplit[heard][kept];[heard]{WAVEFORM}[waveform];[kept]"
"""Goes between a chain of filters and what only the encoder gets."""
BARE = ("-map_metadata", "-1", "-map_chapters", "-1")
MP3 = (*BARE, "-id3v2_version", "3", "-metadata_header_padding", str(TAG_ROOM), "-f", "mp3", sandbox.OUTPUT)
JUMP_SECONDS = 10.0
"""What ffmpeg takes for a jump of the clock, in streams of packets."""
RESTARTED = (
    "asetpts='st(0,ld(0)+if(lt(PTS+ld(0),ld(1)-1/TB),ld(1)-PTS-ld(0),0));"
    "st(1,PTS+ld(0)+NB_SAMPLES/SR/TB);PTS+ld(0)',"
)
"""Adds to all times what a clock that went back by more than a second has lost: a sound follows the last."""
MIXED_CHANNELS = 64
"""As many as ffmpeg can mix."""
CEILING = 0.89
"""A peak of -1 dB."""
TIMES: Mapping[Timing, str] = {
    "exact": ":async=1:first_pts=0",
    "drifting": ":async=1000:first_pts=0",
    "bursting": ":async=1:min_hard_comp=1:first_pts=0",
    "restarting": ":async=1:first_pts=0",
    "joined": "",
}
"""How the resampler keeps times: by samples that it adds or drops, or by stretching so many a second."""


class Descriptors(NamedTuple):
    """Where what comes of a video besides its MP3 goes."""

    text: int
    """Tags with chapters."""
    cover: int
    """The attached picture."""
    waveform: int
    """The samples that the waveform is drawn from."""


def encode(
    plan: Plan, media: Media, filters: Sequence[str], beside: Descriptors, *, samples: int | None
) -> tuple[str, ...]:
    """Return the arguments that write an MP3 and measure how loud it is on the way.

    `samples` is the descriptor that the decoded sound of a chain comes from.
    """
    return (
        *_input(plan, media, samples),
        *(_copied(plan, media) if plan.copied else _made(plan, media, filters)),
        *_beside(plan, media, beside),
    )


def encode_frames(
    plan: Plan, media: Media, chosen: Sequence[str], beside: Descriptors | None = None
) -> tuple[str, ...]:
    """Return the arguments that write the frames of what the filters `chosen` let through, and no more.

    With `beside` they measure all of the sound, and write what belongs to it.
    """
    bare = (*BARE, "-id3v2_version", "0", "-write_xing", "0", "-flush_packets", "0")
    frames = (*_encoded(plan), *bare, "-f", "mp3", sandbox.OUTPUT)
    if beside is None:
        return (*_input(plan, media), *_through(plan, media, _chain(plan, media, chosen)), *frames)
    heard = _through(plan, media, _chain(plan, media, (METER,)), DRAWN + ",".join(chosen))
    return (
        *(*_input(plan, media), *heard, *frames),
        *_beside(plan, media, beside),
    )


def measure(plan: Plan, media: Media, filters: Sequence[str], *, samples: int | None) -> tuple[str, ...]:
    """Return the arguments that measure what the encoder would get, and write nothing."""
    through = _through(plan, media, _chain(plan, media, (*filters, TRUE_METER)))
    return (*_input(plan, media, samples), *through, *_part(plan, media), *NOWHERE)


def silences(
    plan: Plan, media: Media, filters: Sequence[str], depth: float, *, samples: int | None
) -> tuple[str, ...]:
    """Return the arguments that find where the sound lies below so many dBFS, and write nothing."""
    times = f"asetpts=PTS-{plan.start - read_from(plan, media):.6f}/TB"
    silence = f"{times},silencedetect=noise={depth:.1f}dB:duration={SILENCE_SECONDS}"
    through = _through(plan, media, _chain(plan, media, (*filters, silence)))
    return (*_input(plan, media, samples), *through, *NOWHERE)


def decode(
    plan: Plan, media: Media, filters: Sequence[str], sink: int, *, samples: int | None
) -> tuple[str, ...]:
    """Return the arguments that write the samples which the encoder would get to a descriptor."""
    through = _through(plan, media, _chain(plan, media, filters or ("anull",)))
    shape = ("-c:a", f"pcm_{sandbox.SAMPLES}", "-ar", str(plan.sample_rate), "-ac", str(plan.channels))
    written = ("-f", sandbox.SAMPLES, "-fd", str(sink), sandbox.OUTPUT)
    return (*_input(plan, media, samples), *through, *shape, *_part(plan, media), *written)


def part(plan: Plan, samples: int) -> tuple[str, ...]:
    """Return the arguments that write an MP3 of the samples that come through a descriptor."""
    opened = sandbox.samples(samples, plan.sample_rate, plan.layout)
    return (*VERBOSE, *opened, "-af", METER, *_encoded(plan), *MP3)


def link(plan: Plan, media: Media, number: int, begin: float, samples: int) -> tuple[str, ...]:
    """Return the arguments that write what a link of a chain decodes to, in the shape that the MP3 will have.

    It is the sound from `begin` on; `samples` is the descriptor that it goes to.
    """
    this = media.links[number]
    # What is asked for is a channel of two; a link may have only one.
    plan = replace(plan, ear=0) if plan.ear is not None and this.channels == 1 else plan
    through = _through(plan, replace(media, links=()), _places(plan))
    end = () if plan.end is None else ("-t", f"{plan.end - begin:.6f}")
    written = (*end, "-f", sandbox.SAMPLES, "-fd", str(samples), sandbox.OUTPUT)
    return (*VERBOSE, *sandbox.piece(this.begin, this.end), *through, *written)


def survey(picture: int, media: Media) -> tuple[str, ...]:
    """Return the arguments that read sound and pictures to the end of the file without decoding them.

    The pictures go to a muxer that asks for no more than bytes, and their bytes nowhere.
    """
    pictures = ("-map", f"0:{picture}", "-c", "copy", "-f", "image2pipe", sandbox.OUTPUT)
    return (*VERBOSE, *media.opening, *sandbox.INPUT, *pictures, "-map", "0:a", "-c", "copy", *NOWHERE)


def read_from(plan: Plan, media: Media) -> float:
    """Return where the reading begins: where it can jump there, some seconds before the start."""
    begin = plan.start - LEAD_SECONDS
    return begin if begin > plan.late and media.container in SEEKABLE else 0.0


def _input(plan: Plan, media: Media, samples: int | None = None) -> tuple[str, ...]:
    seconds = read_from(plan, media)
    if seconds:
        seek: tuple[str, ...] = ("-ss", f"{seconds - plan.late:.6f}")
    else:
        seek = _delay(plan.late) if plan.late else ()
    decoded = () if samples is None else sandbox.samples(samples, plan.sample_rate, plan.layout)
    return (*VERBOSE, *seek, *media.opening, *sandbox.INPUT, *decoded)


def _delay(seconds: float) -> tuple[str, ...]:
    """Return what makes times later, and keeps that from being taken for a clock that jumped."""
    return ("-dts_delta_threshold", f"{seconds + JUMP_SECONDS:.6f}", "-itsoffset", f"{seconds:.6f}")


def _source(plan: Plan, media: Media) -> str:
    return "1:0" if media.links else f"0:{plan.track.stream}"


def _part(plan: Plan, media: Media) -> tuple[str, ...]:
    """Return the part as the muxer has to know it, so that chapters lie at its times."""
    skipped = plan.start - read_from(plan, media)
    begin = ("-ss", f"{skipped:.6f}") if skipped else ()
    end = () if plan.end is None else ("-t", f"{plan.end - plan.start:.6f}")
    return (*begin, *end)


def _chain(plan: Plan, media: Media, filters: Sequence[str]) -> str:
    """Return the filters that give sound its shape and place in time, and what comes after.

    Silence fills what is missing at the beginning and between, so that times stay those of the video.
    Channels are mixed in floating point: in whole numbers all would be made quieter than they were.
    """
    places = () if media.links else (_places(plan),)
    limiter = (f"alimiter=limit={CEILING}:level=false:latency=true",) if plan.downmixed else ()
    return ",".join((*places, *_cut(plan, media), *limiter, *filters))


def _places(plan: Plan) -> str:
    """Return the filters that put each sound at its time."""
    times = TIMES[plan.timing]
    even = plan.changing or plan.other is not None
    restarted = RESTARTED if plan.timing == "restarting" else ""
    shape = f"aresample={plan.sample_rate}" if even else _shape(plan)
    return f"{restarted}{shape}{times}"


def _shape(plan: Plan) -> str:
    floats = "internal_sample_fmt=fltp:out_sample_fmt=fltp"
    one = _single(plan)
    highest = f"{PEAKS}," if plan.downmixed and plan.channels == 1 else ""
    return f"{highest}{one}aresample={plan.sample_rate}:out_chlayout={plan.layout}:{floats}"


def _single(plan: Plan) -> str:
    """Return the filter that makes one channel of all, where one is asked for or none has a place."""
    if plan.ear is not None:
        return f"pan=mono|c0=c{plan.ear},"
    count = plan.track.channels or 0
    if plan.track.layout == f"{count} channels" and 0 < count <= MIXED_CHANNELS:
        every = "+".join(f"c{number}" for number in range(count))
        return f"pan=mono|c0<{every},"
    return ""


def _through(plan: Plan, media: Media, chain: str, drawn: str = "") -> tuple[str, ...]:
    """Return the arguments that lead a track through a chain of filters, and what draws it on the way.

    ffmpeg builds the filters again where the sound changes, and they would begin to measure and to keep
    times again.  So only its shape is changed there; a decoder of what comes out feeds the chain.
    """
    source, before = _source(plan, media), tuple[str, ...]()
    if plan.other is not None and not media.links:
        heard = f"{_both(plan, plan.other)},"
    elif plan.changing:
        heard = "[dec:0]"
        before = ("-map", source, "-af", _shape(plan), "-c:a", "pcm_f32le", *NOWHERE, "-dec", "0:0")
    elif drawn:
        heard = f"[{source}]"
    else:
        return ("-map", source, "-af", chain)
    return (*before, "-filter_complex", f"{heard}{chain}{drawn}[out]", "-map", "[out]")


def _both(plan: Plan, other: Track) -> str:
    """Return the filters that make one sound of two tracks, each at its time."""
    shape = f"aresample={plan.sample_rate}:out_chlayout=mono{TIMES['exact']}"
    ears = f"[0:{plan.track.stream}]{shape}[left];[0:{other.stream}]{shape}[right]"
    return f"{ears};[left][right]join=inputs=2:channel_layout=stereo:map=0.0-FL|1.0-FR"


def _cut(plan: Plan, media: Media) -> tuple[str, ...]:
    """Return the filter that keeps the part and its times, so that nothing else is measured."""
    if not plan.start and plan.end is None:
        return ()
    begin = read_from(plan, media)
    end = "" if plan.end is None else f":end={plan.end - begin:.6f}"
    return (f"atrim=start={plan.start - begin:.6f}{end}",)


def _encoded(plan: Plan) -> tuple[str, ...]:
    variable = plan.quality.startswith("V")
    quality = ("-q:a", plan.quality[1:]) if variable else ("-b:a", f"{plan.quality}k")
    return ("-c:a", "libmp3lame", *quality, "-ar", str(plan.sample_rate), "-ac", str(plan.channels))


def _copied(plan: Plan, media: Media) -> tuple[str, ...]:
    """Return the output of a track that is an MP3 already, and of what is heard of it."""
    # Silence that would have to be filled in shows in the log: then a copy does not do.
    heard = f"aresample={TIMES['exact'].removeprefix(':')},{METER},{WAVEFORM}[waveform]"
    source = _source(plan, media)
    return ("-map", source, "-c:a", "copy", *MP3, "-filter_complex", f"[{source}]{heard}")


def _made(plan: Plan, media: Media, filters: Sequence[str]) -> tuple[str, ...]:
    """Return the output that is encoded, and one that measures it where a filter before does not do.

    After a gain that is a decoder of what the encoder wrote: what counts is the MP3.
    """
    chain = _chain(plan, media, filters or (METER,))
    made = (*_through(plan, media, chain, f"{DRAWN}anull"), *_encoded(plan), *_part(plan, media), *MP3)
    if not filters:
        return made
    number = 1 if plan.changing else 0
    heard = f"[dec:{number}]{TRUE_METER}[measured]"
    return (*made, "-dec", f"{number}:0", "-filter_complex", heard, "-map", "[measured]", *NOWHERE)


def _beside(plan: Plan, media: Media, beside: Descriptors) -> tuple[str, ...]:
    drawn = _waveform(beside.waveform)
    return (*drawn, *_text(plan, media, beside.text), *_cover(media, beside.cover))


def _waveform(descriptor: int) -> tuple[str, ...]:
    """Return the output that takes what the waveform is drawn from."""
    written = ("-f", "u8", "-flush_packets", "0", "-fd", str(descriptor), sandbox.OUTPUT)
    return ("-map", "[waveform]", *written)


def _text(plan: Plan, media: Media, text: int) -> tuple[str, ...]:
    """Return the output that takes tags, and chapters at their times in the part."""
    # Ogg has its tags on the stream.
    source = f"0:s:{plan.track.stream}" if media.container == "ogg" else "0"
    written = ("-map_metadata", source, "-f", "ffmetadata", "-fd", str(text), sandbox.OUTPUT)
    return (*_part(plan, media), *written)


def _cover(media: Media, descriptor: int) -> tuple[str, ...]:
    """Return the output that takes the attached picture, if there is one."""
    if media.cover is None:
        return ()
    copied = ("-map", f"0:{media.cover}", "-c:v", "copy", "-frames:v", "1", "-f", "image2pipe")
    return (*copied, "-fd", str(descriptor), sandbox.OUTPUT)
