"""Personal keys."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INDEXED = ("user_id", "revoked_at")


def upgrade() -> None:
    """Make the table of keys; times are epoch seconds, as those of tokens are."""
    op.create_table(
        "personal_keys",
        sa.Column("id", sa.String(32, collation="ascii_bin"), primary_key=True),
        sa.Column("user_id", sa.String(32, collation="ascii_bin"), nullable=False),
        sa.Column("name", sa.String(100, collation="utf8mb4_bin"), nullable=False),
        sa.Column("start", sa.String(8, collation="ascii_bin"), nullable=False),
        sa.Column("sha256", sa.String(64, collation="ascii_bin"), nullable=False, unique=True),
        sa.Column("scopes", sa.String(255, collation="ascii_bin"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        if_not_exists=True,
    )
    there = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("personal_keys")}
    for column in INDEXED:
        if (name := f"ix_personal_keys_{column}") not in there:  # MySQL knows no CREATE INDEX IF NOT EXISTS
            op.create_index(name, "personal_keys", [column])
