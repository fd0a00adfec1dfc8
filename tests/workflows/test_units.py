"""What systemd says of its units is told as what `bifrost up` runs; the words are those of ``systemctl show`` 252."""

from __future__ import annotations

import os
from pathlib import Path

from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows import units

SAID = f"""\
Id=bifrost-option-chain.service
ActiveState=active
MainPID={os.getpid()}
NRestarts=3
StateChangeTimestamp=@1774094400
Environment=BIFROST_HOME=/var/lib/bifrost HOME=/var/lib/bifrost PYTHONUNBUFFERED=1

Id=bifrost-live.service
ActiveState=activating
MainPID=0
NRestarts=12
StateChangeTimestamp=@1774094401
Environment=BIFROST_HOME=/var/lib/bifrost HOME=/var/lib/bifrost PYTHONUNBUFFERED=1

Id=bifrost-hub.service
ActiveState=inactive
MainPID=0
NRestarts=0
StateChangeTimestamp=
Environment=BIFROST_HOME=/var/lib/bifrost HOME=/var/lib/bifrost PYTHONUNBUFFERED=1

Id=bifrost-pages.service
ActiveState=active
MainPID=1
NRestarts=0
StateChangeTimestamp=@1774094401
Environment=BIFROST_HOME=/var/lib/bifrost-of-another-desk HOME=/ PYTHONUNBUFFERED=1
"""


def test_units_of_this_home_are_told():
    chain, live, hub = units.read_units(SAID, Path("/var/lib/bifrost"))
    assert (chain.name, chain.state, chain.pid, chain.restarts) == ("option_chain", "running", os.getpid(), 3)
    assert chain.since == "2026-03-21T12:00:00+00:00"
    assert chain.born == units.process_birth(os.getpid())
    assert chain.log == "journalctl -u bifrost-option-chain.service"
    assert (live.name, live.state, live.pid) == ("live", "waiting", None)
    assert (hub.name, hub.state, hub.pid, hub.since) == ("hub", "stopped", None, "")
    assert units.read_units("", Path("/var/lib/bifrost")) == []


def test_systemd_is_asked_only_where_it_runs(tmp_path, monkeypatch):
    program = tmp_path / "systemctl"
    (tmp_path / "said").write_text(SAID)
    program.write_text(f'#!/bin/sh\n[ "$1" = show ] && [ "$2" = --all ] && cat {tmp_path}/said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    settings = load_settings({"BIFROST_HOME": "/var/lib/bifrost"})
    monkeypatch.setattr(units, "_BOOTED", tmp_path / "absent")
    assert units.unit_states(settings) == []
    monkeypatch.setattr(units, "_BOOTED", tmp_path)
    assert [state.name for state in units.unit_states(settings)] == ["option_chain", "live", "hub"]
