"""Backtests that can be repeated, studies with a hold-out that counts its looks, and libraries computed before."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bifrost_lib.store import rights
from bifrost_lib.store.columns import explain, own, word

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = postgresql.TIMESTAMP(timezone=True)
_JSON = postgresql.JSONB
_TEXTS = postgresql.ARRAY(sa.Text)
_TABLES = (
    *("library_results", "library_symbols", "library_studies"),
    *("study_looks", "study_runs", "backtest_studies", "backtest_runs"),
)
_GUARDED = ("backtest_studies", "study_looks")


def upgrade() -> None:
    """Make the tables, and the guards of what must not change afterwards."""
    _runs()
    _studies()
    _study_runs()
    _looks()
    _libraries()
    _library_results()
    for table in _GUARDED:
        op.execute(_GUARDS[table])
        op.execute(
            f"CREATE TRIGGER {table}_guard BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION guard_{table}()"
        )
    rights.apply_rights(op.get_bind())


def downgrade() -> None:
    """Remove them again."""
    for table in _TABLES:
        op.drop_table(table)
    for table in _GUARDED:
        op.execute(f"DROP FUNCTION guard_{table}()")


def _owner() -> sa.Column[Any]:
    owner = own(rights.OWNER, sa.Text, "person whose it is")
    owner.server_default = sa.DefaultClause(sa.text(rights.CURRENT_PERSON))
    return owner


def _runs() -> None:
    op.create_table(
        "backtest_runs",
        own("run_id", sa.BigInteger, "key of the backtest", sa.Identity(always=True)),
        _owner(),
        word("ts", required=True),
        own("strategy", sa.Text, "name of the document"),
        own("document", _JSON, "strategy document, whole"),
        own("document_hash", sa.Text, "digest of the document"),
        own("symbols", _TEXTS, "underlyings, in order"),
        own("cadence", sa.Text, "daily, or minutes between the moments looked at"),
        word("at", required=True),
        own("start_day", sa.Date, "first session looked at [date]"),
        own("end_day", sa.Date, "last session looked at [date]"),
        own("fills", sa.Text, "mid, realistic, worst, or the share of the spread given away"),
        own("capital", sa.Double, "at the start [currency]"),
        own("settings", _JSON, "the other arguments, by name"),
        own("cube_sha256", sa.Text, "digests of the chains, one a symbol"),
        own("code_version", sa.Text, "digest of the code that decides what is found"),
        own("simulated", sa.Boolean, "true: on made-up data"),
        own("trades", _JSON, "columns of the trades, one row a trade"),
        own("legs", _JSON, "columns of the legs, one row a leg held"),
        own("equity", _JSON, f"{explain('equity')}, with margin and trades held: columns, one row a session"),
        own("bands", _JSON, "columns of the account under other fills, costs and starts", required=False),
        own("skipped", _JSON, "sessions without an entry, by reason"),
        own("statistics", _JSON, "figures of the result, by name"),
        own("result_sha256", sa.Text, "digest of trades, legs and account: the same when it is repeated"),
        sa.PrimaryKeyConstraint("run_id"),
        sa.CheckConstraint("start_day <= end_day", name="backtest_has_length"),
        comment="backtests that were kept, with all that is needed to repeat them",
    )
    op.create_index("backtest_runs_ts", "backtest_runs", ["ts"])


def _studies() -> None:
    op.create_table(
        "backtest_studies",
        own("study_id", sa.BigInteger, "key of the study", sa.Identity(always=True)),
        _owner(),
        own("name", sa.Text, "what it is called"),
        own("document", _JSON, "strategy document that is studied"),
        own("document_hash", sa.Text, "digest of the document"),
        own("grid", _JSON, "values tried, by path of the parameter; null: the document alone", required=False),
        own("symbols", _TEXTS, "underlyings"),
        own("start_day", sa.Date, "first session [date]"),
        own("end_day", sa.Date, "last session [date]"),
        own("holdout_start", sa.Date, "first session that is kept back [date]"),
        own("holdout_end", sa.Date, "last session that is kept back [date]"),
        own("settings", _JSON, "how its backtests are run: fills, capital ..."),
        own("created", _MOMENT, "when it was begun [UTC]"),
        own("created_by", sa.Text, "who began it"),
        own("frozen", _MOMENT, "when its choice became final [UTC]", required=False),
        own("frozen_by", sa.Text, "who made the choice", required=False),
        own("choice", _JSON, "document that was chosen", required=False),
        own("choice_hash", sa.Text, "digest of the choice", required=False),
        own("reason", sa.Text, "why this choice", required=False),
        sa.PrimaryKeyConstraint("study_id"),
        sa.UniqueConstraint("name", name="backtest_studies_identity"),
        sa.CheckConstraint("length(name) > 0", name="study_is_named"),
        sa.CheckConstraint(
            "start_day < holdout_start AND holdout_start <= holdout_end AND holdout_end <= end_day",
            name="holdout_lies_within",
        ),
        sa.CheckConstraint(
            "(frozen IS NULL) = (choice IS NULL) AND (frozen IS NULL) = (choice_hash IS NULL) "
            "AND (frozen IS NULL) = (frozen_by IS NULL)",
            name="frozen_has_a_choice",
        ),
        comment="studies: a document, what is varied, and days kept back until a choice is final",
    )


def _study_runs() -> None:
    op.create_table(
        "study_runs",
        own("run_id", sa.BigInteger, "key of the search", sa.Identity(always=True)),
        _owner(),
        own("study_id", sa.BigInteger, "study", sa.ForeignKey("backtest_studies.study_id")),
        word("ts", required=True),
        own("who", sa.Text, "who ran it"),
        own("kind", sa.Text, "run, sweep or walk_forward"),
        own("sets", sa.Integer, "parameter sets that were not tried before in the study"),
        own("first_day", sa.Date, "first session looked at [date]"),
        own("last_day", sa.Date, "last session looked at [date]"),
        own("cube_sha256", _JSON, "digest of the chains, by symbol"),
        own("code_version", sa.Text, "digest of the code that decides what is found"),
        own("statistics", _JSON, "figures of the search, by name"),
        own("path", sa.Text, "folder with its results", required=False),
        sa.PrimaryKeyConstraint("run_id"),
        sa.CheckConstraint("kind IN ('run', 'sweep', 'walk_forward')", name="kind_known"),
        sa.CheckConstraint("sets >= 0", name="sets_are_counted"),
        comment="every search on the part of a study that may be seen",
    )
    op.create_index("study_runs_study", "study_runs", ["study_id"])


def _looks() -> None:
    op.create_table(
        "study_looks",
        own("look_id", sa.BigInteger, "key of the look", sa.Identity(always=True)),
        _owner(),
        own("study_id", sa.BigInteger, "study", sa.ForeignKey("backtest_studies.study_id")),
        own("number", sa.Integer, "1 for the study's first look"),
        word("ts", required=True),
        own("who", sa.Text, "who looked"),
        own("document_hash", sa.Text, "digest of the document that was run"),
        own("purpose", sa.Text, "what for", required=False),
        own("statistics", _JSON, "what was seen; null until it was", required=False),
        own("cube_sha256", _JSON, "digest of the chains, by symbol", required=False),
        sa.PrimaryKeyConstraint("look_id"),
        sa.UniqueConstraint("study_id", "number", name="study_looks_identity"),
        sa.CheckConstraint("number > 0", name="looks_are_counted"),
        comment="every look at the days that a study kept back, written before anything is seen",
    )


# What makes a hold-out worth its name: a study cannot be bent after the fact, and a look cannot be taken back.
_GUARDS = {
    "backtest_studies": """
