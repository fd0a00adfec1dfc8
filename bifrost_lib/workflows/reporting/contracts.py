"""What changed of contracts between two chains of the same underlying."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bifrost_lib.workflows.reporting.markets import Known

KEY = ["trading_class", "expiry", "strike", "right", "style", "settlement", "multiplier"]
#: Volatility of farther options says more about the tick than about the market.
LEAST_DELTA, LEAST_DTE = 0.10, 7


def listing_counts(before: pd.DataFrame, after: pd.DataFrame) -> tuple[int, int]:
    """Return how many contracts are in `after` alone, and how many of `before` are gone, expired or not."""
    old, new = (pd.MultiIndex.from_frame(chain[KEY].astype(str)) for chain in (before, after))
    return len(new.difference(old)), len(old.difference(new))


def contract_changes(known: Sequence[Known]) -> pd.DataFrame:
    """Return the contracts of all symbols that were quoted on both days, with what they were before.

    Returns
    -------
    DataFrame
        `symbol`, the contract, `dte`, `delta`, `mid`, `volume`, and `iv`, `open_interest` with their `_before` and
        `_change`. Volatility counts where both quotes are good.
    """
    frames = [_joined(one) for one in known if one.before is not None]
    if not frames:
        return pd.DataFrame(columns=["symbol", *KEY])
    return pd.concat(frames, ignore_index=True)


def largest_moves(changes: pd.DataFrame, column: str, *, top: int) -> pd.DataFrame:
    """Return the `top` rows in which `column` is largest in size, the largest first; unknown and zero are left out."""
    if column not in changes.columns:
        return changes
    size = changes[column].abs()
    return changes[size > 0].assign(size=size).nlargest(top, "size").drop(columns="size").reset_index(drop=True)


def _joined(one: Known) -> pd.DataFrame:
    assert one.before is not None  # noqa: S101 (chosen by the caller)
    columns = [*KEY, "iv", "open_interest", "quality"]
    after = one.chain[[*columns, "symbol", "dte", "delta", "mid", "volume"]]
    joined = after.merge(one.before[columns], on=KEY, suffixes=("", "_before"))
    good = (joined["quality"] == "ok") & (joined["quality_before"] == "ok")
    near = (joined["delta"].abs().between(LEAST_DELTA, 1 - LEAST_DELTA)) & (joined["dte"] >= LEAST_DTE)
    joined["iv_change"] = (joined["iv"] - joined["iv_before"]).where(good & near)
    joined["open_interest_change"] = joined["open_interest"] - joined["open_interest_before"]
    joined["symbol"] = joined["symbol"].astype(str)
    return joined.drop(columns=["quality", "quality_before"])
