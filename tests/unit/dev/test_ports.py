"""Ports that are free stay free for who took them, whatever else runs on the machine."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from itertools import count, islice

from dev import ports
from dev.ports import free_ports, hold, is_free
from dev.services import CLONE

OTHER_RUN = "from dev.ports import free_ports; print(*free_ports(40), flush=True); input()"


def test_runs_at_the_same_time_are_given_different_ports() -> None:
    own = free_ports(40)
    with ExitStack() as others:
        runs = [
            others.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", OTHER_RUN],
                    cwd=CLONE,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        taken = [int(port) for run in runs if run.stdout for port in run.stdout.readline().split()]
        for run in runs:
            run.communicate("\n")

    assert len({*own, *taken}) == 4 * 40


def test_the_kernel_gives_nobody_a_port_that_was_taken() -> None:
    first, last = map(int, ports.KERNELS_OWN.read_text().split())

    assert not [port for port in free_ports(40) if first <= port <= last]


def test_a_port_on_which_a_stranger_listens_is_passed_over() -> None:
    taken = ports.Ports()
    first = taken.take()

    following, after = islice((port for port in count(first + 1) if is_free(port)), 2)

    with socket.create_server(("127.0.0.1", following)):
        assert not is_free(following)
        assert taken.take() == after


def test_a_name_is_held_by_one_at_a_time() -> None:
    name = f"test/{os.getpid()}"
    holder = hold(name)
    assert holder is not None
    assert hold(name) is None

    holder.close()

    again = hold(name)
    assert again is not None
    again.close()
