"""Keep the right to send the mail in hand for as long as the mail server takes."""

import threading
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from chassis import logs
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.timing import Timing

Held = TypeVar("Held")
Held_contra = TypeVar("Held_contra", contravariant=True)

RENEWALS = 4
"""How often the right is renewed in the time that it holds."""

log = logs.get(__name__)


class Renews(Protocol[Held_contra]):
    """A store whose claims of `claim_notice` can be renewed."""

    @property
    def timing(self) -> Timing:
        """How long a claim holds, for one."""

    def renew_notice(self, owing: Held_contra, /) -> bool:
        """Hold the claim for longer; `False` says that it is lost."""


class NoticeKeeper(Generic[Held]):
    """Renews a claim of `claim_notice` on a thread of its own for as long as the `with` block lasts.

    A process that dies renews no more, so another one may send the mail soon.
    """

    def __init__(self, jobs: Renews[Held], job: Held) -> None:
        self._jobs = jobs
        self._job = job
        self._every = jobs.timing.mail_lease.total_seconds() / RENEWALS
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="mail lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(self._every):
            try:
                if not self._jobs.renew_notice(self._job):
                    log.warning("another process may send this mail too: this one did not renew in time")
                    return
            except (StoreUnavailable, StoreRefused) as error:
                # Nobody can take the mail over while the store is away; the next round tries again.
                log.warning("lease not renewed", reason=str(error))
