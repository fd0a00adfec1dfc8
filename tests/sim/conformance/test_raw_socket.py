"""The protocol field by field, as the newest official client writes and reads it, without any client."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import pytest

#: The widest range of versions that the official client announces, and what it adds to it.
GREETING = b"v100..225 +PACEAPI"
STOCK = ["0", "SPY", "STK", "", "0.0", "", "", "SMART", "", "USD", "", ""]
UNSET_INT, UNSET = "2147483647", "1.7976931348623157e+308"


class Wire:
    """A socket that speaks in frames."""

    def __init__(self, host: str, port: int, client_id: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=6)
        self.buffer = b""
        self.socket.sendall(b"API\0" + struct.pack(">I", len(GREETING)) + GREETING)
        self.greeting = self.frame()
        self.seen: list[list[str]] = []
        self.send(71, 2, client_id, "")

    def send(self, *fields: object) -> None:
        body = "".join(f"{field}\0" for field in fields).encode()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def frame(self) -> list[str]:
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack(">I", self.buffer[:4])[0]:
            data = self.socket.recv(65536)
            assert data, "the gateway hung up"
            self.buffer += data
        size = struct.unpack(">I", self.buffer[:4])[0]
        body, self.buffer = self.buffer[4 : 4 + size], self.buffer[4 + size :]
        assert body.endswith(b"\0")
        return body[:-1].decode().split("\0")

    def wait(self, number: int, *head: object) -> list[str]:
        """Return the first message of that number whose fields begin with `head` (None: anything)."""
        wanted = [str(number), *(None if one is None else str(one) for one in head)]
        end = time.monotonic() + 6
        while time.monotonic() < end:
            found = self.frame()
            self.seen.append(found)
            if all(want is None or want == field for want, field in zip(wanted, found, strict=False)):
                return found
        raise AssertionError(f"no message {number} {head}")


@pytest.fixture
def wire(simulator) -> Iterator[Wire]:
    found = Wire(simulator.host, simulator.port, 801)
    yield found
    found.socket.close()
    time.sleep(0.05)


def test_the_greeting_has_two_fields(wire, version):
    assert wire.greeting[0] == str(min(version, 178))
    assert len(wire.greeting) == 2
    assert wire.wait(15)[1] == "1"
    assert int(wire.wait(9)[2]) >= 1
    notice = wire.wait(4, 2, -1, 2104)
    assert len(notice) == (6 if version >= 166 else 5)


def test_details_have_the_fields_of_their_version(wire, version):
    wire.send(9, 8, 5, *STOCK, 0, "", "", *([""] if version >= 176 else []))
    details = wire.wait(10)
    head = 2 if version < 164 else 1
    assert details[head : head + 3] == ["5", "SPY", "STK"]
    # Sizes end the message: one number in 163, three from 164 on, none but a multiplier before.
    tail = {157: 2, 164: 4}.get(min(version, 164), 4)
    assert all(float(one) > 0 for one in details[-(tail - 1) :] if version >= 164)
    assert wire.wait(52) == ["52", "1", "5"]


def test_ticks(wire):
    wire.send(1, 11, 6, *STOCK, 0, "101,106", 0, 0, "")
    assert wire.wait(58) == ["58", "1", "6", "1"]
    assert wire.wait(81, 6)[2] == "0.01"
    price = wire.wait(1, None, 6, 1)
    assert len(price) == 7
    assert float(price[4]) > 0
    assert len(wire.wait(2, None, 6, 27)) == 5
    wire.send(2, 2, 6)
    wire.send(49, 1)
    wire.wait(49)


def test_bars(wire):
    wire.send(20, 7, *STOCK, 0, "", "1 day", "3 D", 1, "TRADES", 1, 0, "")
    bars = wire.wait(17, 7)
    assert bars[4] == "3"
    assert len(bars) == 5 + 3 * 8
    assert all(len(bars[5 + 8 * place]) == 8 for place in range(3))


def test_the_account_ends_what_it_begins(wire):
    wire.send(61, 1)
    wire.wait(62)
    wire.send(5, 1)
    wire.wait(53)
    wire.send(99, 0)
    wire.wait(102)
    wire.send(6, 2, 1, "")
    value = wire.wait(6)
    assert len(value) == 6
    wire.wait(54)
    wire.send(7, 3, 9, 0, "", "", "", "", "", "")
    assert wire.wait(55, None, 9)
    wire.send(62, 1, 10, "All", "NetLiquidation")
    assert wire.wait(63, None, 10)[4] == "NetLiquidation"
    wire.wait(64, None, 10)


def test_an_order_and_its_end(wire, version):
    wire.wait(15)
    number = int(wire.wait(9)[2])
    order = [
        *STOCK, "", "", "BUY", "2", "MKT", "", "", "DAY", "", "", "", 0, "raw", 1, 0, 0, 0, 0, 0, 0, 0, "", 0, "", "",
        "", "", "", *([""] if version < 177 else []), "", 0, "", -1, 0, "", "", 0, "", "", 0, 0, "", 0, "", "", "", "",
        "", 0, "", "", "", "", 0, "", "", "", "", "", "", "", "", "", "", 0, "", "", 0, 0, "", "", 0, "", 0, 0, 0, 0,
        "", "", "", "", "", "", 0, "", "", "", "", "", "", "", "", 0, 0, 0, "",
        *([UNSET_INT] if version >= 158 else []), *([UNSET_INT] if version >= 160 else []),
        *([0] if version >= 162 else []), *([""] if version >= 166 else []), *([""] if version >= 169 else []),
    ]  # fmt: skip
    wire.send(3, number, *order)
    while (told := wire.wait(3, number))[2] != "Filled":
        assert len(told) == 12
    assert (told[3], told[4]) == ("2", "0")
    wire.send(7, 3, 11, 0, "", "", "", "", "", "")
    execution = wire.wait(11, 11, number)
    assert len(execution) == (32 if version >= 178 else 31)
    wire.wait(55)
    wire.send(4, 1, 987654, *([""] if version >= 169 else []))
    assert wire.wait(4, 2, 987654)[3] == "10147"