CREATE FUNCTION guard_backtest_studies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'study % cannot be removed: its looks at the hold-out count', OLD.name;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.frozen IS NOT NULL THEN
            RAISE EXCEPTION 'study % is frozen since %', OLD.name, OLD.frozen;
        ELSIF (OLD.study_id, OLD.owner, OLD.name, OLD.document, OLD.document_hash, OLD.grid, OLD.symbols, OLD.start_day,
               OLD.end_day, OLD.holdout_start, OLD.holdout_end, OLD.settings, OLD.created, OLD.created_by)
              IS DISTINCT FROM
              (NEW.study_id, NEW.owner, NEW.name, NEW.document, NEW.document_hash, NEW.grid, NEW.symbols, NEW.start_day,
               NEW.end_day, NEW.holdout_start, NEW.holdout_end, NEW.settings, NEW.created, NEW.created_by) THEN
            RAISE EXCEPTION 'study % can only be frozen, not changed', OLD.name;
        END IF;
    ELSIF NEW.frozen IS NOT NULL THEN
        RAISE EXCEPTION 'study % is frozen after it was begun, not before', NEW.name;
    END IF;
    RETURN NEW;
END $$
""",
    "study_looks": """
CREATE FUNCTION guard_study_looks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a look at a hold-out cannot be taken back';
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.statistics IS NOT NULL OR (OLD.look_id, OLD.owner, OLD.study_id, OLD.number, OLD.ts, OLD.who,
               OLD.document_hash, OLD.purpose) IS DISTINCT FROM
              (NEW.look_id, NEW.owner, NEW.study_id, NEW.number, NEW.ts, NEW.who, NEW.document_hash, NEW.purpose) THEN
            RAISE EXCEPTION 'a look at a hold-out cannot be changed';
        END IF;
    ELSIF NEW.statistics IS NOT NULL THEN
        RAISE EXCEPTION 'a look at a hold-out is written before anything is seen';
    ELSIF NOT EXISTS (SELECT 1 FROM backtest_studies WHERE study_id = NEW.study_id AND frozen IS NOT NULL) THEN
        RAISE EXCEPTION 'the hold-out of a study is closed until the study is frozen';
    END IF;
    RETURN NEW;
