"""The gateway as a process: its announcement, its end, its mistakes."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from ib_async import IB, Stock

from bifrost_lib.sim.control import control


@contextmanager
def process(*arguments: str):
    command = [sys.executable, "-m", "bifrost_lib.sim", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_scripted_gateway_starts_empty_obeys_and_ends_cleanly(number):
    async def drive(port: int) -> None:
        await control(port, "add", symbol="SPY", con_id=756733, bid=500, ask=500.1, bid_size=1, ask_size=1)
        ib = IB()
        await ib.connectAsync("127.0.0.1", port, clientId=1)
        assert ib.client.serverVersion() == 170
        [ticker] = await ib.reqTickersAsync(Stock(conId=756733, symbol="SPY", exchange="SMART"))
        assert ticker.bid == 500
        ib.disconnect()

    with process("--market", "scripted", "--max-version", "170") as running:
        announced = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", running.stdout.readline())
        asyncio.run(drive(int(announced[1])))
        running.send_signal(number)
        assert running.wait(10) == 0
        assert running.stderr.read() == ""


def test_a_script_is_a_file(tmp_path):
    script = tmp_path / "script.toml"
    script.write_text('[[instruments]]\nsymbol = "SPY"\ncon_id = 5\nbid = 1.0\n')
    with process("--market", "scripted", "--script", str(script)) as running:
        assert running.stdout.readline().startswith("listening on")
        running.terminate()
        assert running.wait(10) == 0


def test_a_port_in_use_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "bifrost_lib.sim", "--port", str(port), "--market", "scripted"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--market", "syntetic"], "synthetic"),
        (["--market", "replay"], "--replay"),
        (["--start", "monday"], "ISO 8601"),
        (["--speed", "-1"], "speed"),
        (["--market", "scripted", "--script", "/nowhere/script.json"], "no such file"),
    ],
)
def test_mistakes_are_named(arguments, word):
    done = subprocess.run(
        [sys.executable, "-m", "bifrost_lib.sim", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode != 0
    assert word in done.stderr
    assert "Traceback" not in done.stderr
