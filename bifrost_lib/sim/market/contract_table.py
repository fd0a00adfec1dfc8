"""Everything that pricing needs to know about the options of the synthetic market, as arrays with a row a contract."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import expiry_moment
from bifrost_lib.sim.market.ladders import Listed
from bifrost_lib.sim.market.noise import Keys, key_of, keys_at
from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_DTYPES: dict[str, type] = {
    "con_id": np.int64,
    "underlying": np.int64,
    "class_index": np.int64,
    "expiry": np.int64,
    "expiry_s": np.int64,
    "events": np.int64,
    "strike": np.float64,
    "is_call": np.bool_,
    "is_am": np.bool_,
    "is_round": np.bool_,
    "key": np.uint64,
}


class ContractTable:
    """Contracts ever listed since the market's start; rows are never moved or removed.

    `underlying` counts the market's underlyings, `class_index` the classes of one. `expiry` is a date ordinal,
    `expiry_s` epoch seconds. `events` counts the results published before the contract expires, since the beginning of
    the path. `is_round` marks strikes of the far ladder; `key` is that of the contract's random numbers.
    """

    con_id: Ints
    underlying: Ints
    class_index: Ints
    expiry: Ints
    expiry_s: Ints
    events: Ints
    strike: Floats
    is_call: Flags
    is_am: Flags
    is_round: Flags
    key: Keys

    def __init__(
        self, underlyings: Sequence[SimulatedUnderlying], published: Sequence[Sequence[int]], *, seed: int
    ) -> None:
        self._underlyings, self._published = underlyings, published
        self._keys = [key_of(seed, underlying.symbol, "contract") for underlying in underlyings]
        self._rows: dict[int, int] = {}
        self._expiry_seconds: dict[tuple[int, bool], int] = {}
        for name, dtype in _DTYPES.items():
            setattr(self, name, np.empty(0, dtype=dtype))

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, con_id: int) -> int | None:
        """Return the row of a contract, None if it was never listed."""
        return self._rows.get(con_id)

    def add(self, index: int, listed: Listed) -> Ints:
        """Append those of an underlying's contracts that are new, and return the rows of all."""
        known = self._rows
        ids = listed.con_id.tolist()
        new = np.array([con_id not in known for con_id in ids], dtype=np.bool_)
        if new.any():
            start, facts = len(known), self._facts(index, listed, new)
            for name, values in facts.items():
                setattr(self, name, np.concatenate([getattr(self, name), values.astype(_DTYPES[name])]))
            known.update(zip(facts["con_id"].tolist(), range(start, start + int(new.sum())), strict=True))
        return np.array([known[con_id] for con_id in ids], dtype=np.int64)

    def _facts(self, index: int, listed: Listed, new: Flags) -> dict[str, npt.NDArray[np.generic]]:
        underlying = self._underlyings[index]
        con_id, expiry, class_index = (column[new] for column in (listed.con_id, listed.expiry, listed.class_index))
        strike = listed.strike[new]
        is_am = (class_index == 0) & (underlying.monthly_settlement == "AM")
        expiry_s = self._moments(expiry, is_am)
        return {
            "con_id": con_id,
            "underlying": np.full(len(con_id), index),
            "class_index": class_index,
            "expiry": expiry,
            "expiry_s": expiry_s,
            "events": np.searchsorted(np.array(self._published[index]), expiry_s, side="left"),
            "strike": strike,
            "is_call": listed.is_call[new],
            "is_am": is_am,
            "is_round": np.isclose(strike % underlying.ladder.far_step, 0.0),
            "key": keys_at(self._keys[index], con_id),
        }

    def events_until(self, index: int, second: float) -> int:
        """Return how many results of an underlying had been published at `second`, to be taken from `events`."""
        return bisect_right(self._published[index], second)

    def _moments(self, expiry: Ints, is_am: Flags) -> Ints:
        unique, inverse = np.unique(expiry * 2 + is_am, return_inverse=True)
        return np.array([self._second(word // 2, bool(word % 2)) for word in unique.tolist()])[inverse]

    def _second(self, ordinal: int, is_am: bool) -> int:
        if (ordinal, is_am) not in self._expiry_seconds:
            moment = expiry_moment(date.fromordinal(ordinal), "AM" if is_am else "PM")
            self._expiry_seconds[ordinal, is_am] = int(moment.timestamp())
        return self._expiry_seconds[ordinal, is_am]
