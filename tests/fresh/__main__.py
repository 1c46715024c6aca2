"""Run the project on fresh Debians, print a table, and end with 1 if anything is not as it should be.

`python -m tests.fresh --release trixie --user root --without-test` picks some of it; needs root and
mmdebstrap.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fresh.debian import Debian, Ran

CLONE = Path(__file__).resolve().parents[2]
SILENCE_SECONDS = 12.0
"""Ten, and what a busy machine adds."""


@dataclass(frozen=True, slots=True)
class Case:
    """A script in the home folder, where the clone is `clone`; what it must say, and how it must end."""

    name: str
    script: str
    says: str = ""
    ends: int = 0
    users: tuple[str, ...] = ("root", "sudoer")
    chatty: bool = True
    """Whether it may not be silent for longer than ten seconds."""


UP = "cd clone && make up"
CASES = [
    Case(
        "a user who may install nothing has a line to paste",
        "git clone -q /clone guest && cd guest && make demo",
        says="As root:\n  apt-get update && apt-get install",
        ends=2,
        users=("guest",),
    ),
    Case("a typo in FILE", "cd clone && make demo FILE=~/tlak.mp4", says="there is no readable file", ends=2),
    Case("make demo, from nothing", "cd clone && make demo", says="demo/big_buck_bunny_5s.mp3"),
    Case("make demo, again", "cd clone && make demo", says="demo/big_buck_bunny_5s.mp3"),
    Case(
        "make users, doctor and status",
        f"{UP} && make users && make doctor && make status",
        says="password in",
    ),
    Case(
        "a proxy that nobody answers on",
        f"export http_proxy=http://127.0.0.1:9; unset no_proxy NO_PROXY; {UP} && make demo",
        says="demo/big_buck_bunny_5s.mp3",
    ),
    Case(
        "two make demo in one clone at once",
        "cd clone && { make demo & make demo; } && wait $!",
        says="another command is already starting this suite",
    ),
    Case(
        "two clones that start at once",
        "git clone -q /clone second && make -C second setup-engine &&"
        " { make -C clone up & make -C second up; } && wait $! &&"
        " ! cmp -s clone/.stack/port-base second/.stack/port-base",
        says="gateway",
    ),
    Case(
        "a file that may not be read",
        "cp clone/tests/media/*.mp4 mine.mp4 && chmod 0 mine.mp4 && cd clone && make demo FILE=../mine.mp4",
        says="there is no readable file",
        ends=2,
        users=("sudoer",),
    ),
    Case(
        "a folder that may not be written to",
        "cd clone && mkdir -p demo && chmod 555 demo; make demo; status=$?; chmod 755 demo; exit $status",
        says="is not writable",
        ends=2,
        users=("sudoer",),
    ),
    Case(
        "a space in the path",
        "git clone -q /clone 'two words' && cd 'two words' && make demo",
        says="RabbitMQ's scripts allow only letters",
        ends=2,
    ),
    Case(
        "the clone renamed",
        "mv clone moved && cd moved && make demo; status=$?; cd && mv moved clone; exit $status",
        says="setting it up again",
    ),
    Case(
        "less than 1.5 GB free",
        "cd clone && mkdir -p .stack && mount -t tmpfs -o size=1200m none .stack && make up",
        says="RabbitMQ accepts no messages below",
        ends=2,
        users=("root",),
    ),
    Case("make lint, before anything else", "git clone -q /clone linted && cd linted && make lint"),
    Case(
        "converting one file without servers",
        "cd clone && make -s setup && .venv/bin/python -m converter tests/media/*_5s.mp4 ../talk.mp3",
        says="talk.mp3",
    ),
    Case("make test", "cd clone && make test", chatty=False),
    Case(
        "make clean",
        "cd clone && make clean && ! ls -d .venv .tools .stack demo /tmp/mariadb* 2>/dev/null",
        says="left: ",
    ),
]


def main() -> int:
    """Return 0 when every case came out right on every Debian."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--release", action="append", help="a release of Debian (default: bookworm and trixie)"
    )
    parser.add_argument("--user", action="append", choices=["root", "sudoer"], help="default: both")
    parser.add_argument(
        "--without-test", action="store_true", help="leave `make test` out: it takes half an hour"
    )
    asked = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        sys.stderr.write("make fresh needs root, and mmdebstrap: apt-get install mmdebstrap\n")
        return 2
    wrong = 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # /tmp may be memory
        for release in asked.release or ("bookworm", "trixie"):
            bare = Debian.build(release, Path(folder, release))
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", CLONE, bare.folder / "clone"], check=True)
            for user in asked.user or ("root", "sudoer"):
                debian = bare.copy(Path(folder, f"{release}-{user}"))
                for case in CASES:
                    if not (asked.without_test and case.name == "make test"):
                        wrong += not _tried(debian, release, user, case)
                shutil.rmtree(debian.folder)
    return 1 if wrong else 0


def _tried(debian: Debian, release: str, user: str, case: Case) -> bool:
    if user not in case.users and not (case.users == ("guest",) and user == "sudoer"):
        return True
    actor = "guest" if case.users == ("guest",) else user
    cloned = "git config --global safe.directory '*'; [ -d clone ] || git clone -q /clone clone"
    ran = debian.run(actor, f"{cloned}; {case.script}")
    faults = _faults(case, ran)
    outcome = "; ".join(faults) or "right"
    print(f"{release:9} {actor:6} {case.name:55} {ran.seconds:6.0f} s  {outcome}", flush=True)  # noqa: T201 - the table
    if faults:
        print("\n".join(f"    {line}" for line in ran.said.splitlines()[-15:]), flush=True)  # noqa: T201 - likewise
    return not faults


def _faults(case: Case, ran: Ran) -> list[str]:
    found = []
    if ran.status != case.ends:
        found.append(f"ended with {ran.status}")
    if case.says not in ran.said:
        found.append(f"did not say {case.says!r}")
    if "Traceback" in ran.said:
        found.append("a traceback")
    if case.chatty and ran.silent > SILENCE_SECONDS:
        found.append(f"silent for {ran.silent:.0f} s")
    return found


if __name__ == "__main__":
    sys.exit(main())
