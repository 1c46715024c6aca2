"""Mails over an encrypted connection, to a server whose certificate is checked."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dev.ports import free_ports
from notification.smtp import LoginRefused, MailServer, MailUnavailable

DAY = timedelta(days=1)


class Sink:
    """Takes every mail that comes over an encrypted connection."""

    def __init__(self) -> None:
        self.to: list[str] = []

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if server.transport.get_extra_info("sslcontext") is not None:
            self.to += envelope.rcpt_tos
        return "250 ok"


def certificate(folder: Path, address: str) -> Path:
    """Make a certificate for an address or a name that vouches for itself; return the file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    is_name = address[-1].isalpha()
    alternative = x509.DNSName(address) if is_name else x509.IPAddress(ip_address(address))
    begin = datetime.now(UTC) - DAY
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begin, begin + 2 * DAY
        )
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "mail.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return file


def log_in(*given: Any) -> AuthResult:
    return AuthResult(success=given[-1] == LoginPassword(b"me", b"secret"), handled=False)


@contextmanager
def serving(scheme: str, file: Path, sink: Sink) -> Iterator[MailServer]:
    """Run a mail server with a certificate, and yield how to reach it; STARTTLS is followed by a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    [port] = free_ports(1)
    if scheme == "smtps":
        controller = Controller(sink, "127.0.0.1", port, ssl_context=context)
        server = MailServer(scheme, "127.0.0.1", port)
    else:
        login = {"authenticator": log_in, "auth_required": True}
        controller = Controller(sink, "127.0.0.1", port, tls_context=context, **login)
        server = MailServer(scheme, "127.0.0.1", port, "me", "secret")
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mp3@example.org", "me@example.com", "Hello"
    message.set_content("Hello.\n")
    return message


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_mail_goes_over_an_encrypted_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    file, sink = certificate(tmp_path, "127.0.0.1"), Sink()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with serving(scheme, file, sink) as server:
        server.send(mail())
        server.check()

    assert sink.to == ["me@example.com"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_login_nor_mail(
    tmp_path: Path, scheme: str
) -> None:
    sink = Sink()

    with (
        serving(scheme, certificate(tmp_path, "127.0.0.1"), sink) as server,
        pytest.raises(MailUnavailable, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        server.send(mail())

    assert sink.to == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_of_another_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    file = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with serving(scheme, file, Sink()) as server, pytest.raises(MailUnavailable, match="IP address mismatch"):
        server.send(mail())


def test_a_wrong_login_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, sink = certificate(tmp_path, "127.0.0.1"), Sink()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with serving("smtp+starttls", file, sink) as server, pytest.raises(LoginRefused, match="535"):
        MailServer(server.scheme, server.host, server.port, "me", "wrong").send(mail())

    assert sink.to == []
