"""The past entries of a document in one part of the stored history."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.past_entries import past_entries


def study_entries(
    desk: Desk, symbol: str, document: StrategyDocument, *, first: date | None = None, until: date | None = None
) -> pd.DataFrame:
    """Return the best candidate of each stored session from `first` to the one before `until`, and what became of it.

    Parameters
    ----------
    desk : Desk
    symbol : str
    document : StrategyDocument
    first : date, optional
        First session of entry. Default: a year before the end.
    until : date, optional
        Nothing of this day or later is looked at, also not for how an entry ended: one that was held into it has no
        result. Default: all that is stored is known.

    Returns
    -------
    DataFrame
        See `store.document_outcomes`: the newest session is not entered, because nothing is known of what followed.

    Raises
    ------
    NoDataError
        If nothing is stored of the symbol.
    """
    if until is None:
        at = store.latest_moment(desk.store.engine, symbol.upper())
    else:
        at = datetime.combine(until, time.min, EXCHANGE_TZ).astimezone(UTC)
    entries = past_entries(desk, symbol, document, at=at)
    if first is not None:
        entries = entries[entries["session"] >= first].reset_index(drop=True)
    return entries
