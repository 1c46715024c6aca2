"""Settings: one error for everything, files in place of values, and no secret shown."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.settings import InvalidSettings
from chassis.settings import Settings as ChassisSettings
from pipeline.timing import JobSettings


class Settings(ChassisSettings):
    store_url: SecretStr
    queue_url: SecretStr
    port: int = 80


GOOD = {"STORE_URL": "s", "QUEUE_URL": "q"}


def test_values_come_from_the_environment_and_the_rest_by_default() -> None:
    settings = Settings.read({**GOOD, "PORT": "8080", "HOME": "/"})

    assert (settings.port, settings.log_level, settings.admin_port) == (8080, "info", 9000)
    assert settings.store_url.get_secret_value() == "s"


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    assert Settings.read().queue_url.get_secret_value() == "q"


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("from a file\n")

    settings = Settings.read({"QUEUE_URL": "q", "STORE_URL_FILE": str(file)})

    assert settings.store_url.get_secret_value() == "from a file"


def test_everything_that_is_missing_or_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as told:
        Settings.read({"PORT": "many", "LOG_LEVEL": "loud"})

    lines = sorted(str(told.value).splitlines())
    assert lines[0].startswith("LOG_LEVEL cannot be used: ")
    assert lines[1].startswith("PORT cannot be used: ")
    assert lines[2] == "QUEUE_URL is not set: set QUEUE_URL, or QUEUE_URL_FILE to a file that holds it"
    assert lines[3].startswith("STORE_URL is not set")


def test_a_value_and_a_file_for_the_same_name_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="STORE_URL and STORE_URL_FILE are both set"):
        Settings.read({**GOOD, "STORE_URL_FILE": str(tmp_path)})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidSettings, match=f"STORE_URL_FILE names {file}, which cannot be read"):
        Settings.read({"QUEUE_URL": "q", "STORE_URL_FILE": str(file)})


def test_a_secret_shows_neither_in_the_settings_nor_in_an_error() -> None:
    settings = Settings.read({"STORE_URL": "hidden", "QUEUE_URL": "hidden"})
    with pytest.raises(InvalidSettings) as told:
        Settings.read({"STORE_URL": "hidden", "PORT": "hidden"})

    assert "hidden" not in repr(settings) + str(settings)
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("text", ["5400", "5400.0", "1:30:00", "PT90M", "PT1H30M"])
def test_a_length_of_time_may_be_seconds_a_clock_or_iso_8601(text: str) -> None:
    settings = JobSettings.read({"LEASE": text})

    assert settings.timing.lease == timedelta(minutes=90)


@pytest.mark.parametrize("text", ["soon", "", "0", "-5", "nan", "1e99"])
def test_a_length_of_time_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^LEASE cannot be used: "):
        JobSettings.read({"LEASE": text})
