"""The mails that tell how a job ended."""

import shlex
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from notification.mails import Writer, duration, size
from notification.smtp import SEVEN_BIT
from pipeline.job import Job

Makes = Callable[..., Job]

WRITER = Writer(mail_from="mp3@example.org", public_url="http://mp3converter.com")
ID = "0123456789abcdef0123456789abcdef"


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


def result(**fields: Any) -> dict[str, Any]:
    return {"duration": 5.3, "size": 90_000, "complete": True, "warnings": [], **fields}


READY = f"""\
mp3 file_id: {ID} is now ready!

talk.mp4 (4.1 MB) is now an MP3 (5.3 s, 90.0 kB).

Play or download it in a browser: http://mp3converter.com/#{ID}

Or download it with curl:

  TOKEN=$(curl -fsS -X POST -u me@example.com http://mp3converter.com/login)
  curl -fOJ -H "Authorization: Bearer $TOKEN" 'http://mp3converter.com/download?fid={ID}'

The first command asks for your password and logs you in; the second saves the file under its name.
"""

FAILED = f"""\
talk.mp4 could not be converted to an MP3.

What is wrong: The video has no sound.
What to do:    Upload one with sound.

See the job in a browser: http://mp3converter.com/#{ID}

Job {ID}, code no_audio_track.
"""


def test_the_mail_about_an_mp3_says_its_id_and_how_to_fetch_it(done: Makes) -> None:
    mail = WRITER.write(done())

    assert mail["Subject"] == "MP3 Download"
    assert (mail["From"], mail["To"]) == ("mp3@example.org", "me@example.com")
    assert part(mail, "plain") == READY


def test_the_mail_about_a_failure_says_what_is_wrong_and_what_to_do(failed: Makes) -> None:
    mail = WRITER.write(failed())

    assert mail["Subject"] == "MP3 Download: your video could not be converted"
    assert part(mail, "plain") == FAILED


def test_the_html_says_the_same_as_the_text(done: Makes, failed: Makes) -> None:
    ready, sorry = part(WRITER.write(done()), "html"), part(WRITER.write(failed()), "html")

    assert f"mp3 file_id: {ID} is now ready!" in ready
    assert "4.1 MB" in ready
    assert f"/download?fid={ID}" in ready
    assert "The video has no sound." in sorry
    assert "Upload one with sound." in sorry
    for mail in (ready, sorry):
        assert f'href="http://mp3converter.com/#{ID}"' in mail


def test_an_mp3_of_a_part_of_the_video_is_called_so_in_the_subject(done: Makes) -> None:
    mail = WRITER.write(done(result=result(complete=False)))

    assert mail["Subject"] == "MP3 Download (partial)"
    assert f"mp3 file_id: {ID} is now ready!" in part(mail, "plain")


def test_every_warning_is_told(done: Makes) -> None:
    warnings = [{"code": "a", "message": "The end is missing."}, {"code": "b", "message": "It is loud."}]

    mail = WRITER.write(done(result=result(warnings=warnings)))

    assert "\n\nPlease note: The end is missing.\n\nPlease note: It is loud.\n\n" in part(mail, "plain")
    assert "<p>Please note: It is loud.</p>" in part(mail, "html")


def test_the_line_of_the_contract_is_readable_as_it_goes_over_the_wire(done: Makes) -> None:
    source = {"filename": "Доклад 講演.mp4", "size": 2}

    sent = WRITER.write(done(source=source)).as_bytes(policy=SEVEN_BIT)

    assert f"\r\nmp3 file_id: {ID} is now ready!\r\n".encode() in sent
    assert sent.isascii()
    read = message_from_bytes(sent, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert "Доклад 講演.mp4 (2 bytes)" in part(read, "plain")


@pytest.mark.parametrize("owner", ["o'brien@example.com", "$(reboot)@example.com", "a`b`&c|d@example.com"])
def test_the_owner_is_one_word_of_the_command_whatever_it_holds(done: Makes, owner: str) -> None:
    text = part(WRITER.write(done(owner=owner)), "plain")

    [command] = [line for line in text.splitlines() if "TOKEN=" in line]
    words = shlex.split(command.strip().removeprefix("TOKEN=$(").removesuffix(")"))
    assert words[words.index("-u") + 1] == owner


@pytest.mark.parametrize(
    "owner",
    [
        "me@example.com, you@example.com",
        "me;you@example.com",
        "Me <me@example.com>",
        "me@example.com\r\nBcc: you@example.com",
        "me@example.com\n\nBuy this",
        "jürgen@example.com",
        "me",
    ],
)
def test_no_mail_is_written_to_an_owner_that_is_not_one_address(done: Makes, owner: str) -> None:
    with pytest.raises(ValueError, match=r"addr_spec|CR or LF|non-ASCII|no domain"):
        WRITER.write(done(owner=owner))


def test_a_file_name_cannot_begin_a_line_nor_turn_the_reading_round(done: Makes, failed: Makes) -> None:
    filename = "a\r\n\r\nPay here.\u202e4pm.exe\u2028b\x00\x1b[31m.mp4"
    source = {"filename": filename, "size": 1}

    for mail in (WRITER.write(done(source=source)), WRITER.write(failed(source=source))):
        for kind in ("plain", "html"):
            text = part(mail, kind)
            assert "a    Pay here. 4pm.exe b  [31m.mp4" in text
            assert not {"\r", "\u202e", "\u2028", "\x00", "\x1b"} & set(text)


def test_a_file_name_is_no_html(done: Makes) -> None:
    source = {"filename": "<script>alert(1)</script>&amp;.mp4", "size": 2}

    mail = WRITER.write(done(source=source))

    assert "<script>" not in part(mail, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;.mp4" in part(mail, "html")
    assert "<script>alert(1)</script>&amp;.mp4 (2 bytes)" in part(mail, "plain")


def test_a_file_name_stands_in_no_header(done: Makes) -> None:
    mail = WRITER.write(done(source={"filename": "secret.mp4", "size": 1}))

    assert not [name for name, value in mail.items() if "secret" in value]


def test_a_repeated_mail_has_the_same_message_id_and_another_outcome_another(done: Makes) -> None:
    again = {"state": "sending", "run": 2, "tries": 7, "token": 9}
    retried = {"state": "sending", "run": 3, "tries": 1, "token": 1}

    first, repeated, other = (WRITER.write(job) for job in (done(), done(notice=again), done(notice=retried)))

    assert first["Message-ID"] == repeated["Message-ID"] == f"<{ID}.2@example.org>"
    assert other["Message-ID"] == f"<{ID}.3@example.org>"


def test_a_mail_can_be_followed_and_asks_for_no_answer(done: Makes) -> None:
    mail = WRITER.write(done())

    assert (mail["X-Job-Id"], mail["X-Request-Id"]) == (ID, "request-1")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] is not None


def test_a_job_that_owes_no_mail_gets_none(done: Makes) -> None:
    with pytest.raises(ValueError, match="there is nothing to tell"):
        WRITER.write(done(notice=None))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (5.32, "5.3 s"), (59.96, "1:00"), (60, "1:00"), (725.4, "12:05"), (3723, "1:02:03")],
)
def test_a_duration_reads_as_a_person_writes_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_999, "1.0 MB"),
        (4_100_000, "4.1 MB"),
        (2 * 10**9, "2.0 GB"),
        (5 * 10**13, "50.0 TB"),
    ],
)
def test_a_size_reads_as_a_person_writes_it(count: int, text: str) -> None:
    assert size(count) == text
