"""A long random walk over two gateways and everything that can happen to a resumable upload.

A shorter or longer one: `pytest tests/integration/gateway/uploads/test_walk.py --steps 50000 --seed 3`.
"""

import hashlib
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from gateway.settings import Settings
from gateway.upkeep.reconciler import Reconciler
from pipeline.broker import BrokerUnavailable
from pipeline.upload_store import CHUNK_BYTES
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, wait_until
from tests.integration.gateway.uploads.tus import TUS, begin, checksum, patch, unfinished_patch, video

SOURCE = video(3 * CHUNK_BYTES, seed=9)
SIZES = (17, 999, 4096, 70_000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 77)
AT_ONCE = 5
NOWHERE = "amqp://app:x@127.0.0.1:9/"


class Nobody:
    """Takes no message."""

    def publish(self, queue: str, body: bytes) -> None:
        raise BrokerUnavailable(f"{queue}: {len(body)} bytes")


@dataclass
class Walked:
    """An upload, and what a client can know of it: its offset lies between two numbers."""

    place: str
    size: int
    deferred: bool
    least: int = 0
    most: int = 0
    over: bool = False

    @property
    def id(self) -> str:
        return self.place[-32:]

    @property
    def content(self) -> bytes:
        return SOURCE[: self.size]


@dataclass
class Walk:
    """The walker: each step is a method, the ledger of all uploads is the model."""

    gateways: list[Gateway]
    stores: Stores
    chance: random.Random
    uploads: list[Walked] = field(default_factory=list)
    stalled: list[tuple[ExitStack, Walked]] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)

    def step(self) -> None:
        open_ones = [upload for upload in self.uploads if not upload.over]
        if len(open_ones) < AT_ONCE and self.chance.random() < 0.3:
            return self.create()
        if not open_ones:
            return self.create()
        doings: dict[Callable[[Walked], None], float] = {
            self.send: 40, self.look: 15, self.cut: 10, self.stall: 4, self.wrong_offset: 8,
            self.wrong_checksum: 5, self.checked: 5, self.late_patch: 5, self.terminate: 2, self.expire: 1,
            self.freeze: 0.5, self.kill: 0.5,
        }  # fmt: skip
        [doing] = self.chance.choices(list(doings), list(doings.values()))
        self.steps[doing.__name__] += 1
        doing(self.chance.choice(open_ones))
        if len(self.stalled) > 4 or (self.stalled and self.chance.random() < 0.1):
            self.stalled.pop(0)[0].close()
        return None

    @property
    def gateway(self) -> Gateway:
        return self.chance.choice(self.gateways)

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        with self.gateway.client() as client:
            yield client

    def create(self) -> None:
        self.steps["create"] += 1
        size, deferred = self.chance.choice(SIZES), self.chance.random() < 0.2
        with self.client() as client:
            place = begin(client, None if deferred else size)
        self.uploads.append(Walked(place, size, deferred))

    def look(self, upload: Walked) -> int:
        """HEAD: from here on the offset is known."""
        with self.client() as client:
            answer = client.head(upload.place, headers=TUS)
        assert answer.status_code == 200, (answer.status_code, upload)
        offset = int(answer.headers["Upload-Offset"])
        assert upload.least <= offset <= upload.most, (offset, upload)
        upload.least = upload.most = offset
        upload.over = "X-Job-Id" in answer.headers
        return offset

    def _part(self, upload: Walked) -> tuple[int, bytes, dict[str, str]]:
        """The next bytes, from the known offset on, and the headers that go with them."""
        offset = self.look(upload) if upload.least != upload.most else upload.least
        left = upload.size - offset
        size = left if self.chance.random() < 0.3 else self.chance.randrange(left + 1)
        ends = upload.deferred and offset + size == upload.size
        return (
            offset,
            upload.content[offset : offset + size],
            {"Upload_Length": str(upload.size)} if ends else {},
        )

    def _patch(self, upload: Walked, offset: int, data: bytes, **headers: str) -> None:
        with self.client() as client:
            answer = patch(client, upload.place, offset, data, **headers)
        assert answer.status_code == 204, (answer.text, upload)
        upload.least = upload.most = offset + len(data)
        assert answer.headers["Upload-Offset"] == str(upload.most)
        upload.over = "X-Job-Id" in answer.headers
        assert upload.over == (upload.most == upload.size), upload

    def send(self, upload: Walked) -> None:
        offset, data, headers = self._part(upload)
        if not upload.over:
            self._patch(upload, offset, data, **headers)

    def checked(self, upload: Walked) -> None:
        offset, data, headers = self._part(upload)
        if not upload.over:
            self._patch(upload, offset, data, **headers, Upload_Checksum=checksum(data, "sha256"))

    def wrong_checksum(self, upload: Walked) -> None:
        offset, data, _ = self._part(upload)
        if not upload.over:
            with self.client() as client:
                answer = patch(client, upload.place, offset, data, Upload_Checksum=checksum(data + b"!"))
            assert answer.status_code == 460, (answer.text, upload)

    def wrong_offset(self, upload: Walked) -> None:
        wrong = self.chance.choice([upload.most + 1, upload.most + CHUNK_BYTES, max(upload.least - 1, 0)])
        if not upload.least <= wrong <= upload.most:
            with self.client() as client:
                answer = patch(client, upload.place, wrong, b"another")
            assert answer.status_code == 409, (answer.text, upload)

    def _begun(self, upload: Walked, gateway: Gateway) -> ExitStack | None:
        """Send a part of a PATCH that promises more."""
        offset, data, _ = self._part(upload)
        stack = ExitStack()
        if upload.over or not data:
            return None
        promised = len(data) + (
            0 if upload.deferred else self.chance.randrange(upload.size - offset - len(data) + 1)
        )
        before = self._generation(upload)
        connection = unfinished_patch(gateway, upload.place, offset, data[:-1], promised)
        stack.enter_context(connection)
        wait_until(lambda: self._generation(upload) > before)  # or it begins after what the walker does next
        upload.most = offset + len(data) - 1
        return stack

    def _generation(self, upload: Walked) -> int:
        document = self.stores.client["jobs"]["uploads"].find_one({"_id": upload.id})
        return int(document["generation"]) if document else 0

    def cut(self, upload: Walked) -> None:
        if stack := self._begun(upload, self.gateway):
            stack.close()

    def stall(self, upload: Walked) -> None:
        if stack := self._begun(upload, self.gateway):
            self.stalled.append((stack, upload))

    def late_patch(self, upload: Walked) -> None:
        """Send what was sent before: the answer may have got lost."""
        offset = self.look(upload)
        if offset and not upload.over:
            with self.client() as client:
                answer = patch(client, upload.place, 0, upload.content[:offset])
            assert answer.status_code == 409, (answer.text, upload)

    def terminate(self, upload: Walked) -> None:
        with self.client() as client:
            answer = client.delete(upload.place, headers=TUS)
        assert answer.status_code == 204, (answer.text, upload)
        self._gone(upload)

    def expire(self, upload: Walked) -> None:
        self.look(upload)
        if not upload.over:
            created = {
                "$set": {
                    "expires_at": self.stores.client["jobs"]["uploads"].find_one({"_id": upload.id})[
                        "created_at"
                    ]
                }
            }
            self.stores.client["jobs"]["uploads"].update_one({"_id": upload.id}, created)
            self.upkeep()
            self._gone(upload)

    def freeze(self, upload: Walked) -> None:
        """Stop a gateway in the middle of a PATCH, go on by the other, and let it wake up."""
        frozen, other = self.chance.sample(self.gateways, 2)
        stack = self._begun(upload, frozen)
        if stack is None:
            return
        os.killpg(frozen.pid, signal.SIGSTOP)
        try:
            self.gateways = [other]
            self.send(upload)
        finally:
            os.killpg(frozen.pid, signal.SIGCONT)
            self.gateways = [frozen, other]
        stack.close()

    def kill(self, upload: Walked) -> None:
        """Kill a gateway in the middle of a PATCH, and start it again."""
        victim = self.gateway
        stack = self._begun(upload, victim)
        victim.running.kill()
        if stack is not None:
            with suppress(OSError):
                stack.close()
        victim.running.start()

    def upkeep(self) -> None:
        settings = Settings.read({"MONGODB_URL": "mongodb://x", "RABBITMQ_URL": NOWHERE})
        Reconciler(settings, self.stores.client, Nobody()).run_once(lambda: None)

    def _gone(self, upload: Walked) -> None:
        upload.over = True
        self.uploads.remove(upload)
        with self.client() as client:
            assert client.head(upload.place, headers=TUS).status_code == 404

    def settle(self) -> None:
        """See that each complete upload is one job with its bytes, and delete it."""
        done = [upload for upload in self.uploads if upload.over]
        jobs = self.stores.jobs.among([upload.id for upload in done])
        assert self.stores.documents() == len(self.uploads)
        for upload in done:
            job = jobs[upload.id]
            assert job.state == "queued", upload
            assert job.source["sha256"] == hashlib.sha256(upload.content).hexdigest(), upload
            blob = self.stores.videos.find(upload.id)
            assert b"".join(self.stores.videos.read(blob)) == upload.content, upload
            self.stores.videos.delete(upload.id)
            for name in ("jobs", "uploads"):
                self.stores.client["jobs"][name].delete_one({"_id": upload.id})
            self.uploads.remove(upload)
            self.steps["job"] += 1

    def finish(self) -> None:
        """Send all that is left."""
        for stack, _ in self.stalled:
            stack.close()
        for upload in self.uploads:
            while not upload.over:
                self.send(upload)


@pytest.fixture
def walk(request: pytest.FixtureRequest, start_gateway: StartGateway, stores: Stores) -> Walk:
    limits = {"REQUESTS_PER_MINUTE": "1000000", "MAX_ACTIVE_JOBS": "100000", "MAX_JOBS_PER_DAY": "1000000"}
    gateways = [start_gateway(**limits) for _ in range(2)]
    return Walk(gateways, stores, random.Random(request.config.getoption("--seed")))  # noqa: S311 - to be repeated


def test_whatever_happens_to_uploads_each_ends_as_one_job_with_its_bytes(
    walk: Walk, stores: Stores, request: pytest.FixtureRequest
) -> None:
    for number in range(request.config.getoption("--steps")):
        walk.step()
        if number % 500 == 499:
            walk.settle()
    walk.finish()

    walk.settle()
    print("| step | times |\n|---|---|")  # noqa: T201 - what `pytest -s` and a failure show
    print("\n".join(f"| {name} | {times} |" for name, times in walk.steps.most_common()))  # noqa: T201 - likewise
    walk.upkeep()
    assert (stores.documents(), stores.chunks()) == (0, 0)
