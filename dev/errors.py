"""What the operator of the suite is told in one line."""


class CannotRun(Exception):
    """What is missing or in the way, and what to do about it, in one line."""
