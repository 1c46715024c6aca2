"""When memory is given back."""

import subprocess
import sys

from gateway.door.memory import CROWD, Memory

KEEPS = """
import re
from pathlib import Path
from gateway.door.memory import trim

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

pieces = [bytearray(100_000) for _ in range(1000)]
last = bytearray(100_000)  # what lies at the end keeps all before it from going back by itself
del pieces
before = resident()
trim()
print(before - resident(), last[0])
"""


class Counted:
    """Counts how often memory is given back."""

    times = 0

    def __call__(self) -> None:
        self.times += 1


def test_memory_goes_back_once_when_a_crowd_has_left() -> None:
    give_back = Counted()
    memory = Memory(give_back)

    for connections in (10, CROWD, CROWD + 100, CROWD):
        memory.note(connections)
    assert give_back.times == 0

    for connections in (CROWD // 2, 50, 0):
        memory.note(connections)
    assert give_back.times == 1


def test_few_who_come_and_go_are_no_crowd() -> None:
    give_back = Counted()
    memory = Memory(give_back)

    for connections in (CROWD - 1, 0, CROWD - 1, 0):
        memory.note(connections)

    assert give_back.times == 0


def test_what_was_freed_in_the_midst_goes_back() -> None:
    command = [sys.executable, "-c", KEEPS]

    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    freed_mib, _ = map(int, said.split())
    assert freed_mib > 50
