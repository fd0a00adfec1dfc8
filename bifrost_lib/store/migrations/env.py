"""What Alembic runs to migrate; the connection comes from `bifrost_lib.store.migrate`, there is no other mode."""

from __future__ import annotations

from alembic import context

from bifrost_lib.store.rights import apply_rights

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
    if context.config.attributes["direction"] == "upgrade":
        apply_rights(context.config.attributes["connection"])
