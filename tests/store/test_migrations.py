"""The tables can be made, taken back and made again, by several at once, and say what they hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from sqlalchemy import create_engine, inspect, text

from bifrost_lib.core.errors import StoreError
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS, VENDOR_COLUMNS, VOCABULARY
from bifrost_lib.store import open_store, option_chain
from bifrost_lib.store.migrate import HEAD, downgrade, known_revisions, migrate

TABLES = {
    "stocks", "option_contracts", "option_snapshots", "option_sessions", "option_changes", "market_conditions",
    "strategy_history", "collection_runs", "collection_gaps", "ingested_files", "corporate_actions",
    "collection_watchlist", "collection_requests", "live_quotes", "strategy_marks", "saved_documents", "document_hits",
    "document_outcomes", "gateway_sessions", "backtest_runs", "backtest_studies", "study_runs", "study_looks",
    "library_studies", "library_symbols", "library_results", "earnings_announcements",
}  # fmt: skip


@pytest.fixture
def engine(database_settings):
    made = create_engine(database_settings.database_url)
    yield made
    made.dispose()


def objects(engine):
    """Everything that is ours in the schema: tables, views, sequences, types."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "AND relkind IN ('r', 'p', 'v', 'm', 'S') "
                "UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e' "
                "EXCEPT SELECT c.relname FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'e'"
            )
        )
        return {name for (name,) in rows}


def test_up_from_empty_down_to_nothing_and_up_again(engine, database_settings, made):
    before = objects(engine)
    migrate(engine)
    assert objects(engine) >= TABLES | {"option_daily", "quote_quality"}
    with open_store(database_settings) as store:
        made.ingest(store, "file", made.snapshots(made.chain_rows([90, 100])))
    downgrade(engine)
    assert objects(engine) == before
    migrate(engine)
    with open_store(database_settings) as store:
        assert made.ingest(store, "file", made.snapshots(made.chain_rows([90, 100]))) == 4


def test_data_of_the_release_before_survive_the_step_up_and_back(engine, database_settings, made):
    migrate(engine)
    with open_store(database_settings) as store:
        made.ingest(store, "step", made.snapshots(made.chain_rows([90, 100]), symbol="STEP"))
        before = option_chain(store.engine, "STEP")
    downgrade(engine, "0001")
    assert not objects(engine) & {"live_quotes", "collection_requests", "collection_watchlist", "market_data_type"}
    with open_store(database_settings) as store:
        pd.testing.assert_frame_equal(option_chain(store.engine, "STEP"), before)
        made.ingest(store, "after", made.snapshots(made.chain_rows([110]), symbol="STEP"))
        assert len(option_chain(store.engine, "STEP", vendor=True)) == 6


def test_the_revision_that_is_asked_for_first_is_the_newest_script():
    assert known_revisions()[0] == HEAD


def test_processes_that_migrate_at_once_do_not_meet(engine):
    migrate(engine)
    downgrade(engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(engine), range(4)))
    assert objects(engine) >= TABLES


def test_tables_of_a_newer_version_are_refused(engine):
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(StoreError, match=r"newer than this Bifrost.*update Bifrost"):
            migrate(engine)
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})


def test_every_table_and_column_says_what_it_is(engine):
    migrate(engine)
    seen = inspect(engine)
    for table in TABLES:
        assert seen.get_table_comment(table)["text"]
        for column in seen.get_columns(table):
            assert column["comment"], f"{table}.{column['name']}"
            if column["name"] in VOCABULARY and (table, column["name"]) != ("market_conditions", "iv"):
                assert column["comment"].startswith(VOCABULARY[column["name"]].help)


def test_every_word_of_a_snapshot_is_a_column(engine):
    migrate(engine)
    seen = inspect(engine)
    names = {
        column["name"]
        for table in ("option_snapshots", "option_contracts", "stocks")
        for column in seen.get_columns(table)
    }
    assert names >= {*SNAPSHOT_COLUMNS, *VENDOR_COLUMNS}


def test_the_last_state_of_each_contract_and_day_is_a_view(database_settings, made):
    with open_store(database_settings) as store:
        rows = [{"bid": 1.0, "volume": 5.0}, {"ts": made.noon.replace(hour=19), "bid": 2.0}]
        made.ingest(store, "daily", made.snapshots(rows, symbol="DAILY"))
        with store.engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT (day AT TIME ZONE 'America/New_York')::date::text, snapshots, bid, volume "
                    "FROM option_daily JOIN stocks USING (stock_id) WHERE symbol = 'DAILY'"
                )
            ).one()
    assert tuple(found) == ("2024-03-15", 2, 2.0, None)
