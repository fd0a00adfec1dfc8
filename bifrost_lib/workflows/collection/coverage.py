"""Whether a collected chain is all of a market: ratios of what is only a part of it are not comparable with others."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pandas as pd

from bifrost_lib.analytics import MarketConditions

#: A chain with less of the open interest than this is a part of the market.
WHOLE_FROM = 0.9
CONTRACT = ["expiry", "strike", "right"]


def coverage(chain: pd.DataFrame, before: pd.DataFrame) -> float:
    """Return the share of the open interest of `before` whose contracts are in `chain`.

    Parameters
    ----------
    chain, before : DataFrame
        CHAIN_COLUMNS; `before` is the last chain of the session before. What has expired since does not count.

    Returns
    -------
    float
        0 to 1; NaN where nothing was open before.
    """
    living = before[(before["expiry"] >= chain["expiry"].min()).to_numpy()]
    there = living.merge(chain[CONTRACT].drop_duplicates(), on=CONTRACT, how="left", indicator=True)
    weight = there["open_interest"].fillna(0.0)
    return float(weight[(there["_merge"] == "both").to_numpy()].sum() / weight.sum()) if weight.sum() else nan


def without_partial_ratios(found: MarketConditions, chain: pd.DataFrame, before: pd.DataFrame) -> MarketConditions:
    """Return `found` without the ratios of puts to calls, if `chain` is only a part of what was open before.

    They add up contracts of all strikes and expiries, and shift when some of them are not collected.
    """
    share = coverage(chain, before)
    if not share < WHOLE_FROM:
        return found
    reason = f"the chain holds {share:.0%} of the open interest of the session before"
    reasons = found.reasons | {"put_call_volume": reason, "put_call_open_interest": reason}
    return replace(found, reasons=reasons, put_call_volume=nan, put_call_open_interest=nan)
