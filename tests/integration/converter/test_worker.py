"""The converter's worker on a real store and with real ffmpeg."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import imageio_ffmpeg
import pytest
from structlog.testing import capture_logs

from converter.limits import Limits
from converter.scratch import Scratch
from converter.worker import Conversions
from pipeline import mongodb
from pipeline.broker import BrokerUnavailable
from pipeline.doorbell import Doorbell
from pipeline.fair_queue import FairQueue
from pipeline.files import Blobs
from pipeline.job import Job, Lease
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, StoreUnavailable, now
from pipeline.options import Options
from pipeline.speeds import Speeds
from pipeline.timing import Timing
from pipeline.turns import Turns

CLIP = Path("tests/media/big_buck_bunny_5s.mp4")


class Rung:
    """Takes messages as a broker that always confirms."""

    def __init__(self) -> None:
        self.bells: list[tuple[str, Doorbell]] = []

    def publish(self, queue: str, body: bytes) -> None:
        self.bells.append((queue, Doorbell.decode(body)))


class Away:
    """A broker that is away."""

    def publish(self, queue: str, body: bytes) -> None:
        raise BrokerUnavailable(f"{queue}: {len(body)} bytes")


class Mute(Jobs):
    """A store that does what it is asked for at the end of a job, and never says so."""

    def finish(self, lease: Lease, result: Mapping[str, Any]) -> Job | None:
        super().finish(lease, result)
        raise StoreUnavailable("cut off")


class MuteAtTheEnd(Mute):
    """The same, in a process that is asked to end at that moment."""

    stop = threading.Event()

    def finish(self, lease: Lease, result: Mapping[str, Any]) -> Job | None:
        self.stop.set()
        return super().finish(lease, result)


class Full(Scratch):
    """A scratch folder without room."""

    free_bytes = 0  # type: ignore[assignment]


@pytest.fixture
def client(mongodb_url: str) -> Iterator[Client]:
    with mongodb.connect(mongodb_url) as client:
        for database in ("jobs", "videos", "mp3s"):
            client.drop_database(database)
        yield client


@pytest.fixture
def conversions(client: Client, tmp_path: Path) -> Conversions:
    jobs = Jobs(client, Timing(retry_delay=timedelta(0)))
    return Conversions(
        jobs=jobs,
        queue=FairQueue(jobs, Turns(client)),
        speeds=Speeds(client),
        videos=Blobs(client, "videos"),
        mp3s=Blobs(client, "mp3s"),
        publisher=Rung(),
        scratch=Scratch(tmp_path, "me"),
        limits=Limits(),
        holder="me",
        stop=threading.Event(),
        grace=timedelta(seconds=30),
    )


@pytest.fixture(scope="session")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty minutes of a tone: some seconds of work."""
    video = tmp_path_factory.mktemp("media") / "long.mkv"
    tone = ["-f", "lavfi", "-i", "sine=duration=2400", "-c:a", "pcm_s16le", str(video)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *tone], check=True)
    return video


def uploaded(use: Conversions, content: bytes, name: str = "talk.mp4", options: Options | None = None) -> Job:
    job = use.jobs.begin_upload(
        "a@example.com", filename=name, content_type="video/mp4", options={}, request_id="r1"
    )
    with use.videos.create(job.id, name) as writer:
        writer.write(content)
    wishes = {} if options is None else options.as_document()
    queued = use.jobs.queue(job.id, size=writer.size, sha256=writer.sha256, options=wishes)
    assert queued is not None
    return queued


def now_is(use: Conversions, job: Job) -> Job:
    found = use.jobs.get(job.id)
    assert found is not None
    return found


