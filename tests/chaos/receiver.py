"""Where the webhooks of a run go: a server that takes them down, and refuses some the first time."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

REFUSED = 4
"""One event in so many is refused when it first comes, so that what was received is sent again too."""
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """A request, and what was answered."""

    id: str
    body: bytes
    signed: bool
    status: HTTPStatus

    @property
    def data(self) -> Document:
        """What it tells of the job."""
        data: Document = json.loads(self.body)["data"]
        return data


class Receiver:
    """Receives on as many paths as there are endpoints."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}
        """By the beginning of a path."""
        self._messages: dict[str, list[Message]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def trust(self, beginning: str, secret: str) -> None:
        """Verify what comes on paths that begin so."""
        self._secrets[beginning] = secret

    def close(self) -> None:
        """Receive no more."""
        self._server.shutdown()
        self._server.server_close()

    def untold(self, paths: Iterable[str], job: Document) -> list[str]:
        """Return what is wrong with what each of these paths was told of a job that is over."""
        return [f"{path} of {job['_id']}: {wrong}" for path in paths if (wrong := self._wrong(path, job))]

    @property
    def repeated(self) -> int:
        """How many messages were sent again."""
        return sum(len(messages) - len({m.id for m in messages}) for messages in self._messages.values())

    @property
    def events(self) -> int:
        """How many events were taken, at every path."""
        return sum(len({m.id for m in messages}) for messages in self._messages.values())

    def _wrong(self, path: str, job: Document) -> str:
        messages = [message for message in self._messages[path] if message.data["id"] == job["_id"]]
        if not any(message.status == HTTPStatus.OK for message in messages):
            return f"nothing was delivered, {len(messages)} refused"
        if len({message.id for message in messages}) > 1:
            return "one event came with several ids"
        if len({message.body for message in messages}) > 1:
            return "a repeat has another body"
        if not all(message.signed for message in messages):
            return "a signature is wrong"
        state = messages[0].data["state"]
        return "" if state == job["state"] else f"it was told that it is {state}, and it is {job['state']}"

    def _take(self, path: str, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        event = headers["webhook-id"]
        with self._lock:
            first = all(message.id != event for message in self._messages[path])
            refuse = first and int(event[:4], 16) % REFUSED == 0
            status = HTTPStatus.SERVICE_UNAVAILABLE if refuse else HTTPStatus.OK
            self._messages[path].append(Message(event, body, self._verified(path, headers, body), status))
        return status

    def _verified(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        [secret] = [secret for beginning, secret in self._secrets.items() if path.startswith(beginning)]
        try:
            Webhook(secret).verify(body, dict(headers))
        except WebhookVerificationError:
            return False
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver._take(self.path, headers, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        return Handler


def endpoint_path(owner: str) -> str:
    """Return the path of a user's webhook."""
    return f"/webhooks/{owner}"


def callback_path(owner: str, filename: str = "") -> str:
    """Return the path of an upload's callback, or what those of a user begin with."""
    return f"/callbacks/{owner}/{filename}"
