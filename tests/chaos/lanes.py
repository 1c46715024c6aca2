"""What makes each process come by each of its crash points."""

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import sqlalchemy
from argon2 import PasswordHasher

from dev.services import FIRST_ADMIN
from tests.chaos.errands import Errands
from tests.chaos.load import Load
from tests.chaos.moody import LATER, NEVER
from tests.chaos.parts import Parts
from tests.chaos.stage import Stage
from tests.chaos.suite import ChaosStack
from tests.e2e.conftest import PASSWORD, wait_for

DAY = timedelta(days=1)
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Its hashes are stored anew at the next login."""

Exercise = Callable[[], object]


@dataclass(frozen=True)
class Point:
    """A function with crash points, and what makes a process call it."""

    function: str
    exercise: Exercise
    settings: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    """What the shell does before it starts the process."""
    hits: tuple[int, ...] = (1, 2)
    """How often the process comes by before it dies."""


@dataclass(frozen=True)
class Lane:
    """A process that dies at one point after the other."""

    process: str
    points: list[Point]


class Lanes:
    """Every lane; they can be run at the same time."""

    def __init__(self, stack: ChaosStack, load: Load, media: Mapping[str, bytes]) -> None:
        self._stack, self._load, self._media = stack, load, media
        self._stage = Stage(stack, media["short"])
        self._user = stack.user("wishes@example.com")
        self._admin = httpx.Client(timeout=60)
        password = (stack.secrets / "first_admin_password").read_text().strip()
        answer = httpx.post(f"{stack.gateway_url}/login", auth=(FIRST_ADMIN, password), timeout=60)
        self._admin.headers["Authorization"] = f"Bearer {answer.raise_for_status().text}"
        self._door = self._url("gateway-2")
        self._parts = Parts(self._user, self._door, media["short"], self._stage)
        self._errands = Errands(self._user, self._door, media["short"])
        self._numbers = iter(range(10**6))

    def all(self) -> list[Lane]:
        """Return them."""
        return [
            Lane("gateway", self._upload_points()),
            Lane("gateway-2", self._gateway_points()),
            Lane("converter", self._mp3_points()),
            Lane("converter-2", self._converter_points()),
            Lane("notification-2", self._notification_points()),
            Lane("reconciler", self._mending_points()),
            Lane("reconciler-2", self._retention_points()),
            Lane("auth-2", self._auth_points()),
        ]

    def clear_up(self) -> None:
        """Leave no dead letter, and no webhook that nobody hears."""
        self._errands.forget_webhooks()
        self._admin.delete(f"{self._stack.gateway_url}/v1/admin/dead-letters/video").raise_for_status()

    # -- gateway -----------------------------------------------------------------------------------

    def _upload_points(self) -> list[Point]:
        functions = ["Jobs.begin_upload", "Blobs._insert_chunk", "Blobs._insert_file"]
        functions += ["IdempotencyKeys.remember", "Jobs.queue", "Publisher.publish", "Jobs.mark_rung"]
        return [Point(function, self._upload_here) for function in functions]

    def _gateway_points(self) -> list[Point]:
        stage, me = self._stage, self._user.name
        return [
            Point("Jobs.discard", self._upload_text),
            Point("Blobs._delete_file", lambda: self._delete(stage.failed(me).id)),
            Point("Blobs._delete_chunks", lambda: self._delete(stage.failed(me).id)),
            Point("Jobs.delete", lambda: self._delete(stage.failed(me).id)),
            Point("Deletions.note", lambda: self._delete(stage.failed(me).id)),
            Point("Jobs.cancel", lambda: self._mine(f"/v1/jobs/{stage.queued(me).id}/cancel")),
            Point("Jobs.retry", lambda: self._mine(f"/v1/jobs/{stage.failed(me).id}/retry")),
            Point("IdempotencyKeys.forget", lambda: self._upload_with(stage.remembered(me))),
            Point("Jobs.give_up", lambda: self._admins("POST", f"jobs/{stage.converting(me).id}/fail")),
            Point("DeadLetters.replay", lambda: self._dead_letter("POST", "video/replay")),
            Point("DeadLetters.drop", lambda: self._dead_letter("DELETE", "video")),
            *(Point(function, self._parts.upload) for function in self.OF_PARTS),
            Point("UploadStore.release", self._parts.send_what_does_not_fit),
            Point("UploadStore.ask_for", self._parts.take_over),
            Point("UploadStore.seize", self._parts.take_over),
            Point("UploadStore.declare", partial(self._parts.upload, deferred=True)),
            Point("PartialBlobs._delete_chunks", partial(self._parts.upload, deferred=True)),
            Point("UploadStore.terminate", self._parts.end),
            Point("UploadStore.forget", self._parts.end),
            *(Point(function, self._errands.webhook) for function in self.OF_WEBHOOKS),
            *(Point(function, self._errands.link) for function in self.OF_LINKS),
            *(Point(function, self._errands.feed) for function in ("Feeds.add", "Feeds.revoke")),
        ]

    OF_WEBHOOKS = (
        *("Endpoints.add", "Endpoints._change", "Endpoints.callbacks", "Endpoints.delete"),
        *("Deliveries.add", "Deliveries.replay", "Deliveries.replay_since"),
        *("Deliveries.give_up", "Deliveries.forget"),
    )
    OF_LINKS = ("ShareLinks.add", "ShareLinks.count", "ShareLinks.revoke")

    OF_PARTS = (
        "UploadStore.create",
        "UploadStore.claim",
        "UploadStore.move",
        "PartialBlobs.put_chunk",
        "PartialBlobs._insert_file",
        "UploadStore.mark_queued",
    )

    def _upload_here(self) -> None:
        self._load.upload(kind="short", door=self._url("gateway"))

    def _upload_text(self) -> None:
        self._mine("/v1/jobs", files={"file": ("minutes.txt", self._media["text"])})

    def _upload_with(self, key: str) -> None:
        files = {"file": ("short.mkv", self._media["short"])}
        self._mine("/v1/jobs", files=files, headers={"Idempotency-Key": key})

    def _delete(self, job_id: str) -> None:
        self._mine(f"/v1/jobs/{job_id}", method="DELETE")

    def _mine(self, path: str, *, method: str = "POST", **arguments: Any) -> httpx.Response | None:
        try:
            return self._user.http.request(method, f"{self._door}{path}", **arguments)
        except httpx.TransportError:  # it died, as it should
            return None

    def _admins(self, method: str, path: str) -> None:
        with suppress(httpx.TransportError):
            self._admin.request(method, f"{self._door}/v1/admin/{path}")

    def _dead_letter(self, method: str, path: str) -> None:
        self._stage.dead_letter(self._stage.failed(self._user.name, ended=DAY))
        self._admins(method, f"dead-letters/{path}")

    # -- converter ---------------------------------------------------------------------------------

    def _mp3_points(self) -> list[Point]:
        functions = ["Jobs.claim", "Turns.serve", "Jobs.describe", "Blobs._insert_chunk"]
        functions += [
            "Blobs._insert_file",
            "Blobs._delete_file",
            "Blobs._delete_chunks",
            "Jobs.finish",
            "Speeds.note",
        ]
        return [Point(function, lambda: self._upload("short")) for function in functions]

    def _converter_points(self) -> list[Point]:
        functions = ["Publisher.publish", "Jobs.mark_rung", "_settle"]
        return [
            *(Point(function, lambda: self._upload("short")) for function in functions),
            Point("Jobs.fail", lambda: self._upload("text")),
            Point("Jobs.renew", lambda: self._upload("lecture")),
            Point("Jobs.give_back", self._terminate_in_mid_work, {"SHUTDOWN_GRACE": "0"}),
            Point("Jobs.retry_later", lambda: self._upload("talk"), before="ulimit -Sf 100"),
        ]

    def _upload(self, kind: str) -> None:
        self._load.upload(kind=kind)

    def _terminate_in_mid_work(self) -> None:
        self._upload("lecture")
        with suppress(AssertionError):  # its twin has the job
            wait_for(lambda: not self._stack.idle("converter-2"), 2)
            self._stack.send("converter-2", signal.SIGTERM)

    # -- notification --------------------------------------------------------------------------------

    def _notification_points(self) -> list[Point]:
        functions = ("Jobs.claim_notice", "MailServer.send", "Jobs.notice_sent", "_settle")
        return [
            *(Point(function, lambda: self._upload("text")) for function in functions),
            *(Point(function, lambda: self._upload("text")) for function in self.OF_SENDING),
            Point("Deliveries.clear", lambda: None, hits=(1,)),  # once an hour, and at first
            Point("Jobs.renew_notice", lambda: self._upload("text"), {"MAIL_LEASE": "0.01"}),
            Point("Jobs.notice_delayed", lambda: self._stage.failed(LATER)),
            Point("Jobs.notice_undeliverable", lambda: self._stage.failed(NEVER)),
        ]

    OF_SENDING = (
        *("Jobs.mark_spread", "Endpoints._change", "Webhooks._post", "Deliveries.record"),
        "Deliveries.add",
    )

    # -- reconciler ----------------------------------------------------------------------------------

    def _mending_points(self) -> list[Point]:
        stage, me = self._stage, self._user.name
        return [
            Point("Jobs.take_back", lambda: stage.converting(me, lapsed=True)),
            Point("Jobs.take_back_notice", lambda: stage.half_told(me)),
            Point("Jobs.ring_again", lambda: stage.unheard(me)),
            Point("Jobs.end_delay", lambda: stage.delayed(me)),
            Point("Publisher.publish", lambda: stage.queued(me)),
            Point("Jobs.mark_rung", lambda: stage.queued(me)),
        ]

    def _retention_points(self) -> list[Point]:
        stage, me = self._stage, self._user.name
        return [
            Point("Jobs.release_source", lambda: stage.done(me, ended=2 * DAY)),
            Point("Jobs.expire", lambda: stage.failed(me, ended=20 * DAY)),
            Point("Jobs.forget", lambda: stage.expired(me)),
            Point("Jobs.discard", lambda: stage.uploading(me, old=True)),
            Point("Blobs._delete_file", lambda: stage.uploading(me, old=True)),
            Point("Blobs._delete_chunks", lambda: stage.uploading(me, old=True)),
            Point("UploadStore.expire", lambda: stage.part_of_upload(me)),
            Point("UploadStore.forget", lambda: stage.part_of_upload(me)),
            Point("UploadStore.mark_queued", lambda: stage.part_of_upload(me, complete=True)),
            Point("PartialBlobs._insert_file", lambda: stage.part_of_upload(me, complete=True)),
        ]

    # -- auth ------------------------------------------------------------------------------------------

    def _auth_points(self) -> list[Point]:
        return [
            Point("Users.add", lambda: self._ask_auth("POST", "/users", json={"username": self._new_name()})),
            Point("Users._update", self._enable),
            Point("Users.rehash", self._log_in_with_a_weak_hash),
            Point("PersonalKeys.add", self._make_key),
            Point("PersonalKeys.note_use", self._use_a_key),
            Point("PersonalKeys.revoke", self._revoke_a_key),
            *(Point(function, self._session_for_a_while) for function in self.OF_SESSIONS),
            Point("Throttle.failed", lambda: self._ask_auth("POST", "/login", auth=(NEVER, "wrong"))),
        ]

    def _log_in_with_a_weak_hash(self) -> None:
        change = "UPDATE users SET password_hash = :hash WHERE username = :name"
        self._change_users(change, hash=WEAK.hash(PASSWORD), name=self._user.name)
        self._ask_auth("POST", "/login", auth=(self._user.name, PASSWORD))

    def _change_users(self, statement: str, **values: str) -> None:
        engine = sqlalchemy.create_engine(self._stack.direct("mariadb"))
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement), values)
        engine.dispose()

    def _enable(self) -> None:
        self._ask_auth("PATCH", f"/users/{self._user.name}", json={"disabled": False})

    def _make_key(self) -> dict[str, str] | None:
        self._change_users("DELETE FROM personal_keys")
        made = self._ask_auth("POST", "/keys", json={"name": "crash points"})
        return made.json() if made is not None and made.is_success else None

    def _use_a_key(self) -> None:
        if (key := self._make_key()) is not None:
            self._ask_auth("POST", "/login", headers={"Authorization": f"Bearer {key['key']}"})

    def _revoke_a_key(self) -> None:
        if (key := self._make_key()) is not None:
            self._ask_auth("DELETE", f"/keys/{key['id']}")

    OF_SESSIONS = ("Sessions.begin", "Sessions._note", "Sessions.end")

    def _session_for_a_while(self) -> None:
        begun = self._ask_auth("POST", "/sessions", auth=(self._user.name, PASSWORD))
        if begun is None or not begun.is_success:
            return
        self._change_users("UPDATE sessions SET last_used_at = last_used_at - 3600")
        secret = {"Authorization": f"Bearer {begun.json()['secret']}"}
        exchanged = self._ask_auth("POST", "/sessions/token", headers=secret)
        if exchanged is not None and exchanged.is_success:
            token = {"Authorization": f"Bearer {exchanged.text}"}
            self._ask_auth("DELETE", f"/sessions/{begun.json()['id']}", headers=token)

    def _new_name(self) -> str:
        return f"new{next(self._numbers)}@example.com"

    def _ask_auth(self, method: str, path: str, **arguments: Any) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return self._admin.request(method, f"{self._url('auth-2')}{path}", **arguments)
        return None

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._stack.program(name).ports[0]}"
