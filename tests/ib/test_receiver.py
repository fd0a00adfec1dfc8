"""The ticks of the wire reach the slot that asked, and what nobody asked for reaches none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import isnan
from unittest.mock import Mock

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.ib.frames import FrameSplitter, frame_of
from bifrost_lib.ib.receiver import Receiver
from bifrost_lib.ib.records import ListedOption
from bifrost_lib.ib.slots import Slot, ask_for

OPTION = ListedOption(101, OptionContract("SPY", date(2026, 12, 18), 600.0, "C"))
REQ_ID = 7
NUMBERS = (0.2, 0.5, 4.1, -1, 0.01, 0.7, -0.05, 601.5)  # iv, delta, price, dividends, gamma, vega, theta, spot


@pytest.fixture
def slot() -> Slot:
    return Slot(ask_for(OPTION, open_interest=True), Mock())


@pytest.fixture
def hear(slot):
    clock = SteppedClock(datetime(2026, 11, 20, 15, tzinfo=UTC))
    receiver = Receiver(clock, notice=Mock(), lost=Mock(), heard=Mock())
    receiver.slots[REQ_ID] = slot
    reader = FrameSplitter(receiver.ticks, {}, b"", receiver.packet_begins)
    return lambda *messages: reader.feed(b"".join(frame_of(*fields) for fields in messages))


def test_a_line_is_complete_by_its_ticks(slot, hear):
    hear(
        (1, 6, REQ_ID, 1, 4.0, 10, 1), (1, 6, REQ_ID, 2, 4.2, 20, 1), (2, 6, REQ_ID, 27, 1234),
        (46, 6, REQ_ID, 45, "1763650000"), (21, REQ_ID, 13, 0, *NUMBERS),
    )  # fmt: skip
    seen = slot.observation
    assert slot.complete
    assert (seen.bid, seen.bid_size, seen.ask, seen.ask_size, seen.open_interest) == (4.0, 10.0, 4.2, 20.0, 1234.0)
    assert (seen.ib_iv, seen.ib_delta, seen.spot) == (0.2, 0.5, 601.5)


@pytest.mark.parametrize("tick", [10, 11, 12, 53, 80])
def test_only_the_model_gives_greeks(slot, hear, tick):
    hear((21, REQ_ID, tick, 0, *NUMBERS))
    assert isnan(slot.observation.ib_iv) and isnan(slot.observation.spot) and slot.observation.ts is None


def test_an_empty_price_and_the_ticks_of_others_say_nothing(slot, hear):
    hear((1, 6, REQ_ID, 1, "", "", 1), (1, 6, REQ_ID + 1, 1, 4.0, 10, 1), (2, 6, REQ_ID + 1, 27, 5))
    assert slot.observation.ts is None and not slot.seen
