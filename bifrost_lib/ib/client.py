"""The only module that imports the IB client library, ib_async or ib_insync, whichever the settings name.

It uses the library's connection and decoder and leaves its throttle and its bookkeeping aside: one request is one
message, sent when `pacer` says so. What goes and comes by the thousand, subscriptions, ticks and the contracts of a
chain, is written and read here without the library's conversions.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass
from typing import Any

from bifrost_lib.core.errors import EnvironmentProblem, SourceUnavailable
from bifrost_lib.ib.frames import FrameSplitter, frame_of
from bifrost_lib.ib.mapping import contract_fields, details_of
from bifrost_lib.ib.receiver import Receiver

SOURCE = "IB gateway"


@dataclass(frozen=True)
class Library:
    """The parts of an IB client library that are used."""

    name: str
    client: Any
    contract: Any


def load_library(name: str) -> Library:
    """Import a client library.

    Raises
    ------
    EnvironmentProblem
        If it is not installed.
    """
    try:
        client, contract = (importlib.import_module(f"{name}.{part}") for part in ("client", "contract"))
    except ImportError as error:
        raise EnvironmentProblem(
            f"the IB client library {name} is not installed ({error})",
            "run ./bifrost up once, which installs ib_async, or set BIFROST_IB_CLIENT to the one that is there",
        ) from None
    # It logs every notice of IB as an error; what matters is told by the session's state.
    for logger in ("client", "Decoder", "wrapper"):
        logging.getLogger(f"{name}.{logger}").setLevel(logging.CRITICAL)
    return Library(name, client.Client, contract.Contract)


class Client:
    """One connection: it connects once, sends requests, and hears through a receiver."""

    def __init__(self, library: Library, receiver: Receiver) -> None:
        self._library, self._receiver = library, receiver
        self._client = library.client(receiver)
        self._client.MaxRequests = 0  # the library's throttle is one queue that bursts; ours has lanes and does not
        self._client.conn.sendMsg = self._write
        self._waiting: list[bytes] = []

    @property
    def connected(self) -> bool:
        """Whether requests can be sent."""
        return bool(self._client.isReady())

    @property
    def server_version(self) -> int:
        """The protocol version that was agreed on."""
        return int(self._client.serverVersion())

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts of the login."""
        return tuple(self._client.getAccounts())

    async def connect(self, host: str, port: int, client_id: int, timeout_s: float) -> None:
        """Connect, and wait for the accounts and the first order id.

        Raises
        ------
        SourceUnavailable
            If that does not happen within `timeout_s` seconds of the machine.
        """
        try:
            await self._client.connectAsync(host, port, client_id, timeout_s)
            self._read_frames()
        except (OSError, TimeoutError) as error:
            problem = str(error) or f"no answer to the greeting within {timeout_s:g} s"
            raise SourceUnavailable(SOURCE, f"{host}:{port}: {problem}") from None

    def _read_frames(self) -> None:
        library = self._client
        # kept here, because the library's events only know their listeners weakly
        receiver, version = self._receiver, self.server_version

        def details(fields: list[bytes]) -> None:
            receiver.row(*details_of(fields, server_version=version))

        readers = {**receiver.ticks, b"10": details}
        self._frames = FrameSplitter(readers, library.decoder.handlers, library._data, receiver.packet_begins)
        library.conn.hasData -= library._onSocketHasData
        library.conn.hasData += self._frames.feed

    def _write(self, message: bytes) -> None:
        # Those of one turn of the loop go out in one write: the system's calls cost more than the messages.
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(message)

    def _flush(self) -> None:
        messages, self._waiting = self._waiting, []
        transport = self._client.conn.transport
        if transport is not None and not transport.is_closing():
            transport.write(b"".join(messages))

    def abort(self) -> None:
        """Drop the connection at once, also one whose other end no longer reads."""
        transport = self._client.conn.transport
        if transport is not None:
            transport.abort()

    def next_id(self) -> int:
        """Return a request id that was not used before on this connection."""
        return int(self._client.getReqId())

    def subscribe(self, req_id: int, con_id: int, exchange: str, generic_ticks: str, *, snapshot: bool) -> None:
        """Ask for market data of a contract; one message."""
        contract = (con_id, "", "", "", 0.0, "", "", exchange, "", "", "", "")
        no_delta_neutral, no_regulatory, no_options = 0, 0, ""
        self._write(
            frame_of(
                1, 11, req_id, *contract, no_delta_neutral, generic_ticks, int(snapshot), no_regulatory, no_options
            )
        )

    def unsubscribe(self, req_id: int) -> None:
        """Give the line back; one message."""
        self._write(frame_of(2, 2, req_id))

    def set_data_type(self, number: int) -> None:
        """Say which kind of data later subscriptions want: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""
        self._client.reqMarketDataType(number)

    def request_time(self) -> None:
        """Ask for the gateway's time."""
        self._client.reqCurrentTime()

    def request_contracts(self, req_id: int, **query: Any) -> None:
        """Ask for the details of every contract that fits `query` (names of our vocabulary)."""
        self._client.reqContractDetails(req_id, self._contract(query))

    def request_option_classes(self, req_id: int, symbol: str, sec_type: str, con_id: int) -> None:
        """Ask which expiries and strikes are listed on an underlying."""
        self._client.reqSecDefOptParams(req_id, symbol, "", sec_type, con_id)

    def request_bars(self, req_id: int, con_id: int, exchange: str, *, what: str, duration: str, bar: str) -> None:
        """Ask for bars of regular hours up to now."""
        contract = self._library.contract(conId=con_id, exchange=exchange)
        self._client.reqHistoricalData(req_id, contract, "", duration, bar, what, True, 1, False, [])

    def _contract(self, query: dict[str, Any]) -> Any:
        return self._library.contract(**contract_fields(query))
