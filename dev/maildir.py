"""Read the mails that the mail sink keeps."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


def mails(sink: Path) -> list[EmailMessage]:
    """Return the mails of a sink that lies in `sink`, the oldest first."""
    files = sorted((sink / "mails" / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def text(mail: EmailMessage) -> str:
    """Return a mail as one reads it: who, what about, and the plain text."""
    plain = mail.get_body(("plain",))
    words = "" if plain is None else plain.get_content()
    return f"From: {mail['From']}\nTo: {mail['To']}\nSubject: {mail['Subject']}\n\n{words.strip()}\n"
