"""A market that shows exactly what a test has written, and nothing until then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from bifrost_lib.core.calendar import expiry_moment
from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.exchange import BOARD_COLUMNS, COMPUTATION_COLUMNS, COMPUTATION_SIDES, Bars, Board, Headline
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.bars import empty_bars
from bifrost_lib.sim.market.book import StaticBook


class ScriptedMarket:
    """Instruments and numbers that a test defines.

    Parameters
    ----------
    clock : Clock
        Says which options have expired; scripted values hold until they are set again.
    underlyings, options : sequence of Instrument
        Each option's `under_con_id` should be that of one of the underlyings.
    always_open : bool
        False: `is_open` says what `open` was last set to.

    Examples
    --------
    >>> market.set(756733, bid=500.0, ask=500.02)                       # doctest: +SKIP
    >>> market.set_computation(700001, "model", iv=0.2, delta=0.5)      # doctest: +SKIP
    """

    def __init__(
        self,
        clock: Clock,
        underlyings: Iterable[Instrument] = (),
        options: Iterable[Instrument] = (),
        *,
        always_open: bool = True,
    ) -> None:
        self._clock, self._always_open = clock, always_open
        #: What `is_open` answers when the market is not always open.
        self.open = True
        self._book = StaticBook([*underlyings, *options], listed=self._alive)
        self._values: dict[int, dict[str, float]] = {}
        self._computed: dict[tuple[int, str], dict[str, float]] = {}
        self._bars: dict[tuple[int, str, int], Bars] = {}
        self._headlines: list[tuple[int, Headline]] = []
        self._dividends: dict[int, tuple[float, float, datetime | None, float]] = {}
        #: (code, name) pairs that `news_providers` answers.
        self.providers: list[tuple[str, str]] = []

    @property
    def clock(self) -> Clock:
        """The clock whose moment is shown."""
        return self._clock

    @property
    def instruments(self) -> StaticBook:
        """The instruments; `add` makes it hold one more."""
        return self._book

    @property
    def always_open(self) -> bool:
        """True: it trades around the clock."""
        return self._always_open

    def is_open(self, at: datetime) -> bool:
        """Tell whether it trades."""
        return self._always_open or self.open

    def set(self, con_id: int, **values: float) -> None:
        """Show these values (names of ``BOARD_COLUMNS``) of an instrument from now on; NaN shows nothing again."""
        self._check(con_id, values, BOARD_COLUMNS)
        self._values.setdefault(con_id, {}).update(values)

    def set_computation(self, con_id: int, side: str, **values: float) -> None:
        """Show these numbers (names of ``COMPUTATION_COLUMNS``) beside one side of an option from now on."""
        self._check(con_id, values, COMPUTATION_COLUMNS)
        if side not in COMPUTATION_SIDES:
            raise UnknownNameError("side", side, COMPUTATION_SIDES)
        self._computed.setdefault((con_id, side), {}).update(values)

    def clear(self, con_id: int) -> None:
        """Show nothing of an instrument."""
        self._values.pop(con_id, None)
        for side in COMPUTATION_SIDES:
            self._computed.pop((con_id, side), None)

    def set_bars(self, con_id: int, bars: Bars, *, what: str = "TRADES", bar_s: int = 86_400) -> None:
        """Answer requests for bars of that kind and size with these."""
        self._bars[con_id, what, bar_s] = bars

    def publish(self, con_id: int, headline: Headline) -> None:
        """Add a news item about an underlying."""
        self._headlines.append((con_id, headline))

    def set_dividends(self, con_id: int, past: float, ahead: float, ex_date: datetime | None, amount: float) -> None:
        """Tell an underlying's dividends, as `dividends` returns them."""
        self._dividends[con_id] = past, ahead, ex_date, amount

    def quotes(self, con_ids: Sequence[int]) -> Board:
        """Return what is shown now; unknown con_ids raise KeyError."""
        values = {name: np.full(len(con_ids), np.nan) for name in BOARD_COLUMNS}
        computations = np.full((len(con_ids), len(COMPUTATION_SIDES), len(COMPUTATION_COLUMNS)), np.nan)
        for place, con_id in enumerate(con_ids):
            if self._book.by_con_id(con_id) is None:
                raise KeyError(con_id)
            for name, value in self._values.get(con_id, {}).items():
                values[name][place] = value
            for row, side in enumerate(COMPUTATION_SIDES):
                for name, value in self._computed.get((con_id, side), {}).items():
                    computations[place, row, COMPUTATION_COLUMNS.index(name)] = value
        return Board(ts=self._clock.now(), values=values, computations=computations)

    def bars(self, con_id: int, *, what: str, start: datetime, end: datetime, bar_s: int, regular_hours: bool) -> Bars:
        """Return those bars set with `set_bars` that begin in [start, end), and not after the clock's moment."""
        if self._book.by_con_id(con_id) is None:
            raise KeyError(con_id)
        found = self._bars.get((con_id, what, bar_s))
        if found is None:
            return empty_bars()
        until = min(end, self._clock.now()).timestamp()
        chosen = (found.start >= start.timestamp()) & (found.start < until)
        return Bars(**{name: getattr(found, name)[chosen] for name in found.__dataclass_fields__})

    def first_moment(self, con_id: int) -> datetime:
        """Return the start of the oldest bar that was set, else the clock's moment."""
        starts = [int(bars.start[0]) for (one, _, _), bars in self._bars.items() if one == con_id and len(bars.start)]
        now = self._clock.now()
        return min([now, *(datetime.fromtimestamp(second, now.tzinfo) for second in starts)])

    def news_providers(self) -> list[tuple[str, str]]:
        """Return (code, name) pairs."""
        return list(self.providers)

    def headlines(self, con_id: int, *, start: datetime, end: datetime) -> list[Headline]:
        """Return what was published about an underlying in [start, end], newest first."""
        until = min(end, self._clock.now())
        found = [item for about, item in self._headlines if about == con_id and start <= item.ts <= until]
        return sorted(found, key=lambda item: item.ts, reverse=True)

    def dividends(self, con_id: int) -> tuple[float, float, datetime | None, float]:
        """Return what `set_dividends` was told; no dividends until then."""
        return self._dividends.get(con_id, (0.0, 0.0, None, 0.0))

    def _alive(self, option: Instrument) -> bool:
        if option.expiry is None:
            raise InputError("expiry", None, f"a date for option {option.local_symbol}")
        return expiry_moment(option.expiry, option.settlement or "PM") > self._clock.now()

    def _check(self, con_id: int, values: dict[str, float], allowed: Sequence[str]) -> None:
        if self._book.by_con_id(con_id) is None:
            raise KeyError(con_id)
        for name in values:
            if name not in allowed:
                raise UnknownNameError("value", name, allowed)
