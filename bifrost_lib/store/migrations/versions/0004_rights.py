"""Rights: whose rows are whose. What each role may do is given after every upgrade, by `store.rights`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bifrost_lib.store import rights
from bifrost_lib.store.columns import own

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OWNED = ("collection_requests", "report_runs")


def upgrade() -> None:
    """Note the owner of each row."""
    for table in _OWNED:
        column = own(rights.OWNER, sa.Text, "who wrote the row: a person, or the account that the platform works as")
        column.server_default = sa.DefaultClause(sa.text(rights.CURRENT_PERSON))
        op.add_column(table, column)


def downgrade() -> None:
    """Take the rights back, then what they stood on; the roles stay, for they belong to the whole server."""
    rights.withdraw_rights(op.get_bind())
    for table in _OWNED:
        op.drop_column(table, rights.OWNER)
