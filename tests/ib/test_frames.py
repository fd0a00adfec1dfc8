"""Messages are cut out of the stream at their length, however the network cuts the stream."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.ib.frames import FrameSplitter, frame_of


def frame(*fields: str) -> bytes:
    body = "".join(field + "\0" for field in fields).encode()
    return len(body).to_bytes(4) + body


def splitter(heard: list[Any], rest: bytes = b"") -> FrameSplitter:
    def fail(fields: list[str]) -> None:
        raise ValueError(fields)

    return FrameSplitter({}, {1: heard.append, 2: fail}, rest, lambda: None)


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(messages=st.lists(st.lists(words, max_size=5), max_size=8), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_however_the_stream_is_cut_the_messages_are_the_same(messages, cuts):
    stream = b"".join(frame("1", *fields) for fields in messages)
    heard: list[Any] = []
    at = 0
    reader = splitter(heard)
    for cut in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        reader.feed(stream[at:cut])
        at = cut
    assert heard == [["1", *fields] for fields in messages]


def test_what_came_with_the_greeting_is_not_lost():
    heard: list[Any] = []
    stream = frame("1", "a") + frame("1", "b")
    splitter(heard, rest=stream[:7]).feed(stream[7:])
    assert heard == [["1", "a"], ["1", "b"]]


@pytest.mark.parametrize("bad", [frame("2", "x"), frame("99"), frame("no number")])
def test_a_message_that_cannot_be_read_stops_none_behind_it(bad, caplog):
    heard: list[Any] = []
    with caplog.at_level(logging.ERROR):
        splitter(heard).feed(bad + frame("1", "next"))
    assert heard == [["1", "next"]]
    assert "cannot be read" in caplog.text


def test_ticks_are_read_as_they_are_and_the_rest_as_text(caplog):
    ticks: list[Any] = []
    heard: list[Any] = []

    def tick(fields: list[bytes]) -> None:
        ticks.append(float(fields[1]))

    with caplog.at_level(logging.ERROR):
        FrameSplitter({b"7": tick}, {1: heard.append}, b"", lambda: None).feed(
            frame("7", "1.25") + frame("1", "Zürich") + frame("7", "no number") + frame("7", "2")
        )
    assert ticks == [1.25, 2.0] and heard == [["1", "Zürich"]]
    assert "no number" in caplog.text


def test_a_frame_is_what_the_splitter_reads():
    heard: list[Any] = []
    splitter(heard).feed(frame_of(1, 11, "SMART", "", 0.0))
    assert heard == [["1", "11", "SMART", "", "0.0"]]