END $$
""",
}


def _libraries() -> None:
    op.create_table(
        "library_studies",
        own("library", sa.Text, "what it is called"),
        own("computed_ts", _MOMENT, "when it was computed [UTC]"),
        own("definition", _JSON, "documents, grid, fills, capital, split date"),
        own("code_version", sa.Text, "digest of the code that decides what is found"),
        sa.PrimaryKeyConstraint("library"),
        comment="libraries of backtests that were computed before somebody asks",
    )
    op.create_table(
        "library_symbols",
        own("library", sa.Text, "library", sa.ForeignKey("library_studies.library", ondelete="CASCADE")),
        word("symbol", required=True),
        own("computed_ts", _MOMENT, "when it was computed [UTC]"),
        own("cube_sha256", sa.Text, "digest of the chains"),
        own("start_day", sa.Date, "first session [date]"),
        own("split_day", sa.Date, "first session out of sample [date]"),
        own("end_day", sa.Date, "last session [date]"),
        own("sessions", sa.Integer, "how many sessions"),
        *(word(name) for name in ("spot", "iv", "realized_vol", "skew", "term_slope")),
        own("vol_of_iv", sa.Double, "volatility of the implied volatility [decimal, annual]", required=False),
        own("spread", sa.Double, "spread of quotes near the money, share of mid [decimal]", required=False),
        sa.PrimaryKeyConstraint("library", "symbol"),
        comment="what each symbol of a library is like: medians over its window",
    )


_RESULT_NUMBERS = {
    "pnl": f"{explain('pnl')}, of all of them",
    "commission": "commission of all of them [currency]",
    "pnl_mean": "mean profit of a trade [currency]",
    "pnl_worst": "worst trade [currency]",
    "days_mean": "mean time in a trade [calendar days]",
    "margin_mean": "mean margin of a trade [currency]",
    "return_mean": "mean of pnl over margin [decimal]",
    "return_sd": "its standard deviation [decimal]",
    "return_skew": "its skewness",
    "return_kurtosis": "its kurtosis, 3 for a normal one",
    "return_low": "lower end of the 95 % interval of its mean [decimal]",
    "return_high": "upper end of the 95 % interval of its mean [decimal]",
    "sharpe": "Sharpe ratio of a trade",
    "probabilistic_sharpe": "probability that the Sharpe ratio is above 0 [0..1]",
    "deflated_sharpe": "the same after all that was tried [0..1]",
    "effective_trials": "independent trials among the documents tried on the symbol",
    "overfitting": "probability of backtest overfitting of the grid on the symbol [0..1]",
}


def _library_results() -> None:
    counts = {"trades": "trades", "priced": "trades with a profit", "wins": "trades that won"}
    counts |= {"unpriceable": "trades without an honest price", "open": "trades still open"}
    op.create_table(
        "library_results",
        own("library", sa.Text, "library"),
        word("symbol", required=True),
        own("document_sha256", sa.Text, "digest of the document"),
        own("sample", sa.Text, "in or out of sample"),
        own("iv_rank", sa.Text, f"{explain('iv_rank')}, at entry: low, middle, high, unknown or any"),
        own("trend", sa.Text, "trend at entry: up, flat, down, unknown or any"),
        own("computed_ts", _MOMENT, "when it was computed [UTC]"),
        own("strategy", sa.Text, "name of the document"),
        own("parameters", _JSON, "what the grid varied, by path"),
        *(own(name, sa.Integer, comment) for name, comment in counts.items()),
        own("trials", sa.Integer, "documents tried on the symbol"),
        *(own(name, sa.Double, comment, required=False) for name, comment in _RESULT_NUMBERS.items()),
        sa.PrimaryKeyConstraint("library", "symbol", "document_sha256", "sample", "iv_rank", "trend"),
        sa.ForeignKeyConstraint(
            ["library", "symbol"], ["library_symbols.library", "library_symbols.symbol"], ondelete="CASCADE"
        ),
        sa.CheckConstraint("sample IN ('in', 'out')", name="sample_known"),
        sa.CheckConstraint("iv_rank IN ('low', 'middle', 'high', 'unknown', 'any')", name="iv_rank_known"),
        sa.CheckConstraint("trend IN ('up', 'flat', 'down', 'unknown', 'any')", name="trend_known"),
        comment="how each document of a library did on each symbol, by sample, volatility rank and trend at entry",
    )
    op.create_index("library_results_regime", "library_results", ["library", "sample", "iv_rank", "trend", "symbol"])
