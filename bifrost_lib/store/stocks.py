"""Keys of underlyings, by symbol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from bifrost_lib.core.errors import InputError
from bifrost_lib.store.reading import cursor_of

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

SIMULATED = "simulated"


def is_simulated(source: str) -> bool:
    """Tell whether a supplier of this name makes its data up."""
    return source.startswith(SIMULATED)


def stock_ids(cursor: Any, symbols: Iterable[str], *, simulated: bool | None) -> dict[str, int]:
    """Return the key of each symbol, made if need be in the transaction of `cursor`.

    Parameters
    ----------
    cursor : driver cursor
    symbols : iterable of str
    simulated : bool or None
        Whether the data are made up, which never share a symbol with real data. None: whatever the store says, and
        then all symbols must be known.

    Raises
    ------
    InputError
        If real and simulated data would meet, or a symbol is unknown and nothing says of which kind its data are.
    """
    wanted = sorted(set(symbols))
    if simulated is not None:
        cursor.execute(
            "INSERT INTO stocks (symbol, simulated) SELECT symbol, %s FROM unnest(%s::text[]) AS given (symbol) "
            "WHERE NOT EXISTS (SELECT 1 FROM stocks WHERE stocks.symbol = given.symbol) "
            "ORDER BY symbol ON CONFLICT DO NOTHING",
            (simulated, wanted),
        )
    cursor.execute("SELECT symbol, stock_id, simulated FROM stocks WHERE symbol = ANY(%s)", (wanted,))
    rows = {symbol: (stock_id, made_up) for symbol, stock_id, made_up in cursor}
    for symbol in wanted:
        if symbol not in rows:
            raise InputError("symbol", symbol, "a symbol of which the store has data, or their source to be given")
        if simulated is not None and rows[symbol][1] != simulated:
            raise InputError(
                "source",
                "simulated" if simulated else "real data",
                f"the data of {symbol} to be all {'simulated' if rows[symbol][1] else 'real'}, as those in the store; "
                f"use another home (BIFROST_HOME) or another symbol",
            )
    return {symbol: stock_id for symbol, (stock_id, _) in rows.items()}


def simulated_symbols(store: Store | Engine, symbols: Iterable[str]) -> set[str]:
    """Return those of `symbols` whose data are made up."""
    with cursor_of(store.engine) as cursor:
        cursor.execute("SELECT symbol FROM stocks WHERE simulated AND symbol = ANY(%s)", (list(symbols),))
        return {symbol for (symbol,) in cursor}
