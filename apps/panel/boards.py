"""What the viewers of one process share: pictures of the past, ladders and summaries, each computed once."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from apps.panel.kept import Kept
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.views import history as history_views
from bifrost_lib.views import live as views
from bifrost_lib.workflows import Desk, live, surface_grid, volatility_surface

KEPT = 48
#: References that move with the present are read again this often.
REFERENCE_S = 10
#: A chain this much older than a reference says nothing about it, a long weekend aside.
TOO_OLD = timedelta(days=4)
SWEEP_MS = 120_000
#: A surface moves slower than its quotes, and takes longer to fit than all the rest of a page.
SURFACE_S = 60
#: Smiles and expirations move slowly as well, and cost more than a ladder: all viewers share those of a beat.
SLOW_S = 2.0


class Boards:
    """Pictures and tables by what they show, the least recently used forgotten first.

    Parameters
    ----------
    desk : Desk
    feed : LiveFeed
    """

    def __init__(self, desk: Desk, feed: live.LiveFeed) -> None:
        self.desk, self.feed = desk, feed
        self._kept = Kept(KEPT)

    def picture(self, symbol: str, at: datetime | None) -> live.ChainPicture:
        """Return the chain at `at`, or as it is now.

        Raises
        ------
        NoDataError
            If nothing was known.
        """
        if at is None:
            return self.feed.picture(symbol)
        return self._kept.once(("picture", symbol, at), lambda: live.chain_picture(self.desk, symbol, at=at))

    def before(self, picture: live.ChainPicture, since: str) -> live.ChainPicture | None:
        """Return the chain that changes are told against; None where there is none before the picture.

        Where nothing was stored for days before the moment that `since` means, the first chain after it serves.
        """
        at = picture.as_of
        moment = live.reference_moment(since, at)
        moment -= timedelta(seconds=moment.timestamp() % REFERENCE_S)
        known = self._kept.once(("before", picture.symbol, moment), lambda: self._known(picture.symbol, moment))
        if known is not None and moment - known.as_of <= TOO_OLD:
            return known
        later = [ms for ms in self.moments_ms(picture.symbol) if moment.timestamp() < ms / 1000 <= at.timestamp()]
        if not later:
            return known
        # A sweep stores a chain in pieces: the last piece of the first sweep.
        first = datetime.fromtimestamp(max(ms for ms in later if ms <= later[0] + SWEEP_MS) / 1000, UTC)
        return self._kept.once(("before", picture.symbol, first), lambda: self._known(picture.symbol, first))

    def ladder(
        self, picture: live.ChainPicture, expiry: date, before: live.ChainPicture | None, beside: str = "Market"
    ) -> dict[str, Any]:
        """Return the ladder of one expiration, with what `views.live.LADDERS` names `beside` its quotes."""

        def make() -> dict[str, Any]:
            rows = live.chain_since(picture.of_expiry(expiry), before)
            key = f"{picture.symbol} {expiry}"
            table: dict[str, Any] = views.ladder_table(rows, spot=picture.spot, key=key, beside=beside)
            return table

        return self._kept.once(("ladder", picture.number, expiry, before.number if before else None, beside), make)

    def expiries(self, picture: live.ChainPicture, before: live.ChainPicture | None) -> dict[str, Any]:
        """Return the grid of expirations."""

        def make() -> dict[str, Any]:
            table: dict[str, Any] = views.expiry_grid(live.expiry_summary(picture, before))
            return table

        return self._kept.once(("expiries", *_slowly(picture), before.number if before else None), make)

    def smile(self, picture: live.ChainPicture, expiry: date, theme: str) -> str:
        """Return the numbers of the smiles, of which one expiration stands out."""

        def make() -> str:
            return str(views.smile_data(picture.chain, chosen=expiry, spot=picture.spot, theme=theme))

        return self._kept.once(("smile", *_slowly(picture), expiry, theme), make)

    def blank_smile(self, theme: str) -> str:
        """Return the chart that those numbers fill."""

        def make() -> str:
            return str(history_views.chart_text(views.smile_figure(theme=theme)))

        return self._kept.once(("blank smile", theme), make)

    def surface(self, picture: live.ChainPicture, theme: str) -> str:
        """Return the picture of a chain's fitted surface, fitted once a minute; or why there is none, in words."""
        beat = int(picture.as_of.timestamp() // SURFACE_S)
        key = ("surface", picture.symbol, picture.at, beat, theme)
        return self._kept.once(key, lambda: _surface(picture, theme))

    def moments_ms(self, symbol: str) -> list[int]:
        """Return every stored moment of the symbol, in milliseconds since 1970; read again after half a minute."""
        beat = int(self.desk.clock.now().timestamp() // 30)
        return self._kept.once(("moments", symbol, beat), lambda: self._moments(symbol))

    def _moments(self, symbol: str) -> list[int]:
        # Up to the next millisecond: a read at the rounded moment must see what was stored in it.
        try:
            found = live.stored_moments(self.desk, symbol)
        except NoDataError:
            return []
        return sorted({-int(-moment.timestamp() * 1000 // 1) for moment in found})

    def _known(self, symbol: str, at: datetime) -> live.ChainPicture | None:
        try:
            return live.chain_picture(self.desk, symbol, at=at)
        except NoDataError:
            return None


def _slowly(picture: live.ChainPicture) -> tuple[Hashable, ...]:
    return picture.symbol, picture.at, int(picture.as_of.timestamp() // SLOW_S)


def _surface(picture: live.ChainPicture, theme: str) -> str:
    try:
        grid = surface_grid(volatility_surface(picture.chain))
        drawn = history_views.surface_chart(grid, theme=theme)
    except BifrostError as problem:
        return str(history_views.empty_text("error", f"no surface can be fitted: {problem}"))
    title, strikes = "Fitted surface, free of arbitrage", "strike, % of the forward"
    figure = history_views.chart_figure(drawn, theme=theme, title=title, x_label=strikes)
    return str(history_views.chart_text(figure))
