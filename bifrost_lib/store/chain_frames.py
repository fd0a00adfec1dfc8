"""Rows of contracts as a frame in the vocabulary's words, sorted as a chain is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import SECONDS_PER_YEAR
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS, RIGHTS, SETTLEMENTS, STYLES, VENDOR_COLUMNS
from bifrost_lib.store.columns import DATA_TYPES, VALUE_COLUMNS, VENDOR_VALUES
from bifrost_lib.store.contract_book import ContractBook
from bifrost_lib.store.selection import ChosenRows
from bifrost_lib.store.sessions import session_days

Int64s = npt.NDArray[np.int64]


def chain_frame(rows: ChosenRows, book: ContractBook, places: Int64s, symbol: str) -> pd.DataFrame:
    """Return the rows as CHAIN_COLUMNS, and VENDOR_COLUMNS if they have them, by expiry, strike, right and class.

    `places` is where each row's contract is in the book.
    """
    contract = {
        name: book.column(name)[places] for name in ("strike", "multiplier", "is_call", "expiry_day", "class_no")
    }
    order = np.lexsort((contract["class_no"], ~contract["is_call"], contract["strike"], contract["expiry_day"]))
    places = places[order]
    contract = {name: column[order] for name, column in contract.items()}
    ts = rows.ts_us[order]
    names = (*VALUE_COLUMNS, *VENDOR_VALUES)[: len(rows.values)]
    values = {name: rows.values[place][order] for place, name in enumerate(names)}
    columns: dict[str, Any] = {
        "ts": pd.DatetimeIndex(ts.astype("datetime64[us]"), tz="UTC"),
        "symbol": _labels(np.zeros(len(ts), dtype=np.int8), (symbol,)),
        "trading_class": _classes(contract["class_no"], book),
        "expiry": contract["expiry_day"].astype("datetime64[D]").astype("datetime64[s]"),
        "strike": contract["strike"],
        "right": _labels((~contract["is_call"]).astype(np.int8), RIGHTS),
        "style": _labels((~book.column("is_american")[places]).astype(np.int8), STYLES),
        "settlement": _labels(book.column("is_am")[places].astype(np.int8), SETTLEMENTS),
        "multiplier": contract["multiplier"],
        **values,
        "quality": _labels(rows.codes[0][order], QUALITY_LABELS),
        "mid": (values["bid"] + values["ask"]) / 2,
        "tau": (book.column("expires_us")[places] - ts) / (SECONDS_PER_YEAR * 1e6),
        "dte": contract["expiry_day"] - session_days(ts),
    }
    wanted = CHAIN_COLUMNS
    if len(rows.codes) > 1:
        columns["market_data_type"] = _labels(rows.codes[1][order], DATA_TYPES)
        wanted = (*CHAIN_COLUMNS, *VENDOR_COLUMNS)
    return pd.DataFrame({name: columns[name] for name in wanted}, copy=False)


def _labels(codes: npt.NDArray[Any], words: Sequence[str]) -> Any:
    return pd.Categorical.from_codes(codes, categories=pd.Index(words))


def _classes(numbers: Int64s, book: ContractBook) -> Any:
    used, codes = np.unique(numbers, return_inverse=True)
    return _labels(codes, [book.classes[number] for number in used])
