"""LEAN option archives as quotes: quotes, trades and open interest joined, spot from the underlying's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.contracts import class_convention
from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.vocabulary import SETTLEMENTS, STYLES
from bifrost_lib.feeds.delimited import DelimitedReader
from bifrost_lib.feeds.detection import Header
from bifrost_lib.feeds.draft import Context
from bifrost_lib.feeds.lean_names import Archive, parse_archive
from bifrost_lib.feeds.lean_rows import Contracts, LeanRows, day_of, read_archive
from bifrost_lib.feeds.ordering import BATCH_ROWS, sort_quotes
from bifrost_lib.feeds.quotes import Array, Listing, Quotes, empty_quotes, to_frame
from bifrost_lib.feeds.records import Batch, Reject
from bifrost_lib.feeds.streams import ByteSource
from bifrost_lib.feeds.underlying import Underlying

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_QUOTE, _TRADE, _OPEN_INTEREST = 0, 1, 2
_KIND = {"quote": _QUOTE, "trade": _TRADE, "openinterest": _OPEN_INTEREST}
_VALUES = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "open_interest")


@kernel()
def _carry(
    contract: Longs, day: Longs, ts: Longs, kind: Longs, values: Floats, has_trades: bool, first: npt.NDArray[np.bool_]
) -> None:
    # Rows sorted by contract, ts, kind. Fills `values` (bid ask bid_size ask_size last volume open_interest) in place
    # with what is known at each row, and marks in `first` the row of each (contract, ts) that holds all of it.
    known = np.full(7, np.nan)
    i, n = 0, contract.size
    while i < n:
        if i == 0 or contract[i] != contract[i - 1] or day[i] != day[i - 1]:
            known[:] = np.nan
            known[5] = 0.0 if has_trades else np.nan
            k = i
            while k < n and contract[k] == contract[i] and day[k] == day[i]:
                if kind[k] == 2:
                    known[6] = values[k, 6]
                k += 1
        k = i
        while k < n and contract[k] == contract[i] and ts[k] == ts[i]:
            if kind[k] == 0:
                for side in range(2):
                    if not np.isnan(values[k, side]):
                        known[side], known[side + 2] = values[k, side], values[k, side + 2]
            elif kind[k] == 1:
                known[4] = values[k, 4]
                known[5] += 0.0 if np.isnan(values[k, 5]) else values[k, 5]
            k += 1
        first[i] = True
        values[i] = known
        i = k


class LeanReader:
    """Reads one set of option archives: the quotes with the trades and open interest beside them."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._parts = [(path, archive) for path in parts if (archive := parse_archive(path)) is not None]
        self._listing = Listing()
        self._contracts = Contracts()

    def batches(self) -> Iterator[Batch]:
        """Yield the set's quotes, as described at `Batch`."""
        rejects: list[Reject] = []
        pieces: list[tuple[Archive, dict[str, Array]]] = []
        resolution = ""
        for path, archive in self._parts:
            read = read_archive(path, archive, self._contracts)
            columns, repeated = _without_repeats(read)
            rejects += read.rejects + repeated
            if archive.kind == "openinterest" and pieces:
                columns, unmatched = _matched(columns, [known for _, known in pieces], read.members)
                rejects += unmatched
            pieces.append((archive, columns))
            resolution = resolution or read.resolution
        rows = _joined(pieces)
        del pieces, read, columns
        contracts = self._contract_columns()
        total = max(len(rows["ts"]), 1)
        begin = 0
        for end in _cuts(rows["ts"]):
            quotes = self._quotes(rows, slice(begin, end), contracts, resolution)
            frame = to_frame(sort_quotes(quotes, self._listing)[0], self._listing)
            yield Batch(frame, len(frame) + len(rejects), rejects, end / total)
            begin, rejects = end, []

    def _contract_columns(self) -> dict[str, Array]:
        found = self._contracts.list
        conventions = [class_convention(contract.name) for contract in found]
        return {
            "trading_class": np.array([self._listing.classes.code(each.name) for each in found], dtype=np.int32),
            "symbol": np.array([self._listing.symbols.code(each.symbol) for each in conventions], dtype=np.int32),
            "settlement": np.array([SETTLEMENTS.index(each.settlement) for each in conventions], dtype=np.int8),
            "style": np.array([STYLES.index(each.style) for each in found], dtype=np.int8),
            "is_call": np.array([each.is_call for each in found], dtype=bool),
            "strike": np.array([each.strike for each in found], dtype=np.float64),
            "expiry": np.array([each.expiry for each in found], dtype=np.int32),
        }

    def _quotes(self, rows: dict[str, Array], part: slice, contracts: dict[str, Array], resolution: str) -> Quotes:
        ts, contract = rows["ts"][part], rows["contract"][part]
        quotes = empty_quotes(len(ts))
        quotes["ts"], quotes["multiplier"][:] = ts, 100.0
        for name, values in contracts.items():
            quotes[name] = values[contract]
        for column, name in enumerate(_VALUES):
            quotes[name] = rows["values"][part, column]
        for code in np.unique(quotes["symbol"]).tolist():
            mine = quotes["symbol"] == code
            underlying = self._underlying(self._listing.symbols.names[code])
            distinct, place = np.unique(ts[mine], return_inverse=True)
            quotes["spot"][mine] = underlying.spots(distinct, resolution)[place]
        return quotes

    def _underlying(self, symbol: str) -> Underlying:
        path = self._parts[0][0]
        is_index = "indexoption" in [part.lower() for part in path.absolute().parts]
        return Underlying(path, symbol, is_index=is_index)


