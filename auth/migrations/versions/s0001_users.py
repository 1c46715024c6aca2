"""Users."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table of users."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(32, collation="ascii_bin"), primary_key=True),
        sa.Column("username", sa.String(254, collation="ascii_bin"), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(255, collation="ascii_bin"), nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("tokens_valid_from", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        mysql_engine="InnoDB",
        if_not_exists=True,
    )
