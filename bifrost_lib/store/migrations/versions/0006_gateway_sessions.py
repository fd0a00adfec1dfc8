"""How each session with a gateway stands, as the process that holds it says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.store import rights
from bifrost_lib.store.columns import own, word

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "gateway_sessions",
        own("holder", sa.Text, "process that holds the session: a collector's name"),
        own("host", sa.Text, "where the gateway listens"),
        own("port", sa.Integer, "where the gateway listens"),
        word("ts", required=True),
        own("state", sa.Text, "of the session: ready, degraded, reset_window, waiting_2fa, disconnected ..."),
        own("since", _MOMENT, "when this state began [UTC]"),
        own("trouble", sa.Text, "what is wrong, in words; null when nothing is", required=False),
        own("simulated", sa.Boolean, "whether the gateway says of itself that it is a simulation"),
        own(
            "login_lapses", _MOMENT, "when IB's weekly login runs out next; null for a simulation [UTC]", required=False
        ),
        own("last_heard", _MOMENT, "when the gateway said something last [UTC]", required=False),
        own("data_type", sa.Text, "market data that is asked for: live, frozen, delayed or delayed_frozen"),
        own("lines_used", sa.Integer, "market-data lines in use"),
        own("lines_total", sa.Integer, "market-data lines that may be used"),
        own("lines_held", postgresql.JSONB, "lines in use, by who uses them"),
        own("messages_per_s", sa.Double, "messages sent a second, lately"),
        sa.PrimaryKeyConstraint("holder", "host", "port"),
        sa.CheckConstraint("lines_used >= 0 AND lines_total >= 0", name="lines_are_counts"),
        comment="the newest word of each session with a gateway; an old one says that its process is gone",
    )
    rights.apply_rights(op.get_bind())


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("gateway_sessions")
