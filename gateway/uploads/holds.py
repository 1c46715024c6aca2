"""Who adds to which upload: one request at a time over all replicas, and the newest is that one.

A request that comes asks the holder to let go.  The holder's process looks for that while it holds
anything, ends the reading, and what arrived is saved.  A holder that does not answer is dead, or
sleeps: the upload is seized, and what it still does changes nothing.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from chassis import logs
from gateway.uploads import tus_problems
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.upload_store import Upload, UploadStore

ANSWER_SECONDS = 1.2
"""How long a holder has to let go: it looks four times in that time, and stores a chunk at the most."""
LOOK_SECONDS = 0.3
ASK_SECONDS = 0.05
GIVE_UP_SECONDS = 10.0
"""How long a request tries to get an upload that newer ones take before it does."""

log = logs.get(__name__)


@dataclass(slots=True)
class Hold:
    """An upload in the hands of a request of this process."""

    upload: Upload
    connection: socket.socket | None
    wanted: bool = field(default=False, init=False)
    """Whether it is to let go."""

    def end_reading(self) -> None:
        """Let the request find nothing more to read."""
        self.wanted = True
        if self.connection is not None:
            with suppress(OSError):  # the client may have gone already
                self.connection.shutdown(socket.SHUT_RD)


class Holds:
    """The uploads that requests of this process hold."""

    def __init__(self, store: UploadStore, stopping: threading.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._holds: dict[str, Hold] = {}
        self._lock = threading.Lock()
        self._looks = False

    def settled(self, upload: Upload) -> Upload:
        """Return an upload, as it is once nobody adds to it any more.

        Raises:
            Problem: it is gone, or newer requests are faster.
        """
        if not upload.held:
            return upload
        claimed = self._claim(upload)
        if claimed.held:
            self._store.release(claimed)
        return claimed

    @contextmanager
    def hold(self, upload: Upload, connection: socket.socket | None) -> Iterator[Hold]:
        """Hold an upload, unless it turns out to be complete; whoever adds to it lets it go.

        Raises:
            Problem: it is gone, or newer requests are faster.
        """
        hold = Hold(self._claim(upload), connection)
        with self._lock:
            self._holds[upload.id] = hold
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, name="holds", daemon=True).start()
        try:
            yield hold
        finally:
            with self._lock:
                if self._holds.get(upload.id) is hold:
                    del self._holds[upload.id]
            if hold.upload.held:
                with suppress(StoreUnavailable, StoreRefused):  # then the next one seizes it
                    self._store.release(hold.upload)

    def _claim(self, upload: Upload) -> Upload:
        """Return the upload, held, or no more in a state in which it is."""
        began = time.monotonic()
        asked_at, asked = began, -1
        while time.monotonic() - began < GIVE_UP_SECONDS:
            claimed = self._store.claim(upload)
            if claimed is not None:
                return claimed
            found = self._store.find(upload.id, upload.owner)
            if found is None:
                raise tus_problems.no_such_upload()
            if found.state != "receiving":
                return found
            if found.generation != asked:
                self._store.ask_for(found)
                asked_at, asked = time.monotonic(), found.generation
            elif time.monotonic() - asked_at > ANSWER_SECONDS and (claimed := self._store.seize(found)):
                log.info("seized", upload_id=upload.id, generation=claimed.generation)
                return claimed
            time.sleep(ASK_SECONDS)
        raise tus_problems.locked()

    def _look(self) -> None:
        """End the reading of those that are to let go, as long as there are any."""
        while True:
            time.sleep(LOOK_SECONDS)  # before the first look: most requests are over by then
            with self._lock:
                holds = [hold for hold in self._holds.values() if not hold.wanted]
                if not self._holds:
                    self._looks = False
                    return
            for hold in self._to_end(holds):
                hold.end_reading()

    def _to_end(self, holds: list[Hold]) -> list[Hold]:
        if self._stopping.is_set():
            return holds
        try:
            contested = self._store.contested({hold.upload.id: hold.upload.generation for hold in holds})
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("cannot look who else wants an upload", reason=str(error))
            return []
        return [hold for hold in holds if hold.upload.id in contested]
