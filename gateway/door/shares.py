"""What each user, and each address, may have under way at once, so that nobody takes everything."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from gateway import problems

OF_AN_ADDRESS = 16
"""How many users' shares one address may have: a school or an office is behind one."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Counts what one kind of request has under way, in this process."""

    what: str
    """For the refusal: "uploads", "downloads", "streams"."""
    of_a_user: int
    _taken: Counter[str] = field(default_factory=Counter, init=False)

    @contextmanager
    def taken(self, user: str, address: str) -> Iterator[None]:
        """Hold a share of the user's and of the address's for as long as the `with` block lasts.

        Raises:
            Problem: the user, or the address, has none left.
        """
        give_back = self.take(user, address)
        try:
            yield
        finally:
            give_back()

    def take(self, user: str, address: str) -> Callable[[], None]:
        """Take a share and return the function that gives it back, once however often it is called.

        Raises:
            Problem: the user, or the address, has none left.
        """
        names = {f"user:{user}": self.of_a_user, f"address:{address}": self.of_a_user * OF_AN_ADDRESS}
        for name, most in names.items():
            if self._taken[name] >= most:
                raise problems.too_many_at_once(self.what, self._taken[name])
        self._taken.update(names.keys())
        held = [list(names)]

        def give_back() -> None:
            with suppress(IndexError):  # given back already
                for name in held.pop():
                    self._taken[name] -= 1
                    if not self._taken[name]:
                        del self._taken[name]

        return give_back
