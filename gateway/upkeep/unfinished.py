"""Resumable uploads that nobody finishes: what is complete becomes its job, what has expired goes."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from gateway.upkeep.rules import Rule
from gateway.uploads.ending import Ending
from pipeline.upload_store import Upload, UploadStore

SEAL_AFTER = timedelta(minutes=1)
"""How long a request has to make the job of the upload that it completed: it may read it once more."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Ends uploads as requests do, when none does."""

    store: UploadStore
    ending: Ending

    def rules(self, batch: int) -> list[Rule[Upload]]:
        """Return the rules, each for a batch of uploads at once."""
        return [
            Rule("upload complete", partial(self.store.left_complete, SEAL_AFTER, batch), self.ending.seal),
            Rule("upload expired", partial(self.store.expired, batch), self._expire),
        ]

    def _expire(self, upload: Upload) -> bool:
        if upload.state == "queued":
            return self.store.forget(upload)
        if upload.state == "receiving" and self.store.expire(upload) is None:
            return False
        self.ending.clear_up(upload)
        return True
