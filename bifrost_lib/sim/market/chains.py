"""One simulated underlying through all its sessions, and the chain that it shows at any quoted moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import year_fractions
from bifrost_lib.core.vocabulary import QUOTE_COLUMNS, RIGHTS, SETTLEMENTS, STYLES
from bifrost_lib.pricing import american_price, price
from bifrost_lib.sim.market.activity import open_interest, session_volume
from bifrost_lib.sim.market.listings import Listings, list_contracts
from bifrost_lib.sim.market.paths import Beat, shocks_of, simulate_through
from bifrost_lib.sim.market.quotes import Quotes, make_quotes
from bifrost_lib.sim.market.surface import atm_variance, implied_vol_surface
from bifrost_lib.sim.market.universe import RATE, SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


_SPARSE_REACH, _SPARSE_DAYS = 2.5, 185  # deviations of log-moneyness; calendar days to expiry


@dataclass(frozen=True)
class _Rows:
    """The quotes of one session before they have prices: which moment, which contract; shape (n,)."""

    session: int
    moment: Ints
    contract: Ints
    tau: Floats
    noise: Floats  # (4, n)


@dataclass(frozen=True)
class Market:
    """One underlying's paths, listings and activity; lists and last axes run over sessions."""

    underlying: SimulatedUnderlying
    seed: int
    days: Sequence[date]
    moments: list[list[Beat]]  # the beats at which each session is quoted
    spot: list[Floats]  # at those moments
    vol: list[Floats]
    listings: Listings
    volume: Floats
    open_interest: Floats
    sparse: int = 0  # the first sessions of which only a part is quoted

    def frame(self, session: int) -> pd.DataFrame:
        """Return the quotes (``QUOTE_COLUMNS``) of every contract that is alive at each of the session's moments.

        In a sparse session only round strikes that were within reach since they are listed, of expiries within half a
        year.
        """
        stamps = self._stamps(session)
        rows = self._alive(session, stamps)
        traded = np.floor(self.volume[rows.contract, session] * _share_of_session(len(stamps))[rows.moment])
        return self._assemble(rows, stamps, self._quote(rows, traded), traded)

    def _stamps(self, session: int) -> npt.NDArray[np.datetime64]:
        return np.array([beat.moment.replace(tzinfo=None) for beat in self.moments[session]], dtype="datetime64[us]")

    def _alive(self, session: int, stamps: npt.NDArray[np.datetime64]) -> _Rows:
        listings = self.listings
        listed = np.flatnonzero(listings.listed[:, session] & self._quoted(session))
        moment, contract = (grid.ravel() for grid in np.meshgrid(np.arange(len(stamps)), listed, indexing="ij"))
        tau = year_fractions(stamps[moment], listings.expiry[contract], listings.is_am[contract])
        moment, contract, tau = moment[tau > 0], contract[tau > 0], tau[tau > 0]
        counts = np.bincount(moment, minlength=len(stamps)).tolist()
        noise = np.hstack([self._shocks(str(stamp), count) for stamp, count in zip(stamps, counts, strict=True)])
        order = np.lexsort((contract, moment, listings.trading_class[contract]))
        return _Rows(session, moment[order], contract[order], tau[order], noise[:, order])

    def _quoted(self, session: int) -> npt.NDArray[np.bool_]:
        return np.asarray(self._kept[min(session, self.sparse)])

    @cached_property
    def _kept(self) -> npt.NDArray[np.bool_]:
        # Which contracts are quoted in each sparse session, and all of them after. What was once within reach stays
        # quoted until it expires, as at an exchange: whoever holds it must be able to close it.
        listings, underlying = self.listings, self.underlying
        kept = np.ones((self.sparse + 1, len(listings.strike)), dtype=bool)
        is_round = np.isclose(listings.strike % underlying.ladder.round_step, 0.0)
        for session, row in enumerate(kept[:-1]):
            days = (listings.expiry - np.datetime64(self.days[session], "s")) / np.timedelta64(1, "D")
            spot, vol = self.spot[session][-1], max(underlying.vol, float(self.vol[session][-1]))
            reach = _SPARSE_REACH * vol * np.sqrt(np.maximum(days, 5.0) / 365)
            near = np.abs(np.log(listings.strike / spot)) <= reach
            row[:] = is_round & near & (days <= _SPARSE_DAYS) & listings.listed[:, session]
        np.logical_or.accumulate(kept[:-1], axis=0, out=kept[:-1])
        return kept

    def _shocks(self, stamp: str, count: int) -> Floats:
        return shocks_of(self.seed, count, self.underlying.symbol, "quotes", stamp, width=4)

    def _quote(self, rows: _Rows, traded: Floats) -> Quotes:
        underlying, strike = self.underlying, self.listings.strike[rows.contract]
        spot, vol = self.spot[rows.session][rows.moment], self.vol[rows.session][rows.moment]
        log_moneyness = np.log(strike / spot) - (RATE - underlying.div_yield) * rows.tau
        events = _events(underlying, self.days[rows.session], self.listings.expiry[rows.contract])
        iv = implied_vol_surface(underlying, log_moneyness=log_moneyness, tau=rows.tau, vol=vol, events=events)
        value = (american_price if underlying.style == "american" else price)(
            spot=spot,
            strike=strike,
            tau=rows.tau,
            vol=iv,
            right=np.where(self.listings.is_call[rows.contract], "C", "P"),
            rate=RATE,
            div_yield=underlying.div_yield,
        )
        return make_quotes(
            underlying,
            value=np.asarray(value, dtype=np.float64),
            vega=_vega(spot, log_moneyness, rows.tau, iv),
            deviations=log_moneyness / np.sqrt(atm_variance(underlying, tau=rows.tau, vol=vol, events=events)),
            volume=traded,
            opening=(rows.moment == 0) & (len(self.moments[rows.session]) > 1),
            noise=rows.noise,
        )

    def _assemble(
        self, rows: _Rows, stamps: npt.NDArray[np.datetime64], quotes: Quotes, traded: Floats
    ) -> pd.DataFrame:
        listings, underlying, contract = self.listings, self.underlying, rows.contract
        classes = sorted({underlying.monthly_class, underlying.weekly_class})
        same = np.zeros(len(contract), dtype=np.int8)
        columns = {
            "ts": pd.Series(stamps[rows.moment]).dt.tz_localize(UTC),
            "symbol": _category(same, [underlying.symbol]),
            "trading_class": _category(np.searchsorted(classes, listings.trading_class[contract]), classes),
            "expiry": listings.expiry[contract],
            "strike": listings.strike[contract],
            "right": _category(np.where(listings.is_call[contract], 0, 1), RIGHTS),
            "style": _category(same + STYLES.index(underlying.style), STYLES),
            "settlement": _category(listings.is_am[contract].astype(np.int8), SETTLEMENTS),
            "multiplier": np.full(len(contract), 100.0),
            "bid": quotes.bid,
            "ask": quotes.ask,
            "last": quotes.last,
            "bid_size": quotes.bid_size,
            "ask_size": quotes.ask_size,
            "volume": traded,
            "open_interest": self.open_interest[contract, rows.session],
            "spot": self.spot[rows.session][rows.moment],
        }
        return pd.DataFrame(columns, columns=list(QUOTE_COLUMNS))


