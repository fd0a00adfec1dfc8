"""Collection: vendor greeks, a full ledger, the universe, requests, newest quotes, and conditions of the market."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.store.columns import DATA_TYPES, VALUE_COLUMNS, VENDOR_VALUES, own, word

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_QUALITY = postgresql.ENUM(name="quote_quality", create_type=False)
_DATA_TYPE = postgresql.ENUM(name="market_data_type", create_type=False)
_CONDITIONS = (
    *("iv_rank", "iv_percentile", "iv_days", "realized_vol", "skew", "term_slope", "put_call_volume"),
    *("put_call_open_interest", "vol_index"),
)


def upgrade() -> None:
    """Add columns one by one and without defaults: compressed hypertables take them no other way."""
    postgresql.ENUM(*DATA_TYPES, name="market_data_type").create(op.get_bind())
    for column in _vendor():
        op.add_column("option_snapshots", column)
    for name in _CONDITIONS:
        op.add_column("market_conditions", word(name))
    op.add_column("market_conditions", own("source", sa.Text, "who supplied the data", required=False))
    for column in _of_runs():
        op.add_column("collection_runs", column)
    op.create_unique_constraint("collection_runs_batch", "collection_runs", ["batch"])
    op.create_index("collection_runs_started", "collection_runs", ["started"])
    running = sa.text("status = 'running'")
    op.create_index("collection_runs_running", "collection_runs", ["collector"], postgresql_where=running)
    for column in _of_gaps():
        op.add_column("collection_gaps", column)
    unfilled = sa.text("filled IS NULL")
    op.create_index("collection_gaps_open", "collection_gaps", ["first_ts"], postgresql_where=unfilled)
    op.create_index("option_changes_by_time", "option_changes", ["stock_id", "ts"])
    _watchlist()
    _requests()
    _live_quotes()


def downgrade() -> None:
    """Remove the tables and columns again."""
    for table in ("live_quotes", "collection_requests", "collection_watchlist"):
        op.drop_table(table)
    op.drop_index("option_changes_by_time", "option_changes")
    op.drop_index("collection_gaps_open", "collection_gaps")
    for column in _of_gaps():
        op.drop_column("collection_gaps", column.name)
    op.drop_index("collection_runs_running", "collection_runs")
    op.drop_index("collection_runs_started", "collection_runs")
    for column in _of_runs():
        op.drop_column("collection_runs", column.name)
    for name in (*_CONDITIONS, "source"):
        op.drop_column("market_conditions", name)
    for column in _vendor():
        op.drop_column("option_snapshots", column.name)
    postgresql.ENUM(name="market_data_type").drop(op.get_bind())


def _vendor() -> tuple[sa.Column[object], ...]:
    return (*(word(name) for name in VENDOR_VALUES), word("market_data_type", kind=_DATA_TYPE))


def _of_runs() -> tuple[sa.Column[object], ...]:
    return (
        own("missing", postgresql.JSONB, "contracts that were not observed, counted by reason", required=False),
        own("lines_peak", sa.Integer, "most market-data lines held at once", required=False),
        own("messages", sa.BigInteger, "messages sent to the source", required=False),
        own("seconds", sa.Double, "how long the run took [s]", required=False),
        own("batch", sa.Text, "name of the batch that it brought, the same at every delivery", required=False),
        own("pid", sa.Integer, "process that ran it", required=False),
        own("process", sa.Text, "what tells that process from later ones with its number", required=False),
        own("host", sa.Text, "machine that it ran on", required=False),
    )


def _of_gaps() -> tuple[sa.Column[object], ...]:
    return (
        own("fillable_until", _MOMENT, "when asking again becomes pointless; null: never [UTC]", required=False),
        own("wanted", postgresql.JSONB, "what to ask for again, in the collector's words", required=False),
    )


def _watchlist() -> None:
    op.create_table(
        "collection_watchlist",
        word("symbol", required=True),
        own("enabled", sa.Boolean, "false: leave it alone for now"),
        own("expiries", sa.Integer, "how many expirations, the nearest first"),
        own("strikes", sa.Integer, "strikes around the money of each expiration; 0: all"),
        own("min_dte", sa.Integer, "nearest expiration wanted [calendar days]"),
        own("max_dte", sa.Integer, "farthest expiration wanted [calendar days]"),
        own("cadence_s", sa.Double, "time from the start of one sweep to the next [s]"),
        own("priority", sa.Integer, "the larger, the earlier its turn"),
        own("market_conditions", sa.Boolean, "true: compute the conditions of its market too"),
        own("updated", _MOMENT, "when the row was last edited [UTC]"),
        sa.PrimaryKeyConstraint("symbol"),
        sa.CheckConstraint("expiries > 0 AND strikes >= 0 AND cadence_s > 0", name="sizes_sensible"),
        sa.CheckConstraint("0 <= min_dte AND min_dte <= max_dte", name="dte_ordered"),
        comment="what the collectors collect, and how often; editable while they run",
    )


def _requests() -> None:
    op.create_table(
        "collection_requests",
        own("request_id", sa.BigInteger, "key of the request", sa.Identity(always=True)),
        word("symbol", required=True),
        own("expiries", postgresql.ARRAY(sa.Date), "expirations wanted; empty: those of the watchlist [date]"),
        own("requested_by", sa.Text, "who asked first"),
        own("requested", _MOMENT, "when it was asked for [UTC]"),
        own("worker", sa.Text, "who took it last", required=False),
        own("taken", _MOMENT, "when it was taken last [UTC]", required=False),
        own("lease_until", _MOMENT, "when others may take it again, the worker having died [UTC]", required=False),
        own("attempts", sa.Integer, "how often it was taken"),
        own("finished", _MOMENT, "when it was served or given up [UTC]", required=False),
        own("run_id", sa.BigInteger, "run that served it", sa.ForeignKey("collection_runs.run_id"), required=False),
        own("problem", sa.Text, "why it was not served", required=False),
        sa.PrimaryKeyConstraint("request_id"),
        comment="chains that someone wants fresh, a queue that the collectors serve",
    )
    # Who asks for what is waiting already is served by the same sweep.
    waiting = sa.text("taken IS NULL AND finished IS NULL")
    for name, columns, condition, unique in (
        ("collection_requests_waiting", ["symbol", "expiries"], waiting, True),
        ("collection_requests_open", ["requested"], sa.text("finished IS NULL"), False),
    ):
        op.create_index(name, "collection_requests", columns, unique=unique, postgresql_where=condition)


def _live_quotes() -> None:
    op.create_table(
        "live_quotes",
        word("ts", required=True),
        *(word(name) for name in (*VALUE_COLUMNS, *VENDOR_VALUES)),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        own("contract_id", sa.Integer, "contract", sa.ForeignKey("option_contracts.contract_id")),
        word("quality", kind=_QUALITY),
        word("market_data_type", kind=_DATA_TYPE),
        sa.PrimaryKeyConstraint("stock_id", "contract_id"),
        comment="newest quote of each contract that is streamed",
        # Every row is overwritten several times a second: room in its page keeps the index out of it.
        postgresql_with={"fillfactor": 40, "autovacuum_vacuum_scale_factor": 0.2},
    )
