"""The ledger of a run: what clients were told against what is in the stores and what was mailed.

Its words are those of Jepsen's queue tests (https://jepsen.io/analyses/rabbitmq): lost is what was
acknowledged and did not come to an end, unexpected what nobody attempted or ended as it should not,
recovered what was not acknowledged and came to an end all the same.
"""

import hashlib
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email import message_from_bytes
from email.message import Message
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline import broker
from tests.chaos.load import Attempt
from tests.chaos.suite import ChaosStack

QUEUES = tuple(f"{name}{twin}" for name in broker.QUEUES for twin in ("", ".dlq"))
OUR_FAULT = {"converter_crashed", "video_lost"}
"""Reasons of a failure that say nothing of the video."""
SENDING = ("notification", "mail", "mongodb")
"""Where trouble can cut off a sender between the mail server's 250 and the record."""
AROUND = 4.0
"""How long before a mail was taken such trouble may have begun."""
UNTOLD = ["pending", "sending"]
QUIET_SECONDS = 120.0
"""Whatever is still due when it has not become less for so long is lost."""
NOTHING = (0, 0)
Document = dict[str, Any]
Mail = Message


@dataclass
class Event:
    """What was done to a process or to the wire before a server, and when, by the wall clock."""

    what: str
    where: str
    at: float


@dataclass
class Ledger:
    """What came of a run; `violations` has a line for each broken promise."""

    seed: int
    attempted: int = 0
    acknowledged: int = 0
    refused: int = 0
    """Attempts that were answered by no success, after one retry."""
    requests: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """How often uploads were answered in which way."""
    done: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    recovered: int = 0
    doubled_jobs: list[str] = field(default_factory=list)
    duplicate_mp3s: list[str] = field(default_factory=list)
    duplicate_notices: list[str] = field(default_factory=list)
    duplicate_mails: int = 0
    """Mails that were sent again with the same Message-ID."""
    unexplained_mails: list[str] = field(default_factory=list)
    """Those of them without a trouble of the sender or of its wire in between."""
    webhooks: int = 0
    """How many events were taken at an endpoint."""
    repeated_webhooks: int = 0
    """Messages that came again, with the same webhook-id."""
    untold: list[str] = field(default_factory=list)
    """Outcomes that an endpoint was not told, or told wrongly."""
    broken_grants: list[str] = field(default_factory=list)
    """Keys, links and feeds that are not good though they must be, or good though they were revoked."""
    unfinished_uploads: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    """Blobs, or chunks of one, that no job wants, after the sweep."""
    strays: list[str] = field(default_factory=list)
    """Programs that dead converters left at work."""
    queues: dict[str, int] = field(default_factory=dict)
    attempts_of_jobs: dict[int, int] = field(default_factory=dict)
    """How many jobs were claimed how often."""
    kills: int = 0
    troubles: dict[str, int] = field(default_factory=dict)
    """How often what was done where."""
    logins: int = 0
    logins_refused: int = 0
    seconds: float = 0.0

    @property
    def violations(self) -> list[str]:
        """Return what must not be."""
        nothing = ["lost", "unexpected", "doubled_jobs", "duplicate_mp3s", "duplicate_notices"]
        nothing += ["unexplained_mails", "untold", "broken_grants", "unfinished_uploads", "orphans", "strays"]
        found = [f"{name}: {entry}" for name in nothing for entry in getattr(self, name)]
        found += [f"{times} answers {said}" for said, times in self.answers.items() if said.startswith("500")]
        return found + [f"{count} messages in {name}" for name, count in self.queues.items() if count]

    def as_text(self) -> str:
        """Return it as JSON."""
        return json.dumps({**asdict(self), "violations": self.violations}, indent=2)

    def write(self, file: Path) -> None:
        """Keep it."""
        file.write_text(self.as_text() + "\n")


def settle(stack: ChaosStack, attempts: Sequence[Attempt], seconds: float = QUIET_SECONDS) -> None:
    """Wait until nothing is left to do, or it has not become less for so long."""
    least, fell = _left(stack, attempts), time.monotonic()
    while least != NOTHING and time.monotonic() < fell + seconds:
        time.sleep(1)
        left = _left(stack, attempts)
        if left < least:
            least, fell = left, time.monotonic()


