"""A recorder between a client and a gateway, over real sockets; and the comparison of two recordings."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from bifrost_lib.core.errors import FileFormatError, InputError
from bifrost_lib.sim import wire
from bifrost_lib.sim.record import compare, main, recorder
from bifrost_lib.sim.wire.recording import Mask, Tap

GREETING = b"API\0" + struct.pack(">I", 9) + b"v157..178"
ASKED = b"".join(
    wire.encode(message, 178)
    for message in (wire.StartApi(1), wire.ReqAccountUpdates(True, "U7654321"), wire.ReqMktData(5, wire.Contract()))
)
ANSWER = wire.handshake_reply(178, "20260102 09:30:00 EST") + b"".join(
    wire.encode(message, 178)
    for message in (
        wire.ManagedAccounts("U7654321,DU1234567"),
        wire.NextValidId(1),
        wire.AccountValue("AccountCode", "U7654321", "", "U7654321"),
        wire.error(2104, farm="usfarm"),
        wire.TickPrice(5, 1, 101.25, 300.0),
    )
)


async def converse(out: Path, *, asked: bytes, answer: bytes, piece: int) -> tuple[bytes, bytes]:
    """Let a client and a gateway talk through a recorder; return what the gateway and what the client got."""
    heard, everything = bytearray(), asyncio.Event()

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(heard) < len(asked):
            heard.extend(await reader.read(1000))
        for at in range(0, len(answer), piece):
            writer.write(answer[at : at + piece])
            await writer.drain()
        await everything.wait()
        writer.close()

    server = await asyncio.start_server(gateway, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with recorder(to=("127.0.0.1", port), out=out) as listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening)
        for at in range(0, len(asked), piece):
            writer.write(asked[at : at + piece])
            await writer.drain()
        got = await reader.readexactly(len(answer))
        everything.set()
        assert await reader.read() == b""  # the gateway hung up, and so does the recorder
        writer.close()
        await writer.wait_closed()
    server.close()
    return bytes(heard), got


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize("piece", [7, 100_000])
def test_every_byte_passes_and_every_message_is_written(tmp_path, piece):
    out = tmp_path / "session.jsonl"
    asked = GREETING + ASKED
    assert asyncio.run(converse(out, asked=asked, answer=ANSWER, piece=piece)) == (asked, ANSWER)
    written = records(out)
    assert [r["name"] for r in written if r["direction"] == "response"] == [
        "Handshake", "ManagedAccounts", "NextValidId", "AccountValue", "ErrorMessage", "TickPrice",
    ]  # fmt: skip
    assert [r["name"] for r in written if r["direction"] == "request"] == [
        "Greeting", "StartApi", "ReqAccountUpdates", "ReqMktData",
    ]  # fmt: skip
    assert not any("problem" in r for r in written)
    assert [r["ms"] for r in written] == sorted(r["ms"] for r in written)
    assert "U7654321" not in out.read_text()
    assert "DU1234567" not in out.read_text()
    value = next(r for r in written if r["name"] == "AccountValue")
    accounts = next(r for r in written if r["name"] == "ManagedAccounts")
    assert value["fields"][3] == value["fields"][5] == accounts["fields"][2].split(",")[0]


def test_a_gateway_that_does_not_answer_closes_the_connection(tmp_path):
    async def run() -> bytes:
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = taken.sockets[0].getsockname()[1]
        taken.close()
        await taken.wait_closed()
        async with recorder(to=("127.0.0.1", port), out=tmp_path / "a.jsonl") as listening:
            reader, writer = await asyncio.open_connection("127.0.0.1", listening)
            got = await reader.read()
            writer.close()
        return got

    assert asyncio.run(run()) == b""


def test_leaving_the_block_ends_open_connections(tmp_path):
    async def run() -> bytes:
        async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(gateway, "127.0.0.1", 0)
        async with recorder(to=server.sockets[0].getsockname(), out=tmp_path / "a.jsonl") as listening:
            reader, writer = await asyncio.open_connection("127.0.0.1", listening)
            writer.write(GREETING)
            await asyncio.sleep(0.05)
        got = await reader.read()
        writer.close()
        server.close()
        return got

    assert asyncio.run(run()) == b""
    assert [r["name"] for r in records(tmp_path / "a.jsonl")] == ["Greeting"]


def test_what_cannot_be_begun(tmp_path):
    async def run(out: Path, port: int) -> None:
        async with recorder(to=("127.0.0.1", 9), out=out, listen=port):
            pass

    there = tmp_path / "there.jsonl"
    there.write_text("")
    with pytest.raises(InputError) as exists:
        asyncio.run(run(there, 0))
    assert exists.value.name == "out"

    async def twice() -> None:
        async with recorder(to=("127.0.0.1", 9), out=tmp_path / "one.jsonl") as port:
            await run(tmp_path / "two.jsonl", port)

    with pytest.raises(InputError) as taken:
        asyncio.run(twice())
    assert taken.value.name == "listen"


def test_a_tap_never_raises():
    lines: list[str] = []
    tap = Tap(lines.append, lambda: 0.0, Mask())
    tap.hear("request", b"GET / HTTP/1.1\r\n\r\n")
    tap.hear("request", ASKED)
    tap.hear("response", wire.handshake_reply(225, ""))
    tap.hear("response", struct.pack(">I", 6) + b"\x00\x00\x00\xf0\xff\x01")
    names = [json.loads(line)["name"] for line in lines]
    assert names[:2] == ["Unreadable", "Handshake"]
    assert names[2].startswith("Unknown")


def test_masks_are_the_same_for_the_same_account():
    mask = Mask()
    mask.learn("U7654321,ACME-1")
    assert mask("U7654321 and ACME-1, then DU1234567") == "U0000001 and U0000002, then DU0000003"
    assert mask("DU1234567 U7654321 SIMA 260116C00512500") == "DU0000003 U0000001 SIMA 260116C00512500"


def record(path: Path, *messages: Any, extra: tuple[str, ...] = ()) -> Path:
    with path.open("w") as file:
        tap = Tap(file.write, lambda: 0.0, Mask())
        tap.hear("response", wire.handshake_reply(178, ""))
        for message in messages:
            tap.hear("response", wire.encode(message, 178))
        if extra:
            body = "".join(f"{text}\0" for text in extra).encode()
            tap.hear("response", struct.pack(">I", len(body)) + body)
    return path


def test_recordings_of_the_same_layouts_do_not_differ(tmp_path):
    bars = tuple(wire.HistoricalBar("20260102", 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3) for _ in range(2))
    one = record(tmp_path / "a", wire.TickPrice(1, 2, 1.5), wire.HistoricalData(1, "", "", bars), wire.NextValidId(3))
    two = record(tmp_path / "b", wire.TickPrice(2, 4, 2.0), wire.HistoricalData(1, "", "", bars[:1]))
    assert compare(one, two) == []
    assert main(["--compare", str(one), str(two)]) == 0


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        (("1", "6", "5", "1", "101.25", "300"), "6 fields in one, 7 in the other"),
        (("46", "6", "5", "45", "1767366000"), "field 4: number in one, text in the other"),
    ],
)
def test_what_differs_is_said(tmp_path, capsys, extra, what):
    one = record(tmp_path / "a", extra=extra)
    two = record(tmp_path / "b", wire.TickPrice(5, 1, 101.25, 300.0), wire.TickString(5, 45, "noon"))
    assert what in [difference.what for difference in compare(one, two)]
    assert main(["--compare", str(one), str(two)]) == 1
    assert what in capsys.readouterr().out


def test_what_cannot_be_read_is_a_difference(tmp_path):
    one = record(tmp_path / "a", extra=("17", "6", "", "", "2", "20260102", "1"))
    (difference,) = compare(one, record(tmp_path / "b"))
    assert (difference.direction, difference.name) == ("response", "HistoricalData")
    assert "cannot be read in a" in difference.what


def test_files_that_are_no_recordings(tmp_path, capsys):
    bad = tmp_path / "bad"
    bad.write_text('{"direction": "request", "name": "ReqIds", "fields": []}\n[1]\n')
    with pytest.raises(FileFormatError) as caught:
        compare(bad, bad)
    assert caught.value.line == 2
    assert main(["--compare", str(bad), str(bad)]) == 1
    assert "line 2" in capsys.readouterr().err
