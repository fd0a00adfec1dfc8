"""Studies whose hold-out cannot be cheated, and libraries of results."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import (
    Store,
    add_study_run,
    begin_look,
    drop_user,
    ensure_user,
    finish_look,
    freeze_study,
    libraries,
    library_results,
    library_symbols,
    list_looks,
    list_studies,
    list_study_runs,
    open_store,
    read_study,
    save_library,
    save_library_symbol,
    save_study,
    url_for,
)
from bifrost_lib.store.result_libraries import PROFILE_COLUMNS, RESULT_COLUMNS

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
CHOICE: dict[str, Any] = {"choice": {"name": "condor"}, "choice_hash": "c0", "reason": "steady"}


def _study(store: Store, name: str, **changes: Any) -> int:
    usual: dict[str, Any] = {
        "name": name, "document": {"name": "condor"}, "document_hash": "d0", "grid": {"dte.target": [30, 45]},
        "symbols": ["spy"], "start_day": date(2024, 1, 2), "end_day": date(2025, 12, 31),
        "holdout_start": date(2025, 7, 1), "holdout_end": date(2025, 12, 31),
        "settings": {"fills": "realistic", "rate": float("nan")}, "created": NOW, "created_by": "ann",
    }  # fmt: skip
    return save_study(store, **{**usual, **changes})


def _look(store: Store, name: str) -> int:
    return begin_look(store, name, ts=NOW, who="ann", document_hash="c0")


def test_a_study_is_searched_frozen_and_only_then_looked_at(store: Store, symbol: str) -> None:
    _study(store, symbol)
    for sets in (100, 20):
        add_study_run(
            store, symbol, ts=NOW, who="ann", kind="sweep", sets=sets, first_day=date(2024, 1, 2),
            last_day=date(2025, 6, 30), cube_sha256={"SPY": "s0"}, code_version="v0",
            statistics={"pbo": np.float64(0.2)},
        )  # fmt: skip
    with pytest.raises(InputError, match="a frozen study"):
        _look(store, symbol)
    freeze_study(store, symbol, frozen=NOW, frozen_by="ann", **CHOICE)
    with pytest.raises(InputError, match="not frozen; this one is since 2026-11-21T17:00:00"):
        freeze_study(store, symbol, frozen=NOW, frozen_by="bob", **CHOICE)
    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(lambda _: _look(store, symbol), range(3))) == [1, 2, 3]
    finish_look(store, symbol, 2, statistics={"sharpe": 0.4}, cube_sha256={"SPY": "s1"})
    with pytest.raises(InputError):
        finish_look(store, symbol, 2, statistics={"sharpe": 4.0}, cube_sha256={})

    study = read_study(store, symbol)
    assert (study["looks"], study["sets_tried"], study["symbols"]) == (3, 120, ["SPY"])
    assert (study["frozen"], study["choice_hash"], study["settings"]["rate"]) == (NOW, "c0", None)
    assert list_study_runs(store, symbol)["sets"].tolist() == [20, 100]
    looks = list_looks(store, symbol)
    assert looks["statistics"].tolist() == [None, {"sharpe": 0.4}, None]
    row = list_studies(store).set_index("name").loc[symbol]
    assert (row["looks"], row["sets_tried"], row["frozen"]) == (3, 120, pd.Timestamp(NOW))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE backtest_studies SET holdout_start = '2025-12-31' WHERE name = :name",
        "UPDATE backtest_studies SET frozen = NULL, choice = NULL, choice_hash = NULL, frozen_by = NULL "
        "WHERE name = :name",
        "DELETE FROM backtest_studies WHERE name = :name",
        "DELETE FROM study_looks USING backtest_studies AS s WHERE s.study_id = study_looks.study_id AND name = :name",
        "UPDATE study_looks SET number = 7 FROM backtest_studies AS s WHERE s.study_id = study_looks.study_id "
        "AND name = :name",
    ],
)
def test_the_database_itself_refuses_to_bend_a_study(store: Store, symbol: str, statement: str) -> None:
    _study(store, symbol)
    freeze_study(store, symbol, frozen=NOW, frozen_by="ann", **CHOICE)
    _look(store, symbol)
    with pytest.raises(DBAPIError, match=r"study|look"), store.engine.begin() as connection:
        connection.execute(text(statement), {"name": symbol})


def test_what_is_wrong_with_a_study_is_said(store: Store, symbol: str) -> None:
    _study(store, symbol)
    for changes, name in (({}, "name"), ({"holdout_start": date(2026, 1, 1)}, "holdout_start")):
        with pytest.raises(InputError) as raised:
            _study(store, symbol, **changes)
        assert raised.value.name == name
    with pytest.raises(UnknownNameError) as unknown:
        read_study(store, symbol + "x")
    assert unknown.value.nearest == symbol


def test_a_colleague_looks_at_a_study_but_does_not_freeze_it(store: Store, symbol: str) -> None:
    names = [f"{who}-{symbol.lower()}" for who in ("ann", "bob")]
    opened = []
    for name in names:
        ensure_user(store, name, "quant")
        url = url_for(store, name)
        opened.append(open_store(load_settings({"BIFROST_HOME": str(store.home), "BIFROST_DATABASE_URL": url})))
    ann, bob = opened
    _study(ann, symbol)
    assert read_study(bob, symbol)["owner"] == names[0]
    with pytest.raises(InputError, match="a study of your own"):
        freeze_study(bob, symbol, frozen=NOW, frozen_by="bob", **CHOICE)
    freeze_study(ann, symbol, frozen=NOW, frozen_by="ann", **CHOICE)
    assert [_look(ann, symbol), _look(bob, symbol)] == [1, 2]
    for one, name in zip(opened, names, strict=True):
        one.close()
        drop_user(store, name)


def _results(rows: int) -> pd.DataFrame:
    usual: dict[str, Any] = {
        "document_sha256": "d", "sample": "in", "iv_rank": "any", "trend": "any", "strategy": "condor",
        "parameters": {"dte.target": 30}, "trades": 3, "priced": 3, "wins": 2, "unpriceable": 0, "open": 0, "trials": 2,
    }  # fmt: skip
    frame = pd.DataFrame([{**usual, "document_sha256": f"d{row}"} for row in range(rows)])
    for place, name in enumerate(RESULT_COLUMNS[15:]):
        frame[name] = np.nan if name == "sharpe" else place / 7
    return frame.assign(trials=2)


def test_a_symbol_of_a_library_is_stored_whole_and_read_as_it_was(store: Store, symbol: str) -> None:
    save_library(store.engine, symbol, definition={"grid": {"dte.target": [30]}}, code_version="v", computed_ts=NOW)
    profile = dict.fromkeys(PROFILE_COLUMNS, 0.25) | {
        "symbol": "SPY", "cube_sha256": "c", "start_day": date(2024, 1, 2), "split_day": date(2025, 1, 2),
        "end_day": date(2025, 12, 31), "sessions": 500, "skew": float("nan"),
    }  # fmt: skip
    for rows in (5, 2):
        assert (
            save_library_symbol(store.engine, symbol, profile=profile, results=_results(rows), computed_ts=NOW) == rows
        )
    found = library_results(store.engine, symbol, symbols=["SPY"], sample="in", strategy="condor")
    expected = _results(2)
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected, check_dtype=False)
    assert found["parameters"].tolist() == [{"dte.target": 30}] * 2
    (told,) = library_symbols(store.engine, symbol).to_dict("records")
    assert (told["sessions"], told["iv"], np.isnan(told["skew"])) == (500, 0.25, True)
    before = NOW - timedelta(seconds=1)
    assert not len(library_results(store.engine, symbol, at=before))
    assert symbol not in libraries(store.engine, at=before)["library"].tolist()
    assert libraries(store.engine).set_index("library").loc[symbol, "symbols"] == 1
