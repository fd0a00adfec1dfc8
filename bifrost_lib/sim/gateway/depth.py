"""Order books: the best quote, and rows behind it that follow from it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from bifrost_lib.sim.gateway.feed import Union
from bifrost_lib.sim.gateway.registry import Refusal, handles
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import CancelMktDepth, MarketDepth, MarketDepthL2, ReqMktDepth

PERIOD_S = 0.25
MOST_ROWS = 20
INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1
Row = tuple[float, float, str]


@dataclass
class Book:
    """One client's view of an order book: for each side the rows that it was told."""

    req_id: int
    instrument: Instrument
    rows: int
    is_smart: bool
    told: dict[int, list[Row]] = field(default_factory=lambda: {ASK: [], BID: []})

    def forget(self) -> None:
        """Begin anew."""
        self.told = {ASK: [], BID: []}


@handles(ReqMktDepth)
def subscribe(session: Session, message: ReqMktDepth) -> None:
    """Begin an order book."""
    gateway = session.gateway
    instrument = gateway.index.one(message.contract)
    if instrument.sec_type == "IND":
        raise Refusal(10092)
    if ("depth", message.req_id) in session.repeated:
        raise Refusal(322, kind="duplicate")
    opened = sum(kind == "depth" for each in gateway.sessions for kind, _ in each.repeated)
    if gateway.limits.enforced and opened >= gateway.limits.depth:
        raise Refusal(309)
    rows = min(message.num_rows if message.num_rows > 0 else 5, MOST_ROWS)
    book = Book(message.req_id, instrument, rows, message.is_smart)
    session.books[message.req_id] = book
    tell(session, book)
    session.repeat("depth", message.req_id, PERIOD_S, lambda: tell(session, book), is_market_data=True)


@handles(CancelMktDepth)
def unsubscribe(session: Session, message: CancelMktDepth) -> None:
    """End an order book."""
    session.books.pop(message.req_id, None)
    if not session.stop("depth", message.req_id):
        raise Refusal(310, f"Can't find the subscribed market depth with tickerId:{message.req_id}")


def tell(session: Session, book: Book) -> None:
    """Send the rows that changed since the client was told."""
    if not session.gateway.faults.data_flows:
        return
    union = Union([book.instrument])
    gateway = session.gateway
    values = gateway.faults.quotes.seen(union.instruments, gateway.market.quotes(union.con_ids)).board.values
    for side, name in ((ASK, "ask"), (BID, "bid")):
        price, size = float(values[name][0]), float(values[f"{name}_size"][0])
        fresh = _rows(book, side, price, size) if size > 0 else []
        _send_changes(session, book, side, fresh)


def _rows(book: Book, side: int, price: float, size: float) -> list[Row]:
    tick, away = book.instrument.min_tick, 1 if side == ASK else -1
    exchanges = [name for name in book.instrument.valid_exchanges if name != "SMART"] or [book.instrument.exchange]
    rows = []
    for place in range(book.rows):
        at = round(price + away * place * tick, 6)
        # Sizes behind the best price belong to the price, so that a row keeps its size while the book moves.
        drawn = zlib.crc32(f"{book.instrument.con_id}:{side}:{at}".encode())
        depth = size if place == 0 else float(max(1, round(size * (0.5 + (drawn % 1000) / 500))))
        if at > 0:
            rows.append((at, depth, exchanges[drawn % len(exchanges)]))
    return rows


def _send_changes(session: Session, book: Book, side: int, fresh: list[Row]) -> None:
    told = book.told[side]
    send = _sender(session, book, side)
    for place, row in enumerate(fresh):
        if place >= len(told):
            send(place, INSERT, row)
        elif told[place] != row:
            send(place, UPDATE, row)
    for place in range(len(told) - 1, len(fresh) - 1, -1):
        send(place, DELETE, (0.0, 0.0, told[place][2]))
    book.told[side] = fresh


def _sender(session: Session, book: Book, side: int) -> Callable[[int, int, Row], None]:
    def send(place: int, operation: int, row: Row) -> None:
        price, size, maker = row
        if book.is_smart:
            session.send(MarketDepthL2(book.req_id, place, maker, operation, side, price, size, True))
        else:
            session.send(MarketDepth(book.req_id, place, operation, side, price, size))

    return send
