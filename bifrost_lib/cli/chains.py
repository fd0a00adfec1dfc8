"""``bifrost chain``: the option chain of a symbol, as of a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, Symbol, one_format, read_at, read_date
from bifrost_lib.cli.output import frame_rows, number, print_csv, print_json, print_table

if TYPE_CHECKING:
    import pandas as pd

ROW_KEYS = (
    "ts", "expiry", "strike", "right", "bid", "ask", "mid", "volume", "open_interest",
    "iv", "delta", "gamma", "vega", "theta", "rho", "quality",
    "last", "bid_size", "ask_size", "spot", "forward", "rate", "div_yield", "tau", "dte",
    "trading_class", "style", "settlement", "multiplier",
)  # fmt: skip
NEAR_STRIKES = 8
NEAR_EXPIRIES = 2


def chain(
    symbol: Symbol,
    at: At = None,
    expiry: Annotated[str | None, typer.Option(help="Only this expiration, for example 2026-09-18.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Print all contracts, not only those near the money.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show the option chain of SYMBOL as it was known at a time.

    Example: bifrost chain SIM --expiry 2026-10-16
    """
    from bifrost_lib.workflows import open_desk, read_chain

    one_format(as_json, as_csv)
    moment = read_at(at)
    day = None if expiry is None else read_date(expiry, name="--expiry")
    with open_desk() as desk:
        frame = read_chain(desk, symbol, at=moment, expiry=day)
    if as_json:
        print_json(_document(frame))
    elif as_csv:
        print_csv(frame_rows(frame, ROW_KEYS), ROW_KEYS)
    else:
        _print_chain(frame, every=every or expiry is not None)


def _document(frame: pd.DataFrame) -> dict[str, object]:
    return {
        "symbol": frame.attrs["symbol"],
        "at": frame.attrs["at"],
        "as_of": frame.attrs["as_of"],
        "age_s": (frame.attrs["at"] - frame.attrs["as_of"]).total_seconds(),
        "source": frame.attrs["source"],
        "spot": frame.attrs["spot"],
        "rows": frame_rows(frame, ROW_KEYS),
    }


def _print_chain(frame: pd.DataFrame, *, every: bool) -> None:
    from bifrost_lib.core.calendar import EXCHANGE_TZ

    shown = frame if every else _near_the_money(frame)
    as_of = frame.attrs["as_of"].astimezone(EXCHANGE_TZ)
    title = f"{frame.attrs['symbol']}  spot {number(frame.attrs['spot'])}  as of {as_of:%Y-%m-%d %H:%M} New York"
    title += "  [SIMULATED]" if frame.attrs["source"] == "simulated" else ""
    header = ("expiry", "DTE", "strike", "C/P", "bid", "ask", "IV %", "delta", "gamma", "vega/pt", "theta/day",
              "volume", "open int.", "quality")  # fmt: skip
    contracts: list[Any] = list(shown.itertuples())
    rows = [
        (
            f"{row.expiry:%Y-%m-%d}", str(row.dte), f"{row.strike:g}", row.right, number(row.bid), number(row.ask),
            number(row.iv * 100, 1), number(row.delta, 3), number(row.gamma, 4), number(row.vega / 100, 3),
            number(row.theta / 365, 3), number(row.volume, 0), number(row.open_interest, 0), row.quality,
        )
        for row in contracts
    ]  # fmt: skip
    hidden = len(frame) - len(shown)
    note = f"{hidden:,} more contracts: --all, or --expiry" if hidden else ""
    print_table(title, rows, header, left=("quality",), note=note)


def _near_the_money(frame: pd.DataFrame) -> pd.DataFrame:
    nearest = frame["expiry"].drop_duplicates().nsmallest(NEAR_EXPIRIES)
    shown: pd.DataFrame = frame[frame["expiry"].isin(nearest)]
    distance = (shown["strike"] - frame.attrs["spot"]).abs()
    order = distance.groupby([shown["expiry"], shown["right"]], observed=True).rank(method="first")
    near: pd.DataFrame = shown[order <= NEAR_STRIKES]
    return near
