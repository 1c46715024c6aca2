"""No process grows with the jobs that went through it."""

from tests.chaos.growth import WARM_UP, sizes, work
from tests.chaos.wired import WiredStack

JOBS = 100
MORE_MIB = 8.0
MORE_FILES = 5


def test_processes_stay_as_they_are_over_many_jobs(wired: WiredStack) -> None:
    with wired.some_user() as user:
        work(user, WARM_UP)
        before = sizes(wired)

        work(user, JOBS)

        after = sizes(wired)
    grown = {
        name: (before[name], after[name])
        for name in before
        if after[name].mib - before[name].mib > MORE_MIB
        or after[name].files - before[name].files > MORE_FILES
    }
    assert grown == {}
