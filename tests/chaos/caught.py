"""Break a promise on purpose and see the ledger tell: `python -m tests.chaos.caught [NAME]`.

Each scenario is run on the suite as it is, where nothing may be broken, and with the mutation.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from dev.services import BIN
from tests.chaos.kills import started
from tests.chaos.ledger import Books, Ledger, settle
from tests.chaos.load import Load, videos
from tests.chaos.suite import ChaosStack
from tests.e2e.conftest import wait_for

STUCK_SECONDS = 15.0
"""How long a mutant's run is waited for: a job that is lost never ends."""
SENDER = "notification-2"
MUTANT, TWIN = "converter-2", "converter"
RECONCILERS = ("reconciler", "reconciler-2")


@dataclass(frozen=True)
class Scenario:
    """What is done to the suite with one upload, and where the ledger must tell."""

    name: str
    play: Callable[["Play"], None]
    mutation: str
    told_by: str


@dataclass
class Play:
    """A scenario that is being played, mutated or not."""

    stack: ChaosStack
    load: Load
    mutation: str | None

    def convert_on(self, name: str, settings: dict[str, str] | None = None) -> None:
        """Let one converter alone take jobs: the mutated one if there is a mutation."""
        other = TWIN if name == MUTANT else MUTANT
        self.stack.ask("stopProcess", other)
        if self.mutation in ("unfenced", "acknowledging_early"):
            self.stack.once(name, settings or {}, instead=self.mutant("converter"))
        elif settings:
            self.stack.once(name, settings)
        self.stack.restart(name)

    def mutant(self, service: str) -> list[str]:
        """Return what starts a service with the mutation."""
        return [str(BIN / "python"), "-m", "tests.chaos.mutants", service, str(self.mutation)]

    def upload(self) -> str:
        """Upload a lecture and return the id of its job."""
        self.load.upload(kind="lecture")
        self.load.wait()
        job_id = self.load.attempts[-1].job_id
        assert job_id is not None
        return job_id

    def is_converting(self, job_id: str) -> bool:
        """Whether ffmpeg is at work on the job."""
        with self.stack.mongodb() as client:
            job = client["jobs"]["jobs"].find_one({"_id": job_id, "state": "converting"})
        return bool(job and job["media"])

    def is_over(self, job_id: str) -> bool:
        """Whether the job is done and its owner told."""
        with self.stack.mongodb() as client:
            job = client["jobs"]["jobs"].find_one({"_id": job_id, "notice.state": "sent"})
        return job is not None


def a_converter_sleeps_longer_than_its_lease(play: Play) -> None:
    """Its job is done by another; what it comes back with must change nothing."""
    play.convert_on(MUTANT)
    job_id = play.upload()
    wait_for(lambda: play.is_converting(job_id))
    pid = play.stack.pid(MUTANT)
    os.kill(pid, signal.SIGSTOP)
    play.stack.ask("startProcess", TWIN)
    wait_for(lambda: play.is_over(job_id))
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: play.stack.idle(MUTANT))


def a_converter_dies_with_a_message_in_hand(play: Play) -> None:
    """No reconciler rings again: the broker must deliver the message once more."""
    for name in RECONCILERS:
        play.stack.ask("stopProcess", name)
    play.convert_on(MUTANT, {"CRASHPOINT": "before Jobs.claim"})
    pid = play.stack.pid(MUTANT)
    play.upload()
    assert play.stack.ended(pid)


def a_converter_dies_in_mid_work(play: Play) -> None:
    """Nobody but a reconciler can give the job to another."""
    if play.mutation == "reconciler_off":
        for name in RECONCILERS:
            play.stack.ask("stopProcess", name)
    play.convert_on(MUTANT)
    job_id = play.upload()
    wait_for(lambda: play.is_converting(job_id))
    play.stack.kill(MUTANT)


def a_sender_dies_with_an_event_in_hand(play: Play) -> None:
    """It has said nothing to the receiver yet; another sender must."""
    play.stack.ask("stopProcess", "notification")
    instead = play.mutant("notification") if play.mutation else ()
    play.stack.once(SENDER, {"CRASHPOINT": "after Jobs.mark_spread"}, instead=instead)
    pid = play.stack.restart(SENDER)
    play.upload()
    assert play.stack.ended(pid)
    play.stack.ask("startProcess", "notification")


SCENARIOS = (
    Scenario("fencing", a_converter_sleeps_longer_than_its_lease, "unfenced", "duplicate_notices"),
    Scenario("late ack", a_converter_dies_with_a_message_in_hand, "acknowledging_early", "lost"),
    Scenario("webhooks", a_sender_dies_with_an_event_in_hand, "forgetting_early", "untold"),
    Scenario("reconciler", a_converter_dies_in_mid_work, "reconciler_off", "lost"),
)


def ledger_of(stack: ChaosStack, media: dict[str, bytes], scenario: Scenario, mutation: str | None) -> Ledger:
    """Play a scenario and return its ledger; afterwards the suite is as before."""
    load = Load(stack, media, seed=0)
    try:
        scenario.play(Play(stack, load, mutation))
        settle(stack, load.attempts, **({} if mutation is None else {"seconds": STUCK_SECONDS}))
        return Books(stack, load.attempts, ()).ledger(0)
    finally:
        load.close()
        stack.restart(MUTANT)
        stack.restart(SENDER)
        stack.up()


def main() -> int:
    """Play the scenarios both ways; the exit status is 1 if one did not end as it must."""
    wrong = 0
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in (sys.argv[1:] or [scenario.name])]
    with started() as stack:
        media = videos(stack.folder)
        for mutation in (False, True):
            for scenario in scenarios:
                ledger = ledger_of(stack, media, scenario, scenario.mutation if mutation else None)
                told = getattr(ledger, scenario.told_by) if mutation else ledger.violations
                as_it_must = bool(told) is mutation
                wrong += not as_it_must
                found = told or ledger.violations or "nothing"
                print(  # noqa: T201 - the result
                    f"{'ok' if as_it_must else 'WRONG'} {scenario.name}"
                    f"{' with ' + scenario.mutation if mutation else ''}: {found}",
                    flush=True,
                )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
