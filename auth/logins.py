"""Let a user in: the password is checked, then a token issued."""

from dataclasses import dataclass

from auth.passwords import Passwords
from auth.store import Users
from auth.tokens import Token, Tokens
from auth.user import InvalidUsername, User, canonical
from chassis import logs
from chassis.identity import InvalidToken

log = logs.get(__name__)


class InvalidCredentials(Exception):
    """User name and password do not belong together; which of them is wrong is not said."""


@dataclass(frozen=True, slots=True)
class Logins:
    """Checks who somebody is."""

    users: Users
    passwords: Passwords
    tokens: Tokens

    def log_in(self, username: str, password: str) -> Token:
        """Return a token for who knows a user's password.

        Raises:
            InvalidCredentials: nobody of this name and password may come in.
            DatabaseUnavailable: users cannot be read.
            Busy: too many passwords are being checked.
        """
        user = self.identify(username, password)
        if self.passwords.outdated(user.password_hash):
            self.users.rehash(user, self.passwords.hash(password))
        log.info("logged in", user=user.username)
        return self.tokens.issue(user)

    def identify(self, username: str, password: str) -> User:
        """Return the user with this name and password; raises as `log_in` does.

        An unknown name costs as much time as a wrong password.
        """
        user = self._find(username)
        known = self.passwords.verify(user.password_hash if user else None, password)
        if user is None or not known or user.disabled:
            reason = "no such user" if user is None else "disabled" if known else "wrong password"
            log.info("login refused", user=user.username if user else None, reason=reason)
            raise InvalidCredentials("invalid credentials")
        return user

    def validate(self, token: str) -> dict[str, object]:
        """Return the claims of a token that is still good.

        Raises:
            InvalidToken: it is not one of ours, expired, revoked, or of a user who is gone.
            DatabaseUnavailable: users cannot be read.
        """
        claims = self.tokens.claims(token)
        user = self.users.find(claims["username"])
        if user is None or user.id != claims["sub"]:
            raise InvalidToken("of a user who is gone")
        if user.disabled or claims["iat"] < user.tokens_valid_from:
            raise InvalidToken("revoked")
        return claims

    def _find(self, username: str) -> User | None:
        try:
            return self.users.find(canonical(username))
        except InvalidUsername:
            return None
