"""The units: accepted and scored by systemd itself, started with the words of `bifrost up`, and two of them tried."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import open_store
from bifrost_lib.workflows import collector_commands, front_commands, report_schedule_command
from bifrost_lib.workflows.hub import Places, read_registry
from hub_config.systemd import TARGET, Machine, render_tunnel, render_units, unit_name
from hub_config.systemd.places import fixed_places

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)
MACHINES = {
    "a server of everything": Machine(CHECKOUT, PYTHON, embedded_database=True, simulated_gateway=True),
    "with accounts of the system": Machine(CHECKOUT, PYTHON, system_accounts=True),
}
#: systemd's exposure: 0 is a process that can do nothing, 9.6 one without any of this.
MOST_EXPOSED = {"bifrost-reports.service": 2.6}


def sections(text):
    """What a unit says: section to key to all of its values."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line:
            key, sign, value = line.partition("=")
            assert sign and re.fullmatch(r"[A-Z]\w+", key), line
            section.setdefault(key, []).append(value)
    return found


@pytest.fixture(scope="module", params=MACHINES)
def machine(request):
    return MACHINES[request.param]


@pytest.fixture(scope="module")
def units(machine):
    """All units of an application server."""
    return render_units(machine, read_registry())


def test_each_part_of_the_platform_has_a_unit_with_the_words_of_up(units, machine):
    commands = {**front_commands(), **report_schedule_command(), **collector_commands()}
    for name, command in commands.items():
        started = sections(units[unit_name(name)])["Service"]["ExecStart"]
        assert started == [" ".join([str(machine.python), *command[1:]])]
    optional = {unit_name("database"), unit_name("gateway")} if machine.embedded_database else set()
    assert set(units) == {TARGET, *map(unit_name, commands)} | optional
    assert set(sections(units[TARGET])["Unit"]["Wants"]) == set(units) - {TARGET}


