"""What the synthetic exchange shows of stocks, funds and indices at one moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.extremes import Extremes
from bifrost_lib.sim.market.noise import key_of, keys_at, normals
from bifrost_lib.sim.market.option_activity import OptionActivity
from bifrost_lib.sim.market.profiles import Profile
from bifrost_lib.sim.market.surface import atm_variance
from bifrost_lib.sim.market.trading_day import TradingDay
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]

_TICK = 0.01
_SIZE_BEAT_S = 1.0
_BID_SIZE, _ASK_SIZE, _LAST_SIZE, _VOLUME = 1, 2, 3, 4
_MONTH = 30 / 365
SHARES_A_TRADE = 110.0


class StockBoard:
    """Quotes of underlyings, and what is told with them about their options."""

    def __init__(
        self,
        underlyings: Sequence[SimulatedUnderlying],
        profiles: Sequence[Profile],
        trails: Sequence[Trail],
        activity: OptionActivity,
        extremes: Extremes,
        *,
        seed: int,
    ) -> None:
        self._underlyings, self._profiles, self._trails = underlyings, profiles, trails
        self._activity, self._extremes = activity, extremes
        self._keys = [key_of(seed, underlying.symbol, "shares") for underlying in underlyings]
        self._realised: dict[tuple[int, int], float] = {}

    def show(self, which: int, day: TradingDay) -> dict[str, float]:
        """Return values by column of a board; what is left out is not shown."""
        trail, profile = self._trails[which], self._profiles[which]
        moments = np.array([day.second, np.floor(day.second), float(day.since)])
        (now, traded, opened), vol = trail.at(moments)
        until = day.closes if day.since == day.opens else day.opens
        high, low = trail.at(
            np.array(self._extremes.at(which, trail, since=day.since, until=until, second=day.second), dtype=np.float64)
        )[0]
        values = {
            "last": round(traded, 2),
            "open": round(opened, 2),
            "high": round(high, 2),
            "low": round(low, 2),
            "close": float(trail.close(day.close_session)),
            "mark": round(traded, 2),
            "halted": 0.0,
            "last_trade_s": float(moments[1]),
            "hist_vol": self.realised_vol(which, day.close_session),
            "implied_vol": float(self.month_vols(which, vol[:1], moments[:1])[0]),
            **self._options(which, day),
        }
        if profile.sec_type == "STK":
            values |= self._shares(which, day, now)
        return values

    def month_vols(self, which: int, vol: Floats, seconds: Floats) -> Floats:
        """Return the at-the-money implied volatility of 30 days at moments, decimal, annual, shape (n,)."""
        tau = np.full(len(seconds), _MONTH)
        ahead = np.array([self._activity.events_within(which, one, _MONTH) for one in seconds.tolist()])
        theta = atm_variance(self._underlyings[which], tau=tau, vol=vol, events=ahead.astype(np.float64))
        return np.asarray(np.sqrt(theta / _MONTH))

    def realised_vol(self, which: int, session: int) -> float:
        """Return the annual deviation of the last 30 sessions' returns, to the close of `session`."""
        if (which, session) not in self._realised:
            closes = self._trails[which].close(np.arange(max(session - 30, 0), session + 1))
            returns = np.diff(np.log(closes))
            self._realised[which, session] = float(returns.std(ddof=1) * np.sqrt(252)) if len(returns) > 1 else np.nan
        return self._realised[which, session]

    def session_shares(self, which: int, session: npt.ArrayLike) -> Floats:
        """Return the shares that trade in whole sessions."""
        noise = normals(keys_at(self._keys[which], _VOLUME, session))
        return np.asarray(self._profiles[which].shares * np.exp(0.25 * noise))

    def _options(self, which: int, day: TradingDay) -> dict[str, float]:
        calls, puts, open_calls, open_puts = self._activity.totals(which, day)
        underlying = self._underlyings[which]
        return {
            "call_volume": float(np.floor(calls * day.share)),
            "put_volume": float(np.floor(puts * day.share)),
            "call_open_interest": open_calls,
            "put_open_interest": open_puts,
            "average_option_volume": float(np.floor(underlying.activity * 40)),
        }

    def _shares(self, which: int, day: TradingDay, now: float) -> dict[str, float]:
        bid, ask = stock_sides(np.array([now]))
        beat = int(np.floor(day.second / _SIZE_BEAT_S))
        keys = keys_at(self._keys[which], np.array([_BID_SIZE, _ASK_SIZE, _LAST_SIZE]), beat)
        depth = self._profiles[which].shares / 2.0e5
        bid_size, ask_size, last_size = (np.ceil(depth * np.exp(0.7 * normals(keys))) * 100).tolist()
        volume = float(np.floor(float(self.session_shares(which, day.session)) * day.share))
        shown = {
            "last_size": last_size,
            "volume": volume,
            "trade_count": float(np.ceil(volume / SHARES_A_TRADE)),
            "shortable": 3.0,
            "shortable_shares": float(np.floor(self._profiles[which].shares * 0.3)),
        }
        if day.is_open:
            shown |= {"bid": float(bid[0]), "ask": float(ask[0]), "bid_size": bid_size, "ask_size": ask_size}
        return shown


def stock_sides(spot: Floats) -> tuple[Floats, Floats]:
    """Return bid and ask of shares around `spot`: a cent apart, two where spot lies on a cent."""
    bid = np.round(np.ceil(np.round(spot / _TICK, 6) - 1.0) * _TICK, 2)
    ask = np.round(np.floor(np.round(spot / _TICK, 6) + 1.0) * _TICK, 2)
    return bid, ask
