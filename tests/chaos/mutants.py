"""Services with a promise broken on purpose: `python -m tests.chaos.mutants SERVICE MUTATION`.

They are how `caught` proves that the ledger would tell.
"""

import runpy
import sys
import time
from collections.abc import Callable
from typing import Any

from notification import webhooks
from pipeline import consumer, deliveries, jobs
from pipeline.consumer import Verdict
from pipeline.job import Lease


def unfenced() -> None:
    """Let the holder of any lease write, whatever became of it."""

    def held(lease: Lease) -> dict[str, Any]:
        return {"_id": lease.job_id}

    jobs._held = held


def acknowledging_early() -> None:
    """Acknowledge a message before it is looked at, so that a crash loses it."""

    def run(worker: Any) -> None:
        while (message := worker._given.get()) is not None:
            tag, body = message
            worker._done.put((tag, Verdict.ACK))
            worker._wake()
            while worker.in_hand:
                time.sleep(0.01)
            time.sleep(0.5)  # the broker has it by now
            worker._handle(body)

    consumer._Worker._run = run  # type: ignore[assignment]  # that is the mutation


def forgetting_early() -> None:
    """Forget what happened to a job before deliveries are made of it, so that a crash loses them."""
    spread = deliveries.spread

    def spread_late(job: Any, its_jobs: Any, *others: Any) -> None:
        for event in job.events:
            its_jobs.mark_spread(job, event["id"])
        spread(job, its_jobs, *others)

    webhooks.spread = spread_late


MUTATIONS: dict[str, Callable[[], None]] = {
    "unfenced": unfenced,
    "acknowledging_early": acknowledging_early,
    "forgetting_early": forgetting_early,
}

if __name__ == "__main__":
    [_, service, mutation] = sys.argv
    del sys.argv[1:]
    MUTATIONS[mutation]()
    runpy.run_module(service, run_name="__main__", alter_sys=True)
