"""Sessions of browsers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INDEXED = ("user_id", "last_used_at", "ended_at")


def upgrade() -> None:
    """Make the table of sessions; times are epoch seconds, as those of tokens are."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32, collation="ascii_bin"), primary_key=True),
        sa.Column("user_id", sa.String(32, collation="ascii_bin"), nullable=False),
        sa.Column("secret_hash", sa.String(64, collation="ascii_bin"), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("address", sa.String(45, collation="ascii_bin"), nullable=False),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        if_not_exists=True,
    )
    there = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("sessions")}
    for column in INDEXED:
        if (name := f"ix_sessions_{column}") not in there:  # MySQL knows no CREATE INDEX IF NOT EXISTS
            op.create_index(name, "sessions", [column])
