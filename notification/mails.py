"""Write the mail that tells how a job ended, as text and as HTML."""

import shlex
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pipeline.endpoints import Endpoint
from pipeline.job import Job
from pipeline.mongodb import now

READY = "MP3 Download"
PARTIAL = "MP3 Download (partial)"
FAILED = "MP3 Download: your video could not be converted"
PAUSED = "MP3 Download: your webhook was paused"
SECONDS_A_MINUTE = 60
BYTES_A_UNIT = 1000


class _Templates:
    """What every mail of this package is made with."""

    def __init__(self, *, mail_from: str, public_url: str) -> None:
        self._from = mail_from
        self._public_url = public_url
        self._templates = Environment(
            loader=PackageLoader("notification"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "duration": duration,
            "size": size,
            "shell": shlex.quote,
            "line": one_line,
        }

    def _message(self, to: str, subject: str, message_id: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = self._from
        message["To"] = Address(addr_spec=to)  # one address or an error, never two
        message["Date"] = format_datetime(now())
        message["Message-ID"] = f"<{message_id}@{self._from.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        return message

    def _fill(self, message: EmailMessage, template: str, about: Mapping[str, Any]) -> None:
        names = {**about, "url": self._public_url}
        text = self._templates.get_template(f"{template}.txt").render(names)
        html = self._templates.get_template(f"{template}.html").render(names)
        message.set_content(text, cte="quoted-printable")
        message.add_alternative(html, subtype="html", cte="quoted-printable")


class Writer(_Templates):
    """Writes the mail about how a job ended."""

    def write(self, job: Job) -> EmailMessage:
        """Return the mail about a job that is done or failed.

        Its Message-ID depends on the outcome alone, so a mail server or a reader can tell a repeat.
        The file's name stands in the body only: it is a stranger's text.
        Quoted-printable keeps the lines of the contract readable whatever letters stand beside them.
        """
        if job.notice is None:
            raise ValueError(f"job {job.id} is {job.state}: there is nothing to tell")
        message = self._message(job.owner, _subject(job), f"{job.id}.{job.notice['run']}")
        message["X-Job-Id"] = job.id
        message["X-Request-Id"] = job.request_id
        template = "failed" if job.result is None else "ready"
        self._fill(message, template, {"job": job, "result": job.result, "error": job.error})
        return message


class PauseWriter(_Templates):
    """Writes the mail about a webhook that was paused."""

    def write(self, endpoint: Endpoint) -> EmailMessage:
        """Return the mail."""
        if endpoint.paused is None:
            raise ValueError(f"webhook {endpoint.id} is not paused: there is nothing to tell")
        paused_at = int(endpoint.paused["at"].timestamp())
        message = self._message(endpoint.owner, PAUSED, f"{endpoint.id}.{paused_at}")
        self._fill(message, "paused", {"endpoint": endpoint})
        return message


def _subject(job: Job) -> str:
    if job.result is None:
        return FAILED
    return READY if job.result["complete"] else PARTIAL


def one_line(text: str) -> str:
    """Return a stranger's text without what could begin a line of its own or turn the reading round."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def duration(seconds: float) -> str:
    """Return seconds as a person writes them: `5.3 s`, `12:05`, `1:02:03`."""
    if round(seconds, 1) < SECONDS_A_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), SECONDS_A_MINUTE)
    hours, minutes = divmod(minutes, SECONDS_A_MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Return bytes as a person writes them: `912 bytes`, `4.1 MB`."""
    if count < BYTES_A_UNIT:
        return f"{count} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= BYTES_A_UNIT
        if round(count, 1) < BYTES_A_UNIT:
            return f"{count:.1f} {unit}"
    return f"{count / BYTES_A_UNIT:.1f} TB"
