"""Counts of failed logins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of counts; a window's number is its start in units of its length."""
    op.create_table(
        "login_failures",
        sa.Column("window", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(64, collation="ascii_bin"), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        mysql_engine="InnoDB",
        if_not_exists=True,
    )
