"""Hand a mail to a mail server; the only module that imports smtplib."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from http import HTTPStatus
from typing import Self
from urllib.parse import unquote, urlsplit

from chassis import logs

SECONDS = 10.0
"""How long the mail server may take for one answer."""
TEXT_SECONDS = 60.0
"""How long it may take over the text, which it may scan; with the rest below `jobs.MAIL_LEASE`."""
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

        Only what the server says of the recipient or the text is the mail's own fault; a 5xx before
        that is about us, and nobody's mail can go out.

        Raises:
            MailUnavailable: not now.
            MailRefused: never, this one.
            LoginRefused: nobody's, until an operator mends the login or the sender's address.
        """
        try:
            session = self._session()
            try:
                _hand_over(session, message)
            finally:
                _leave(session)
        except UnicodeEncodeError:
            raise MailRefused(f"{message['To']} is an address that only SMTPUTF8 can carry") from None
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
                self._login(session)
        except smtplib.SMTPNotSupportedError as error:
            session.close()
            raise LoginRefused(str(error)) from None
        except BaseException:
            session.close()
            raise
        return session

    def _login(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        try:
            session.login(self.user or "", self.password or "")
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < PERMANENT:
                raise
            raise LoginRefused(_words(error.smtp_code, error.smtp_error)) from None
        except smtplib.SMTPResponseException:
            raise
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:  # no method of logging in that both sides know
            raise LoginRefused(str(error)) from None

    def _connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS)


def _hand_over(session: smtplib.SMTP, message: EmailMessage) -> None:
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
    if session.sock is not None:
        session.sock.settimeout(TEXT_SECONDS)
    try:
        code, words = session.data(message.as_bytes(policy=SEVEN_BIT))
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from None
    if code != TAKEN:
        raise _refusal(code, words)


def _leave(session: smtplib.SMTP) -> None:
    """End the session; what the server answers changes nothing any more."""
    try:
        session.quit()
    except (smtplib.SMTPException, OSError) as error:
        log.debug("no farewell", reason=str(error))
        session.close()


def _refusal(code: int, words: bytes | str) -> MailRefused | MailUnavailable:
    text = _words(code, words)
    return MailRefused(text) if code >= PERMANENT else MailUnavailable(text)


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {text}"[:300]
