"""How much options trade and how many are open, session by session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import SECONDS_PER_YEAR
from bifrost_lib.sim.market.activity import session_volume
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.noise import keys_at, normals
from bifrost_lib.sim.market.trading_day import TradingDay
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_VOLUME, _INTEREST = 11, 12
_MEMORY = 10  # sessions over which open interest forgets
_TRADE_SHARE = 0.4  # of a session's seconds have a trade in the busiest contracts
_RAREST_S, _OFTEN_S = 3_600.0, 1.0


@dataclass(frozen=True)
class Activity:
    """Contracts traded in the whole session, and open since before it, shape (n,)."""

    volume: Floats
    open_interest: Floats


class OptionActivity:
    """Volume and open interest of contracts; a session's figures are kept until the next."""

    def __init__(
        self, underlyings: Sequence[SimulatedUnderlying], trails: Sequence[Trail], table: ContractTable
    ) -> None:
        self._underlyings, self._trails, self._table = underlyings, trails, table
        self._of = np.empty(0, dtype=np.int64)
        self._volume, self._interest = np.empty(0), np.empty(0)
        self._totals: dict[tuple[int, int], tuple[float, float, float, float]] = {}

    def session(self, rows: Ints, day: TradingDay) -> Activity:
        """Return the activity of contracts in the session of `day`."""
        missing = len(self._table) - len(self._of)
        if missing:
            self._of = np.concatenate([self._of, np.full(missing, -1)])
            self._volume = np.concatenate([self._volume, np.zeros(missing)])
            self._interest = np.concatenate([self._interest, np.zeros(missing)])
        stale = rows[self._of[rows] != day.session]
        for which in np.unique(self._table.underlying[stale]).tolist():
            mine = stale[self._table.underlying[stale] == which]
            self._volume[mine] = self.volumes(which, mine, day.session)
            self._interest[mine] = self._interests(which, mine, day.session)
        self._of[stale] = day.session
        return Activity(self._volume[rows], self._interest[rows])

    def last_trade(self, rows: Ints, day: TradingDay, volume: Floats) -> Floats:
        """Return the second at which each contract last traded; the day's start where nothing has traded yet."""
        total = self._volume[rows]
        every = np.clip(np.ceil(23_400.0 * _TRADE_SHARE * 4 / np.maximum(total, 1.0)), _OFTEN_S, _RAREST_S)
        phase = np.floor((self._table.key[rows] >> np.uint64(20) & np.uint64(1023)).astype(np.float64) / 1024 * every)
        traded = np.floor((np.floor(day.second) - phase) / every) * every + phase
        return np.where(volume > 0, np.maximum(traded, float(day.since)), float(day.since))

    def totals(self, which: int, day: TradingDay) -> tuple[float, float, float, float]:
        """Return call and put volume of the whole session and call and put open interest of an underlying."""
        if (which, day.session) not in self._totals:
            table = self._table
            rows = np.flatnonzero((table.underlying == which) & (table.expiry_s > day.start))
            found, is_call = self.session(rows, day), table.is_call[rows]
            self._totals = {key: one for key, one in self._totals.items() if key[1] == day.session}
            self._totals[which, day.session] = (
                float(found.volume[is_call].sum()),
                float(found.volume[~is_call].sum()),
                float(found.open_interest[is_call].sum()),
                float(found.open_interest[~is_call].sum()),
            )
        return self._totals[which, day.session]

    def events_within(self, which: int, second: float, years: float) -> int:
        """Return how many results are published in the `years` after `second`."""
        until = second + years * SECONDS_PER_YEAR
        return self._table.events_until(which, until) - self._table.events_until(which, second)

    def volumes(self, which: int, rows: Ints, session: int) -> Floats:
        """Return what contracts of one underlying trade in a whole session."""
        noise = normals(keys_at(self._table.key[rows], _VOLUME, session))
        return self._expected(which, rows, session, noise, memory=1)

    def _interests(self, which: int, rows: Ints, session: int) -> Floats:
        # What is open follows what traded over weeks; between two draws the figure moves a little every session.
        keys, place = self._table.key[rows], session / _MEMORY
        before, after = (normals(keys_at(keys, _INTEREST, int(place) + step)) for step in (0, 1))
        noise = before + (after - before) * (place - int(place))
        usual = self._expected(which, rows, session, 0.4 * noise, memory=_MEMORY)
        days = np.maximum(self._table.expiry[rows] - self._trails[which].times.days[session].toordinal(), 0)
        return np.floor(
            usual * (0.8 + 1.7 * np.exp(-days / 90.0)) + 12 * (1 + self._table.is_round[rows]) * np.exp(noise)
        )

    def _expected(self, which: int, rows: Ints, session: int, noise: Floats, *, memory: int) -> Floats:
        table, trail = self._table, self._trails[which]
        earlier = np.arange(max(session - memory, 0), max(session, 1))
        spot, vol = trail.close(earlier).mean(), trail.close_vol(earlier).mean()
        dte = np.maximum(table.expiry[rows] - trail.times.days[session].toordinal(), 0).astype(np.float64)
        deviations = np.log(table.strike[rows] / spot) / (vol * np.sqrt(np.maximum(dte, 1.0) / 365))
        traded = session_volume(
            self._underlyings[which],
            deviations=deviations[:, None],
            is_call=table.is_call[rows],
            dte=dte[:, None],
            is_round=table.is_round[rows],
            noise=noise[:, None],
        )
        return np.asarray(traded[:, 0], dtype=np.float64)
