"""What a reader can take away."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from html import escape

from bifrost_lib.views.columns import Record, records_csv


def csv_link(records: Sequence[Record], *, symbol: str, strategy: str, as_of: datetime) -> str:
    """Return HTML: a link that downloads `records` as CSV; the data lies in the link, so no server is asked."""
    name = f"{symbol}_{strategy}_{as_of:%Y-%m-%dT%H%MZ}.csv"
    content = b64encode(records_csv(records).encode()).decode("ascii")
    return (
        f"<a class='bf-link' download='{escape(name)}' href='data:text/csv;charset=utf-8;base64,{content}'>"
        "Download CSV</a>"
    )
