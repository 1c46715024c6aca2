"""How a mail server is named."""

import pytest

from notification.smtp import InvalidSmtpUrl, MailServer


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


@pytest.mark.parametrize("url", ["http://me:secret@mail", "smtp://", "smtp://me:secret@mail:port", "mail"])
def test_a_url_of_another_form_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSmtpUrl) as refused:
        MailServer.of(url)

    assert "secret" not in str(refused.value)


def test_a_password_shows_in_no_log() -> None:
    assert "secret" not in repr(MailServer.of("smtp://me:secret@mail"))
