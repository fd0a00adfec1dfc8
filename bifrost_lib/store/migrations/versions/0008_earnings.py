"""When companies report their earnings, as it was known at each moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.core.vocabulary import EARNINGS_TIMES
from bifrost_lib.store import rights
from bifrost_lib.store.columns import own, word

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table."""
    times = ", ".join(f"'{name}'" for name in EARNINGS_TIMES)
    op.create_table(
        "earnings_announcements",
        word("symbol", required=True),
        own("fiscal_period", sa.Text, "what is reported on, such as 2026Q3: one event, however often its day moves"),
        own("report_date", sa.Date, "day of the report at the exchange; null: none is expected [date]", required=False),
        own("time_of_day", sa.Text, f"when on that day: {', '.join(EARNINGS_TIMES)}"),
        own("known_at", _MOMENT, "when this was learnt: reads as of earlier moments do not see it [UTC]"),
        own("known_assumed", sa.Boolean, "true: known_at was assumed when the file was stored, not recorded"),
        own("confirmed", sa.Boolean, "true: by the company; false: estimated"),
        own("source", sa.Text, "who supplied the data"),
        own("simulated", sa.Boolean, "true: made up"),
        sa.PrimaryKeyConstraint("symbol", "fiscal_period", "known_at", "source"),
        sa.CheckConstraint(f"time_of_day IN ({times})", name="time_known"),
        sa.CheckConstraint("length(fiscal_period) > 0", name="period_is_named"),
        comment="days of earnings reports: a day that moves is a new row, and the latest known of each event counts",
    )
    rights.apply_rights(op.get_bind())


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("earnings_announcements")
