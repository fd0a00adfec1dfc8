"""First tables: contracts, their snapshots in time, and the ledgers of how they came here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.vocabulary import RIGHTS, SETTLEMENTS, STYLES
from bifrost_lib.store import time_tables
from bifrost_lib.store.columns import VALUE_COLUMNS, own, word

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_TABLES = (
    "option_sessions",
    "option_snapshots",
    "market_conditions",
    "option_changes",
    "strategy_history",
    "corporate_actions",
    "collection_gaps",
    "collection_runs",
    "ingested_files",
    "option_contracts",
    "stocks",
)


def upgrade() -> None:
    """Make all tables; the time tables become hypertables where the server has them, partitioned tables elsewhere."""
    level = context.config.attributes["level"]
    postgresql.ENUM(*QUALITY_LABELS, name="quote_quality").create(op.get_bind())
    _contracts()
    _files()
    _snapshots(level)
    _market_conditions(level)
    _results()
    _collection()
    time_tables.create_daily_view(op.get_bind(), level)


def downgrade() -> None:
    """Remove everything."""
    time_tables.drop_daily_view(op.get_bind())
    for table in _TABLES:
        op.drop_table(table)
    postgresql.ENUM(name="quote_quality").drop(op.get_bind())


def _one_of(column: str, allowed: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in allowed)
    return sa.CheckConstraint(f'"{column}" IN ({listed})', name=f"{column}_known")


def _contracts() -> None:
    op.create_table(
        "stocks",
        own("stock_id", sa.Integer, "key of the underlying", sa.Identity(always=True)),
        word("symbol", required=True),
        own("simulated", sa.Boolean, "true: all data of this symbol are made up by the simulation"),
        sa.PrimaryKeyConstraint("stock_id"),
        sa.UniqueConstraint("symbol"),
        comment="underlyings: stocks, funds and indices that have options",
    )
    op.create_table(
        "option_contracts",
        own("contract_id", sa.Integer, "key of the contract", sa.Identity(always=True)),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        *(word(name, required=True) for name in ("trading_class", "expiry", "strike", "right")),
        *(word(name, required=True) for name in ("style", "settlement", "multiplier")),
        sa.PrimaryKeyConstraint("contract_id"),
        sa.UniqueConstraint(
            *("stock_id", "expiry", "strike", "right", "trading_class", "multiplier"), name="option_contracts_identity"
        ),
        _one_of("right", RIGHTS),
        _one_of("style", STYLES),
        _one_of("settlement", SETTLEMENTS),
        sa.CheckConstraint("strike > 0 AND multiplier > 0", name="sizes_positive"),
        comment="listed option contracts; an adjusted contract differs by class or multiplier",
    )


def _files() -> None:
    op.create_table(
        "ingested_files",
        own(
            "file_id",
            sa.Integer,
            "key of the file, recorded with every row that came from it",
            sa.Identity(always=True),
        ),
        own("path", sa.Text, "where the file was"),
        own("sha256", sa.Text, "digest of the file's bytes, hexadecimal"),
        own("size", sa.BigInteger, "bytes of the file"),
        own("format", sa.Text, "layout that the file was read as"),
        own("source", sa.Text, "who supplied the data; simulated for made-up data"),
        own("rows_read", sa.BigInteger, "rows found in the file", required=False),
        own("rows_stored", sa.BigInteger, "rows newly stored or completed", required=False),
        own("rejected", postgresql.JSONB, "rejected rows counted by reason"),
        own("started", _MOMENT, "when reading began [UTC]"),
        own("finished", _MOMENT, "when the file was stored [UTC]", required=False),
        sa.PrimaryKeyConstraint("file_id"),
        sa.UniqueConstraint("path", "sha256", "format", name="ingested_files_identity"),
        comment="ledger of files: each is stored whole, or not at all and then absent here",
    )
    op.create_table(
        "option_sessions",
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        own("session", sa.Date, "day at the exchange [date]"),
        own("file_id", sa.Integer, "file that brought these rows", sa.ForeignKey("ingested_files.file_id")),
        own("part", sa.Integer, "running number of the part, for files too long to be kept in mind"),
        own("first_ts", _MOMENT, "first observation [UTC]"),
        own("last_ts", _MOMENT, "last observation [UTC]"),
        own("rows", sa.BigInteger, "snapshots newly stored"),
        own(
            "contracts",
            sa.LargeBinary,
            "contracts observed, ascending: differences of their keys, int32, little-endian",
        ),
        own("first_s", sa.LargeBinary, "first observation of each, whole seconds after first_ts, packed likewise"),
        sa.PrimaryKeyConstraint("stock_id", "session", "file_id", "part"),
        comment="directory of the snapshots: what each file brought of one underlying and day",
    )
    op.create_table(
        "corporate_actions",
        word("symbol", required=True),
        own("ex_date", sa.Date, "first day without the right to it [date]"),
        own("kind", sa.Text, "split or dividend"),
        own("value", sa.Double, "split: new shares per old share; dividend: currency per share"),
        own("source", sa.Text, "who supplied the data"),
        sa.PrimaryKeyConstraint("symbol", "ex_date", "kind"),
        sa.CheckConstraint("kind IN ('split', 'dividend')", name="kind_known"),
        sa.CheckConstraint("value > 0", name="value_positive"),
        comment="splits and dividends of the underlyings",
    )


def _time_table(name: str, level: str, *parts: Any, comment: str) -> None:
    options = time_tables.creation_options(level)
    op.create_table(name, *parts, comment=comment, **options)
    time_tables.finish(op.get_bind(), name, level)


def _snapshots(level: str) -> None:
    _time_table(
        "option_snapshots",
        level,
        word("ts", required=True),
        *(word(name) for name in VALUE_COLUMNS),
        # No foreign keys here: they would be checked row by row, and the writer has just looked the keys up.
        own("stock_id", sa.Integer, "underlying"),
        own("contract_id", sa.Integer, "contract"),
        own("file_id", sa.Integer, "file in ingested_files that first brought the row"),
        word("quality", kind=postgresql.ENUM(name="quote_quality", create_type=False)),
        sa.PrimaryKeyConstraint("stock_id", "ts", "contract_id"),
        comment="what was known of each contract at each moment; time table",
    )


def _market_conditions(level: str) -> None:
    _time_table(
        "market_conditions",
        level,
        word("ts", required=True),
        *(word(name) for name in ("spot", "bid", "ask", "volume", "rate", "div_yield", "iv")),
        own("stock_id", sa.Integer, "underlying"),
        own("file_id", sa.Integer, "file in ingested_files that first brought the row", required=False),
        sa.PrimaryKeyConstraint("stock_id", "ts"),
        comment="the underlying itself at each moment; iv is at the money, 30 days; time table",
    )


def _results() -> None:
    op.create_table(
        "option_changes",
        own("change_id", sa.BigInteger, "key of the change", sa.Identity(always=True)),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        own("contract_id", sa.Integer, "contract", sa.ForeignKey("option_contracts.contract_id")),
        own("since_ts", _MOMENT, "moment of the earlier observation [UTC]"),
        word("ts", required=True),
        own("what", sa.Text, "column that changed, or listed, delisted"),
        own("old", sa.Double, "value at since_ts", required=False),
        own("new", sa.Double, "value at ts", required=False),
        sa.PrimaryKeyConstraint("change_id"),
        sa.UniqueConstraint("contract_id", "ts", "what"),
        comment="changes between two observations of a contract that someone should see",
    )
    op.create_table(
        "strategy_history",
        own("history_id", sa.BigInteger, "key of the candidate", sa.Identity(always=True)),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        word("at", required=True),
        own("strategy", sa.Text, "name in the catalogue"),
        word("rank", required=True),
        word("score"),
        own("legs", postgresql.JSONB, "legs of the structure: right, qty, strike, expiry, price"),
        *(word(name) for name in ("spot", "premium", "max_profit", "max_loss")),
        word("breakevens", kind=postgresql.ARRAY(sa.Double)),
        *(word(name) for name in ("pop", "ev", "return_on_risk", "margin")),
        sa.PrimaryKeyConstraint("history_id"),
        sa.UniqueConstraint("stock_id", "at", "strategy", "rank"),
        comment="ranked candidates of past scans",
    )


def _collection() -> None:
    op.create_table(
        "collection_runs",
        own("run_id", sa.BigInteger, "key of the run", sa.Identity(always=True)),
        own("collector", sa.Text, "which collector ran"),
        own("source", sa.Text, "who supplied the data"),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id"), required=False),
        own("started", _MOMENT, "when the run began [UTC]"),
        own("finished", _MOMENT, "when the run ended [UTC]", required=False),
        own("status", sa.Text, "running, done or failed"),
        own("expected", sa.BigInteger, "contracts that should have been observed", required=False),
        own("received", sa.BigInteger, "contracts that were observed", required=False),
        own("rows_stored", sa.BigInteger, "rows newly stored", required=False),
        own("problem", sa.Text, "why the run failed", required=False),
        sa.PrimaryKeyConstraint("run_id"),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name="status_known"),
        comment="ledger of collection: what was expected and what came",
    )
    op.create_table(
        "collection_gaps",
        own("gap_id", sa.BigInteger, "key of the gap", sa.Identity(always=True)),
        own("run_id", sa.BigInteger, "run that found it", sa.ForeignKey("collection_runs.run_id")),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id"), required=False),
        own("first_ts", _MOMENT, "first moment without data [UTC]"),
        own("last_ts", _MOMENT, "last moment without data [UTC]"),
        own("expected", sa.BigInteger, "observations that should have come", required=False),
        own("received", sa.BigInteger, "observations that came", required=False),
        own("reason", sa.Text, "why they are missing"),
        own("filled", _MOMENT, "when the gap was closed afterwards [UTC]", required=False),
        sa.PrimaryKeyConstraint("gap_id"),
        sa.CheckConstraint("first_ts <= last_ts", name="gap_has_length"),
        comment="ledger of what is missing, and why",
    )
