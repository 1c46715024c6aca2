"""Kill senders in mid-mail: `python -m tests.chaos.mails [--kills 20]`, with the waits of production.

Every other time the killed one has a twin.  Prints how long after its sender's death each mail was out,
and how often it came; the exit status is 1 if one came twice, or later than `BAR_SECONDS`.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.kills import started
from tests.chaos.load import videos
from tests.chaos.moody import SLOWLY
from tests.chaos.stage import Stage
from tests.chaos.suite import ChaosStack
from tests.e2e.conftest import wait_for

BAR_SECONDS = 60.0
PRODUCTION = {"MAIL_LEASE": "15", "CLOCK_SKEW": "30", "RECONCILE_EVERY": "5", "RING_AGAIN_AFTER": "30"}
SENDERS = ("notification", "notification-2")


def has(pid: int, name: str) -> bool:
    """Whether a process has the socket that vouches for a name."""
    found = re.search(rf"(\d+) @video-to-mp3\.{name}$", Path("/proc/net/unix").read_text(), re.MULTILINE)
    if found is None or not pid:
        return False
    return any(str(file.readlink()) == f"socket:[{found[1]}]" for file in Path(f"/proc/{pid}/fd").iterdir())


def kill_in_mid_mail(stack: ChaosStack, stage: Stage) -> tuple[float, int]:
    """Kill whoever sends a mail; return how many seconds later it was out, and how often it came."""
    job = stage.failed(SLOWLY)

    def notice() -> dict[str, object]:
        found = stage.jobs.get(job.id)
        return dict(found.notice or {}) if found else {}

    wait_for(lambda: notice()["state"] == "sending", BAR_SECONDS)
    sender = notice()["sender"]
    assert isinstance(sender, dict)
    [victim] = [process for process in SENDERS if has(stack.pid(process), sender["name"])]
    stack.kill(victim)
    died = time.monotonic()
    wait_for(lambda: notice()["state"] == "sent", 3 * BAR_SECONDS)
    seconds = time.monotonic() - died
    return seconds, len([mail for mail in stack.mails(SLOWLY) if job.id in mail])


def main() -> int:
    """Kill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    rows: dict[str, list[tuple[float, int]]] = {"alone": [], "with a twin": []}
    with started(PRODUCTION) as stack, tempfile.TemporaryDirectory() as folder:
        stage = Stage(stack, videos(Path(folder))["short"])
        for number in range(kills):
            alone = number % 2 == 0
            stack.ask("stopProcess" if alone else "startProcess", SENDERS[1])
            wait_for(stack.program(SENDERS[0]).ready, BAR_SECONDS)
            rows["alone" if alone else "with a twin"].append(kill_in_mid_mail(stack, stage))
    print("| sender | kills | mail out after, median s | at most, s | mails per outcome, at most |")  # noqa: T201 - the result
    print("|---|---|---|---|---|")  # noqa: T201 - likewise
    for name, row in rows.items():
        if row:
            seconds, mails = [each[0] for each in row], max(each[1] for each in row)
            figures = f"{statistics.median(seconds):.1f} | {max(seconds):.1f} | {mails}"
            print(f"| {name} | {len(row)} | {figures} |")  # noqa: T201 - likewise
    every = [each for row in rows.values() for each in row]
    return 0 if all(seconds <= BAR_SECONDS and mails == 1 for seconds, mails in every) else 1


if __name__ == "__main__":
    sys.exit(main())