def test_systemd_accepts_them_and_has_little_to_complain_of(units, machine, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here; the other tests read the units themselves")
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bifrost-tunnel.service").write_text(render_tunnel(machine, "bifrost@app.example.org"))
    paths = sorted(str(path) for path in tmp_path.glob("bifrost*"))
    checked = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    said = [line for line in checked.stderr.splitlines() if "/usr/bin/ssh is not executable" not in line]
    assert said == []
    command = ["systemd-analyze", "security", "--offline=yes", *(path for path in paths if path.endswith(".service"))]
    scored = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {unit: float(score) for unit, score in re.findall(r"level for (\S+): ([\d.]+)", scored)}
    assert set(found) == {Path(path).name for path in paths} - {TARGET}
    for unit, score in found.items():
        as_root = machine.system_accounts and unit == "bifrost-hub.service"
        assert score <= (6.5 if as_root else MOST_EXPOSED.get(unit, 2.2)), unit


def test_each_is_kept_from_what_it_does_not_need(units, machine):
    for name in set(units) - {TARGET}:
        unit, service = (sections(units[name])[section] for section in ("Unit", "Service"))
        assert unit["PartOf"] == [TARGET] and unit["StartLimitIntervalSec"] == ["0"]
        assert service["NoNewPrivileges"] == service["PrivateTmp"] == ["yes"]
        assert service["ProtectSystem"] == ["strict"]
        as_root = machine.system_accounts and name == unit_name("hub")
        assert service["User"] == ["root" if as_root else "bifrost"]
        assert service["ReadWritePaths"] == [str(machine.home), "/home"][: 1 + as_root]
        assert "ProtectHome" in service or as_root
        assert service["Restart"] == ["always"] and float(service["RestartSec"][0]) >= 1
        assert "MemoryMax" in service or name == unit_name("database")
        assert "password" not in units[name].lower() and "token" not in units[name].lower()


def test_memory_is_that_of_the_registry(units, machine):
    pages = read_registry()
    live, notebooks = (sections(units[unit_name(name)])["Service"]["MemoryMax"] for name in ("live", "pages"))
    assert live == [f"{sum(page.memory_mb for page in pages if page.kind == 'panel')}M"]
    assert notebooks == [f"{machine.viewers * max(p.memory_mb for p in pages if p.kind == 'voila')}M"]


def test_pauses_between_restarts_grow_where_systemd_can(units):
    grown = render_units(Machine(CHECKOUT, PYTHON, systemd=254), [])
    service = sections(grown[unit_name("live")])["Service"]
    assert (service["RestartSec"], service["RestartSteps"], service["RestartMaxDelaySec"]) == (["1"], ["6"], ["60"])
    assert "RestartSteps" not in units[unit_name("live")]


def test_files_in_a_home_can_be_read_there():
    for checkout, word in (("/home/ann/bifrost", "read-only"), ("/opt/bifrost", "yes")):
        machine = Machine(Path(checkout), Path("/usr/bin/python3"))
        assert sections(render_units(machine, [])[unit_name("live")])["Service"]["ProtectHome"] == [word]


@pytest.mark.parametrize(
    ("name", "value"),
    [("checkout", Path("bifrost")), ("home", Path("/a b")), ("python", Path("/p%i")), ("user", "a\nUser=root"),
     ("user", ""), ("viewers", 0), ("home", Path("/a\nExecStart=/bin/sh"))],
)  # fmt: skip
def test_what_cannot_stand_in_a_unit_is_refused(name, value):
    usual = {"checkout": CHECKOUT, "python": PYTHON}
    with pytest.raises(InputError) as error:
        Machine(**{**usual, name: value})
    assert error.value.name == name


@pytest.mark.parametrize("server", ["app", "a@b -oProxyCommand=x", "-oProxyCommand=x@b", "a@b\nUser=root", ""])
def test_what_is_no_server_gets_no_tunnel(server):
    with pytest.raises(InputError) as error:
        render_tunnel(Machine(CHECKOUT, PYTHON), server)
    assert error.value.name == "tunnel"


def test_every_part_writes_the_same_places(tmp_path):
    names = [page.name for page in read_registry()]
    environ = os.environ | {"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_PORT": "8100"}
    command = sections(render_units(Machine(CHECKOUT, PYTHON), [])[unit_name("hub")])["Service"]["ExecStartPre"][0]
    subprocess.run(command.split(), env=environ, cwd=CHECKOUT, check=True)
    places = Places.read(tmp_path)
    assert places == fixed_places(8100, names)
    ports = [places.public, places.hub, places.proxy, *places.pages.values()]
    assert len({*ports}) == len(ports)


@pytest.mark.slow
def test_the_database_outlives_its_users_and_comes_back_when_killed():
    """The unit's process is started as systemd does: with a socket on which it says that it is ready."""
    home = Path(tempfile.mkdtemp(prefix="bifrost-tests-", dir="/tmp"))
    home.chmod(0o711)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(home / "notify"))
        systemd.settimeout(120)
        unset = {"BIFROST_DATABASE_URL"}
        environ = {name: value for name, value in os.environ.items() if name not in unset}
        environ |= {"BIFROST_HOME": str(home), "NOTIFY_SOCKET": str(home / "notify")}
        command = [sys.executable, "-P", "-c", "from hub_config.systemd import database as d; "
                   "d.LOOK_EVERY_S = 0.1; d.sys.exit(d.main())"]  # fmt: skip
        process = subprocess.Popen(command, env=environ, cwd=CHECKOUT)
        try:
            assert systemd.recv(100) == b"READY=1"
            settings = load_settings({"BIFROST_HOME": str(home)})
            pidfile = home / "postgres" / "data" / "postmaster.pid"
            with open_store(settings):
                first = int(pidfile.read_text().splitlines()[0])
            os.kill(first, signal.SIGKILL)
            said = [systemd.recv(100) for _ in range(20)]
            assert set(said) == {b"WATCHDOG=1"}
            assert int(pidfile.read_text().splitlines()[0]) != first
            process.terminate()
            assert process.wait(60) == 0
            assert not pidfile.exists()
        finally:
            process.kill()
            process.wait()
    shutil.rmtree(home)
