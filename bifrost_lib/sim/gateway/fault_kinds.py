"""The faults themselves, by the names that users type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import InputError
from bifrost_lib.sim.gateway.faults import Act, Facts, fault
from bifrost_lib.sim.gateway.notices import FARMS, all_farms, farm_notices

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway

#: Facts that choose the contracts which a fault strikes.
WHO: dict[str, Any] = {"symbol": "", "con_id": 0, "share": 1.0, "seed": 0}
NO_GREEKS = ("minus", "nan", "absent")


def _nothing(_: SimulatedGateway, __: Facts) -> None:
    """Leave all to those who ask whether the fault is active."""


def _restored(gateway: SimulatedGateway, *, kept: bool) -> None:
    if kept:
        gateway.announce(1102, farms=all_farms())
    else:
        gateway.announce(1101)
        for session in list(gateway.sessions):
            session.drop_market_data()
    for code, farm in farm_notices(gateway.faults):  # whoever connected meanwhile was told that they are broken
        gateway.announce(code, farm=farm)


def _kept(gateway: SimulatedGateway, _: Facts) -> None:
    _restored(gateway, kept=True)


@fault("connectivity-lost", "1100: the connection to IB's servers is gone; nothing comes", end=_kept)
def _connectivity_lost(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.announce(1100)
    _end_live_bars(gateway)


def _end_live_bars(gateway: SimulatedGateway) -> None:
    for session in gateway.sessions:
        for kind, req_id in list(session.repeated):
            if kind == "history":
                session.stop(kind, req_id)
                session.refuse(req_id, 10182)


@fault("restored-lost", "1101: connected again, and every subscription is dead without a word", lasts=False)
def _restored_lost(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.faults.active.pop("connectivity-lost", None)
    _restored(gateway, kept=False)


@fault("restored-kept", "1102: connected again, subscriptions live on", lasts=False)
def _restored_kept(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.faults.active.pop("connectivity-lost", None)
    _restored(gateway, kept=True)


def _farms(facts: Facts) -> Iterable[str]:
    name = facts["farm"]
    if name != "all" and name not in FARMS:
        raise InputError("farm", name, "data, hmds, secdef or all")
    return FARMS if name == "all" else (name,)


def _farm_ok(gateway: SimulatedGateway, facts: Facts) -> None:
    for name in _farms(facts):
        gateway.announce(FARMS[name].ok, farm=FARMS[name].name)


@fault("farm-broken", "2103, 2105 or 2157: a farm (data, hmds, secdef, all) is out of reach", end=_farm_ok, farm="data")
def _farm_broken(gateway: SimulatedGateway, facts: Facts) -> None:
    for name in _farms(facts):
        gateway.announce(FARMS[name].broken, farm=FARMS[name].name)


@fault("farm-ok", "2104, 2106 or 2158: a farm is back", lasts=False, farm="data")
def _farm_is_ok(gateway: SimulatedGateway, facts: Facts) -> None:
    gateway.faults.active.pop("farm-broken", None)
    _farm_ok(gateway, facts)


@fault("drop", "cut the connections of all clients, or of one", lasts=False, client=-1.0)
def _drop(gateway: SimulatedGateway, facts: Facts) -> None:
    for session in list(gateway.sessions):
        if facts["client"] in (-1.0, session.client_id):
            session.abort()


def _abort_all(gateway: SimulatedGateway, _: Facts) -> None:
    for session in list(gateway.sessions):
        session.abort()


fault("half-open", "accept connections and never answer, on old ones neither", end=_abort_all)(_nothing)


@fault("depth-reset", "317: order books are sent anew", lasts=False)
def _depth_reset(gateway: SimulatedGateway, _: Facts) -> None:
    for session in gateway.sessions:
        for book in session.books.values():
            session.refuse(book.req_id, 317)
            book.forget()


fault("silent", "feeds stop without an error", **WHO)(_nothing)
fault("slow", "every message leaves `delay` seconds late", delay=1.0)(_nothing)
fault("slow-snapshots", "snapshots end after `delay` seconds", delay=11.0)(_nothing)
fault("hmds-error", "historical requests fail with error 162", text="HMDS query returned no data")(_nothing)
fault("line-limit", "only `lines` market-data lines are granted from now on: error 101", lines=0)(_nothing)
fault("not-subscribed", "live data is refused with `code` (354, 10089, 10090, 10091, 10168)", code=354, **WHO)(_nothing)


def _thaw(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.faults.quotes.forget()


fault("stale", "quotes stand still", end=_thaw, **WHO)(_nothing)
fault("crossed", "bids lie above asks", **WHO)(_nothing)
fault("missing", "no bids and no asks", **WHO)(_nothing)


@fault("no-greeks", "no Greeks: minus (IB's -1 and -2), nan (the literal) or absent", variant="minus", **WHO)
def _no_greeks(gateway: SimulatedGateway, facts: Facts) -> None:
    if facts["variant"] not in NO_GREEKS:
        gateway.faults.active.pop("no-greeks", None)
        raise InputError("variant", facts["variant"], "minus, nan or absent")


def _broker_switch(**switches: bool) -> tuple[Act, Act]:
    def on(gateway: SimulatedGateway, _: Facts) -> None:
        gateway.broker.settings = replace(gateway.broker.settings, **switches)

    def off(gateway: SimulatedGateway, _: Facts) -> None:
        gateway.broker.settings = replace(
            gateway.broker.settings, **{key: not value for key, value in switches.items()}
        )

    return on, off


def _declare_switch(name: str, help: str, **switches: bool) -> None:
    on, off = _broker_switch(**switches)
    fault(name, help, end=off)(on)


_declare_switch(
    "order-preset", "10349: orders without a time in force get DAY; clients take it for an end", preset_tif=True
)
_declare_switch("read-only", "orders are refused with 321: the API is read-only", read_only=True)


def _resume(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.announce(FARMS["data"].ok, farm=FARMS["data"].name)
    gateway.feed.changed()


@fault("competing-session", "10197: someone else logged in with the user; no market data", end=_resume)
def _competing_session(gateway: SimulatedGateway, _: Facts) -> None:
    for session in list(gateway.sessions):
        for req_id in session.lines.by_req_id:
            session.refuse(req_id, 10197)


def _reset_over(gateway: SimulatedGateway, facts: Facts) -> None:
    _restored(gateway, kept=facts["data"] != "lost")


@fault("nightly-reset", "IB's nightly reset: 1100 and broken farms, then 1102, or with data=lost 1101",
       end=_reset_over, data="kept")  # fmt: skip
def _nightly_reset(gateway: SimulatedGateway, facts: Facts) -> None:
    if facts["data"] not in ("kept", "lost"):
        gateway.faults.active.pop("nightly-reset", None)
        raise InputError("data", facts["data"], "kept or lost")
    gateway.announce(1100)
    _end_live_bars(gateway)
    for farm in FARMS.values():
        gateway.announce(farm.broken, farm=farm.name)


def _reopen(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.reopen()


@fault("refuse", "new connections are refused", end=_reopen)
def _refuse(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.shut()


@fault("relogin", "the weekly login has lapsed: no connections until `login`", end=_reopen)
def _relogin(gateway: SimulatedGateway, facts: Facts) -> None:
    gateway.shut()
    _abort_all(gateway, facts)


@fault("login", "someone has logged in again", lasts=False)
def _login(gateway: SimulatedGateway, _: Facts) -> None:
    gateway.faults.clear("relogin")
