"""Send the one mail that an outcome owes, and record what became of it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Generic, Protocol, TypeVar

from prometheus_client import Counter, Gauge

from chassis import logs
from chassis.instance import Instance
from notification.smtp import LoginRefused, MailRefused, MailUnavailable
from pipeline.jobs import Jobs
from pipeline.lease import LeaseKeeper
from pipeline.mongodb import StoreRefused, StoreUnavailable, now
from pipeline.timing import Timing

HOUR = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = HOUR
GIVE_UP_AFTER = 24 * HOUR
LOGIN_PAUSE = timedelta(seconds=30)
"""How long everybody's mail waits after the mail server refused our login."""
STORE_PAUSE_SECONDS = 0.5
BATCH = 100

mails = Counter("mails_total", "Attempts to send a mail.", ["outcome"])
login_refused = Gauge("smtp_login_refused", "1 while the mail server refuses our login.")
log = logs.get(__name__)


class SendsMail(Protocol):
    """What takes a mail: a mail server, or a list in a test."""

    def send(self, message: EmailMessage) -> None:
        """Return when the mail is taken; raises as `notification.smtp.MailServer.send` does."""


class Owing(Protocol):
    """What a mail may be owed about: a job that is over, a webhook that was paused."""

    @property
    def state(self) -> str:
        """What has become of it, for the log."""

    @property
    def notice(self) -> Mapping[str, Any] | None:
        """The mail: {state, since, tries, token, …}."""


Owed = TypeVar("Owed", bound=Owing)
Told_contra = TypeVar("Told_contra", bound=Owing, contravariant=True)


class OwesMails(Protocol[Owed]):
    """A store of them, which lets one process at a time send one's mail."""

    @property
    def timing(self) -> Timing:
        """How long the right to send holds, for one."""

    def claim_notice(self, owing_id: str, /) -> Owed | None:
        """Take the right to send the mail that is due."""

    def renew_notice(self, owing: Owed, /) -> bool:
        """Hold that right for longer; `False` says that it is lost."""

    def notice_sent(self, owing: Owed, /) -> bool:
        """Record that the mail server took it."""

    def notice_delayed(self, owing: Owed, due_at: datetime, /, *, counted: bool = True) -> bool:
        """Put it off."""

    def notice_undeliverable(self, owing: Owed, reason: str, /) -> bool:
        """Give it up."""


class Writes(Protocol[Told_contra]):
    """What words a mail."""

    def write(self, owing: Told_contra, /) -> EmailMessage:
        """Return the mail."""


@dataclass(frozen=True, slots=True)
class Notices(Generic[Owed]):
    """Tells owners what they are to know: how their jobs ended, for one."""

    jobs: OwesMails[Owed]
    writer: Writes[Owed]
    server: SendsMail
    stop: threading.Event

    def look_at(self, job_id: str) -> None:
        """Send the job's mail if one is due, and record it.

        A mail may go out twice only when the process dies between the server's 250 and the record.
        One that a bug keeps from being sent is put off as if the server were away, and so ends too.

        Raises:
            StoreUnavailable: before anything was sent.
        """
        job = self.jobs.claim_notice(job_id)
        if job is None or job.notice is None:
            log.info("no mail is due")
            return
        tries = job.notice["tries"]
        try:
            with LeaseKeeper(self.jobs.timing.mail_lease, lambda: self._renew(job)):
                self.server.send(self.writer.write(job))
        except LoginRefused as error:
            self._pause(job, str(error))
        except MailRefused as error:
            self._give_up(job, tries, str(error))
        except MailUnavailable as error:
            self._put_off(job, tries, str(error))
        except Exception as error:
            log.exception("unhandled exception while sending a mail")
            self._put_off(job, tries, f"{type(error).__name__}: {error}"[:300])
        else:
            self._sent(job, tries)

    def _renew(self, job: Owed) -> bool:
        held = self.jobs.renew_notice(job)
        if not held:
            log.warning("another process may send this mail too: this one did not renew in time")
        return held

    def _sent(self, job: Owed, tries: int) -> None:
        login_refused.set(0)
        mails.labels("sent").inc()
        self._record(lambda: self.jobs.notice_sent(job), sent=True)
        log.info("mail sent", about=job.state, tries=tries)

    def _put_off(self, job: Owed, tries: int, reason: str) -> None:
        if job.notice is not None and now() - job.notice["since"] > GIVE_UP_AFTER:
            self._give_up(job, tries, f"no success within {GIVE_UP_AFTER // HOUR} hours; at last: {reason}")
            return
        due = now() + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 20))
        mails.labels("put_off").inc()
        self._record(lambda: self.jobs.notice_delayed(job, due))
        log.warning("mail delayed", reason=reason, tries=tries, due_at=due.isoformat())

    def _give_up(self, job: Owed, tries: int, reason: str) -> None:
        mails.labels("undeliverable").inc()
        self._record(lambda: self.jobs.notice_undeliverable(job, reason))
        log.error("mail undeliverable", reason=reason, tries=tries)

    def _pause(self, job: Owed, reason: str) -> None:
        login_refused.set(1)
        mails.labels("login_refused").inc()
        due = now() + LOGIN_PAUSE
        self._record(lambda: self.jobs.notice_delayed(job, due, counted=False))
        log.error("the mail server refuses the login: correct SMTP_URL", reason=reason)
        self.stop.wait(LOGIN_PAUSE.total_seconds())

    def _record(self, transition: Callable[[], bool], *, sent: bool = False) -> None:
        """Store what became of a mail, however long the store takes.

        A mail that is out is worth the wait even when the process should end: without the record
        another one follows.  The token keeps a record that comes too late from changing anything.
        """
        while True:
            try:
                transition()
            except (StoreUnavailable, StoreRefused) as error:
                log.warning("the outcome of a mail waits for the store", reason=str(error))
                if self.stop.is_set() and not sent:
                    log.warning("the outcome of a mail is not recorded: it will be tried again")
                    return
                time.sleep(STORE_PAUSE_SECONDS)
            else:
                return


def take_back(jobs: Jobs, instance: Instance, stop: threading.Event) -> None:
    """Make the mails due again that dead processes of this host had in hand, once the store answers."""
    while not stop.is_set():
        try:
            for job in jobs.being_sent(instance.host, BATCH):
                if job.notice is not None and instance.knows_dead(job.notice["sender"]["name"]):
                    jobs.take_back_notice(job, dead=True)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("mails of dead processes wait for the store", reason=str(error))
            stop.wait(STORE_PAUSE_SECONDS)
        else:
            return
