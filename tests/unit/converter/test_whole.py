"""What came out is compared with what was promised."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from converter import whole
from converter.encoder import Encoder
from converter.limits import Limits
from converter.media import Media
from converter.plan import Plan
from converter.report import Report
from tests.unit.converter.test_tracks import PLAIN

RATE = 48000
PLAN = Plan(track=PLAIN, start=0, end=None, channels=2, sample_rate=RATE, quality="V2")
MEDIA = Media(container="matroska,webm", duration=60.0, tracks=(PLAIN,), picture=0)


@dataclass(frozen=True, slots=True)
class Surveyed(Encoder):
    """An encoder of which the survey is known."""

    end: float = 0.0
    problems: int = 0

    def survey(self, picture: int) -> tuple[float, Report]:
        assert picture == 0
        report = Report()
        report.problems = self.problems
        return self.end, report


def encoder(tmp_path: Path, media: Media = MEDIA, *, end: float = 60.0, problems: int = 0) -> Encoder:
    video = tmp_path / "video"
    video.write_bytes(b"x" * 100)
    return Surveyed(video, media, Limits(), threading.Event(), end=end, problems=problems)


def report(length: float, decoded: float | None = None, *, problems: int = 0, errors: int = 0) -> Report:
    read = Report()
    read.encoded_samples = int(length * RATE)
    read.decoded_samples = int((length if decoded is None else decoded) * RATE)
    read.decoded_frames = read.decoded_samples // 1024
    read.problems, read.decode_errors, read.breaks = problems, errors, problems - errors
    return read


def test_all_that_was_promised_is_whole(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(59.5), 60.0)

    assert (verdict.complete, verdict.warnings) == (True, ())


@pytest.mark.parametrize(("got", "complete"), [(58.9, False), (59.1, True)])
def test_a_second_may_be_missing(got: float, complete: bool, tmp_path: Path) -> None:  # noqa: FBT001 - of the table
    assert whole.judge(encoder(tmp_path, end=0), PLAN, report(got), 60.0).complete == complete


@pytest.mark.parametrize(("got", "complete"), [(3563, False), (3565, True)])
def test_one_in_a_hundred_may_be_missing_of_a_long_one(got: float, complete: bool, tmp_path: Path) -> None:  # noqa: FBT001 - of the table
    assert whole.judge(encoder(tmp_path, end=0), PLAN, report(got), 3600.0).complete == complete


@pytest.mark.parametrize(
    ("end", "problems", "seen", "picture"),
    [(40.0, 0, 0, 0), (60.0, 1, 0, 0), (60.0, 0, 1, 0), (60.0, 0, 0, None)],
    ids=["file ends too", "file is damaged", "sound is damaged", "no picture to go on"],
)
def test_a_short_sound_is_a_loss_unless_the_file_goes_on_without_fault(
    end: float, problems: int, seen: int, picture: int | None, tmp_path: Path
) -> None:
    of = encoder(tmp_path, replace(MEDIA, picture=picture), end=end, problems=problems)

    verdict = whole.judge(of, PLAN, report(40.0, problems=seen), 60.0)

    assert not verdict.complete
    assert verdict.warnings[0].message.endswith("40.0 s of audio of 60.0 s.")


def test_a_short_sound_in_a_whole_file_is_no_loss(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(40.0), 60.0)

    assert verdict.complete
    assert [warned.code for warned in verdict.warnings] == ["sound_ends_early"]


def test_sound_that_could_not_be_read_is_missing_whatever_the_length(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(60.0, 55.0, problems=9), 60.0)

    assert (verdict.complete, verdict.got) == (False, 55.0)


def test_a_little_damage_is_told(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(60.0, 59.9, problems=2, errors=2), 60.0)

    assert verdict.complete
    assert [warned.code for warned in verdict.warnings] == ["damaged"]


def test_pieces_that_could_not_be_read_are_missing_from_a_shortened_promise(
    tmp_path: Path,
) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(12.7, problems=385, errors=385), 12.7)

    assert (verdict.complete, verdict.got) == (False, 12.7)
    assert verdict.promised == pytest.approx(12.7 + 385 * 1024 / RATE, abs=0.1)


def test_without_a_promise_the_length_is_what_it_is(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, report(40.0), None)

    assert (verdict.complete, verdict.got, verdict.promised) == (True, 40.0, None)


def test_pieces_put_one_after_the_other_count_as_they_are(tmp_path: Path) -> None:
    untimed = replace(PLAN, timing="joined")

    assert not whole.judge(encoder(tmp_path), untimed, report(57.0, 60.0, problems=1), 60.0).complete


def moved(*, fills: tuple[int, ...] = (), drops: tuple[int, ...] = (), problems: int = 0) -> Report:
    """Return the report of a run in which silence was added and sound left out."""
    length = 60.0 + (sum(fills) - sum(drops)) / RATE
    read = report(length, 60.0, problems=problems)
    read.fills, read.drops = list(fills), list(drops)
    return read


@pytest.mark.parametrize(
    ("run", "timing"),
    [
        (moved(), "exact"),
        (moved(fills=(10 * RATE,)), "exact"),
        (moved(fills=(10 * RATE,), problems=1), "exact"),
        (moved(drops=(RATE,), problems=1), "joined"),
        (moved(fills=(100 * RATE,), problems=1), "joined"),
        (moved(fills=(4800,) * 5), "drifting"),
        (moved(drops=(4800,) * 5), "drifting"),
        (moved(drops=(4 * RATE,)), "restarting"),
        (moved(fills=(16384,) * 300, drops=(5472,) * 900), "bursting"),
    ],
    ids=["no move", "pause", "pause and damage", "overlap", "far away", "slow", "fast", "restart", "bursts"],
)
def test_the_times_in_a_file_are_believed_as_far_as_they_make_sense(run: Report, timing: str) -> None:
    assert whole.better_timing(run, PLAN, 72.0) == timing


def test_what_was_filled_and_what_was_left_out_never_cancel_out(tmp_path: Path) -> None:
    verdict = whole.judge(encoder(tmp_path), PLAN, moved(fills=(5 * RATE,), drops=(5 * RATE,)), 60.0)

    assert [warned.code for warned in verdict.warnings] == ["silence_filled", "sound_overlaps"]
    assert [warned.message.count("5.0 s") for warned in verdict.warnings] == [1, 1]


def test_in_a_damaged_file_silence_may_have_been_sound(tmp_path: Path) -> None:
    paused = moved(fills=(5 * RATE,), problems=1)
    late = replace(PLAN, late=5.0)

    assert not whole.judge(encoder(tmp_path), PLAN, paused, None).complete
    assert whole.judge(encoder(tmp_path), late, paused, None).complete


def test_silence_is_silence_where_damage_takes_no_packet_away(tmp_path: Path) -> None:
    paused, sound_alone = moved(fills=(5 * RATE,), problems=1), moved(fills=(5 * RATE,), problems=1)
    sound_alone.breaks = 0
    movie = encoder(tmp_path, replace(MEDIA, container="mov,mp4,m4a,3gp,3g2,mj2"))

    assert whole.judge(movie, PLAN, paused, None).complete
    assert whole.judge(encoder(tmp_path), PLAN, sound_alone, None).complete


def test_sound_that_is_gone_without_a_trace_is_missing(tmp_path: Path) -> None:
    gone = report(50.0, 60.0)

    verdict = whole.judge(encoder(tmp_path), PLAN, gone, None)

    assert (verdict.complete, verdict.got, verdict.promised) == (False, 50.0, 60.0)


def test_the_promise_of_a_clock_that_jumped_means_nothing(tmp_path: Path) -> None:
    jumped = report(40.0)
    jumped.jumps = 1

    assert whole.judge(encoder(tmp_path), PLAN, jumped, 3620.0).complete


def test_a_file_that_ffmpeg_gives_up_is_not_whole_whatever_its_promise(tmp_path: Path) -> None:
    chained = report(10.0, problems=1)
    chained.tail.append("Error during demuxing: Not yet implemented in FFmpeg, patches welcome")

    assert not whole.judge(encoder(tmp_path), PLAN, chained, 10.0).complete


@pytest.mark.parametrize(
    ("media", "start", "end", "seconds"),
    [
        (MEDIA, 0, None, 60),
        (MEDIA, 10, None, 50),
        (MEDIA, 10, 30, 20),
        (MEDIA, 70, 80, 0),
        (replace(MEDIA, start=40.0), 0, None, 20),
        (replace(MEDIA, start=90.0), 0, None, 60),
        (replace(MEDIA, container="mov,mp4,m4a,3gp,3g2,mj2", start=40.0), 0, None, 60),
        (replace(MEDIA, duration=None), 0, None, None),
        (replace(MEDIA, estimated=True), 0, None, None),
    ],
)
def test_a_part_is_promised_as_much_of_it_as_there_is(
    media: Media, start: float, end: float | None, seconds: float | None, tmp_path: Path
) -> None:
    planned = replace(PLAN, start=start, end=end)

    assert whole.promised(encoder(tmp_path, media), planned) == seconds


def test_a_track_that_says_its_own_length_is_believed(tmp_path: Path) -> None:
    planned = replace(PLAN, track=replace(PLAIN, seconds=40.0))

    assert whole.promised(encoder(tmp_path), planned) == 40
