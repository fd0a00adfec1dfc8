"""Every setting of the platform in one table, read from the environment and `bifrost.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from bifrost_lib.core.errors import SettingsError, UnknownNameError

PREFIX = "BIFROST_"
FILE_NAME = "bifrost.toml"


@dataclass(frozen=True)
class Setting:
    """One row of the table. `default` may be a function of the home folder."""

    name: str
    default: Any
    help: str
    parse: Callable[[Any], Any]
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected text")
    return value.strip()


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _port(value: Any) -> int:
    if isinstance(value, bool) or not str(value).strip().isdigit() or not 0 < int(value) < 65536:
        raise ValueError("expected a port from 1 to 65535")
    return int(value)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError("expected a number of seconds") from None
    if isinstance(value, bool) or not 0 < seconds < float("inf"):
        raise ValueError("expected a number of seconds > 0")
    return seconds


def _count(value: Any) -> int:
    if isinstance(value, bool) or not str(value).strip().isdigit() or int(value) < 1:
        raise ValueError("expected a whole number >= 1")
    return int(value)


def _rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        raise ValueError("expected a number a second") from None
    if isinstance(value, bool) or not 0 < rate < float("inf"):
        raise ValueError("expected a number a second > 0")
    return rate


def _host(value: Any) -> str:
    host = _text(value)
    if not all(part.isalnum() or part in "-._:" for part in host):
        raise ValueError("expected a host name or an address")
    return host


def _gateways(value: Any) -> tuple[Address, ...]:
    expected = "expected host:port for each gateway, separated by commas"
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(expected)
    found = []
    for text in texts:
        host, _, port = text.strip().rpartition(":")
        try:
            found.append(Address(_host(host.removeprefix("[").removesuffix("]")), _port(port)))
        except ValueError:
            raise ValueError(f"{expected}; {text.strip()!r} is none") from None
    if twice := [address for address in found if found.count(address) > 1]:
        raise ValueError(f"expected each gateway once; {twice[0]} is named {found.count(twice[0])} times")
    return tuple(found)


def _ib_client(value: Any) -> str:
    if _text(value) not in ("ib_async", "ib_insync"):
        raise ValueError("expected ib_async or ib_insync")
    return _text(value)


def _hub_auth(value: Any) -> str:
    if _text(value) not in ("local", "pam", "oauth"):
        raise ValueError("expected local, pam or oauth")
    return _text(value)


def _yes_or_no(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in words:
        raise ValueError("expected true or false")
    return words[str(value).strip().lower()]


def _gigabytes(value: Any) -> float:
    try:
        size = float(value)
    except (TypeError, ValueError):
        raise ValueError("expected a number of gigabytes") from None
    if isinstance(value, bool) or not 0 < size < float("inf"):
        raise ValueError("expected a number of gigabytes > 0")
    return size


def _scheduler(value: Any) -> str:
    address = _text(value)
    if not re.fullmatch(r"(tcp|tls)://[\w.:\[\]-]+:\d{1,5}", address):
        raise ValueError("expected tls://host:port, or tcp://127.0.0.1:port on this machine")
    return address


def _level(value: Any) -> str:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    if _text(value).upper() not in levels:
        raise ValueError(f"expected one of {', '.join(levels)}")
    return _text(value).upper()


def _addresses(value: Any) -> tuple[str, ...]:
    # An address may hold commas itself, so only one before the next scheme separates.
    texts = re.split(r",\s*(?=[A-Za-z][\w+.-]*://)", value) if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and "://" in text for text in texts):
        raise ValueError("expected addresses such as mailto://user:password@example.org, separated by commas")
    return tuple(text.strip() for text in texts)


def _database_url(value: Any) -> str:
    url = _text(value)
    scheme = url.split("://", 1)[0]
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg2") or "://" not in url:
        raise ValueError("expected postgresql://user:password@host:port/database")
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError("expected a port from 0 to 65535 after the host") from None
    return "postgresql+psycopg2://" + url.split("://", 1)[1]


SETTINGS: tuple[Setting, ...] = (
    Setting("database_url", None, "PostgreSQL or TimescaleDB to use instead of the embedded one", _database_url, True),
    Setting("sample_data", None, "folder with real sample data for tests and tutorials", _path),
    Setting("log_level", "WARNING", "least severity that is logged: DEBUG, INFO, WARNING or ERROR", _level),
    Setting("hub_port", 8000, "port of the whole platform, on loopback", _port),
    Setting("hub_host", None, "name that people type where a web server stands before the hub", _host),
    Setting("hub_auth", "local", "who may log in: local accounts, accounts of the system (pam), or oauth", _hub_auth),
    Setting("hub_oauth", None, "TOML file with what the hub needs for oauth; readable by its owner alone", _path),
    Setting("ib_host", "127.0.0.1", "host of the IB Gateway or TWS", _host),
    Setting("ib_port", None, "port of the IB Gateway or TWS; without it a simulated gateway is started", _port),
    Setting("ib_gateways", None, "several IB gateways used as one, instead of host and port: host:port,...", _gateways),
    Setting("ib_client", "ib_async", "IB client library: ib_async, or ib_insync where that is installed", _ib_client),
    Setting("ib_lines", 100, "market-data lines of each IB login that Bifrost may use", _count),
    Setting("ib_messages_per_s", 45.0, "messages a second sent to each login at most; IB disconnects above 50", _rate),
    Setting("ib_read_only", True, "refuse to send orders to IB", _yes_or_no),
    Setting("max_age_s", 900.0, "age in seconds after which a quote counts as stale", _seconds),
    Setting("dask_scheduler", None, "Dask scheduler for sweeps, tls://host:port; default: this machine", _scheduler),
    Setting("dask_tls", None, "folder with ca.pem, node.pem and node-key.pem, for a scheduler that is tls://", _path),
    Setting("dask_workers", None, "processes of a sweep on this machine; default: one for each core", _count),
    Setting("dask_memory_gb", None, "memory in GB of those processes together; default: 60 % of all", _gigabytes),
    Setting("notify_urls", None, "where reports send word: apprise addresses, separated by commas", _addresses, True),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Value:
    """A setting's value and where it came from: `default`, an environment variable, or the file."""

    setting: Setting
    value: Any
    origin: str

    @property
    def shown(self) -> str:
        """The value as it may be printed: passwords replaced."""
        if self.value is None:
            return ""
        if isinstance(self.value, tuple):
            return f"{len(self.value)} set, not shown" if self.setting.secret else ", ".join(map(str, self.value))
        return _masked(str(self.value)) if self.setting.secret else str(self.value)

    def __repr__(self) -> str:
        return f"Value({self.setting.name}={self.shown!r}, origin={self.origin!r})"


