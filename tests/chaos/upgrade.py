"""Upgrade a suite on a cluster and take it back while jobs run: `python -m tests.chaos.upgrade`.

The release after this one is made in a clone of its own: every image differs, and auth reads a column
that its migration adds.  It is undone first by Kubernetes' own record, then by applying the release
before it.  Exits as `tests.chaos.cluster` does.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.cluster import CLONE, SECRETS
from tests.chaos.cluster import judge, make_client_pod, remove_client_pod
from tests.chaos.kubectl import OURS, kubectl, rolled_out, say
from tests.chaos.rounds import Round

MIGRATION = '''"""A column that only the next release knows."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    """Add it."""
    op.add_column("users", sa.Column("note", sa.String(10), nullable=True))
'''
NEXT = {
    "auth/database.py": (
        '    Column("created_at", DateTime, nullable=False),\n',
        '    Column("note", String(10)),\n',
    ),
    "auth/user.py": ("    read_at: int\n", "    note: str | None\n"),
    "chassis/__init__.py": ('"""\n', "# the next release\n"),
}
"""What the next release has in its files behind a line of this one's."""
FORGET = """
import os, pathlib, sqlalchemy
from auth import database
url = pathlib.Path(os.environ["DATABASE_URL_FILE"]).read_text().strip()
with database.connect(url).begin() as connection:
    connection.execute(sqlalchemy.text("ALTER TABLE users DROP COLUMN note"))
    connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '{head}'"))
"""


def main() -> int:
    """Go there and back, twice; return 0 when every promise was kept on the way."""
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "before", Path(name) / "after"
        for clone in (before, after):
            subprocess.run(["git", "clone", "--quiet", CLONE, clone], check=True)
            shutil.copytree(SECRETS, clone / SECRETS.relative_to(CLONE))
        head = make_next_release(after)
        apply(before)
        make_client_pod()
        old = images()

        def upgrade() -> None:
            apply(after)
            assert not images() & old, "an image is that of the release before"

        def undo() -> None:
            for service in OURS:
                kubectl("rollout", "undo", f"deployment/{service}")
            for service in OURS:
                rolled_out(f"deployment/{service}")
            assert images() == old

        def take_back() -> None:
            apply(before)
            assert images() == old

        kept = [
            judge("upgrade", Round(upgrade)),
            judge("undo", Round(undo)),
            judge("again", Round(upgrade)),
            judge("back", Round(take_back)),
        ]
        remove_client_pod()
        kubectl("exec", "deployment/auth", "--", "python", "-c", FORGET.format(head=head))
        return 0 if all(kept) else 1


def make_next_release(clone: Path) -> str:
    """Change every image and the schema; return the newest revision before."""
    versions = clone / "auth" / "migrations" / "versions"
    head = max(file.name[1:5] for file in versions.glob("s*.py"))
    (versions / "s9999_note.py").write_text(MIGRATION.format(head=head))
    for file, (line, added) in NEXT.items():
        text = (clone / file).read_text()
        assert text.count(line) == 1, f"{file} has another form now"
        (clone / file).write_text(text.replace(line, line + added))
    return head


def apply(clone: Path) -> None:
    """Bring the cluster to the release in a clone, as an operator would."""
    say(f"apply the release {clone.name}")
    subprocess.run([sys.executable, "-m", "dev.cluster", "up"], cwd=clone, check=True)


def images() -> set[str]:
    """What the Deployments of ours run now."""
    path = "-o=jsonpath={.spec.template.spec.containers[0].image}"
    return {kubectl("get", f"deployment/{service}", path) for service in OURS}


if __name__ == "__main__":
    sys.exit(main())
