"""Frames in pieces, greetings, the straight way of ticks, and the texts of errors."""

from __future__ import annotations

import math
import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.sim import wire

FRAMES = wire.encode(wire.ReqIds(1), 178) + wire.encode(wire.ReqPositions(), 178) + wire.encode(wire.StartApi(3), 178)
FIELDS = [["8", "1", "1"], ["61", "1"], ["71", "2", "3", ""]]
GREETING = b"v157..178"


@given(st.lists(st.integers(1, 60), max_size=12))
def test_pieces_of_any_size(cuts):
    data = b"API\0" + struct.pack(">I", len(GREETING)) + GREETING + FRAMES
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader = wire.FrameReader()
    found = [fields for a, b in pairwise(edges) for fields in reader.feed(data[a:b])]
    assert found == [["v157..178"], *FIELDS]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"APX\0", b"\0\0\0\5", b"\x16\x03\x01"])
def test_what_is_no_client(data):
    with pytest.raises(wire.WireError) as caught:
        wire.FrameReader().feed(data)
    assert caught.value.code == 502


def test_a_frame_that_is_too_long():
    with pytest.raises(wire.WireError) as caught:
        wire.FrameReader(greets=False, longest=1000).feed(struct.pack(">I", 1001))
    assert caught.value.code == 507


@given(st.binary(max_size=200))
def test_any_bytes_raise_wire_errors_only(data):
    reader = wire.FrameReader(greets=False)
    try:
        for fields in reader.feed(data):
            wire.decode_request(fields, 178)
    except wire.WireError as problem:
        assert problem.code in (320, 505, 507)


@pytest.mark.parametrize(
    ("greeting", "server_max", "version"),
    [
        ("v157..176", 178, 176),  # ib_insync
        ("v157..178", 178, 178),  # ib_async
        ("v100..225", 178, 178),  # the official client 10.46
        ("v100..225 +PACEAPI", 178, 178),
        ("v100..151", 178, 151),  # the official client 9.81
        ("v157..178", 164, 164),
        ("v178", 178, 178),
        ("v157..178\0", 170, 170),
    ],
)
def test_versions_that_suit_both(greeting, server_max, version):
    assert wire.negotiated_version(greeting, server_max) == version


@pytest.mark.parametrize(
    ("greeting", "code"),
    [("v100..150", 503), ("v179..225", 503), ("v157..178", 503), ("hello", 502), ("", 502), ("v..", 502)],
)
def test_greetings_that_are_refused(greeting, code):
    with pytest.raises(wire.WireError) as caught:
        wire.negotiated_version(greeting, 156 if greeting == "v157..178" else 178)
    assert caught.value.code == code


def test_the_reply_has_two_fields():
    assert wire.FrameReader(greets=False).feed(wire.handshake_reply(178, "20260102 09:30:00 EST")) == [
        ["178", "20260102 09:30:00 EST"]
    ]


PRICES = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.15g}"))
GREEKS = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.10g}"))
IDS = st.integers(0, 2**31 - 2)


def read(data: bytes) -> object:
    (fields,) = wire.FrameReader(greets=False).feed(data)
    return wire.decode_response(fields, 178)


@given(IDS, st.integers(0, 120), PRICES, PRICES, st.integers(0, 7), st.text("ab12;é", max_size=9))
def test_straight_ticks_say_what_the_messages_say(req_id, kind, price, size, mask, text):
    assert read(wire.tick_price(req_id, kind, price, size, mask)) == wire.TickPrice(req_id, kind, price, size, mask)
    assert read(wire.tick_size(req_id, kind, size)) == wire.TickSize(req_id, kind, size)
    assert read(wire.tick_generic(req_id, kind, price)) == wire.TickGeneric(req_id, kind, price)
    assert read(wire.tick_string(req_id, kind, text)) == wire.TickString(req_id, kind, text)


@given(IDS, st.lists(GREEKS, min_size=8, max_size=8))
def test_straight_computations(req_id, greeks):
    assert read(wire.tick_computation(req_id, 13, *greeks, tick_attrib=1)) == wire.TickOptionComputation(
        req_id, 13, 1, *greeks
    )


def test_what_is_not_computed_has_ib_s_own_numbers():
    missing = wire.tick_computation(5, 10, *[math.nan] * 8)
    assert read(missing) == wire.TickOptionComputation(5, 10)
    some = wire.tick_computation(5, 10, math.nan, 0.5, *[math.nan] * 5, 101.5)
    assert read(some) == wire.TickOptionComputation(5, 10, delta=0.5, und_price=101.5)


def test_ticks_take_numpy_numbers_and_write_sizes_as_whole_numbers():
    """The official client before 10.10 reads sizes with int()."""
    data = wire.tick_price(np.int64(5), 1, np.float64(101.25), np.float64(300.0))
    assert wire.FrameReader(greets=False).feed(data) == [["1", "6", "5", "1", "101.25", "300", "0"]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_missing_prices_are_not_sent(value):
    for write in (wire.tick_size, wire.tick_generic):
        with pytest.raises(wire.WireError):
            write(1, 1, value)
    with pytest.raises(wire.WireError):
        wire.tick_price(1, 1, value, 1.0)
    with pytest.raises(wire.WireError):
        wire.tick_price(1, 1, 1.0, value)
    with pytest.raises(wire.WireError):
        wire.tick_string(1, 45, "a\0b")


def test_every_code_that_the_gateway_needs_has_a_text():
    wanted = {
        100, 101, 102, 103, 104, 105, 110, 162, 165, 200, 201, 202, 203, 300, 309, 317, 321, 322, 326, 329, 354, 366,
        399, 404, 420, 434, 460, 478, 1100, 1101, 1102, 1300, 2103, 2104, 2105, 2106, 2107, 2108, 2110, 2119, 2157,
        2158, 10089, 10090, 10091, 10147, 10148, 10167, 10168, 10182, 10189, 10190, 10197, 10225, 10349,
    }  # fmt: skip
    assert wanted <= set(wire.ERROR_TEXTS)
    assert {code for code, _ in wire.ERROR_KINDS} <= set(wire.ERROR_TEXTS)


def test_errors_say_the_facts():
    assert wire.error(10148, 12, order_id=12, state="Filled").text == (
        "OrderId 12 that needs to be cancelled cannot be cancelled, state: Filled."
    )
    assert wire.error(200, 5, kind="ambiguous", symbol="SIMA") == wire.ErrorMessage(
        5, 200, "The contract description specified for SIMA is ambiguous."
    )
    assert wire.error(202, 12).text == "Order Canceled - reason:"
    with pytest.raises(KeyError):
        wire.error(1)
    with pytest.raises(KeyError):
        wire.error(200, kind="unheard of")


def test_no_text_is_left_with_a_brace():
    for code in wire.ERROR_TEXTS:
        assert "{" not in wire.error(code).text
    for code, kind in wire.ERROR_KINDS:
        assert "{" not in wire.error(code, kind=kind).text
