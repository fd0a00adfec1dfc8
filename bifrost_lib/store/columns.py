"""Which columns the tables have, named, typed and explained by the vocabulary."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bifrost_lib.core.vocabulary import MARKET_DATA_TYPES, SNAPSHOT_COLUMNS, VENDOR_COLUMNS, VOCABULARY

#: What tells one contract from another, beside its underlying. An adjusted contract differs by class or multiplier.
CONTRACT_COLUMNS = ("trading_class", "expiry", "strike", "right", "style", "settlement", "multiplier")

#: The numbers of a snapshot, in the vocabulary's order; all may be missing.
VALUE_COLUMNS: tuple[str, ...] = tuple(
    name
    for name in SNAPSHOT_COLUMNS
    if VOCABULARY[name].dtype == "float64" and name not in (*CONTRACT_COLUMNS, "multiplier")
)

#: Columns of `option_snapshots` in the table's order: eight-byte ones first, so that no byte is lost to alignment.
STORED_COLUMNS: tuple[str, ...] = (
    *("ts", *VALUE_COLUMNS, "stock_id", "contract_id", "file_id", "quality"),
    *VENDOR_COLUMNS,
)

#: What a collector's rows have besides: the vendor's numbers, and what kind of market data it sent.
VENDOR_VALUES: tuple[str, ...] = tuple(name for name in VENDOR_COLUMNS if VOCABULARY[name].dtype == "float64")
DATA_TYPES: tuple[str, ...] = tuple(MARKET_DATA_TYPES.values())

_TYPES: dict[str, Any] = {
    "float64": sa.Double,
    "int64": sa.BigInteger,
    "category": sa.Text,
    "datetime64[us, UTC]": postgresql.TIMESTAMP(timezone=True),
    "datetime64[s]": sa.Date,
}


def explain(name: str) -> str:
    """Return the comment of a column that is a word of the vocabulary: its meaning, and its unit if it has one."""
    term = VOCABULARY[name]
    return f"{term.help} [{term.unit}]" if term.unit else term.help


def word(name: str, *, required: bool = False, kind: Any = None) -> sa.Column[Any]:
    """Return a new column named, typed and explained by the vocabulary."""
    return sa.Column(name, kind or _TYPES[VOCABULARY[name].dtype], nullable=not required, comment=explain(name))


def own(name: str, kind: Any, comment: str, *constraints: Any, required: bool = True) -> sa.Column[Any]:
    """Return a new column for what is the store's own business and no word of the vocabulary."""
    return sa.Column(name, kind, *constraints, nullable=not required, comment=comment)