def _without_repeats(rows: LeanRows) -> tuple[dict[str, Array], list[Reject]]:
    # Rows in the order of contract and moment; a later row of the same contract and moment is refused.
    columns = rows.columns
    order = np.lexsort((np.arange(len(columns["ts"])), columns["ts"], columns["contract"]))
    if not np.array_equal(order, np.arange(len(order))):
        columns = {name: values[order] for name, values in columns.items()}
    same = (columns["contract"][1:] == columns["contract"][:-1]) & (columns["ts"][1:] == columns["ts"][:-1])
    if rows.resolution == "tick":
        # Ticks of one millisecond are one observation: each side's last quote, and all that was traded.
        return columns, []
    later = np.flatnonzero(same) + 1
    if not len(later):
        return columns, []
    words = [name for name in _VALUES if name in columns]
    rejects = []
    for row in later.tolist():
        equal = all(np.array_equal(columns[w][row], columns[w][row - 1], equal_nan=True) for w in words)
        text = ",".join(f"{word}={columns[word][row]:g}" for word in words)
        moment = np.datetime64(int(columns["ts"][row]), "us")
        reason = "duplicate" if equal else "conflicting_duplicate"
        text = f"known at {moment}Z {text} (first on line {columns['line'][row - 1]})"
        rejects.append(Reject(int(columns["line"][row]), rows.members[columns["member"][row]], reason, text))
    keep = np.concatenate(([True], ~same))
    return {name: values[keep] for name, values in columns.items()}, rejects


def _joined(pieces: list[tuple[Archive, dict[str, Array]]]) -> dict[str, Array]:
    # One row per contract and moment of any archive, in time order.
    count = sum(len(columns["ts"]) for _, columns in pieces)
    values = np.full((count, len(_VALUES)), np.nan)
    kind = np.empty(count, dtype=np.int64)
    begin = 0
    for archive, columns in pieces:
        end = begin + len(columns["ts"])
        kind[begin:end] = _KIND[archive.kind]
        for place, name in enumerate(_VALUES):
            if name in columns:
                values[begin:end, place] = columns[name]
        begin = end
    keys = {
        name: np.concatenate([columns[name].astype(np.int64) for _, columns in pieces])
        for name in ("contract", "ts", "day")
    }
    order = np.lexsort((kind, keys["ts"], keys["contract"]))
    keys = {name: each[order] for name, each in keys.items()}
    kind, values = kind[order], values[order]
    first = np.zeros(count, dtype=bool)
    has_trades = any(archive.kind == "trade" for archive, _ in pieces)
    _carry(keys["contract"], keys["day"], keys["ts"], kind, values, has_trades, first)
    keep = first & ~_only_interest(kind, first) if len(pieces) > 1 else first
    kept = {name: each[keep] for name, each in keys.items()} | {"values": values[keep]}
    order = np.argsort(kept["ts"], kind="stable")
    return {name: each[order] for name, each in kept.items()}


def _matched(
    interest: dict[str, Array], others: list[dict[str, Array]], members: list[str]
) -> tuple[dict[str, Array], list[Reject]]:
    # Open interest goes with the quotes and trades of its session; that of a contract without any is refused, since
    # alone it would pass for the newest chain: OPRA's goes on for weeks after a split has ended its contracts.
    keys = [each["contract"].astype(np.int64) << 20 | each["day"] for each in (interest, *others)]
    matched = np.isin(keys[0], np.concatenate(keys[1:]))
    rejects = [
        Reject(
            int(interest["line"][row]),
            members[interest["member"][row]],
            "unmatched_open_interest",
            f"{day_of(int(interest['day'][row]))} open_interest={interest['open_interest'][row]:g}",
        )
        for row in np.flatnonzero(~matched).tolist()
    ]
    return {name: values[matched] for name, values in interest.items()}, rejects


def _only_interest(kind: Array, first: Array) -> Array:
    # Moments at which nothing but open interest became known; it is on the session's quotes and trades.
    lone: Array = np.zeros(len(kind), dtype=bool)
    starts = np.flatnonzero(first)
    if len(starts):
        lone[starts] = np.minimum.reduceat(kind, starts) == _OPEN_INTEREST
    return lone


def _cuts(ts: Longs) -> Iterator[int]:
    # Ends of slices of about BATCH_ROWS rows that hold whole moments; one empty slice when there is nothing.
    begin = 0
    while begin < len(ts):
        last = min(begin + BATCH_ROWS, len(ts)) - 1
        end = int(np.searchsorted(ts, ts[last], side="right"))
        yield end
        begin = end
    if not len(ts):
        yield 0


class UniverseReader(DelimitedReader):
    """Reads a universe file: an end-of-day chain whose first line is the underlying."""

    def _context(self, stream: ByteSource, part: int) -> tuple[Header, Context]:
        header, context = super()._context(stream, part)
        line, _, rest = header.rest.partition(b"\n")
        cells = [cell.strip() for cell in line.decode("utf-8", "replace").split(",")]
        close = [cell.lower() for cell in header.plan.header].index("close")
        is_underlying = cells[0] == "" if header.plan.header[0].startswith("#") else " " not in cells[1]
        if len(cells) == len(header.plan.header) and is_underlying:
            spot = _positive(cells[close])
            header = replace(header, rest=rest, line=header.line + 1)
            context.mapping = replace(context.mapping, constants={**context.mapping.constants, "spot": spot})
        return header, context


def _positive(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if 0 < value < float("inf") else np.nan
