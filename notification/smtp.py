"""Hand a mail to a mail server; the only module that imports smtplib."""

import smtplib
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from chassis import logs
from chassis.crashpoint import crashpoints

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
TAKEN, FORWARDED = 250, 251
ABOUT_LOGIN = (530, 534, 535, 538)  # RFC 4954 6
SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")  # no server need announce 8BITMIME
PERMANENT = HTTPStatus.INTERNAL_SERVER_ERROR  # RFC 5321 4.2.1: 5yz is a permanent refusal

log = logs.get(__name__)


class InvalidSmtpUrl(ValueError):
    """`SMTP_URL` is not of a form that is understood."""


class MailUnavailable(Exception):
    """The mail server does not take the mail now; it may later."""


class MailRefused(Exception):
    """The mail server will never take this mail."""


class LoginRefused(Exception):
    """The mail server takes nothing from us, for our login or our address: nobody's mail can go out."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, a mail server may take: nobody else's mail goes out of this process meanwhile."""

    answer: float = 10.0
    """For one answer, to its last byte."""
    text: float = 60.0
    """For the answer to the text, which it may scan."""
    session: float = 90.0
    """For all answers together."""
    farewell: float = 2.0
    """For the answer to QUIT: nobody needs it, and what became of the mail is not recorded before."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server as `SMTP_URL` names it."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    patience: Patience = Patience()

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
        if not f"{user}{password}".isascii():
            raise InvalidSmtpUrl("SMTP_URL's user and password must be ASCII: smtplib sends no other letters")
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)

    @crashpoints
    def send(self, message: EmailMessage) -> None:
        """Return when the server has taken the mail.

        Only what the server says of the recipient or the text is the mail's own fault; a 5xx before
        that is about us, and nobody's mail can go out.

        Raises:
            MailUnavailable: not now.
            MailRefused: never, this one.
            LoginRefused: nobody's, until an operator mends the login or the sender's address.
        """
        try:
            session = self._connect()
            try:
                self._log_in(session)
                _hand_over(session, message, self.patience)
            finally:
                _leave(session, self.patience)
        except smtplib.SMTPResponseException as error:
            about_us = LoginRefused if error.smtp_code >= PERMANENT else MailUnavailable
            raise about_us(_words(error.smtp_code, error.smtp_error)) from None
        except smtplib.SMTPServerDisconnected as error:
            raise MailUnavailable(str(error)) from None
        except smtplib.SMTPException as error:  # it cannot do what the URL asks for: STARTTLS, a login
            raise LoginRefused(str(error)) from None
        except OSError as error:
            raise MailUnavailable(f"{type(error).__name__}: {error}"[:300]) from None

    def check(self) -> None:
        """Return when the server greets.

        Raises:
            OSError: it does not.
        """
        with self._connect() as session:
            session.noop()

    def _connect(self) -> "_Session":
        if self.scheme == "smtps":
            return _TlsSession(self.host, self.port, self.patience, context=ssl.create_default_context())
        return _Session(self.host, self.port, self.patience)

    def _log_in(self, session: "_Session") -> None:
        if self.scheme == "smtp+starttls":
            session.starttls(context=ssl.create_default_context())
        if self.user is not None:
            session.login(self.user, self.password or "")


class _Session(smtplib.SMTP):
    """A session that ends: smtplib's own timeout restarts with every byte that trickles in."""

    def __init__(self, host: str, port: int, patience: Patience, **tls: Any) -> None:
        self._seconds = patience.answer
        self._deadline = time.monotonic() + patience.session
        super().__init__(host, port, timeout=patience.answer, **tls)

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's answer, or hang up on one that is too slow or too long."""
        seconds = max(0.0, min(self._seconds, self._deadline - time.monotonic()))
        too_late = threading.Event()
        limit = threading.Timer(seconds, _hang_up, (self.sock, too_late))
        limit.daemon = True
        limit.start()
        try:
            answer = super().getreply()
        except smtplib.SMTPResponseException as error:  # "Line too long" is no answer
            raise smtplib.SMTPServerDisconnected(str(error.smtp_error)) from None
        finally:
            limit.cancel()
        if too_late.is_set():  # what came of the line until then is no answer either
            self.close()
            raise smtplib.SMTPServerDisconnected(f"no whole answer within {seconds:.1f} s")
        return answer

    def allow(self, seconds: float) -> None:
        """Let each answer, and what is sent before it, take as long."""
        self._seconds = seconds
        if self.sock is not None:  # still connected
            self.sock.settimeout(seconds)


class _TlsSession(_Session, smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""


def _hand_over(session: _Session, message: EmailMessage, patience: Patience) -> None:
    """Go through RFC 5321's MAIL, RCPT and DATA; the 250 after the text is what settles the mail."""
    session.ehlo_or_helo_if_needed()
    code, words = session.mail(parseaddr(message["From"])[1])
    if code >= PERMANENT:
        raise LoginRefused(_words(code, words))
    if code != TAKEN:
        raise MailUnavailable(_words(code, words))
    code, words = session.rcpt(parseaddr(message["To"])[1])
    if code in ABOUT_LOGIN:
        raise LoginRefused(_words(code, words))
    if code not in (TAKEN, FORWARDED):
        raise _refusal(code, words)
    session.allow(patience.text)
    try:
        code, words = session.data(message.as_bytes(policy=SEVEN_BIT))
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from None
    if code != TAKEN:
        raise _refusal(code, words)


def _hang_up(connection: socket.socket, too_late: threading.Event) -> None:
    too_late.set()
    with suppress(OSError):  # it hung up itself
        connection.shutdown(socket.SHUT_RDWR)


def _leave(session: _Session, patience: Patience) -> None:
    """End the session; what the server answers changes nothing any more."""
    try:
        session.allow(patience.farewell)
        session.quit()
    except (smtplib.SMTPException, OSError) as error:
        log.debug("the mail server closed without QUIT", reason=str(error))
        session.close()


def _refusal(code: int, words: bytes | str) -> MailRefused | MailUnavailable:
    text = _words(code, words)
    return MailRefused(text) if code >= PERMANENT else MailUnavailable(text)


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}"[:300]
