"""What IB's error codes mean: whom they concern, whether to try again, and the word for a missing quote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from bifrost_lib.core.errors import BifrostError


class Category(Enum):
    """The kinds of message that arrive as "errors"."""

    NOTICE = "notice"  # nothing is wrong
    NO_SECURITY = "no_security"
    NOT_SUBSCRIBED = "not_subscribed"  # the account has no right to this data
    COMPETING_SESSION = "competing_session"  # someone is logged in with the live user
    LINE_REFUSED = "line_refused"  # all market-data lines are in use
    RATE_REFUSED = "rate_refused"
    HISTORY_PACING = "history_pacing"
    HISTORY = "history"  # no data, or the data farm does not answer
    CANCELLED = "cancelled"
    INVALID = "invalid_request"
    ORDER = "order"
    CLIENT_ID = "client_id"
    SERVER_LOST = "server_lost"  # the gateway has lost IB
    SERVER_BACK_DATA_LOST = "server_back_data_lost"
    SERVER_BACK = "server_back"
    SOCKET_RESET = "socket_reset"
    FARM_BROKEN = "farm_broken"
    FARM_OK = "farm_ok"
    OTHER = "other"


class Concern(Enum):
    """Whom a message is about."""

    REQUEST = "request"
    ORDER = "order"
    SESSION = "session"
    FARM = "farm"


@dataclass(frozen=True)
class Verdict:
    """What to do about a message.

    `retry`: the same request can succeed later or in another form. `reason`: the word for `Observation.missing`.
    `ends`: the request is over and its line is free; a cancellation would only earn error 300.
    """

    category: Category
    retry: bool = False
    reason: str = ""
    concern: Concern = Concern.REQUEST
    ends: bool = True


_NOTICE = Verdict(Category.NOTICE, concern=Concern.SESSION, ends=False)
_INVALID = Verdict(Category.INVALID, reason="invalid_request")
_ORDER = Verdict(Category.ORDER, concern=Concern.ORDER, ends=False)
_NOT_SUBSCRIBED = Verdict(Category.NOT_SUBSCRIBED, retry=True, reason="not_subscribed")
_PARTLY_SUBSCRIBED = Verdict(Category.NOT_SUBSCRIBED, retry=True, reason="not_subscribed", ends=False)
_FARM_BROKEN = Verdict(Category.FARM_BROKEN, retry=True, reason="farm_down", concern=Concern.FARM, ends=False)
_FARM_OK = Verdict(Category.FARM_OK, concern=Concern.FARM, ends=False)
_SERVER_LOST = Verdict(Category.SERVER_LOST, retry=True, reason="disconnected", concern=Concern.SESSION, ends=False)

VERDICTS: dict[int, Verdict] = {
    100: Verdict(Category.RATE_REFUSED, retry=True, reason="rate_refused"),
    101: Verdict(Category.LINE_REFUSED, retry=True, reason="line_refused"),
    102: _INVALID,
    103: _ORDER,
    104: _ORDER,
    105: _ORDER,
    110: _ORDER,
    162: Verdict(Category.HISTORY, reason="no_history"),
    165: Verdict(Category.NOTICE, ends=False),
    200: Verdict(Category.NO_SECURITY, reason="no_security"),
    201: _ORDER,
    202: _ORDER,
    203: _ORDER,
    300: Verdict(Category.NOTICE),
    309: Verdict(Category.LINE_REFUSED, retry=True, reason="line_refused"),
    317: Verdict(Category.NOTICE, ends=False),
    321: _INVALID,
    322: _INVALID,
    326: Verdict(Category.CLIENT_ID, retry=True, reason="disconnected", concern=Concern.SESSION),
    354: _NOT_SUBSCRIBED,
    366: Verdict(Category.NOTICE),
    399: _ORDER,
    404: _ORDER,
    420: Verdict(Category.NOT_SUBSCRIBED, reason="not_subscribed"),
    434: _ORDER,
    460: _ORDER,
    478: _INVALID,
    502: _SERVER_LOST,
    504: _SERVER_LOST,
    1100: _SERVER_LOST,
    1101: Verdict(Category.SERVER_BACK_DATA_LOST, concern=Concern.SESSION, ends=False),
    1102: Verdict(Category.SERVER_BACK, concern=Concern.SESSION, ends=False),
    1300: Verdict(Category.SOCKET_RESET, retry=True, reason="disconnected", concern=Concern.SESSION),
    2103: _FARM_BROKEN,
    2104: _FARM_OK,
    2105: _FARM_BROKEN,
    2106: _FARM_OK,
    2107: _NOTICE,  # inactive until it is needed
    2108: _NOTICE,
    2110: _SERVER_LOST,
    2119: _NOTICE,  # connecting
    2157: _FARM_BROKEN,
    2158: _FARM_OK,
    2159: _NOTICE,
    10089: _NOT_SUBSCRIBED,
    10090: _PARTLY_SUBSCRIBED,
    10091: _PARTLY_SUBSCRIBED,
    10147: _ORDER,
    10148: _ORDER,
    10167: Verdict(Category.NOTICE, ends=False),  # delayed data follow, as asked
    10168: _NOT_SUBSCRIBED,
    10182: Verdict(Category.CANCELLED, retry=True, reason="cancelled"),
    10189: Verdict(Category.NOT_SUBSCRIBED, reason="not_subscribed"),
    10190: Verdict(Category.LINE_REFUSED, retry=True, reason="line_refused"),
    10197: Verdict(Category.COMPETING_SESSION, retry=True, reason="competing_session", ends=False),
    10225: Verdict(Category.CANCELLED, retry=True, reason="cancelled"),
    10349: _ORDER,
}

#: The farms whose silence is a silence of quotes; 2105 is history, 2157 contract definitions.
MARKET_DATA_FARM_CODES = frozenset({2103, 2104})

#: After these codes the client libraries call a live order Cancelled. IB does not: the order works on, or keeps its
#: former terms.
UNCONFIRMED_CANCELLATIONS = frozenset({10349, 321, 105, 329, 104, 110, 165, 399, 404, 434, 492, 10167})


def classify(code: int, text: str = "") -> Verdict:
    """Return what an IB message means; `text` tells pacing from other historical trouble."""
    if code == 162 and "pacing" in text.lower():
        return Verdict(Category.HISTORY_PACING, retry=True, reason="history_pacing")
    if code == 162 and "cancelled" in text.lower():
        return Verdict(Category.CANCELLED, reason="cancelled")
    known = VERDICTS.get(code)
    if known is not None:
        return known
    if 2100 <= code < 2200:
        return _NOTICE
    return Verdict(Category.OTHER, reason=f"error_{code}")


def cancellation_is_confirmed(code: int) -> bool:
    """Tell whether a client library's local status "Cancelled" after `code` is to be believed.

    Notes
    -----
    False means: ask IB (open and completed orders) before the order is sent again; it may be live and fill.
    """
    return code not in UNCONFIRMED_CANCELLATIONS


def farm_of(text: str) -> str:
    """Return the data farm that a notice names after its last colon, ``'usfarm'`` of "...is OK:usfarm"."""
    return text.rsplit(":", 1)[1].strip() if ":" in text else ""


def all_farms_are_back(text: str) -> bool:
    """Tell whether notice 1102 says so: whoever connected while they were away hears it from no other notice."""
    return "all data farms are connected" in text.lower()


def new_port_of(text: str) -> int | None:
    """Return the port that error 1300 ("socket port has been reset") tells to reconnect on; None when it tells none."""
    found = re.search(r"(\d{2,5})\W*$", text)
    return int(found[1]) if found and 0 < int(found[1]) < 65_536 else None


class GatewayRefusal(BifrostError):  # noqa: N818 (what it is: the gateway answered, and said no)
    """IB answered a request with an error: `code`, IB's `text`, and the `verdict` on it."""

    def __init__(self, what: str, code: int, text: str) -> None:
        self.what, self.code, self.text, self.verdict = what, code, text, classify(code, text)
        super().__init__(f"IB refused {what}: error {code}, {text}")
