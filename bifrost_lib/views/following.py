"""Which pages open on the underlying that another one shows."""

from __future__ import annotations

from urllib.parse import urlencode

_FOLLOWING = ("/strategy_finder/", "/strategy_builder/", "/chain/", "/history/")


def follows(href: str) -> bool:
    """Tell whether the page at `href` reads in its address what to show."""
    return href.endswith(_FOLLOWING)


def symbol_query(symbol: str) -> str:
    """Return what such a page's address says of an underlying."""
    return urlencode({"symbol": symbol})
