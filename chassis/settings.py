"""Read a service's settings from the environment, once, at the start of its process.

Any name may come as `<NAME>_FILE` instead, holding the path of a file with the value (Docker and
Kubernetes secrets).  What is missing or wrong is reported for all names in one error.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


def _plain_seconds(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Duration = Annotated[timedelta, BeforeValidator(_plain_seconds)]
"""A length of time: `90` (seconds), `1:30:00` or ISO 8601 (`PT90S`)."""


class InvalidSettings(Exception):
    """The environment lacks names that the service needs, or holds values it cannot use."""


class Settings(BaseSettings):
    """What every process reads; a service's own `settings.py` adds its names.

    Secrets are declared as `SecretStr` and have no default.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    admin_host: str = "0.0.0.0"  # noqa: S104 - a pod is probed from outside; nothing secret is served there
    admin_port: int = 9000

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return the settings found in `environment` (the process's own by default).

        Raises:
            InvalidSettings: with one line for each name that is missing or wrong.
        """
        values = _values(cls, os.environ if environment is None else environment)
        try:
            return cls(**values)
        except ValidationError as error:
            lines = [_sentence(dict(problem)) for problem in error.errors(include_input=False)]
            raise InvalidSettings("\n".join(lines)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `read` alone: one place knows the environment and the `_FILE` rule."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def _values(cls: type[BaseSettings], environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in cls.model_fields:
        variable = name.upper()
        file = environment.get(f"{variable}_FILE")
        if variable in environment and file is not None:
            raise InvalidSettings(f"{variable} and {variable}_FILE are both set: keep one of them")
        if file is not None:
            values[name] = _content(f"{variable}_FILE", Path(file))
        elif variable in environment:
            values[name] = environment[variable]
    return values


def _content(variable: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{variable} names {file}, which cannot be read: {error}") from None


def _sentence(problem: dict[str, Any]) -> str:
    variable = "_".join(str(part) for part in problem["loc"]).upper() or "settings"
    if problem["type"] == "missing":
        return f"{variable} is not set: set {variable}, or {variable}_FILE to a file that holds it"
    return f"{variable} cannot be used: {problem['msg']}"
