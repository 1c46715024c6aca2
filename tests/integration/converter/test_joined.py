"""An MP3 that several encoders made decodes to the samples of one that a single encoder made."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from converter.conversion import Conversion
from converter.convert import convert
from converter.errors import Cancelled, ConversionFailed
from converter.limits import Limits
from pipeline.options import Options
from tests.corpus import joined
from tests.corpus.ffmpeg import run

TOGETHER = Limits(encoders=2)
SECONDS = 150
LONG = {
    "music": (
        f"aevalsrc={joined.CHORDS}+0.05*random(0)|{joined.CHORDS}+0.05*random(1)"
        f":sample_rate=48000:duration={SECONDS}"
    ),
    "bursts": (  # whose frames are as large as the bit reservoir lets them be
        f"aevalsrc=if(lt(mod(t\\,9)\\,8)\\,0.1*sin(660*t)\\,1.8*random(0)-0.9)"
        f"|if(lt(mod(t\\,9)\\,8)\\,0.1*sin(880*t)\\,1.8*random(1)-0.9):sample_rate=48000:duration={SECONDS}"
    ),
}
CHAPTERS = """;FFMETADATA1
title=A long talk
artist=Somebody
[CHAPTER]
TIMEBASE=1/1
START=0
END=100
title=First
[CHAPTER]
TIMEBASE=1/1
START=100
END=150
title=Second
"""
REDUCED = [
    joined.Case("music", "V3", 44100, 2, 2, 8),
    joined.Case("music", "V5", 48000, 2, 3, 9),
    joined.Case("speech", "V2", 48000, 2, 4, 7),
    joined.Case("speech", "V9", 44100, 1, 2, 11),
    joined.Case("noise", "V5", 32000, 2, 2, 10),
    joined.Case("silence", "V2", 44100, 2, 3, 8),
    joined.Case("clicks", "V5", 44100, 1, 2, 9),
    joined.Case("jumps", "V5", 48000, 1, 2, 8),
    joined.Case("music", "128", 44100, 2, 2, 9),
    joined.Case("speech", "64", 22050, 1, 3, 8),
    joined.Case("speech", "192", 44100, 2, 2, 12),
    joined.Case("noise", "320", 48000, 2, 2, 11),
    joined.Case("silence", "128", 24000, 2, 2, 9),
    joined.Case("clicks", "128", 16000, 2, 4, 7),
]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return joined.make(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("long")
    described = folder / "chapters"
    described.write_text(CHAPTERS)
    made = {name: folder / f"{name}.mp4" for name in LONG}
    for name, file in made.items():
        inputs = ("-f", "lavfi", "-i", LONG[name], "-i", described)
        run(*inputs, "-map_metadata", "1", "-c:a", "aac", "-b:a", "256k", file)
    return made


def converted(video: Path, mp3: Path, limits: Limits, **options: str) -> Conversion:
    return convert(
        video,
        mp3,
        Options.parse(options),
        limits=limits,
        stop=threading.Event(),
        on_media=lambda _: None,
        on_progress=lambda _phase, _fraction: None,
    )


@pytest.mark.parametrize("case", REDUCED, ids=str)
def test_a_joined_mp3_decodes_to_the_samples_of_one_encoder(
    case: joined.Case, sounds: dict[str, Path], tmp_path: Path
) -> None:
    assert joined.judged(sounds[case.sound], case, tmp_path) == "equal"


def test_a_long_sound_is_encoded_by_several_and_keeps_all_that_belongs_to_it(
    long: dict[str, Path], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.mp3", tmp_path / "two.mp3"
    alone = converted(long["music"], one, Limits())

    together = converted(long["music"], two, TOGETHER)

    assert (alone.encoders, together.encoders) == (1, 2)
    assert replace(together, encoders=1, bitrate=0) == replace(alone, bitrate=0)
    assert together.bitrate == pytest.approx(alone.bitrate, abs=1)
    assert joined.decoded(two) == joined.decoded(one)
    assert _texts(two) == _texts(one)
    assert together.chapters == 2
    info: Any = MP3(two).info
    assert info.length == pytest.approx(SECONDS, abs=0.05)
    assert set(tmp_path.iterdir()) == {one, two}


def _texts(mp3: Path) -> list[str]:
    return sorted(str(frame) for frame in ID3(mp3).values())


def test_a_sound_whose_streams_cannot_be_joined_is_encoded_by_one(
    long: dict[str, Path], tmp_path: Path
) -> None:
    one, two = tmp_path / "one.mp3", tmp_path / "two.mp3"
    converted(long["bursts"], one, Limits(), quality="V2")

    done = converted(long["bursts"], two, TOGETHER, quality="V2")

    assert done.encoders == 1
    assert joined.decoded(two) == joined.decoded(one)


def test_a_part_of_a_long_sound_is_encoded_by_several_too(long: dict[str, Path], tmp_path: Path) -> None:
    one, two = tmp_path / "one.mp3", tmp_path / "two.mp3"
    part = {"start": "7.5", "end": "2:25"}
    alone = converted(long["music"], one, Limits(), **part)

    together = converted(long["music"], two, TOGETHER, **part)

    assert (together.encoders, together.duration) == (2, alone.duration)
    assert joined.decoded(two) == joined.decoded(one)
    assert _texts(two) == _texts(one)


def test_progress_only_grows_while_several_work(long: dict[str, Path], tmp_path: Path) -> None:
    seen: list[float] = []

    convert(
        long["music"],
        tmp_path / "out.mp3",
        Options(),
        limits=TOGETHER,
        stop=threading.Event(),
        on_media=lambda _: None,
        on_progress=lambda _phase, fraction: seen.append(fraction),
    )

    assert seen == sorted(seen)
    assert any(0.05 < fraction < 0.95 for fraction in seen)
    assert seen[-1] <= 0.99


def test_several_encoders_end_when_the_job_is_canceled(long: dict[str, Path], tmp_path: Path) -> None:
    stop = threading.Event()

    def at_work(_phase: str, fraction: float) -> None:
        if fraction > 0.05:
            stop.set()

    with pytest.raises(Cancelled):
        convert(
            long["music"],
            tmp_path / "out.mp3",
            Options(),
            limits=TOGETHER,
            stop=stop,
            on_media=lambda _: None,
            on_progress=at_work,
        )

    assert list(tmp_path.iterdir()) == []


def test_the_limit_of_the_mp3_holds_for_all_encoders_together(long: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed) as caught:
        converted(long["music"], tmp_path / "out.mp3", replace(TOGETHER, mp3_bytes=1_500_000), quality="V2")

    assert caught.value.code == "too_large"
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_breaks_off_is_told_from_a_whole_one(long: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    fast = tmp_path / "fast.mp4"
    run("-i", long["music"], "-c", "copy", "-movflags", "+faststart", fast)
    whole = fast.read_bytes()
    cut.write_bytes(whole[: len(whole) * 3 // 5])

    done = converted(cut, tmp_path / "out.mp3", TOGETHER)

    assert (done.complete, [warned.code for warned in done.warnings]) == (False, ["input_truncated"])
    assert done.duration == pytest.approx(SECONDS * 3 / 5, abs=3)
