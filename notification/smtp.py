"""Hand a mail to a mail server; the only module that imports smtplib."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from http import HTTPStatus
from typing import Self
from urllib.parse import unquote, urlsplit

SECONDS = 30.0
"""How long the mail server may take for one answer."""
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
PERMANENT = HTTPStatus.INTERNAL_SERVER_ERROR  # RFC 5321 4.2.1: 5yz is a permanent refusal


class InvalidSmtpUrl(ValueError):
    """`SMTP_URL` is not of a form that is understood."""


class MailUnavailable(Exception):
    """The mail server does not take the mail now; it may later."""


class MailRefused(Exception):
    """The mail server will never take this mail."""


class LoginRefused(Exception):
    """The mail server does not take our login: nobody's mail can go out."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server as `SMTP_URL` names it."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """Read `smtp://`, `smtp+starttls://` or `smtps://` with `[user:password@]host[:port]`.

        Raises:
            InvalidSmtpUrl: it is none of these; the message does not repeat it, it holds a secret.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidSmtpUrl("SMTP_URL cannot be read: the port is no number") from None
        if parts.scheme not in PORTS or not parts.hostname:
            forms = ", ".join(f"{scheme}://" for scheme in PORTS)
            raise InvalidSmtpUrl(f"SMTP_URL must begin with one of {forms} and name a host")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)

    def send(self, message: EmailMessage) -> None:
        """Return when the server has taken the mail.

        Raises:
            MailUnavailable: not now.
            MailRefused: never, this one.
            LoginRefused: nobody's, until an operator mends the login.
        """
        try:
            with self._session() as session:
                session.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise LoginRefused(_words(error.smtp_code, error.smtp_error)) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _refusal(code, words) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise LoginRefused(str(error)) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(f"{type(error).__name__}: {error}"[:300]) from None

    def check(self) -> None:
        """Return when the server greets.

        Raises:
            OSError: it does not.
        """
        with self._connect() as session:
            session.noop()

    def _session(self) -> smtplib.SMTP:
        session = self._connect()
        try:
            if self.scheme == "smtp+starttls":
                session.starttls(context=ssl.create_default_context())
            if self.user is not None:
                session.login(self.user, self.password or "")
        except BaseException:
            session.close()
            raise
        return session

    def _connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS)


def _refusal(code: int, words: bytes | str) -> MailRefused | MailUnavailable:
    text = _words(code, words)
    return MailRefused(text) if code >= PERMANENT else MailUnavailable(text)


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}"[:300]