def _left(stack: ChaosStack, attempts: Sequence[Attempt]) -> tuple[int, int]:
    """Return what comes next of jobs, messages, uploads and blobs, as a number that falls, and how many.

    Blobs are looked through only when all else is done: that makes the store slow.
    """
    with stack.mongodb() as client:
        working = {"$or": [{"state": {"$in": ["queued", "converting"]}}, {"notice.state": {"$in": UNTOLD}}]}
        if jobs := client["jobs"]["jobs"].count_documents(working):
            return 4, jobs
        event, due = {"events.0": {"$exists": True}}, {"state": "pending"}
        events = client["jobs"]["jobs"].count_documents(event)
        if events := events + client["jobs"]["deliveries"].count_documents(due):
            return 3, events
    if messages := sum(depths(stack).values()):
        return 2, messages
    if leftovers := stack.leftovers():
        return 1, len(leftovers)
    orphans = Books(stack, attempts, ()).orphans()
    return (0, len(orphans)) if orphans else NOTHING


def depths(stack: ChaosStack) -> dict[str, int]:
    """Return how many messages wait in each queue."""
    with broker.opened(stack.direct("rabbitmq"), "ledger") as channel:
        return {name: channel.queue_declare(name, passive=True).method.message_count for name in QUEUES}


class Books:
    """Everything that a run left behind, read once."""

    def __init__(self, stack: ChaosStack, attempts: Sequence[Attempt], events: Iterable[Event]) -> None:
        self._stack, self._attempts, self._events = stack, attempts, list(events)
        owners = sorted({attempt.owner for attempt in attempts})
        with stack.mongodb() as client:
            self._jobs: list[Document] = list(client["jobs"]["jobs"].find({"owner": {"$in": owners}}))
            self._all = {str(job["_id"]): job for job in client["jobs"]["jobs"].find({})}
            self._files = {name: _ids(client[name]["fs.files"], "_id") for name in ("videos", "mp3s")}
            self._chunks = {name: _ids(client[name]["fs.chunks"], "files_id") for name in ("videos", "mp3s")}
        self._by_name: Mapping[str, list[Document]] = defaultdict(list)
        for job in self._jobs:
            self._by_name[job["source"]["filename"]].append(job)
        self._mails: Mapping[str, list[tuple[float, Mail]]] = _mails(stack)

    def ledger(self, seed: int, seconds: float = 0.0) -> Ledger:
        """Return the ledger."""
        ended = [job for job in self._jobs if job["state"] in ("done", "failed")]
        mails = [entry for job in self._jobs for entry in self._repeats(job)]
        return Ledger(
            seed=seed,
            attempted=len(self._attempts),
            acknowledged=sum(attempt.job_id is not None for attempt in self._attempts),
            refused=sum(attempt.job_id is None for attempt in self._attempts),
            requests=sum(len(attempt.said) for attempt in self._attempts),
            answers=_counted(said for attempt in self._attempts for said in attempt.said),
            done=sum(job["state"] == "done" for job in ended),
            failed=_counted(job["error"]["code"] for job in ended if job["state"] == "failed"),
            lost=[entry for attempt in self._attempts for entry in self._lost(attempt)],
            unexpected=[*self._strangers(), *(e for a in self._attempts for e in self._otherwise(a))],
            recovered=sum(a.job_id is None and bool(self._ended(a)) for a in self._attempts),
            doubled_jobs=[a.filename for a in self._attempts if len(self._ended(a)) > 1],
            duplicate_mp3s=[job_id for job_id, n in self._mp3s().items() if n > 1],
            duplicate_notices=[
                str(job["_id"])
                for job in self._jobs
                if len({mail["Message-ID"] for _, mail in self._of(job)}) > 1
            ],
            duplicate_mails=len(mails),
            unexplained_mails=[job_id for job_id, explained in mails if not explained],
            webhooks=self._stack.receiver.events,
            repeated_webhooks=self._stack.receiver.repeated,
            untold=[wrong for a in self._attempts for job in self._over(a) for wrong in self._told(a, job)],
            unfinished_uploads=[str(job["_id"]) for job in self._jobs if job["state"] == "uploading"],
            orphans=self.orphans(),
            strays=self._stack.strays(),
            queues=depths(self._stack),
            attempts_of_jobs=_counted(job["attempt"] for job in ended),
            kills=sum(event.what == "kill" for event in self._events),
            troubles=_counted(f"{event.what} {event.where}" for event in self._events),
            seconds=round(seconds, 1),
        )

    def orphans(self) -> list[str]:
        """Return blobs that no job wants, and chunks without a file."""
        wanted = {"videos": set[str](), "mp3s": set[str]()}
        for job_id, job in self._all.items():
            if job["source"]["kept"]:
                wanted["videos"].add(job_id)
            if job["state"] == "done":
                wanted["mp3s"].add(job["result"]["blob"])
        orphans = []
        for name, ids in wanted.items():
            orphans += [
                f"{name}: {blob}" for blob in self._files[name] | self._chunks[name] if blob not in ids
            ]
        return sorted(orphans)

    def _ended(self, attempt: Attempt) -> list[Document]:
        return [job for job in self._by_name[attempt.filename] if self._is_told(job)]

    def _over(self, attempt: Attempt) -> list[Document]:
        return [job for job in self._by_name[attempt.filename] if job["state"] in ("done", "failed")]

    def _told(self, attempt: Attempt, job: Document) -> list[str]:
        return self._stack.receiver.untold(attempt.paths, job)

    def _is_told(self, job: Document) -> bool:
        notice = job["notice"] or {}
        return job["state"] in ("done", "failed") and notice.get("state") == "sent" and bool(self._of(job))

    def _lost(self, attempt: Attempt) -> Iterable[str]:
        """Yield why an acknowledged upload counts as lost."""
        if attempt.job_id is None:
            return
        job = next((job for job in self._jobs if job["_id"] == attempt.job_id), None)
        if job is None:
            yield f"{attempt.filename} {attempt.job_id}: no such job"
        elif not self._is_told(job):
            notice, mails = (job["notice"] or {}).get("state"), len(self._of(job))
            yield f"{attempt.filename} {attempt.job_id}: {job['state']}, notice {notice}, mails {mails}"
        elif job["state"] == "done" and not self._is_whole(job):
            yield f"{attempt.filename} {attempt.job_id}: its MP3 is not whole"

    def _is_whole(self, job: Document) -> bool:
        blob, digest = job["result"]["blob"], hashlib.sha256()
        with self._stack.mongodb() as client:
            for chunk in client["mp3s"]["fs.chunks"].find({"files_id": blob}).sort("n", 1):
                digest.update(chunk["data"])
        return blob in self._files["mp3s"] and digest.hexdigest() == job["result"]["sha256"]

    def _strangers(self) -> list[str]:
        known = {attempt.filename for attempt in self._attempts}
        return [f"{name}: nobody sent it" for name in self._by_name if name not in known]

    def _otherwise(self, attempt: Attempt) -> Iterable[str]:
        """Yield an end that the video does not explain; what killed three converters is an honest one."""
        for job in self._ended(attempt):
            failed = job["state"] == "failed"
            code = job["error"]["code"] if failed else None
            if failed == attempt.good and not (code in OUR_FAULT and job["attempt"] > 2):
                yield f"{attempt.filename} ({attempt.kind}): {job['state']} {code}"

    def _mp3s(self) -> Counter[str]:
        return Counter(blob.partition(".")[0] for blob in self._files["mp3s"])

    def _of(self, job: Document) -> list[tuple[float, Mail]]:
        return self._mails.get(str(job["_id"]), [])

    def _repeats(self, job: Document) -> list[tuple[str, bool]]:
        """Return each mail that was sent again, and whether a sender or its wire was in trouble then."""
        repeats = []
        for (first, one), (second, other) in pairwise(self._of(job)):
            if one["Message-ID"] == other["Message-ID"]:
                troubles = [event for event in self._events if event.where.startswith(SENDING)]
                explained = any(first - AROUND <= event.at <= second for event in troubles)
                repeats.append((str(job["_id"]), explained))
        return repeats


def _counted(found: Iterable[Any]) -> dict[Any, int]:
    return dict(sorted(Counter(found).items()))


def _ids(collection: Any, field: str) -> set[str]:
    return {str(found) for found in collection.distinct(field) if re.match("[0-9a-f]{32}", str(found))}


def _mails(stack: ChaosStack) -> dict[str, list[tuple[float, Mail]]]:
    """Return when which mails about each job were taken."""
    found: dict[str, list[tuple[float, Mail]]] = defaultdict(list)
    files = (stack.folder / "mail" / "mails" / "new").iterdir()
    for taken, file in sorted((file.stat().st_mtime, file) for file in files):
        mail = message_from_bytes(file.read_bytes())
        found[str(mail["X-Job-Id"])].append((taken, mail))
    return found
