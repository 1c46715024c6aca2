"""What makes a gunicorn worker one that a stop signal reaches, whenever it comes."""

import os
import signal
from functools import partial

STOP_SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)


class Stoppable:
    """Goes before a worker class of gunicorn; needs `keep_signals_over_forks` in the master."""

    def init_signals(self) -> None:
        """Handle signals, now also one that came since the fork."""
        super().init_signals()  # type: ignore[misc]  # gunicorn's, which publishes no types
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def keep_signals_over_forks() -> None:
    """Have a stop signal that comes around a fork wait until the worker can handle it.

    A worker begins with the handlers of gunicorn's master, which would only note it down, in a copy of
    the master's list that nobody reads; and the master sends it once, then waits out the whole grace.
    """
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, STOP_SIGNALS),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, STOP_SIGNALS),
    )
