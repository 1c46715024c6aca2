"""What a stranger sends ends as it must, reaches nothing, leaves nothing, and the next job is served."""

import multiprocessing
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from converter.limits import Limits
from tests.corpus.bombs import BOMBS
from tests.corpus.boxes import wav
from tests.corpus.canary import Canary
from tests.corpus.ffmpeg import FFMPEG, measure, run, sound
from tests.corpus.hostile import CONVERTED, PARTIAL, Bait, Hostile
from tests.corpus.junk import JUNK
from tests.corpus.names import NAMES
from tests.corpus.outcome import Outcome, outcome_in, settle_in
from tests.corpus.references import REFERENCES

HOSTILE = (*REFERENCES, *BOMBS, *JUNK, *NAMES)
TRAPS = tuple(case for case in REFERENCES if case.trap is not None)
MARK = "not for strangers"
SECRET_SECONDS = 9
HONEST_SECONDS = 4
"""No file that points at the secret has more sound of its own."""
PATIENCE = 30
"""Seconds; every case is over much sooner."""
MAX_SECONDS = 60
"""No sound may be longer, so that a bomb goes off early."""


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("server") / "secret.ts"
    run(*sound(seconds=SECRET_SECONDS), "-c:a", "mp2", "-metadata", f"service_name={MARK}", file)
    return file


@pytest.fixture(scope="module")
def listening(secret: Path) -> Iterator[Canary]:
    with Canary(secret.read_bytes()).listening() as canary:
        yield canary


@pytest.fixture
def canary(listening: Canary) -> Canary:
    listening.contacts.clear()
    return listening


@pytest.fixture
def bait(secret: Path, canary: Canary) -> Bait:
    return Bait(secret, canary.url)


@dataclass(frozen=True, slots=True)
class Converter:
    """One process that converts everything: it outlives every case, and its only children are ffmpeg's."""

    process: ProcessPoolExecutor
    temporary: Path
    """Its folder for temporary files."""

    def outcome(self, folder: Path, file: str, options: Mapping[str, str], **limits: float) -> Outcome:
        """Convert a file in a folder to `out.mp3` beside it."""
        return self.process.submit(outcome_in, folder, file, "out.mp3", options, **limits).result(PATIENCE)


@pytest.fixture(scope="module")
def converter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Converter]:
    temporary = tmp_path_factory.mktemp("temporary")
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, settle_in, (temporary,)) as process:
        yield Converter(process, temporary)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_file_ends_as_it_must_and_touches_nothing(
    case: Hostile, bait: Bait, canary: Canary, converter: Converter, tmp_path: Path
) -> None:
    job, workshop, next_job = (tmp_path / name for name in ("job", "workshop", "next"))
    for folder in (job, workshop, next_job):
        folder.mkdir()
    (job / case.file).write_bytes(case.make(bait, workshop))
    (next_job / "good.wav").write_bytes(wav(bytes(8000 * 2)))
    limits = {"seconds": MAX_SECONDS, **case.limits}

    came = converter.outcome(job, case.file, case.options, **limits)
    after = converter.outcome(next_job, "good.wav", {})

    mp3 = job / "out.mp3"
    assert came.name == case.outcome, came
    assert canary.contacts == []
    assert MARK not in repr(came)
    assert {file.name for file in job.iterdir()} <= {case.file, "out.mp3"}
    assert list(converter.temporary.iterdir()) == []
    assert came.children_bytes <= Limits().memory_bytes
    assert after.name == CONVERTED, after
    if case.outcome in (CONVERTED, PARTIAL):
        assert MARK.encode() not in mp3.read_bytes()
        assert case not in REFERENCES or measure(mp3).seconds <= HONEST_SECONDS


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_a_trap_is_real_for_a_bare_ffmpeg(case: Hostile, bait: Bait, canary: Canary, tmp_path: Path) -> None:
    file, leak = tmp_path / case.file, tmp_path / "leak.wav"
    file.write_bytes(case.make(bait, tmp_path))

    subprocess.run(
        [FFMPEG, "-nostdin", "-v", "quiet", *(case.trap or ()), "-i", file, "-t", "2", leak],
        timeout=PATIENCE,
        check=False,
    )

    assert canary.contacts or leak.stat().st_size > 10_000
