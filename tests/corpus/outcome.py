"""Run the converter's core on one file and say what came of it, in one word and in full."""

import os
import resource
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converter.convert import convert
from converter.errors import ConversionFailed
from converter.limits import Limits
from pipeline.options import Options
from tests.corpus.hostile import CONVERTED, PARTIAL


@dataclass(slots=True)
class Outcome:
    """What the owner of the job would be told."""

    name: str
    """`CONVERTED`, `PARTIAL` or the code of the error."""
    result: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    media: dict[str, Any] = field(default_factory=dict)
    children_bytes: int = 0
    """The most memory that any program had that this process has run so far."""


def outcome(video: Path, mp3: Path, options: Mapping[str, str] | None = None, **limits: Any) -> Outcome:
    """Convert a file and return what came of it."""
    described: list[dict[str, Any]] = []
    try:
        done = convert(
            video,
            mp3,
            Options.parse(options or {}),
            limits=Limits(**limits),
            stop=threading.Event(),
            on_media=described.append,
            on_progress=lambda _phase, _fraction: None,
        )
    except ConversionFailed as error:
        came = Outcome(error.code, message=f"{error.message}\n{error.hint}")
    else:
        result = done.as_document()
        came = Outcome(CONVERTED if result["complete"] else PARTIAL, result)
    came.media = described[-1] if described else {}
    came.children_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return came


def settle_in(temporary: Path) -> None:
    """Put this process's temporary files into a folder."""
    tempfile.tempdir = str(temporary)


def outcome_in(folder: Path, video: str, mp3: str, options: Mapping[str, str], **limits: Any) -> Outcome:
    """Do the same in a folder, where a name is all that is known of a file."""
    os.chdir(folder)
    return outcome(Path(video), Path(mp3), options, **limits)
