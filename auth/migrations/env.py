"""Run the migrations over the connection that `auth.migrate` holds its lock with."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
