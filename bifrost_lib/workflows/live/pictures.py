"""One chain as a page shows it: what is stored, and the newer quotes that stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.core.quality import QUALITY_LABELS, Quality
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk

#: What names one contract among those of a symbol.
CONTRACT_KEY = ["trading_class", "expiry", "strike", "right"]
#: Streamed quotes older than this belong to contracts that are streamed no more.
STREAMED_S = 900.0
_STALE = QUALITY_LABELS[Quality.STALE]
_IDENTITY = {"symbol", *CONTRACT_KEY, "style", "settlement", "multiplier"}
_MOVING = [name for name in CHAIN_COLUMNS if name not in _IDENTITY]


@dataclass(frozen=True)
class ChainPicture:
    """A chain at a moment; shared by all who look at it, so nobody writes into its frame.

    Attributes
    ----------
    symbol : str
    chain : DataFrame
        CHAIN_COLUMNS, sorted by expiry, strike and right.
    spot : float
        Newest price of the underlying; NaN where unknown.
    as_of : datetime
        Of the newest quote in it.
    at : datetime or None
        The moment that was asked for; None for the present.
    source : str
    streamed : int
        Quotes in it that are newer than what is stored.
    number : int
        Differs between any two pictures of this process.
    """

    symbol: str
    chain: pd.DataFrame
    spot: float
    as_of: datetime
    at: datetime | None
    source: str
    streamed: int = 0
    number: int = field(default_factory=count().__next__)

    @property
    def expiries(self) -> list[date]:
        """The expirations, ascending."""
        return [moment.date() for moment in self.chain["expiry"].drop_duplicates()]

    def of_expiry(self, expiry: date) -> pd.DataFrame:
        """Return the rows of one expiration."""
        return self.chain[self.chain["expiry"] == pd.Timestamp(expiry)]


def chain_picture(desk: Desk, symbol: str, *, at: datetime | None = None) -> ChainPicture:
    """Return the chain of `symbol` as it was known at `at`, or as it is now.

    Parameters
    ----------
    desk : Desk
    symbol : str
    at : datetime, optional
        Aware. Without it the newest stored chain, with every quote that has streamed in since.

    Raises
    ------
    NoDataError
        If nothing was known.
    """
    stored = read_chain(desk, symbol, at=at)
    facts = stored.attrs
    picture = ChainPicture(facts["symbol"], stored, facts["spot"], facts["as_of"], at, facts["source"])
    return picture if at is not None else with_streamed(desk, picture)


def with_streamed(desk: Desk, picture: ChainPicture) -> ChainPicture:
    """Return the picture with what has streamed in since; what is older than the setting `max_age_s` then is stale."""
    quotes = streamed_quotes(desk, picture.symbol)
    return overlaid(picture, quotes, fresh=timedelta(seconds=desk.settings.max_age_s))


def streamed_quotes(desk: Desk, symbol: str) -> pd.DataFrame | None:
    """Return the quotes that stream, CHAIN_COLUMNS; None where nothing does."""
    try:
        quotes = store.live_quotes(
            desk.store.engine, symbol, at=desk.clock.now(), max_age=timedelta(seconds=STREAMED_S)
        )
    except NoDataError:
        return None
    return quotes[list(CHAIN_COLUMNS)]


def overlaid(picture: ChainPicture, quotes: pd.DataFrame | None, *, fresh: timedelta) -> ChainPicture:
    """Return the picture with each quote that is newer than the one it holds; contracts it lacks are added.

    Parameters
    ----------
    picture : ChainPicture
    quotes : DataFrame, optional
        CHAIN_COLUMNS. A streamed row without volume or open interest keeps what was known of them.
    fresh : timedelta
        How much older than the newest quote another may be without being marked `stale`.
    """
    if quotes is None or quotes.empty:
        return picture
    places = contract_places(picture.chain, quotes)
    known = places >= 0
    older = np.zeros(len(quotes), dtype=bool)
    older[known] = (
        quotes["ts"].to_numpy()[known] <= picture.chain["ts"].to_numpy()[places[known]]  # what a sweep saw since
    )
    news, places = quotes[~older], places[~older]
    if news.empty:
        return picture
    chain = _replaced(picture.chain, news[places >= 0], places[places >= 0])
    if (places < 0).any():
        joined = pd.concat([chain, news[places < 0].astype(chain.dtypes.to_dict())], ignore_index=True)
        chain = joined.sort_values(["expiry", "strike", "right", "trading_class"], ignore_index=True)
    newest = news[news["ts"] == news["ts"].max()]
    price = float(newest["spot"].iloc[-1])
    spot = picture.spot if np.isnan(price) else price
    as_of = max(picture.as_of, newest["ts"].iloc[-1].to_pydatetime())
    chain = _marked_stale(chain, as_of - fresh)
    return ChainPicture(picture.symbol, chain, spot, as_of, picture.at, picture.source, len(news))


def _marked_stale(chain: pd.DataFrame, before: datetime) -> pd.DataFrame:
    old = (chain["ts"] < before).to_numpy() & (chain["quality"] != _STALE).to_numpy()
    if not old.any():
        return chain
    quality = chain["quality"].array.copy()
    quality[old] = _STALE
    return chain.assign(quality=quality)


def contract_places(chain: pd.DataFrame, quotes: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return where in `chain` the contract of each quote stands; -1 for those it lacks.

    Parameters
    ----------
    chain, quotes : DataFrame
        With the columns ``CONTRACT_KEY``.
    """
    candidates = np.flatnonzero(chain["expiry"].isin(quotes["expiry"].unique()).to_numpy())
    known = dict(zip(_keys(chain.iloc[candidates]), candidates.tolist(), strict=True))
    return np.array([known.get(key, -1) for key in _keys(quotes)], dtype=np.int64)


def _keys(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(zip(*(frame[name].to_list() for name in CONTRACT_KEY), strict=True))


def _replaced(chain: pd.DataFrame, news: pd.DataFrame, places: npt.NDArray[np.int64]) -> pd.DataFrame:
    columns: dict[str, Any] = {name: chain[name].array for name in chain.columns}
    for name in _MOVING:
        new, changed = news[name].astype(chain[name].dtype), chain[name].array.copy()
        if name in ("volume", "open_interest"):
            new = new.where(new.notna().to_numpy(), changed[places])
        changed[places] = new.array
        columns[name] = changed
    return pd.DataFrame(columns)


def stored_moments(desk: Desk, symbol: str, *, most: int = 20_000) -> list[datetime]:
    """Return the newest `most` moments at which something of the chain was stored, ascending; any can be read again.

    Raises
    ------
    NoDataError
        If nothing is stored.
    """
    newest = store.latest_moment(desk.store.engine, symbol)
    first = newest - timedelta(days=3660)
    moments = store.chain_moments(desk.store.engine, symbol, first, newest)
    return [moment.to_pydatetime() for moment in moments[-most:]]
