"""Let a user in: the password is checked, then a token issued."""

from collections.abc import Iterable
from dataclasses import dataclass

from auth import audit, password_rules, personal_key
from auth.key_store import PersonalKeys
from auth.passwords import Passwords
from auth.sessions import TOKEN_LIFETIME, Session, SessionEnded, Sessions
from auth.store import Users
from auth.throttle import Throttle, TooManyFailures
from auth.tokens import Token, Tokens
from auth.user import InvalidUsername, User, canonical
from chassis.identity import InvalidToken


class InvalidCredentials(Exception):
    """User name and password do not belong together; which of them is wrong is not said."""


@dataclass(frozen=True, slots=True)
class Logins:
    """Checks who somebody is.

    Every method raises `DatabaseUnavailable` when users cannot be read, and those that take a password
    `Busy` when too many are being checked, `TooManyFailures` when too many were wrong.
    """

    users: Users
    passwords: Passwords
    tokens: Tokens
    throttle: Throttle
    sessions: Sessions
    keys: PersonalKeys

    def log_in(
        self, username: str, password: str, address: str, scopes: Iterable[str] | None = None
    ) -> Token:
        """Return a token for who knows a user's password.

        Args:
            username: as typed.
            password: as typed; a personal key of the user's will do.
            address: where the request comes from.
            scopes: what the token is to allow; everything that the user may, by default.

        Raises:
            InvalidCredentials: nobody of this name and password may come in.
            InvalidScope: the user may come in, but not with these scopes.
        """
        if personal_key.digest(password) is not None:
            return self.log_in_with_key(password, address, scopes, username)
        user = self.identify(username, password, address)
        token = self.tokens.issue(user, scopes)
        audit.record("logged in", user=user.username, address=address)
        return token

    def log_in_with_key(
        self, text: str, address: str, scopes: Iterable[str] | None = None, username: str | None = None
    ) -> Token:
        """Return a token for who has a personal key: it ends with the key at the latest.

        Args:
            text: the key.
            address: where the request comes from.
            scopes: what the token is to allow; everything that the key and its user may, by default.
            username: whose key it must be, as typed; anybody's, by default.

        Raises:
            InvalidCredentials: it is no key that is good, or of somebody who may not come in.
            InvalidScope: the key, or its user, may not do that.
        """
        sha256 = personal_key.digest(text)
        if sha256 is None:
            raise InvalidCredentials("invalid credentials")
        account = sha256 if username is None else username
        self._check_throttle(account, address)
        key, name = self.keys.find(sha256) or (None, None)
        user = None if name is None else self.users.find(name)
        anothers = username is not None and username.lower() != name
        if key is None or user is None or user.disabled or anothers:
            self.throttle.failed(account, address)
            audit.record("login refused", user=name, address=address, reason="wrong key")
            raise InvalidCredentials("invalid credentials")
        token = self.tokens.issue(user, scopes, key=key)
        self.keys.note_use(key)
        audit.record("logged in", user=name, address=address, key=key.id)
        return token

    def begin_session(self, username: str, password: str, address: str, agent: str) -> tuple[str, str]:
        """Return the id and the secret of a browser's session for who knows a user's password.

        Raises:
            InvalidCredentials: nobody of this name and password may come in.
        """
        user = self.identify(username, password, address)
        session_id, secret = self.sessions.begin(user, agent, address)
        audit.record("logged in", user=user.username, address=address, session=session_id)
        return session_id, secret

    def exchange(self, secret: str) -> Token:
        """Return a short token for the secret of a session, with every scope that its user may have.

        Raises:
            SessionEnded: there is none, or no longer.
        """
        session_id, user = self.sessions.use(secret)
        return self.tokens.issue(user, session=(session_id, TOKEN_LIFETIME))

    def sessions_of(self, token: str) -> list[Session]:
        """Return the sessions of the user of a token, the last used first.

        Raises:
            InvalidToken: it is not good.
        """
        return self.sessions.of(str(self.validate(token)["sub"]))

    def end_session(self, token: str, session_id: str) -> None:
        """End one session of the user of a token.

        Raises:
            InvalidToken: the token is not good.
            SessionEnded: there is no such session of theirs.
        """
        claims = self.validate(token)
        if not self.sessions.end(str(claims["sub"]), session_id):
            raise SessionEnded("there is no such session, or no longer")
        audit.record("session ended", user=str(claims["username"]), session=session_id)

    def identify(self, username: str, password: str, address: str) -> User:
        """Return the user with this name and password.

        An unknown name is treated as a wrong password is, statement by statement.

        Raises:
            InvalidCredentials: there is none who may come in.
        """
        self._check_throttle(username, address)
        user = self._find(username)
        known = self.passwords.verify(user.password_hash if user else None, password)
        if user is None or not known or user.disabled:
            self.throttle.failed(username, address)
            reason = "no such user" if user is None else "disabled" if known else "wrong password"
            audit.record(
                "login refused", user=user.username if user else None, address=address, reason=reason
            )
            raise InvalidCredentials("invalid credentials")
        if self.passwords.outdated(user.password_hash):
            self.users.rehash(user, self.passwords.hash(password))
        return user

    def change_password(self, user: User, password: str) -> None:
        """Give a user another password; every token of theirs is refused from now on.

        Raises:
            WeakPassword: the rules refuse it.
        """
        password_rules.check(password, user.username)
        self.users.set_password(user.username, self.passwords.hash(password))
        audit.record("password changed", user=user.username)

    def log_out(self, token: str) -> None:
        """Refuse every token of the user of a token from now on.

        Raises:
            InvalidToken: it is not good any more itself.
        """
        username = str(self.validate(token)["username"])
        self.users.revoke_tokens(username)
        audit.record("logged out", user=username)

    def validate(self, token: str) -> dict[str, object]:
        """Return the claims of a token that is still good.

        Raises:
            InvalidToken: it is not one of ours, expired, revoked, or of a user who is gone.
        """
        claims = self.tokens.claims(token)
        user = self.users.find(claims["username"])
        if user is None or user.id != claims["sub"]:
            raise InvalidToken("of a user who is gone")
        if user.disabled or claims["iat"] < user.tokens_valid_from:
            raise InvalidToken("revoked")
        if "sid" in claims and not self.sessions.is_good(str(claims["sid"])):
            raise InvalidToken("of a session that ended")
        if "key" in claims and not self.keys.is_good(str(claims["key"])):
            raise InvalidToken("of a key that was revoked")
        return claims

    def _check_throttle(self, username: str, address: str) -> None:
        try:
            self.throttle.check(username, address)
        except TooManyFailures:
            audit.record("login refused", user=None, address=address, reason="too many failures")
            raise

    def _find(self, username: str) -> User | None:
        try:
            return self.users.find(canonical(username))
        except InvalidUsername:
            return None
