"""How long the processes of the job path wait for each other, which all of them must agree on."""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field

from chassis.settings import Duration, Settings

NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Timing:
    """The waits that the job document's leases and bells go by."""

    lease: timedelta = timedelta(seconds=60)
    """How long a claim holds; a converter renews it four times in that time."""
    mail_lease: timedelta = timedelta(seconds=15)
    """How long the right to send a mail holds; its sender renews it four times in that time."""
    clock_skew: timedelta = timedelta(seconds=30)
    """How far two machines' clocks may stand apart: a lease is taken over only this long after its end."""
    retry_delay: timedelta = timedelta(seconds=10)
    """How long a job that met a bug of ours waits, times the attempts so far."""


DEFAULT = Timing()


class JobSettings(Settings):
    """What every process that works on jobs reads."""

    lease: Duration = Field(default=DEFAULT.lease, gt=NONE)
    mail_lease: Duration = Field(default=DEFAULT.mail_lease, gt=NONE)
    clock_skew: Duration = Field(default=DEFAULT.clock_skew, ge=NONE)
    retry_delay: Duration = Field(default=DEFAULT.retry_delay, ge=NONE)

    @property
    def timing(self) -> Timing:
        """The waits, for `Jobs`."""
        return Timing(self.lease, self.mail_lease, self.clock_skew, self.retry_delay)