class Settings:
    """All settings of one home folder; attribute access by name, never showing a secret."""

    def __init__(self, home: Path, values: Mapping[str, Value]) -> None:
        self.home = home
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(name)
        return self._values[name].value

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, {', '.join(map(repr, self.rows()))})"

    @property
    def ib_addresses(self) -> tuple[Address, ...]:
        """Every gateway that is named, by `ib_gateways` or `ib_host` and `ib_port`; empty where none is."""
        if self.ib_gateways:
            return tuple(self.ib_gateways)
        return () if self.ib_port is None else (Address(self.ib_host, self.ib_port),)

    def rows(self) -> list[Value]:
        """Return every setting with its value and origin, in the table's order."""
        return [self._values[setting.name] for setting in SETTINGS]


def default_home() -> Path:
    """Return ``~/.bifrost``, or ``/var/lib/bifrost`` for root, where an unprivileged PostgreSQL can reach it."""
    return Path("/var/lib/bifrost") if os.geteuid() == 0 else Path.home() / ".bifrost"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: environment variables win over `bifrost.toml` in the home folder, that over defaults.

    Raises
    ------
    UnknownNameError
        For a ``BIFROST_*`` variable or a key of the file that is no setting.
    SettingsError
        For a value that the setting cannot take, or a file that is no TOML.
    """
    environ = os.environ if environ is None else environ
    home = _path(environ["BIFROST_HOME"]) if environ.get("BIFROST_HOME") else default_home()
    written = _from_file(home / FILE_NAME) | _from_environment(environ)
    values = {
        setting.name: _value(setting, *written.get(setting.name, (setting.default, "default"))) for setting in SETTINGS
    }
    return Settings(home, values)


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    known = {setting.variable: setting.name for setting in SETTINGS}
    found = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable == "BIFROST_HOME":
            continue
        if variable not in known:
            raise UnknownNameError("environment variable", variable, [*known, "BIFROST_HOME"])
        if text:
            found[known[variable]] = (text, variable)
    return found


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("bifrost.toml", str(path), f"cannot be read: {error}") from None
    for key in table:
        if key not in _BY_NAME:
            raise UnknownNameError(f"setting in {path}", key, _BY_NAME)
    return {key: (value, str(path)) for key, value in table.items()}


def _value(setting: Setting, raw: Any, origin: str) -> Value:
    if origin == "default":
        return Value(setting, raw, origin)
    try:
        return Value(setting, setting.parse(raw), origin)
    except ValueError as error:
        shown = "" if setting.secret else f", got {raw!r}"
        raise SettingsError(setting.name, origin, f"{error}{shown}") from None


def _masked(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.hostname or ""
    host += f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
