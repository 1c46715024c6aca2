"""How a mail server is named, and what its answers mean."""

import threading
import time
from email.message import EmailMessage

import pytest

from notification.smtp import (
    InvalidSmtpUrl,
    LoginRefused,
    MailRefused,
    MailServer,
    MailUnavailable,
    Patience,
)
from tests.unit.notification import mail_server
from tests.unit.notification.mail_server import CUT, SILENCE, TRICKLE

COMMANDS = ("greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".")
ABOUT_US = ("greeting", "EHLO", "AUTH", "MAIL")
ABOUT_THE_MAIL = ("RCPT", "DATA", ".")
PATIENCE = Patience()


def mail(to: str = "me@example.com", text: str = "Hello.\n") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mp3@example.org", to, "MP3 Download"
    message.set_content(text)
    return message


def client(
    server: mail_server.MailServer, *, log_in: bool = True, patience: Patience | None = None
) -> MailServer:
    user, password = ("me", "secret") if log_in else (None, None)
    return MailServer("smtp", "127.0.0.1", server.port, user, password, patience or Patience())


def script(command: str, answer: str) -> dict[str, str]:
    """Answer a command so; where a server that refuses EHLO might still take HELO, it does not."""
    return {command: answer, **({"HELO": answer} if command == "EHLO" else {})}


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", MailServer("smtp", "mail", 25)),
        ("smtp://mail:1025", MailServer("smtp", "mail", 1025)),
        ("smtp+starttls://mail", MailServer("smtp+starttls", "mail", 587)),
        ("smtps://me%40b.org:p%2Fw@mail", MailServer("smtps", "mail", 465, "me@b.org", "p/w")),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, server: MailServer) -> None:
    assert MailServer.of(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@mail",
        "smtp://",
        "smtp://me:secret@mail:port",
        "mail",
        "smtp://me:secret%C3%BC@mail",
        "smtp://m%C3%BC:secret@mail",
    ],
)
def test_a_url_of_another_form_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSmtpUrl) as refused:
        MailServer.of(url)

    assert "secret" not in str(refused.value)


def test_a_password_shows_in_no_log() -> None:
    assert "secret" not in repr(MailServer.of("smtp://me:secret@mail"))


# -- answers ------------------------------------------------------------------------------------


def test_a_mail_that_is_taken_arrives_as_it_was_written() -> None:
    with mail_server.MailServer() as server:
        client(server).send(mail(text="One.\n.two begins with a dot\n"))

    [text] = server.texts
    assert text.endswith(b"\r\n\r\nOne.\r\n..two begins with a dot\r\n")
    assert server.commands == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_without_a_user_nobody_logs_in() -> None:
    with mail_server.MailServer() as server:
        client(server, log_in=False).send(mail())

    assert "AUTH" not in server.commands


def test_a_recipient_who_is_forwarded_to_is_good() -> None:
    with mail_server.MailServer({"RCPT": "251 forwarded"}) as server:
        client(server).send(mail())

    assert len(server.texts) == 1


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answer", ["421 closing down", "450 try later", "451 try later"])
def test_a_4xx_means_not_now_wherever_it_is_said(command: str, answer: str) -> None:
    with (
        mail_server.MailServer(script(command, answer)) as server,
        pytest.raises(MailUnavailable, match=answer),
    ):
        client(server).send(mail())


@pytest.mark.parametrize("command", ABOUT_US)
@pytest.mark.parametrize("answer", ["550 go away", "554 no service"])
def test_a_5xx_before_the_recipient_is_about_us(command: str, answer: str) -> None:
    with mail_server.MailServer(script(command, answer)) as server, pytest.raises(LoginRefused, match=answer):
        client(server).send(mail())


@pytest.mark.parametrize("command", ABOUT_THE_MAIL)
@pytest.mark.parametrize("answer", ["550 no such user", "552 too big", "554 spam"])
def test_a_5xx_to_the_recipient_or_the_text_is_about_this_mail(command: str, answer: str) -> None:
    with mail_server.MailServer(script(command, answer)) as server, pytest.raises(MailRefused, match=answer):
        client(server).send(mail())


@pytest.mark.parametrize("answer", ["535 5.7.8 bad credentials", "534 too weak", "538 encrypt first"])
def test_a_login_that_is_refused_is_nobodys_mails_fault(answer: str) -> None:
    with mail_server.MailServer({"AUTH": answer}) as server, pytest.raises(LoginRefused, match=answer):
        client(server).send(mail())


def test_a_login_that_must_wait_is_not_refused() -> None:
    with (
        mail_server.MailServer({"AUTH": "454 4.7.0 temporary failure"}) as server,
        pytest.raises(MailUnavailable, match="454"),
    ):
        client(server).send(mail())


