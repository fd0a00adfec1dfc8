"""Opening the store by address, and what it says of itself."""

from __future__ import annotations

import re
import secrets
import socket
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import create_engine, make_url, text

from bifrost_lib.core.errors import InputError, SettingsError, SourceUnavailable, StoreError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import (
    corporate_actions,
    list_files,
    list_symbols,
    open_store,
    plain_copy,
    plain_to_sql,
    save_corporate_actions,
    store_summary,
)


@pytest.fixture
def silent_port():
    """A port of this machine at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path, silent_port):
    url = f"postgresql://someone:very-secret@127.0.0.1:{silent_port}/desk"
    with pytest.raises(SourceUnavailable, match=f"desk at 127.0.0.1:{silent_port}") as caught:
        open_store(load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url}))
    assert "very-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refused_password_is_not_shown(tmp_path, database_server):
    wrong = {"username": "nobody-of-that-name", "password": "very-secret"}
    url = database_server.set(**wrong).render_as_string(hide_password=False)
    with pytest.raises(SourceUnavailable) as caught:
        open_store(load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url}))
    assert "very-secret" not in str(caught.value)


def test_a_role_that_may_not_make_tables_is_told_what_it_lacks(tmp_path, database_server, database_settings):
    role, admin = f"limited_{secrets.token_hex(4)}", create_engine(database_settings.database_url)
    with admin.begin() as connection:
        if not connection.scalar(text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")):
            pytest.skip("this server's role may not make other roles")
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'very-secret'"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    url = make_url(database_settings.database_url).set(username=role, password="very-secret")  # noqa: S106
    environ = {"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url.render_as_string(hide_password=False)}
    with pytest.raises(StoreError, match=r"permission denied.*give the database's role the right"):
        open_store(load_settings(environ))
    with admin.begin() as connection:
        connection.execute(text(f"DROP ROLE {role}"))
    admin.dispose()


def test_an_address_that_is_none_is_refused(tmp_path):
    environ = {"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": "postgresql://u:very-secret@h:port/d"}
    with pytest.raises(SettingsError) as caught:
        open_store(load_settings(environ))
    assert "very-secret" not in str(caught.value)


def test_nothing_is_written_into_the_home_when_another_server_is_used(store, database_settings):
    assert not list(database_settings.home.iterdir())


def test_what_the_store_says_of_itself_holds_no_password(store, database_settings):
    password = make_url(database_settings.database_url).password
    shown = f"{store!r} {store.description} {store.engine!r} {store_summary(store)}"
    assert store.level in shown and store.version in shown
    assert password is None or str(password) not in shown


def test_a_session_is_in_utc(store):
    with store.engine.connect() as connection:
        assert connection.scalar(text("SHOW timezone")) == "UTC"


def test_the_summary_counts(store, made, symbol):
    before = store_summary(store)
    made.ingest(store, symbol, made.snapshots(made.chain_rows([90, 100]), symbol=symbol))
    after = store_summary(store)
    grown = {name: rows - before.rows[name] for name, rows in after.rows.items() if rows != before.rows[name]}
    assert grown == {"option_snapshots": 4, "option_contracts": 4, "stocks": 1, "ingested_files": 1}
    assert after.size_bytes > 0


def test_symbols_are_listed_as_they_were_known(store, made, symbol):
    days = [made.noon, made.noon + timedelta(days=3)]
    for place, day in enumerate(days):
        rows = made.chain_rows([100], ts=day) + made.chain_rows([100], ts=day + timedelta(hours=1))
        made.ingest(store, f"{symbol}/{place}", made.snapshots(rows, symbol=symbol))
    now = list_symbols(store.engine).set_index("symbol").loc[symbol]
    assert (now["first_ts"], now["last_ts"], now["sessions"], now["rows"], now["source"]) == (
        days[0], days[1] + timedelta(hours=1), 2, 8, "test",
    )  # fmt: skip
    then = list_symbols(store.engine, at=days[0] + timedelta(minutes=1)).set_index("symbol").loc[symbol]
    assert (then["last_ts"], then["sessions"], then["rows"]) == (days[0] + timedelta(minutes=1), 1, 4)
    assert list_symbols(store.engine, at=datetime(1999, 1, 1, tzinfo=UTC)).empty


def test_files_are_listed_newest_first(store, made, symbol):
    for place in (1, 2):
        made.ingest(store, f"{symbol}/{place}", made.snapshots([{"strike": float(place), "bid": 1.0}], symbol=symbol))
    files = list_files(store.engine, newest=2)
    assert files["path"].tolist() == [f"{symbol}/2", f"{symbol}/1"]
    assert files["rows_stored"].tolist() == [1, 1]


def test_splits_and_dividends_are_known_from_their_day_on(store, symbol):
    actions = pd.DataFrame(
        {
            "symbol": symbol,
            "ex_date": pd.to_datetime(["2014-08-07", "2014-06-09"]),
            "kind": ["dividend", "split"],
            "value": [0.47, 7.0],
            "source": "factors",
        }
    )
    assert save_corporate_actions(store.engine, actions) == 2
    assert save_corporate_actions(store.engine, actions) == 0
    known = corporate_actions(store.engine, symbol)
    assert known["ex_date"].dt.date.tolist() == [date(2014, 6, 9), date(2014, 8, 7)]
    assert known["value"].tolist() == [7.0, 0.47]
    just_before = datetime(2014, 6, 9, 3, 59, tzinfo=UTC)  # still the 8th in New York
    assert corporate_actions(store.engine, symbol, at=just_before).empty
    assert len(corporate_actions(store.engine, symbol, at=just_before + timedelta(minutes=1))) == 1
    assert save_corporate_actions(store.engine, actions.assign(value=[0.5, 7.0])) == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [({"kind": "merger"}, "actions.kind"), ({"value": 0.0}, "actions.value"), ({"ex_date": pd.NaT}, "actions.ex_date"),
     ({"value": float("nan")}, "actions.value")],
)  # fmt: skip
def test_actions_that_cannot_be_are_refused(store, symbol, change, name):
    row = {"symbol": symbol, "ex_date": pd.Timestamp("2014-06-09"), "kind": "split", "value": 7.0, "source": "s"}
    with pytest.raises(InputError) as caught:
        save_corporate_actions(store.engine, pd.DataFrame([row | change]))
    assert caught.value.name == name
    assert corporate_actions(store.engine, symbol).empty


def test_the_peers_of_the_benchmark_load_every_row_and_leave_nothing(store, tmp_path):
    frame = pd.DataFrame({"ts": "2024-01-02T15:00:00Z", "strike": [1.0, 2.0, 3.0], "right": ["C", "P", "C"]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert plain_copy(store.engine, tmp_path / "rows.csv") == 3
    assert plain_to_sql(store.engine, frame) == 3
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('benchmark_peer')")) is None


def test_a_broken_query_is_told_without_the_drivers_words(store):
    from bifrost_lib.store.reading import cursor_of

    with pytest.raises(StoreError, match="does not exist") as caught, cursor_of(store.engine) as cursor:
        cursor.execute("SELECT nothing_of_that_name")
    assert not re.search(r"\n|psycopg2", str(caught.value))
