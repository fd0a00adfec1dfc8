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
    return download_link(records_csv(records), name=name, kind="text/csv", label="CSV")


def download_link(text: str, *, name: str, kind: str, label: str) -> str:
    """Return HTML: a link that saves `text` as the file `name` of the media type `kind`."""
    content = b64encode(text.encode()).decode("ascii")
    return (
        f"<a class='bf-link' download='{escape(name, quote=True)}' "
        f"href='data:{kind};charset=utf-8;base64,{content}'>{escape(label)}</a>"
    )


def link_off(label: str, *, why: str) -> str:
    """Return HTML: what stands where a link would be that cannot be followed now."""
    return f"<span class='bf-link bf-off' aria-disabled='true' title='{escape(why, quote=True)}'>{escape(label)}</span>"