@pytest.mark.parametrize("answer", ["530 5.7.0 log in first", "535 no"])
def test_a_recipient_refused_for_want_of_a_login_is_nobodys_mails_fault(answer: str) -> None:
    with mail_server.MailServer({"RCPT": answer}) as server, pytest.raises(LoginRefused, match=answer):
        client(server, log_in=False).send(mail())


@pytest.mark.parametrize("features", ["250 mail.example.com", "250-mail.example.com\r\n250 AUTH GSSAPI"])
def test_a_server_that_one_cannot_log_in_to_takes_nothing_from_us(features: str) -> None:
    with mail_server.MailServer({"EHLO": features}) as server, pytest.raises(LoginRefused):
        client(server).send(mail())


def test_a_server_without_encryption_takes_nothing_where_it_is_asked_for() -> None:
    with mail_server.MailServer() as server, pytest.raises(LoginRefused, match="STARTTLS"):
        MailServer("smtp+starttls", "127.0.0.1", server.port).send(mail())

    assert "MAIL" not in server.commands


@pytest.mark.parametrize("answer", ["454 TLS not available", "502 not implemented"])
def test_encryption_that_is_refused_is_never_done_without(answer: str) -> None:
    asked = {"EHLO": "250-mail.example.com\r\n250 STARTTLS", "STARTTLS": answer}
    refused = LoginRefused if answer.startswith("5") else MailUnavailable

    with mail_server.MailServer(asked) as server, pytest.raises(refused, match=answer):
        MailServer("smtp+starttls", "127.0.0.1", server.port).send(mail())

    assert "MAIL" not in server.commands


def test_a_server_that_speaks_no_tls_is_away() -> None:
    with mail_server.MailServer() as server, pytest.raises(MailUnavailable):
        MailServer("smtps", "127.0.0.1", server.port).send(mail())


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answer", ["hello?", "250-" + "x" * 9000, "", "354 what?"])
def test_an_answer_that_is_none_means_not_now(command: str, answer: str) -> None:
    if (command, answer[:3]) == ("DATA", "354"):
        answer = "250 what?"

    with mail_server.MailServer(script(command, answer)) as server, pytest.raises(MailUnavailable):
        client(server, patience=Patience(0.2, 0.2)).send(mail())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_connection_that_is_cut_means_not_now(command: str) -> None:
    with mail_server.MailServer(script(command, CUT)) as server, pytest.raises(MailUnavailable):
        client(server).send(mail())


def test_nobody_there_means_not_now() -> None:
    with mail_server.MailServer() as server:
        pass

    with pytest.raises(MailUnavailable, match="ConnectionRefusedError"):
        client(server).send(mail())


@pytest.mark.parametrize("farewell", ["421 closing down", "500 what?", CUT, SILENCE])
def test_what_a_server_says_at_the_end_changes_nothing(farewell: str) -> None:
    with mail_server.MailServer({"QUIT": farewell}) as server:
        client(server, patience=Patience(farewell=0.2)).send(mail())

    assert len(server.texts) == 1


# -- patience -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("tarpit", [SILENCE, TRICKLE])
def test_a_server_that_lets_us_wait_is_left(command: str, tarpit: str) -> None:
    patience = Patience(answer=0.2, text=0.4)
    began = time.monotonic()

    with mail_server.MailServer(script(command, tarpit)) as server, pytest.raises(MailUnavailable):
        client(server, patience=patience).send(mail())

    assert time.monotonic() - began < 60


def test_a_server_that_is_slow_with_every_answer_is_left_at_the_end_of_the_session() -> None:
    patience = Patience(answer=600, text=600, session=0.2)
    began = time.monotonic()

    with mail_server.MailServer({"MAIL": TRICKLE}) as server, pytest.raises(MailUnavailable):
        client(server, patience=patience).send(mail())

    assert time.monotonic() - began < 60


def test_the_text_may_take_longer_than_a_word() -> None:
    with mail_server.MailServer(wait_at=".") as server:
        patience = Patience(answer=0.2, text=20)
        timer = threading.Timer(0.6, server.go_on.set)
        timer.start()

        client(server, patience=patience).send(mail())

    timer.join()
    assert len(server.texts) == 1


# -- readiness ----------------------------------------------------------------------------------


def test_a_server_that_greets_is_ready() -> None:
    with mail_server.MailServer() as server:
        client(server).check()

    assert server.commands == ["NOOP", "QUIT"]


def test_a_server_that_is_away_or_refuses_us_is_not_ready() -> None:
    with mail_server.MailServer({"greeting": "554 no"}) as server, pytest.raises(OSError, match="554"):
        client(server).check()
    with pytest.raises(ConnectionRefusedError):
        client(server).check()
