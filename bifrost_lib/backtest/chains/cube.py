"""The chain cube: the option history of one symbol as flat arrays, cut by time, without any reading or writing.

A *session* is a day of the exchange, a *moment* a time at which the chain is known, a *group* the strikes of one
expiry, class and multiplier, and a *row* one contract on one session with a quote for each of its moments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]

#: Bits of `ChainCube.flags`: the quote can be believed, so that a leg is marked and closed on it; and it may become a
#: leg, which takes two sides.
BELIEVABLE, FIT = 1, 2

#: name -> dtype of the arrays that every cube has.
LAYOUT: dict[str, str] = {
    **{"session_day": "int32", "session_moment": "int64", "open_spot": "float64", "close_spot": "float64"},
    **{"moment_us": "int64", "spot": "float64"},
    **{"expiry_day": "int32", "expires_us": "int64", "strike": "float64", "is_call": "bool", "is_am": "bool"},
    **{"is_american": "bool", "multiplier": "float64", "group": "int32", "class_code": "int16", "group_first": "int64"},
    **{"session_row": "int64", "row_contract": "int32", "row_quote": "int64"},
    **{"bid": "float64", "ask": "float64", "delta": "float32", "flags": "uint8"},
    **{"sg_session": "int32", "sg_group": "int32", "sg_row": "int64", "sg_forward_start": "int64"},
    **{"forward": "float64", "split_day": "int32", "split_ratio": "float64"},
    **{"dividend_day": "int32", "dividend": "float64"},
}
#: What was learnt of earnings; empty where nothing is known of them.
EARNINGS: dict[str, str] = {
    **{"earnings_day": "int32", "earnings_time": "int8", "earnings_event": "int32", "earnings_known_us": "int64"},
}
#: Instead of a day in `earnings_day`: none is expected.
NO_DAY = np.iinfo(np.int32).min
#: Figures of quotes that a cube may lack.
OPTIONAL: tuple[str, ...] = ("iv", "gamma", "vega", "theta", "open_interest", "volume")
#: Arrays with one number a quote.
QUOTES = ("bid", "ask", "delta", "flags", *OPTIONAL)


@dataclass(frozen=True, eq=False)
class ChainCube:
    """The chain of one symbol over many moments; S sessions, M moments, C contracts, G groups, R rows, Q quotes.

    Parameters
    ----------
    symbol : str
    classes : tuple of str
        What `class_code` stands for.
    session_day : int32 (S,)
        Days since 1970-01-01, ascending.
    session_moment : int64 (S + 1,)
        Session s has the moments [session_moment[s], session_moment[s + 1]).
    open_spot, close_spot : float64 (S,)
        What AM and PM settlements are formed at; NaN where not known.
    moment_us, spot : int64, float64 (M,)
        UTC microseconds, ascending, and the price of the underlying; NaN where not known.
    expiry_day, expires_us, strike, is_call, is_am, is_american, multiplier, group, class_code : (C,)
        Contracts, sorted by expiry, class, multiplier, right (calls first) and strike.
    group_first : int64 (G + 1,)
        Group g has the contracts [group_first[g], group_first[g + 1]).
    session_row, row_contract, row_quote : (S + 1,), (R,), (R,)
        One row for each session and contract seen on it, sorted so. Its quote at moment m of session s is at
        ``row_quote[r] + m - session_moment[s]``.
    bid, ask, delta, flags : (Q,)
        NaN where missing; `flags` are `BELIEVABLE` and `FIT`. A bid is 0 where somebody asks and nobody bids: that is
        a quote, at which a contract can be bought, and be sold for nothing.
    sg_session, sg_group, sg_row, sg_forward_start : (N,), (N,), (N + 1,), (N,)
        One entry for each session and group seen on it: its rows, and where its forwards start.
    forward : float64
        One for each entry and moment of its session; NaN where not known.
    split_day, split_ratio, dividend_day, dividend : (n,)
        First day without the right to it; new shares per old one, cash per share.
    conditions : dict of float64 (S,)
        Columns of ``market_conditions`` as they were known on each session.
    earnings_day, earnings_time, earnings_event, earnings_known_us : (n,)
        Each thing that was learnt of an earnings report, in that order: its day (`NO_DAY`: none is expected), its place
        in ``EARNINGS_TIMES``, the event that it is about, and when it was learnt. The last word on an event counts.
    iv, gamma, vega, theta, open_interest, volume : float32 (Q,), optional
    known_sha256 : str
        The digest of the contents where whoever stored them knows it already.

    Notes
    -----
    Arrays may be memory maps: they are neither copied nor read as a whole before somebody asks for `sha256`.
    """

    symbol: str
    classes: tuple[str, ...]
    session_day: Array
    session_moment: Array
    open_spot: Array
    close_spot: Array
    moment_us: Array
    spot: Array
    expiry_day: Array
    expires_us: Array
    strike: Array
    is_call: Array
    is_am: Array
    is_american: Array
    multiplier: Array
    group: Array
    class_code: Array
    group_first: Array
    session_row: Array
    row_contract: Array
    row_quote: Array
    bid: Array
    ask: Array
    delta: Array
    flags: Array
    sg_session: Array
    sg_group: Array
    sg_row: Array
    sg_forward_start: Array
    forward: Array
    split_day: Array
    split_ratio: Array
    dividend_day: Array
    dividend: Array
    conditions: Mapping[str, Array] = field(default_factory=dict)
    earnings_day: Array = field(default_factory=partial(np.empty, 0, dtype=np.int32))
    earnings_time: Array = field(default_factory=partial(np.empty, 0, dtype=np.int8))
    earnings_event: Array = field(default_factory=partial(np.empty, 0, dtype=np.int32))
    earnings_known_us: Array = field(default_factory=partial(np.empty, 0, dtype=np.int64))
    iv: Array | None = None
    gamma: Array | None = None
    vega: Array | None = None
    theta: Array | None = None
    open_interest: Array | None = None
    volume: Array | None = None
    known_sha256: str = ""

    def __post_init__(self) -> None:
        for name, kind in (LAYOUT | EARNINGS).items():
            if (found := getattr(self, name)).dtype != np.dtype(kind):
                raise InputError(f"cube.{name}", str(found.dtype), f"dtype {kind}")
        sizes = {name: len(one) for name in QUOTES if (one := getattr(self, name)) is not None}
        if len(set(sizes.values())) > 1:
            raise InputError("cube", sizes, "arrays of quotes of one size")
        if len({len(getattr(self, name)) for name in EARNINGS}) > 1 or (np.diff(self.earnings_known_us) < 0).any():
            raise InputError("cube.earnings_known_us", self.earnings_known_us, "what was learnt of earnings, in order")
        for name, one in self.conditions.items():
            if len(one) != self.sessions:
                raise InputError(f"cube.conditions[{name!r}]", len(one), f"{self.sessions} numbers")

    @classmethod
    def from_frame(
        cls,
        chain: pd.DataFrame,
        *,
        symbol: str,
        actions: pd.DataFrame | None = None,
        conditions: pd.DataFrame | None = None,
        prices: pd.DataFrame | None = None,
        earnings: pd.DataFrame | None = None,
    ) -> ChainCube:
        """Lay out a frame of quotes of many moments as a cube.

        Parameters
        ----------
        chain : DataFrame
            One row a quote: `expiry`, `strike`, `right`, `bid`, `ask`, and when it was known: `moment` (of the whole
            chain, aware), else `ts` (aware), else `date` (at that session's close). Used where present: `delta`,
            `spot`, `quality`, `forward`, `trading_class`, `multiplier`, `settlement`, `style`, `iv`, `gamma`, `vega`,
            `theta`, `open_interest`, `volume`. What ``store.option_chain`` returns for many moments can be put
            together and given as it is, with the moment of each.
        symbol : str
        actions : DataFrame, optional
            `ex_date`, `kind` ("split", "dividend"), `value`.
        conditions : DataFrame, optional
            `ts` (aware) and columns of ``market_conditions``: a session has those known at its first moment.
        prices : DataFrame, optional
            `date`, `open`, `close` of the underlying, for settlements. Default: the first and last spot of a session.
        earnings : DataFrame, optional
            `fiscal_period`, `report_date` (NaT: none is expected), `time_of_day`, `known_at` (aware): each thing that
            was learnt of a report, of one moment the last word last, as ``store.earnings_announcements`` returns all
            versions.

        Raises
        ------
        InputError
            If a column is missing or of another kind, or a contract has two quotes at one moment.
        """
        from bifrost_lib.backtest.chains.cube_frames import lay_out

        return cls(**lay_out(chain, symbol, actions=actions, conditions=conditions, prices=prices, earnings=earnings))

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self.session_day)

    @property
    def start(self) -> date:
        """The first session."""
        return self.day(0)

    @property
    def end(self) -> date:
        """The last session."""
        return self.day(-1)

    def day(self, session: int) -> date:
        """Return the date of a session."""
        found: date = np.datetime64(int(self.session_day[session]), "D").item()
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for _, array in self.arrays())

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield the name and contents of every array, conditions as ``conditions.NAME``, always in the same order.

        What may be missing, and is, is left out: a cube without earnings has the digest that it always had.
        """
        for name in (*LAYOUT, *OPTIONAL):
            if (array := getattr(self, name)) is not None:
                yield name, array
        for name in EARNINGS if len(self.earnings_day) else ():
            yield name, getattr(self, name)
        for name in sorted(self.conditions):
            yield f"conditions.{name}", self.conditions[name]

    @cached_property
    def sha256(self) -> str:
        """Digest of the contents; the same contents have the same, wherever they lie."""
        if self.known_sha256:
            return self.known_sha256
        told = hashlib.sha256(f"{self.symbol} {' '.join(self.classes)}".encode())
        for name, array in self.arrays():
            told.update(f"\n{name} {array.dtype.str} {len(array)}\n".encode())
            told.update(np.ascontiguousarray(array).view(np.uint8).data)
        return told.hexdigest()

    def sessions_between(self, start: date | None = None, end: date | None = None) -> slice:
        """Return which sessions lie from `start` to `end`, both included; `InputError` if none does."""
        first = 0 if start is None else int(np.searchsorted(self.session_day, _days(start)))
        last = self.sessions if end is None else int(np.searchsorted(self.session_day, _days(end), side="right"))
        if first >= last:
            raise InputError("start", (start, end), f"a range with sessions of {self.symbol}: {_span(self)}")
        return slice(first, last)

    def between(self, start: date | None = None, end: date | None = None) -> ChainCube:
        """Return the cube of the sessions from `start` to `end`, both included.

        Nothing later remains in any array: contracts that were not seen by then, and later splits, dividends,
        conditions and news of earnings are gone. Contracts of earlier sessions alone are gone too.

        Raises
        ------
        InputError
            If no session lies between them.
        """
        chosen = self.sessions_between(start, end)
        first, last = chosen.start, chosen.stop
        later = max(self.split_day.max(initial=0), self.dividend_day.max(initial=0))
        is_whole = (first, last) == (0, self.sessions) and later <= self.session_day[-1]
        is_whole = is_whole and self.earnings_known_us.max(initial=self.moment_us[-1]) <= self.moment_us[-1]
        if is_whole:
            return self
        from bifrost_lib.backtest.chains.cube_cut import cut

        return cut(self, first, last)

    def contract_words(self, contract: int) -> str:
        """Return a contract as text: class, expiry, strike and right."""
        expiry = np.datetime64(int(self.expiry_day[contract]), "D")
        right = "C" if self.is_call[contract] else "P"
        return f"{self.classes[self.class_code[contract]]} {expiry} {self.strike[contract]:g}{right}"

    def __repr__(self) -> str:
        return f"<ChainCube {self.symbol} {_span(self)}: {len(self.row_contract):,} rows, {len(self.bid):,} quotes>"


def nobody_bids(bid: Array, ask: Array) -> Array:
    """Return where there is an ask and no bid, missing or 0."""
    return np.asarray(np.isfinite(ask) & (ask > 0) & ~(bid > 0) & ~(bid < 0))


def _span(cube: ChainCube) -> str:
    return f"{cube.start} to {cube.end}, {cube.sessions} sessions" if cube.sessions else "empty"


def _days(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
