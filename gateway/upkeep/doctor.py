"""Look at everything that the suite needs and say what is wrong and what to do.

It reads the gateway's environment, and `SMTP_URL` where that is set too; it changes nothing but what
every process declares at its start.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from chassis.identity import KeysUnavailable, Verifier
from gateway.door.auth_client import AuthClient
from gateway.settings import Settings
from pipeline import broker, mongodb
from pipeline.files import Blobs
from pipeline.jobs import Jobs
from pipeline.mongodb import Client, StoreRefused, StoreUnavailable
from pipeline.upload_store import UploadStore

SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
SMTP_SECONDS = 5.0
MIB = 1024 * 1024


class Ill(Exception):
    """Something is wrong; the second argument says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look saw, or what is wrong and what to do."""

    name: str
    ok: bool
    seen: str
    advice: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One look: `look` returns what it saw, and raises when that is wrong."""

    name: str
    look: Callable[[], str]
    advice: str

    def run(self) -> Finding:
        """Look."""
        try:
            seen = self.look()
        except (
            Ill,
            StoreUnavailable,
            StoreRefused,
            broker.BrokerUnavailable,
            KeysUnavailable,
            OSError,
        ) as error:
            return Finding(self.name, ok=False, seen=str(error), advice=self.advice)
        return Finding(self.name, ok=True, seen=seen, advice=None)


def checks(settings: Settings, client: Client, auth: AuthClient, smtp_url: str | None = None) -> list[Check]:
    """Return every look at the servers of these settings; the mail server is the notification's own."""
    url = settings.rabbitmq_url.get_secret_value()
    found = [
        Check(
            "mongodb",
            lambda: _answers(client),
            "Start MongoDB, correct MONGODB_URL, or allow the connection.",
        ),
        Check(
            "clock",
            lambda: _clock(client, settings),
            "Synchronize this clock and MongoDB's with NTP.",
        ),
        Check(
            "indexes",
            lambda: _indexes(client, settings),
            "Allow MongoDB's user to create indexes in jobs, videos and mp3s.",
        ),
        Check(
            "space",
            lambda: _space(client, settings),
            "Give MongoDB more disk space, or keep files for a shorter time.",
        ),
        Check(
            "queues",
            lambda: _queues(url),
            "Start RabbitMQ, or correct RABBITMQ_URL; delete a queue that was declared differently.",
        ),
        Check(
            "alarms",
            lambda: _alarms(url),
            "Free disk space or memory for RabbitMQ: below 1 GB of free disk it accepts no messages.",
        ),
        Check(
            "keys",
            lambda: _keys(auth, settings),
            "Start auth, or correct AUTH_URL; check that auth has signing keys.",
        ),
        Check(
            "revocations",
            lambda: _revocations(auth),
            "Start an auth of the same version.",
        ),
    ]
    if smtp_url is not None:
        found.append(Check("smtp", lambda: _smtp(smtp_url), "Start the mail server, or correct SMTP_URL."))
    return found


def _answers(client: Client) -> str:
    mongodb.ping(client)
    return "answers"


def _clock(client: Client, settings: Settings) -> str:
    difference = mongodb.clock_difference(client)
    if abs(difference) > settings.clock_skew.total_seconds() / 2:
        raise Ill(f"MongoDB's clock differs by {difference:+.0f} s from this one")
    return f"within {abs(difference):.1f} s of MongoDB's clock"


def _indexes(client: Client, settings: Settings) -> str:
    uploads = UploadStore(client, settings.abandon_uploads_after)
    for store in (Jobs(client), uploads, Blobs(client, "videos"), Blobs(client, "mp3s")):
        store.ensure_indexes()
    return "jobs, videos and mp3s have their indexes"


def _space(client: Client, settings: Settings) -> str:
    free = mongodb.free_bytes(client)
    if free is None:
        return "the server does not report it"
    if free < settings.min_free_bytes:
        raise Ill(f"{free // MIB} MiB are free; uploads need {settings.min_free_bytes // MIB}")
    return f"{free // MIB} MiB are free"


def _queues(url: str) -> str:
    broker.declare(url)
    return ", ".join(f"{name} has {broker.depth(url, name)} messages" for name in broker.QUEUES)


def _alarms(url: str) -> str:
    broker.takes_messages(url)
    return "RabbitMQ accepts messages"


def _keys(auth: AuthClient, settings: Settings) -> str:
    verifier = Verifier(
        auth.keys, auth.revocations, issuer=settings.token_issuer, audience=settings.token_audience
    )
    verifier.check()
    return "auth publishes keys of the right kind"


def _revocations(auth: AuthClient) -> str:
    found = auth.revocations()
    sessions, keys = len(found.ended_sessions), len(found.revoked_keys)
    return f"of {len(found.good_since)} users, {sessions} sessions and {keys} keys"


def _smtp(url: str) -> str:
    parts = urlsplit(url)
    place = (parts.hostname or "localhost", parts.port or SMTP_PORTS.get(parts.scheme, 25))
    with socket.create_connection(place, SMTP_SECONDS) as connection:
        if parts.scheme != "smtps" and not connection.recv(100).startswith(b"220"):
            raise Ill("it does not answer like a mail server")
    return "answers"
