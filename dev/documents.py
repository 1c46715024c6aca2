"""Write the parts of docs/ that are made from the code: `make docs`; a test compares them."""

import re
from pathlib import Path

from auth.problems import errors as errors_of_auth
from gateway import openapi
from gateway.door import malformed
from gateway.problems import errors

DOCS = Path(__file__).resolve().parent.parent / "docs"
BESIDE_THE_ROUTES = (malformed,)
"""A module declares its errors in the catalogue when it is imported; the routes import all but these."""
TABLE = re.compile(r"(?<=<!-- errors: made by `make docs` -->\n)(.*?)(?=<!-- end of errors -->)", re.DOTALL)


def api(text: str) -> str:
    """Return docs/api.md with its table of errors made again."""
    return TABLE.sub(lambda _: table(), text)


def table() -> str:
    """Return every error that a client of the gateway can meet; those of auth are passed on to it."""
    kinds = {kind.code: kind for kind in (*errors_of_auth, *errors)}
    rows = sorted(kinds.values(), key=lambda kind: (kind.status, kind.code))
    lines = [f"| {kind.status.value} | `{kind.code}` | {kind.meaning} |" for kind in rows]
    return "\n".join(["| status | code | meaning |", "|---|---|---|", *lines, ""])


def main() -> None:
    """Write them."""
    page = DOCS / "api.md"
    page.write_text(api(page.read_text("utf-8")), "utf-8")
    (DOCS / "openapi.json").write_text(openapi.text(), "utf-8")


if __name__ == "__main__":
    main()
