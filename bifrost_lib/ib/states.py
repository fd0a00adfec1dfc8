"""The session's states and events as one table, without a socket, a clock or a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from bifrost_lib.ib.errors import MARKET_DATA_FARM_CODES, Category, all_farms_are_back, classify, farm_of
from bifrost_lib.ib.records import SessionState as State


class Event(Enum):
    """What can happen to a session."""

    CONNECT = auto()  # an attempt begins
    OPENED = auto()  # accounts and the first order id came
    FAILED = auto()  # the attempt came to nothing
    SYNCED = auto()  # the gateway answers, and nobody waits for lines
    SYNCED_WITH_INTENTS = auto()
    RESTORED = auto()  # every intent has its line again
    TROUBLE = auto()  # IB's servers or a data farm are away
    HEALED = auto()  # they are back, and the subscriptions were kept
    FARM_BACK = auto()  # a farm of quotes is back: its subscriptions may have gone silent
    DATA_LOST = auto()  # they are back, and every subscription is gone
    SOCKET_LOST = auto()
    RESET_TROUBLE = auto()  # trouble or a lost socket in IB's nightly window
    RESET_OVER = auto()  # the window has closed and the trouble is still there
    LOGIN_LAPSED = auto()  # no connection since the weekly login ran out
    STOP = auto()


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DISCONNECTED, Event.CONNECT): State.CONNECTING,
    (State.DISCONNECTED, Event.RESET_TROUBLE): State.RESET_WINDOW,
    (State.DISCONNECTED, Event.LOGIN_LAPSED): State.WAITING_2FA,
    (State.CONNECTING, Event.OPENED): State.SYNCING,
    (State.CONNECTING, Event.FAILED): State.DISCONNECTED,
    (State.CONNECTING, Event.SOCKET_LOST): State.DISCONNECTED,
    (State.SYNCING, Event.SYNCED): State.READY,
    (State.SYNCING, Event.SYNCED_WITH_INTENTS): State.RESUBSCRIBING,
    (State.SYNCING, Event.FAILED): State.DISCONNECTED,
    (State.SYNCING, Event.SOCKET_LOST): State.DISCONNECTED,
    (State.READY, Event.TROUBLE): State.DEGRADED,
    (State.READY, Event.RESET_TROUBLE): State.RESET_WINDOW,
    (State.READY, Event.DATA_LOST): State.RESUBSCRIBING,
    (State.READY, Event.SOCKET_LOST): State.DISCONNECTED,
    (State.DEGRADED, Event.HEALED): State.READY,
    (State.DEGRADED, Event.FARM_BACK): State.RESUBSCRIBING,
    (State.DEGRADED, Event.DATA_LOST): State.RESUBSCRIBING,
    (State.DEGRADED, Event.RESET_TROUBLE): State.RESET_WINDOW,
    (State.DEGRADED, Event.SOCKET_LOST): State.DISCONNECTED,
    (State.RESUBSCRIBING, Event.RESTORED): State.READY,
    (State.RESUBSCRIBING, Event.TROUBLE): State.DEGRADED,
    (State.RESUBSCRIBING, Event.RESET_TROUBLE): State.RESET_WINDOW,
    (State.RESUBSCRIBING, Event.SOCKET_LOST): State.DISCONNECTED,
    # Attempts to connect inside a window of expected silence do not change what a user is told.
    (State.RESET_WINDOW, Event.OPENED): State.SYNCING,
    (State.RESET_WINDOW, Event.HEALED): State.READY,
    (State.RESET_WINDOW, Event.FARM_BACK): State.RESUBSCRIBING,
    (State.RESET_WINDOW, Event.DATA_LOST): State.RESUBSCRIBING,
    (State.RESET_WINDOW, Event.RESET_OVER): State.DEGRADED,
    (State.RESET_WINDOW, Event.FAILED): State.DISCONNECTED,
    (State.RESET_WINDOW, Event.LOGIN_LAPSED): State.WAITING_2FA,
    (State.WAITING_2FA, Event.OPENED): State.SYNCING,
} | {(state, Event.STOP): State.HALTED for state in State}


def after(state: State, event: Event) -> State:
    """Return the state after `event`; an event that means nothing in a state leaves it as it is."""
    return TRANSITIONS.get((state, event), state)


@dataclass
class Health:
    """What is known to be away, from IB's notices; repeated notices change nothing."""

    server_lost: bool = False
    broken_farms: set[str] = field(default_factory=set)  # of quotes
    broken_services: set[str] = field(default_factory=set)  # history, contract definitions
    simulated: bool = False
    unlimited: bool = False  # the simulated gateway says that it enforces no limits

    @property
    def quotes_flow(self) -> bool:
        """Whether a subscription can be expected to be answered."""
        return not self.server_lost and not self.broken_farms

    @property
    def well(self) -> bool:
        """Whether nothing is away."""
        return self.quotes_flow and not self.broken_services

    @property
    def trouble(self) -> str:
        """What is away, in words; "" when nothing is."""
        if self.server_lost:
            return "the gateway has lost its connection to IB"
        away = sorted(self.broken_farms | self.broken_services)
        return f"data farm {', '.join(away)} does not answer" if away else ""

    def heard(self, code: int, text: str) -> Event | None:
        """Take in a notice and return what it means for the session, None for nothing new."""
        category = classify(code, text).category
        before, flowed = self.well, self.quotes_flow
        if category is Category.SERVER_LOST:
            self.server_lost = True
        elif category in (Category.SERVER_BACK, Category.SERVER_BACK_DATA_LOST):
            self.server_lost = False
            if category is Category.SERVER_BACK_DATA_LOST:
                return Event.DATA_LOST
            if all_farms_are_back(text):
                quoteless = bool(self.broken_farms)
                self.broken_farms.clear()
                self.broken_services.clear()
                if quoteless:
                    return Event.FARM_BACK
        elif category in (Category.FARM_BROKEN, Category.FARM_OK):
            self._farm(code, text, broken=category is Category.FARM_BROKEN)
            if self.quotes_flow and not flowed:
                return Event.FARM_BACK
        else:
            return None
        if before == self.well:
            return None
        return Event.HEALED if self.well else Event.TROUBLE

    def _farm(self, code: int, text: str, *, broken: bool) -> None:
        farm = farm_of(text)
        self.simulated = self.simulated or farm.startswith("simulated")
        self.unlimited = self.unlimited or farm.startswith("simulated-unlimited")
        known = self.broken_farms if code in MARKET_DATA_FARM_CODES else self.broken_services
        if broken:
            known.add(farm)
        elif farm:
            known.discard(farm)
        else:
            known.clear()