def open_market(
    underlying: SimulatedUnderlying,
    days: Sequence[date],
    steps: Sequence[Beat],
    *,
    seed: int,
    sparse: int = 0,
    intraday: int = 1,
) -> Market:
    """Simulate the underlying over `days`: quoted at each close, and at each half hour of the `intraday` last sessions.

    Of the `sparse` first sessions only a part of the chain is quoted.
    """
    path = simulate_through(underlying, days, steps, seed=seed)
    closes = np.array(list({step.session: index for index, step in enumerate(steps)}.values()))  # a session's last beat
    quoted: list[list[int]] = [[int(index)] for index in closes]
    for session in range(max(len(days) - intraday, 0), len(days)):
        quoted[session] = [index for index, step in enumerate(steps) if step.session == session and not step.opens]
    listings = list_contracts(underlying, days, path.spot[closes])
    volume, held = _activity(underlying, days, listings, path.spot[closes], path.vol[closes], seed=seed)
    return Market(
        underlying=underlying,
        seed=seed,
        days=days,
        moments=[[steps[index] for index in indices] for indices in quoted],
        spot=[path.spot[indices] for indices in quoted],
        vol=[path.vol[indices] for indices in quoted],
        listings=listings,
        volume=volume,
        open_interest=held,
        sparse=sparse,
    )


def _activity(
    underlying: SimulatedUnderlying, days: Sequence[date], listings: Listings, spot: Floats, vol: Floats, *, seed: int
) -> tuple[Floats, Floats]:
    dates = np.array(days, dtype="datetime64[s]")
    dte = np.maximum((listings.expiry[:, None] - dates) / np.timedelta64(1, "D"), 0.0)
    deviations = np.log(listings.strike[:, None] / spot) / (vol * np.sqrt(np.maximum(dte, 1.0) / 365))
    noise = np.zeros((2, *dte.shape))
    for session, day in enumerate(days):
        listed = np.flatnonzero(listings.listed[:, session])
        noise[:, listed, session] = shocks_of(seed, len(listed), underlying.symbol, "activity", day.isoformat())
    volume = session_volume(
        underlying,
        deviations=deviations,
        is_call=listings.is_call,
        dte=dte,
        is_round=np.isclose(listings.strike % underlying.ladder.far_step, 0.0),
        noise=noise[0],
    )
    return volume, open_interest(volume, listings.listed, noise[1])


def _events(underlying: SimulatedUnderlying, day: date, expiry: npt.NDArray[np.datetime64]) -> Floats:
    # Results come after the close: an option that expires that day does not see them, one quoted that day does.
    reported = underlying.earnings_days(day, date(day.year + 2, day.month, 1))
    return np.searchsorted(np.array(reported, dtype="datetime64[s]"), expiry, side="left").astype(np.float64)


def _vega(spot: Floats, log_moneyness: Floats, tau: Floats, iv: Floats) -> Floats:
    deviation = iv * np.sqrt(tau)
    d1 = -log_moneyness / deviation + deviation / 2
    return np.asarray(spot * np.sqrt(tau) * np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi), dtype=np.float64)


def _share_of_session(moments: int) -> Floats:
    # Trading is busier near the open and the close than at noon.
    busier = 1.4 + 1.6 * np.linspace(-1, 1, moments) ** 2
    share = np.cumsum(busier) / busier.sum()
    share[-1] = 1.0  # exactly, whatever the sum's last bit says
    return np.asarray(share, dtype=np.float64)


def _category(codes: npt.NDArray[np.integer[Any]], categories: Sequence[str]) -> pd.Categorical[Any]:
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories))
