"""Recommendations that are scored afterwards, documents that are watched, and what became of past entries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.store import rights
from bifrost_lib.store.columns import own, word

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_JSON = postgresql.JSONB
_RANKED = ("stock_id", "at", "strategy", "rank")


def _additions() -> tuple[sa.Column[Any], ...]:
    """Return what a recommendation has beside a ranked candidate; null in rows that are none."""
    return (
        own("recommended", _MOMENT, "when it was marked as a recommendation [UTC]", required=False),
        own("recommended_by", sa.Text, "who marked it first", required=False),
        own("origin", sa.Text, "user or schedule", required=False),
        own("document", _JSON, "strategy document that it follows, whole", required=False),
        own("document_hash", sa.Text, "digest of the document", required=False),
        own("candidate_hash", sa.Text, "digest of the legs: one structure is recommended once a scan", required=False),
        own("expires", _MOMENT, "moment at which its first option expires [UTC]", required=False),
        word("dte"),
        word("multiplier"),
        own("pop_surface", sa.Double, "probability of a profit by the fitted surface [0..1]", required=False),
        own("pop_real_world", sa.Double, "probability of a profit by past drift and volatility [0..1]", required=False),
        own("ev_surface", sa.Double, "expected profit by the fitted surface [currency]", required=False),
        own("ev_real_world", sa.Double, "expected profit by past drift and volatility [currency]", required=False),
        own("score_parts", _JSON, "points of each part of the score; they add up to it", required=False),
        own("measures", _JSON, "all measures at entry, by name", required=False),
        own("state", sa.Text, "open or settled", required=False),
        own("settled", _MOMENT, "when it was closed or expired [UTC]", required=False),
        own("exit_reason", sa.Text, "why it ended: expired, or the exit rule that closed it", required=False),
        own("exit_value", sa.Double, "cash that ending it brought (> 0) or cost (< 0) [currency]", required=False),
        own("exit_spot", sa.Double, "price of the underlying then [currency per share]", required=False),
        own("carried", sa.Double, "dividends received (> 0) or owed (< 0) on shares [currency]", required=False),
        word("pnl"),
        own("expiry_pnl", sa.Double, "profit had it been held to its first expiry [currency]", required=False),
    )


_CHECKS = {
    "recommendation_is_whole": "recommended IS NULL OR (recommended_by IS NOT NULL AND origin IS NOT NULL AND document "
    "IS NOT NULL AND document_hash IS NOT NULL AND candidate_hash IS NOT NULL AND state IS NOT NULL "
    "AND expires IS NOT NULL AND premium IS NOT NULL)",
    "origin_known": "origin IN ('user', 'schedule')",
    "state_known": "state IN ('open', 'settled')",
    "settled_has_a_result": "(state = 'settled') = (settled IS NOT NULL AND exit_reason IS NOT NULL "
    "AND pnl IS NOT NULL)",
}


def upgrade() -> None:
    """Widen the finder's memory to recommendations and make the tables around it."""
    for column in _additions():
        op.add_column("strategy_history", column)
    op.drop_constraint("strategy_history_stock_id_at_strategy_rank_key", "strategy_history", type_="unique")
    op.create_unique_constraint(
        "strategy_history_identity", "strategy_history", ["stock_id", "at", "document_hash", "candidate_hash"]
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(name, "strategy_history", condition)
    op.create_index("strategy_history_open", "strategy_history", ["at"], postgresql_where=sa.text("state = 'open'"))
    _marks()
    _saved_documents()
    _outcomes()
    rights.apply_rights(op.get_bind())


def downgrade() -> None:
    """Remove them again, and the recommendations with them."""
    for table in ("document_outcomes", "document_hits", "saved_documents", "strategy_marks"):
        op.drop_table(table)
    op.execute("DELETE FROM strategy_history WHERE recommended IS NOT NULL")
    op.drop_index("strategy_history_open", "strategy_history")
    for name in _CHECKS:
        op.drop_constraint(name, "strategy_history", type_="check")
    op.drop_constraint("strategy_history_identity", "strategy_history", type_="unique")
    for column in _additions():
        op.drop_column("strategy_history", column.name)
    op.create_unique_constraint("strategy_history_stock_id_at_strategy_rank_key", "strategy_history", list(_RANKED))


def _marks() -> None:
    op.create_table(
        "strategy_marks",
        own("history_id", sa.BigInteger, "recommendation", sa.ForeignKey("strategy_history.history_id")),
        word("ts", required=True),
        own("as_of", _MOMENT, "newest quote that the mark rests on [UTC]", required=False),
        own("value", sa.Double, "cash that closing would bring (> 0) or cost (< 0) [currency]", required=False),
        *(word(name) for name in ("pnl", "spot", "iv", "delta")),
        own("reason", sa.Text, "why there is no honest mark; null where there is one", required=False),
        sa.PrimaryKeyConstraint("history_id", "ts"),
        sa.CheckConstraint("(pnl IS NULL) = (reason IS NOT NULL)", name="missing_has_a_reason"),
        comment="each recommendation marked to market, once a day",
    )


def _saved_documents() -> None:
    owner = own(rights.OWNER, sa.Text, "login whose it is")
    owner.server_default = sa.DefaultClause(sa.text("CURRENT_USER"))
    op.create_table(
        "saved_documents",
        own("document_id", sa.Integer, "key of the saved document", sa.Identity(always=True)),
        own("name", sa.Text, "name that its owner gave it"),
        owner,
        own("document", _JSON, "strategy document, whole"),
        own("document_hash", sa.Text, "digest of the document"),
        own("symbols", postgresql.ARRAY(sa.Text), "underlyings that it is watched on; empty: the watchlist's"),
        own("monitored", sa.Boolean, "true: evaluated on each new snapshot"),
        own("least_score", sa.Double, "a candidate with a lower score is no hit [0..100]"),
        own("saved", _MOMENT, "when it was saved last [UTC]"),
        sa.PrimaryKeyConstraint("document_id"),
        sa.UniqueConstraint("owner", "name", name="saved_documents_identity"),
        sa.CheckConstraint("length(name) > 0 AND length(owner) > 0", name="named_and_owned"),
        comment="strategy documents that people keep, and which of them are watched",
    )
    op.create_table(
        "document_hits",
        own("hit_id", sa.BigInteger, "key of the hit", sa.Identity(always=True)),
        own(
            "document_id",
            sa.Integer,
            "saved document",
            sa.ForeignKey("saved_documents.document_id", ondelete="CASCADE"),
        ),
        own("document_hash", sa.Text, "digest of the document as it was then"),
        word("symbol", required=True),
        own("session", sa.Date, "day at the exchange [date]"),
        word("ts", required=True),
        own("candidate_hash", sa.Text, "digest of the legs"),
        word("score"),
        own("candidate", _JSON, "the candidate with its legs and measures"),
        sa.PrimaryKeyConstraint("hit_id"),
        # A structure that is still there at the next snapshot is no news.
        sa.UniqueConstraint(
            "document_id", "document_hash", "symbol", "session", "candidate_hash", name="hit_once_a_day"
        ),
        comment="candidates that a watched document found, each written once a day",
    )
    op.create_index("document_hits_ts", "document_hits", ["ts"])


def _outcomes() -> None:
    op.create_table(
        "document_outcomes",
        own("document_hash", sa.Text, "digest of the document"),
        own("stock_id", sa.Integer, "underlying", sa.ForeignKey("stocks.stock_id")),
        own("session", sa.Date, "day of the entry at the exchange [date]"),
        word("at", required=True),
        own("legs", _JSON, "legs of the best candidate of that day; null: there was none", required=False),
        *(word(name) for name in ("spot", "premium", "max_loss", "pop", "ev", "score", "dte")),
        *(word(name) for name in ("iv", "iv_rank", "skew", "term_slope")),
        own("earnings_days", sa.Double, "days to the next earnings; null: not known [calendar days]", required=False),
        own("exit_reason", sa.Text, "why it ended; null while it is held", required=False),
        own("ended", _MOMENT, "when it ended [UTC]", required=False),
        word("pnl"),
        own("hindrance", sa.Text, "why there was no entry or is no result", required=False),
        own("seen", _MOMENT, "newest stored moment that was known when it was followed [UTC]"),
        sa.PrimaryKeyConstraint("document_hash", "stock_id", "session"),
        sa.CheckConstraint("(pnl IS NULL) = (ended IS NULL)", name="an_end_has_a_result"),
        comment="what a document would have entered on each past day, and how that ended",
    )