def wait_for(fact: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def begun(use: Conversions, job: Job) -> threading.Thread:
    """Start the work on a thread and return once ffmpeg's progress shows in the job."""
    thread = threading.Thread(target=use.look_at, args=(job.id,))
    thread.start()
    wait_for(lambda: now_is(use, job).phase == "converting" and now_is(use, job).progress > 0)
    return thread


def rung(use: Conversions) -> list[tuple[str, Doorbell]]:
    assert isinstance(use.publisher, Rung)
    return use.publisher.bells


def test_a_queued_video_becomes_an_mp3(conversions: Conversions) -> None:
    job = uploaded(conversions, CLIP.read_bytes())

    conversions.look_at(job.id)

    done = now_is(conversions, job)
    assert (done.state, done.progress, done.attempt) == ("done", 1.0, 1)
    assert done.result is not None
    assert done.media is not None
    blob = conversions.mp3s.find(f"{job.id}.1")
    content = b"".join(conversions.mp3s.read(blob))
    assert done.result["blob"] == blob.id
    assert done.result["size"] == len(content)
    assert done.result["sha256"] == sha256(content).hexdigest()
    assert done.result["crc32"] == crc32(content)
    assert len(blob.metadata["peaks"]) == done.result["peaks"] == 2000
    assert max(blob.metadata["peaks"]) > 0
    assert done.result["duration"] == pytest.approx(5.3, abs=0.1)
    assert [(bell, message.mp3_fid) for bell, message in rung(conversions)] == [("mp3", job.id)]
    assert done.doorbell["mp3"]["due_at"] is None


def test_the_parts_of_a_split_mp3_are_stored_one_after_the_other(
    conversions: Conversions, tmp_path: Path
) -> None:
    video = tmp_path / "songs.wav"
    songs = "aevalsrc=0.3*sin(880*t)*(1-between(t\\,11\\,14)):d=25"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", songs, str(video)]
    subprocess.run(command, check=True)
    job = uploaded(conversions, video.read_bytes(), options=Options(split="silence"))

    conversions.look_at(job.id)

    done = now_is(conversions, job)
    assert done.result is not None
    blob = conversions.mp3s.find(f"{job.id}.1.parts")
    stored = b"".join(conversions.mp3s.read(blob))
    one, two = done.result["parts"]
    assert (one["place"], two["place"]) == (0, one["size"])
    assert one["size"] + two["size"] == done.result["parts_size"] == len(stored)
    for part in (one, two):
        content = stored[part["place"] : part["place"] + part["size"]]
        assert (part["sha256"], part["crc32"]) == (sha256(content).hexdigest(), crc32(content))
        assert content.startswith(b"ID3")
    assert one["duration"] + two["duration"] == pytest.approx(done.result["duration"], abs=0.002)
    assert "parts" not in done.events[0]["result"]


def test_the_log_tells_what_each_stage_took(conversions: Conversions) -> None:
    with capture_logs() as lines:
        conversions.look_at(uploaded(conversions, CLIP.read_bytes()).id)

    [line] = [line for line in lines if line["event"] == "conversion finished"]
    assert list(line["stages"]) == ["fetching", "probing", "converting", "storing", "recording"]
    assert sum(line["stages"].values()) == pytest.approx(line["seconds"], abs=0.2)
    assert line["stages"]["converting"] > 0


def test_a_redelivered_job_is_not_converted_twice(conversions: Conversions) -> None:
    job = uploaded(conversions, CLIP.read_bytes())
    conversions.look_at(job.id)
    before = now_is(conversions, job)

    conversions.look_at(job.id)

    assert now_is(conversions, job) == before


def test_an_unknown_job_is_nothing_to_do(conversions: Conversions) -> None:
    conversions.look_at("0" * 32)

    assert rung(conversions) == []


def test_a_text_file_ends_as_an_honest_failure(conversions: Conversions) -> None:
    job = uploaded(conversions, b"These are the minutes of the last meeting.\n" * 50)

    conversions.look_at(job.id)

    failed = now_is(conversions, job)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "not_media"
    assert failed.error["message"]
    assert failed.error["hint"]
    assert any("Invalid data found" in line for line in failed.error["log"])
    assert failed.notice is not None
    assert [(bell, message.mp3_fid) for bell, message in rung(conversions)] == [("mp3", None)]


def test_nothing_is_left_in_scratch(conversions: Conversions, tmp_path: Path) -> None:
    conversions.look_at(uploaded(conversions, CLIP.read_bytes()).id)
    conversions.look_at(uploaded(conversions, b"no video").id)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["lock", "lock", "me"]


def test_a_lost_lease_ends_the_work_and_leaves_no_blob(
    conversions: Conversions, client: Client, long_video: Path
) -> None:
    job = uploaded(conversions, long_video.read_bytes())
    thread = begun(conversions, job)

    client["jobs"]["jobs"].update_one({"_id": job.id}, {"$inc": {"lease.token": 1}})
    thread.join(timeout=60)

    assert not thread.is_alive()
    assert now_is(conversions, job).state == "converting"
    assert conversions.mp3s.ids(job.id) == []
    assert rung(conversions) == []


@pytest.mark.parametrize("mute", [Mute, MuteAtTheEnd])
def test_a_done_job_keeps_its_mp3_although_its_converter_was_never_told(
    conversions: Conversions, client: Client, mute: type[Mute]
) -> None:
    stop = MuteAtTheEnd.stop
    stop.clear()
    use = replace(conversions, jobs=mute(client), stop=stop, grace=timedelta(0))
    job = uploaded(use, CLIP.read_bytes())

    use.look_at(job.id)

    done = now_is(use, job)
    assert done.state == "done"
    assert done.result is not None
    assert conversions.mp3s.find(done.result["blob"]).sha256 == done.result["sha256"]
    assert [bell for bell, _ in rung(conversions)] == ["mp3"]


def test_a_stop_gives_long_work_back_at_once(conversions: Conversions, long_video: Path) -> None:
    conversions = replace(conversions, grace=timedelta(0))
    job = uploaded(conversions, long_video.read_bytes())
    thread = begun(conversions, job)

    conversions.stop.set()
    thread.join(timeout=60)

    back = now_is(conversions, job)
    assert (back.state, back.attempt) == ("queued", 0)
    assert [bell for bell, _ in rung(conversions)] == ["video"]


def test_a_job_waits_while_scratch_has_no_room(conversions: Conversions, tmp_path: Path) -> None:
    conversions = replace(conversions, scratch=Full(tmp_path, "full"))
    job = uploaded(conversions, CLIP.read_bytes())

    conversions.look_at(job.id)

    waiting = now_is(conversions, job)
    assert (waiting.state, waiting.attempt) == ("queued", 0)
    due = waiting.doorbell["video"]["due_at"]
    assert due is not None
    assert due > now()


@pytest.mark.parametrize("newer", [{"colour": "blue"}, {"quality": "best"}])
def test_a_job_with_options_of_a_newer_version_waits_for_a_newer_converter(
    conversions: Conversions, client: Client, newer: dict[str, str]
) -> None:
    job = uploaded(conversions, CLIP.read_bytes())
    client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": {"options": newer}})

    conversions.look_at(job.id)

    waiting = now_is(conversions, job)
    assert (waiting.state, waiting.attempt) == ("queued", 0)
    due = waiting.doorbell["video"]["due_at"]
    assert due is not None
    assert due > now()


def test_a_video_with_a_missing_chunk_is_lost(conversions: Conversions, client: Client) -> None:
    job = uploaded(conversions, CLIP.read_bytes())
    client["videos"]["fs.chunks"].delete_one({"files_id": job.id, "n": 0})

    conversions.look_at(job.id)

    failed = now_is(conversions, job)
    assert failed.error is not None
    assert failed.error["code"] == "video_lost"


def test_a_video_that_changed_in_the_store_is_lost(conversions: Conversions, client: Client) -> None:
    job = uploaded(conversions, b"x" * 1000)
    client["videos"]["fs.chunks"].update_one({"files_id": job.id, "n": 0}, {"$set": {"data": b"y" * 1000}})

    conversions.look_at(job.id)

    failed = now_is(conversions, job)
    assert failed.error is not None
    assert failed.error["code"] == "video_lost"


def test_a_bug_of_ours_is_tried_three_times_and_then_told(conversions: Conversions) -> None:
    conversions = replace(conversions, limits=None)  # type: ignore[arg-type]  # the bug
    job = uploaded(conversions, CLIP.read_bytes())
    states = []

    for _ in range(3):
        conversions.look_at(job.id)
        states.append(now_is(conversions, job).state)

    assert states == ["queued", "queued", "failed"]
    error = now_is(conversions, job).error
    assert error is not None
    assert error["code"] == "converter_crashed"


def test_a_conversion_that_stalls_is_tried_three_times_and_then_told(conversions: Conversions) -> None:
    conversions = replace(conversions, limits=Limits(stall_seconds=-1))
    job = uploaded(conversions, CLIP.read_bytes())
    states = []

    for _ in range(3):
        conversions.look_at(job.id)
        states.append(now_is(conversions, job).state)

    assert states == ["queued", "queued", "failed"]
    error = now_is(conversions, job).error
    assert error is not None
    assert (error["code"], error["retryable"]) == ("stalled", True)


def test_the_options_of_the_upload_are_obeyed(conversions: Conversions) -> None:
    job = uploaded(conversions, CLIP.read_bytes(), options=Options(channels="mono", end=2.0))

    conversions.look_at(job.id)

    result = now_is(conversions, job).result
    assert result is not None
    assert (result["channels"], result["duration"]) == (1, pytest.approx(2, abs=0.05))


def test_a_job_is_done_while_the_broker_is_away(conversions: Conversions) -> None:
    conversions = replace(conversions, publisher=Away())
    job = uploaded(conversions, CLIP.read_bytes())

    conversions.look_at(job.id)

    done = now_is(conversions, job)
    assert done.state == "done"
    assert done.doorbell["mp3"]["due_at"] is not None


def test_an_outage_of_the_store_in_mid_work_loses_nothing(
    conversions: Conversions, long_video: Path, mongodb_server: Any
) -> None:
    job = uploaded(conversions, long_video.read_bytes())
    thread = begun(conversions, job)

    mongodb_server.kill()
    mongodb_server.start()
    thread.join(timeout=60)

    done = now_is(conversions, job)
    assert (done.state, done.attempt) == ("done", 1)
    assert done.result is not None
    assert conversions.mp3s.find(done.result["blob"]).size == done.result["size"]
