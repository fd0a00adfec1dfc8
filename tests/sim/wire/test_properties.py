"""Laws of the codec: what is written is read again, in every version; what is damaged raises only WireError."""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.sim import wire
from bifrost_lib.sim.wire.codec import load_families
from bifrost_lib.sim.wire.declare import LAYOUTS, REQUESTS, RESPONSES
from bifrost_lib.sim.wire.fields import escaped, unescaped

load_families()
# No shrinking: an order has 130 fields, and the first example says enough.
QUICK = settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
VERSIONS = st.integers(wire.MIN_VERSION, wire.MAX_VERSION)
# No NUL, which ends a field, and no backslash, with which an escape begins; options also end at = and ;.
TEXTS = st.text(st.characters(blacklist_characters="\0\\=;", blacklist_categories=["Cs"]), max_size=8)
ODD = st.sampled_from(["1", "0", "-1", "3", "BAG", "2147483647", "Infinity", "nan", "1e400"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ORDERS = {wire.PlaceOrder, wire.OpenOrder, wire.CompletedOrder}
CLASSES = sorted(LAYOUTS, key=lambda kind: kind.__name__)


@cache
def things(kind: Any) -> st.SearchStrategy[Any]:
    """Return what an annotation can hold."""
    plain = {int: st.integers(-(2**31), 2**31 - 1), float: NUMBERS, bool: st.booleans(), str: TEXTS}
    if kind in plain:
        return plain[kind]
    if isinstance(kind, types.UnionType):
        return st.one_of([st.none() if part is type(None) else things(part) for part in get_args(kind)])
    if get_origin(kind) is tuple:
        return st.lists(things(get_args(kind)[0]), max_size=2).map(tuple)
    if kind is wire.TagValue:
        return st.builds(wire.TagValue, TEXTS.filter(bool), TEXTS)
    hints = get_type_hints(kind)
    return st.builds(kind, **{f.name: things(hints[f.name]) for f in dataclasses.fields(kind)})


def fields_of(data: bytes) -> list[str]:
    (fields,) = wire.FrameReader(greets=False).feed(data)
    return fields


def decode(message: Any, fields: list[str], version: int) -> Any:
    read = wire.decode_request if REQUESTS.get(LAYOUTS[type(message)].number) is LAYOUTS[type(message)] else None
    return (read or wire.decode_response)(fields, version)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@given(data=st.data(), version=VERSIONS)
@QUICK
def test_what_is_written_is_read_again(kind, data, version):
    """A message that lost what a version does not carry is written the same again."""
    message = data.draw(things(kind))
    fields = fields_of(wire.encode(message, version))
    once = decode(message, fields, version)
    assert fields_of(wire.encode(once, version)) == fields
    assert decode(message, fields, version) == once


@pytest.mark.parametrize(
    "kind", [k for k in CLASSES if k not in (wire.PlaceOrder, wire.OpenOrder, wire.CompletedOrder)]
)
def test_every_attribute_arrives(kind):
    """In the newest version nothing of a message is lost, but the parts of a contract that its layout leaves out."""
    hints, values = get_type_hints(kind), {}
    for number, f in enumerate(dataclasses.fields(kind), start=2):
        values[f.name] = {int: number, float: number + 0.5, bool: True, str: f"t{number}"}.get(hints[f.name])
        if hints[f.name] is wire.Contract:
            values[f.name] = wire.Contract(con_id=5, symbol="SIMA", right="C")
        elif values[f.name] is None:
            values[f.name] = ()
    if kind is wire.TickByTick:
        values |= {"tick_type": 1, "bid": 0.0, "ask": 0.0, "bid_size": 0.0, "ask_size": 0.0, "mid_point": 0.0}
    message = kind(**values)
    assert decode(message, fields_of(wire.encode(message, wire.MAX_VERSION)), wire.MAX_VERSION) == message


@given(st.lists(TEXTS | ODD, max_size=150), st.sampled_from(sorted(REQUESTS)), VERSIONS)
@settings(max_examples=200, deadline=None)
def test_damaged_requests_raise_wire_errors(texts, number, version):
    try:
        wire.decode_request([str(number), *texts], version)
    except wire.WireError as problem:
        assert problem.code in (320, 505)


@given(st.data(), VERSIONS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_requests_with_one_wrong_field_raise_wire_errors(data, version):
    kind = data.draw(st.sampled_from([wire.PlaceOrder, wire.ReqMktData, wire.ReqHistoricalData]))
    fields = fields_of(wire.encode(data.draw(things(kind)), version))
    at = data.draw(st.integers(0, len(fields) - 1))
    change = data.draw(st.sampled_from(["drop", "repeat", "replace", "cut"]))
    damaged = {
        "drop": fields[:at] + fields[at + 1 :],
        "repeat": fields[: at + 1] + fields[at:],
        "replace": [*fields[:at], data.draw(TEXTS), *fields[at + 1 :]],
        "cut": fields[:at],
    }[change]
    try:
        wire.decode_request(damaged, version)
    except wire.WireError as problem:
        assert problem.code in (320, 505)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([], 505),
        ([""], 505),
        (["x"], 505),
        (["999999999999"], 505),
        (["²"], 505),
        (["18", "1", "1"], 505),
        (["2", "2"], 320),
        (["2", "2", "seven"], 320),
        (["2", "2", "7.5"], 320),
        (["2", "2", "nan"], 320),
        (["2", "2", "inf"], 320),
        (["2", "2", "7", "more"], 320),
        (["6", "2", "perhaps", "DU1"], 320),
    ],
)
def test_malformed_requests(fields, code):
    with pytest.raises(wire.WireError) as caught:
        wire.decode_request(fields, 178)
    assert caught.value.code == code


def test_numbers_as_dynamic_languages_send_them():
    assert wire.decode_request(["2", "2", "7.0"], 178) == wire.CancelMktData(7)
    assert wire.decode_request(["6", "2", "true", "DU1"], 178) == wire.ReqAccountUpdates(True, "DU1")
    assert wire.decode_request(["2", "2", "7", ""], 178) == wire.CancelMktData(7)


def test_what_has_no_text_raises():
    with pytest.raises(wire.WireError):
        wire.encode(wire.TickPrice(1, 2, float("nan")), 178)
    with pytest.raises(wire.WireError):
        wire.encode(wire.TickString(1, 2, "a\0b"), 178)
    with pytest.raises(InputError) as unknown:
        wire.encode(wire.Contract(), 178)
    assert unknown.value.name == "message"
    for version in (150, 179):
        with pytest.raises(InputError) as outside:
            wire.encode(wire.PositionEnd(), version)
        assert outside.value.name == "version"


@given(st.text(st.characters(blacklist_characters="\\", blacklist_categories=["Cs"])))
def test_escapes(text):
    assert escaped(text).isascii()
    assert unescaped(escaped(text)) == text


def test_only_sessions_before_escapes_see_characters_beyond_ascii():
    news = wire.HistoricalNews(1, "t", "p", "a", "Café")
    assert fields_of(wire.encode(news, 152))[-1] == "Café"
    assert fields_of(wire.encode(news, 153))[-1] == "Caf\\u00e9"


def test_the_tables_cover_what_the_gateway_must_speak():
    wanted = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 20, 21, 22, 23, 24, 25, 49, 50, 51, 54, 55, 56, 57, 58,
        59, 61, 62, 63, 64, 71, 74, 75, 76, 77, 78, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97,
        98, 99, 104,
    }  # fmt: skip
    assert wanted <= set(REQUESTS)
    answers = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 45, 46, 49, 50, 52, 53, 54, 55, 57, 58, 59,
        61, 62, 63, 64, 71, 72, 73, 74, 75, 76, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 93, 94, 95, 96, 97, 98,
        99, 101, 102, 106, 107,
    }  # fmt: skip
    assert answers <= set(RESPONSES)
