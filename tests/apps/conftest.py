"""A desk that holds two simulated sessions of SIM, the newer one of the last session before today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import exchange_date, previous_session
from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS

if TYPE_CHECKING:
    from apps.panel.boards import Boards
    from bifrost_lib.core.settings import Settings
    from bifrost_lib.workflows import Desk

Requote = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import open_desk, with_analytics

    last = previous_session(exchange_date(SystemClock().now()))
    key = FileKey(path="two sessions", sha256="0", size=0, format=SOURCE)
    with open_desk(settings=database_settings) as opened:
        with ingestion(opened.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(symbols=("SIM",), start=previous_session(last), end=last):
                writer.append(with_analytics(quotes))
        yield opened


@pytest.fixture(scope="module")
def boards(desk: Desk) -> Iterator[Boards]:
    from apps.panel.boards import Boards
    from bifrost_lib.workflows import live

    with live.LiveFeed(desk) as feed:
        yield Boards(desk, feed)


@pytest.fixture
def requote(desk: Desk) -> Requote:
    """Return newer quotes of contracts that are stored: every price moved by the same amount."""
    from bifrost_lib.workflows import read_chain

    def quotes(move: float, *, ts: datetime | None = None, rows: int = 4) -> pd.DataFrame:
        chain = read_chain(desk, "SIM")
        expiry = chain["expiry"].drop_duplicates().iloc[2]
        near = chain[(chain["expiry"] == expiry) & (chain["quality"] == "ok")]
        order = np.argsort((near["strike"] - near["spot"]).abs().to_numpy(), kind="stable")[:rows]
        found = near.iloc[np.sort(order)][list(SNAPSHOT_COLUMNS)]
        moved = {name: found[name] + move for name in ("bid", "ask", "spot")}
        stamp = pd.Timestamp(ts or desk.clock.now()).as_unit("us")
        newer: pd.DataFrame = found.assign(**moved, ts=pd.Series(stamp, index=found.index, dtype="datetime64[us, UTC]"))
        return newer

    return quotes
