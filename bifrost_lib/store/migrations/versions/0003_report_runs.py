"""The ledger of reports: what ran, with which parameters, what became of it and where it lies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.store.columns import own

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the ledger."""
    op.create_table(
        "report_runs",
        own("run_id", sa.BigInteger, "key of the attempt", sa.Identity(always=True)),
        own("name", sa.Text, "which report"),
        own("parameters", postgresql.JSONB, "parameters that it was given, by name"),
        own("slot", _MOMENT, "moment of the schedule that it answers; null: a person asked [UTC]", required=False),
        own("attempt", sa.Integer, "1 for the first attempt, more after a source did not answer"),
        own("started", _MOMENT, "when the attempt began [UTC]"),
        own("finished", _MOMENT, "when it ended [UTC]", required=False),
        own("status", sa.Text, "running, done or failed"),
        own("seconds", sa.Double, "how long it took [s]", required=False),
        own("problem", sa.Text, "why it failed", required=False),
        own("path", sa.Text, "folder with its notebook and pages", required=False),
        own("pid", sa.Integer, "process that ran it"),
        own("process", sa.Text, "what tells that process from later ones with its number"),
        own("host", sa.Text, "machine that it ran on"),
        sa.PrimaryKeyConstraint("run_id"),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name="status_known"),
        sa.CheckConstraint("(status = 'running') = (finished IS NULL)", name="running_is_unfinished"),
        sa.CheckConstraint("(status = 'failed') = (problem IS NOT NULL)", name="failure_has_a_reason"),
        sa.CheckConstraint("attempt > 0", name="attempt_counts"),
        comment="every attempt to make a report, and what became of it",
    )
    op.create_index("report_runs_started", "report_runs", ["started"])
    op.create_index("report_runs_by_name", "report_runs", ["name", "started"])
    op.create_index("report_runs_running", "report_runs", ["run_id"], postgresql_where=sa.text("status = 'running'"))


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("report_runs")
