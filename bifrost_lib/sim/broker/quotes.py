"""The quotes that one step of the broker works with, and how much of the displayed sizes it has already taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isnan, nan

from bifrost_lib.sim.broker.products import Product
from bifrost_lib.sim.exchange import Market

_COLUMNS = ("bid", "ask", "last", "bid_size", "ask_size", "mark", "open", "close", "volume")


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices per share (per unit of a combination), NaN where the exchange shows nothing; sizes in units."""

    bid: float = nan
    ask: float = nan
    last: float = nan
    bid_size: float = nan
    ask_size: float = nan
    mark: float = nan
    open: float = nan
    close: float = nan
    volume: float = nan
    halted: bool = False

    @property
    def mid(self) -> float:
        """Half way between bid and ask; NaN unless both are there."""
        return (self.bid + self.ask) / 2

    @property
    def reference(self) -> float:
        """The best single price: mark, else mid, last trade, previous close; NaN when all are missing."""
        return next((price for price in (self.mark, self.mid, self.last, self.close) if not isnan(price)), nan)


class QuoteSheet:
    """Quotes of one moment, asked for once per instrument."""

    def __init__(self, market: Market, con_ids: Iterable[int] = ()) -> None:
        self._market = market
        self._known: dict[int, Quote] = {}
        self._taken: dict[tuple[int, bool], float] = {}
        self._load(sorted(set(con_ids)))

    def quote(self, con_id: int) -> Quote:
        """Return the quote of an instrument; one without any price when the market shows none."""
        if con_id not in self._known:
            self._load([con_id])
        return self._known[con_id]

    def take(self, con_id: int, *, asks: bool, size: float) -> None:
        """Remember that `size` of what is displayed was traded, so that no other order trades it again."""
        self._taken[con_id, asks] = self._taken.get((con_id, asks), 0.0) + size

    def displayed(self, con_id: int, *, asks: bool) -> float:
        """Return what is left of the displayed size; a size that is not shown limits nothing."""
        quote = self.quote(con_id)
        size = quote.ask_size if asks else quote.bid_size
        return inf if isnan(size) else max(size - self._taken.get((con_id, asks), 0.0), 0.0)

    def product_quote(self, product: Product) -> Quote:
        """Return the quote of a product; a combination's is made of its legs' and has no trades of its own."""
        if not product.is_combo:
            con_id = product.con_ids[0]
            quote = self.quote(con_id)
            return Quote(
                _shown(quote.bid), _shown(quote.ask), quote.last, self.displayed(con_id, asks=False),
                self.displayed(con_id, asks=True), quote.reference, quote.open, quote.close, quote.volume, quote.halted,
            )  # fmt: skip
        bid = ask = reference = close = 0.0
        bid_size = ask_size = inf
        for leg in product.legs:
            con_id, ratio = leg.instrument.con_id, leg.ratio
            quote = self.quote(con_id)
            buys, sells = (
                (_shown(quote.ask), _shown(quote.bid)) if ratio > 0 else (_shown(quote.bid), _shown(quote.ask))
            )
            ask, bid = ask + ratio * buys, bid + ratio * sells
            reference, close = reference + ratio * quote.reference, close + ratio * quote.close
            ask_size = min(ask_size, self.displayed(con_id, asks=ratio > 0) / abs(ratio))
            bid_size = min(bid_size, self.displayed(con_id, asks=ratio < 0) / abs(ratio))
        halted = any(self.quote(con_id).halted for con_id in product.con_ids)
        return Quote(bid, ask, nan, bid_size, ask_size, reference, nan, close, nan, halted)

    def _load(self, con_ids: list[int]) -> None:
        if not con_ids:
            return
        try:
            board = self._market.quotes(con_ids)
        except KeyError:
            # One of them is no longer listed: the others still have quotes.
            if len(con_ids) == 1:
                self._known[con_ids[0]] = Quote()
            else:
                for con_id in con_ids:
                    self._load([con_id])
            return
        columns = [board.values[name].tolist() for name in _COLUMNS]
        halted = (board.values["halted"] == 1.0).tolist()
        for con_id, *row in zip(con_ids, *columns, halted, strict=True):
            self._known[con_id] = Quote(*row)


def _shown(price: float) -> float:
    # A bid or ask of 0 says that nobody bids or offers.
    return price if price > 0 else nan
