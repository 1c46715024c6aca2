"""No process grows with the jobs that went through it."""

from tests.chaos.growth import WARM_UP, sizes, work
from tests.chaos.wired import WiredStack

JOBS = 100
MORE_MIB = 24.0
"""Threads and arenas come with the first hundred jobs; a chunk that each job left were 50 MiB."""


def test_processes_stay_as_they_are_over_many_jobs(wired: WiredStack) -> None:
    with wired.some_user() as user:
        work(user, WARM_UP)
        before = sizes(wired)

        work(user, JOBS)

        after = sizes(wired)
    grown = {
        name: f"{before[name]}, then {size}"
        for name, size in after.items()
        if size.grew_since(before[name], MORE_MIB)
    }
    assert grown == {}
