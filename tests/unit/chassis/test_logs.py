"""One line per event, in one form for all."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from chassis import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_event_is_one_line_of_json_with_service_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("gateway")

    with logs.bind(job_id="j1", request_id="r1"):
        logs.get("a.module").info("uploaded", size=3)
    logs.get("a.module").info("later")

    first, later = lines(capsys)
    assert first.pop("timestamp")
    assert first == {
        "event": "uploaded", "size": 3, "service": "gateway", "level": "info", "logger": "a.module",
        "job_id": "j1", "request_id": "r1",
    }  # fmt: skip
    assert "job_id" not in later


def test_other_loggers_come_out_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("gateway")

    logging.getLogger("gunicorn.error").warning("worker %s left", 7)

    [line] = lines(capsys)
    assert (line["event"], line["service"], line["level"]) == ("worker 7 left", "gateway", "warning")


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("gateway", "warning")

    logs.get("a").info("quiet")
    logs.get("a").warning("loud")

    assert [line["event"] for line in lines(capsys)] == ["loud"]


@pytest.mark.parametrize("level", ["debug", "info"])
def test_chatty_libraries_are_heard_only_when_it_matters(
    capsys: pytest.CaptureFixture[str], level: str
) -> None:
    logs.configure("gateway", level)

    logging.getLogger("pika.adapters").error("refused, for the fifth time")
    logging.getLogger("httpx").info("HTTP request")
    logging.getLogger("httpx").warning("odd answer")

    assert [line["event"] for line in lines(capsys)] == ["odd answer"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_holds_no_values_of_variables(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logs.configure("gateway", form=form)  # type: ignore[arg-type]  # one of the two that it takes

    def work(password: str) -> None:
        raise KeyError(len(password))

    try:
        work("swordfish")
    except KeyError:
        logs.get("a").exception("it broke")

    output = capsys.readouterr().out
    assert "it broke" in output
    assert "KeyError" in output
    assert "in work" in output or '"work"' in output
    assert "swordfish" not in output.replace('work("swordfish")', "")


def test_a_person_at_a_terminal_gets_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("gateway", form="console")

    logs.get("a").info("uploaded", size=3)

    assert "uploaded" in capsys.readouterr().out
