"""Look for secrets in every file that git knows: `python -m tests.secret_scan`, a part of `make lint`."""

import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

CLONE = Path(__file__).resolve().parents[1]
LINES = {
    r"mysql://user:password@host|starttls://(me:secret|user:password)@": "examples in the documentation",
    r"secretName: [a-z-]+$|secretKey: [a-z_]+$": "a manifest names a secret, and has none",
    r"for-one-run": "passwords of servers that end with the program",
}
"""What looks like a secret and is none, and why."""
FILES = {
    r"(^|/)uv\.lock$|/package-lock\.json$": "hashes of packages",
    r"(^|/)tests/media/": "videos",
    r"(^|/)gateway/page/static/": "a public page, whose texts speak of passwords",
}
IN_TESTS = {
    "Secret Keyword",
    "Basic Auth Credentials",
    "Hex High Entropy String",
    "Base64 High Entropy String",
}
"""What is made up in tests for one run; keys and tokens of the world's services would be found there too."""


def found() -> list[str]:
    """Return where something looks like a secret."""
    listed = subprocess.run(["git", "ls-files"], cwd=CLONE, capture_output=True, text=True, check=True)
    filters = [
        {"path": "detect_secrets.filters.regex.should_exclude_line", "pattern": list(LINES)},
        {"path": "detect_secrets.filters.regex.should_exclude_file", "pattern": list(FILES)},
    ]
    with default_settings() as settings:
        settings.configure_filters([*({"path": path} for path in settings.filters), *filters])
        secrets = SecretsCollection(root=str(CLONE))
        secrets.scan_files(*listed.stdout.splitlines())
    return [
        f"{name}:{secret.line_number}: {secret.type}"
        for name, secret in secrets
        if not (name.startswith("tests/") and secret.type in IN_TESTS)
    ]


if __name__ == "__main__":
    sys.exit("\n".join(found()) or 0)
