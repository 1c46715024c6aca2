"""No process grows with the jobs that went through it."""

from tests.chaos.growth import WARM_UP, sizes, work
from tests.chaos.wired import WiredStack

JOBS = 50
MORE_MIB = 10.0
"""More threads at once than ever before take that much, for good; a chunk that each job left were 25 MiB."""


def test_processes_do_not_go_on_growing_with_the_jobs(wired: WiredStack) -> None:
    with wired.some_user() as user:
        work(user, WARM_UP)
        at_first = sizes(wired)
        work(user, JOBS)
        halfway = sizes(wired)

        work(user, JOBS)

        after = sizes(wired)
    growing = {
        name: f"{at_first[name]}, then {halfway[name]}, then {size}"
        for name, size in after.items()
        if halfway[name].grew_since(at_first[name], MORE_MIB) and size.grew_since(halfway[name], MORE_MIB)
    }
    assert growing == {}
