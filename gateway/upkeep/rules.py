"""A rule of the reconciler: what it finds, and how one of them is mended."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prometheus_client import Counter

from chassis import logs
from pipeline.broker import BrokerUnavailable
from pipeline.mongodb import StoreRefused, StoreUnavailable

repairs = Counter("reconciler_repairs_total", "What the reconciler mended.", ["rule"])
failures = Counter("reconciler_failures_total", "What a bug kept the reconciler from mending.", ["rule"])
log = logs.get(__name__)


class Subject(Protocol):
    """What a rule is about: a job, or what is left of one."""

    @property
    def id(self) -> str:
        """The id of the job, for the log."""


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """Mends everything that it finds; running it twice at once is harmless.

    `mend` returns something true if there was still something to mend: another reconciler may have
    been faster, and whoever is late changes nothing.
    """

    name: str
    find: Callable[[], Iterable[S]]
    mend: Callable[[S], object]

    def apply(self, tick: Callable[[], None]) -> None:
        """Mend what is found now, whatever hinders it: the next pass finds the rest.

        Raises:
            StoreUnavailable: MongoDB is away, and no other rule could do more.
        """
        try:
            for subject in self.find():
                tick()
                self._mend(subject)
        except StoreUnavailable:
            raise
        except (StoreRefused, BrokerUnavailable) as error:
            log.warning(
                "a repair was interrupted: a server is unavailable", rule=self.name, reason=str(error)
            )
        except Exception:
            failures.labels(self.name).inc()
            log.exception("a repair failed with an exception", rule=self.name)

    def _mend(self, subject: S) -> None:
        """Mend one; if that is refused, or meets a bug, it stands in nobody else's way."""
        try:
            mended = self.mend(subject)
        except (StoreUnavailable, BrokerUnavailable):
            raise
        except StoreRefused as error:
            log.warning("a repair was refused", rule=self.name, job_id=subject.id, reason=str(error))
            return
        except Exception:
            failures.labels(self.name).inc()
            log.exception("a repair failed with an exception", rule=self.name, job_id=subject.id)
            return
        if mended:
            repairs.labels(self.name).inc()
            log.info("repaired", rule=self.name, job_id=subject.id)


def apply_all(rules: Sequence[Rule[S]], tick: Callable[[], None]) -> None:
    """Apply every rule, each whatever became of the others.

    Raises:
        StoreUnavailable: MongoDB is away.
    """
    for rule in rules:
        tick()
        rule.apply(tick)
