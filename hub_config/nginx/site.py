"""The nginx site as a pure function of a few facts about the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bifrost_lib.core.errors import InputError

#: Headers by which a browser could claim to be somebody, or to have asked somewhere, else.
STRIPPED = (
    *("X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups"),
    *("X-Forwarded-Preferred-Username", "X-Auth-Request-User", "X-Auth-Request-Email", "X-Bifrost-User"),
    *("X-Bifrost-Role", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Scheme"),
    *("X-Forwarded-Protocol", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-ProxyContextPath"),
    *("X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Forwarded", "Via", "Proxy"),
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")


class _SiteTemplate(Template):
    """``@{name}`` is ours; a dollar belongs to nginx, and so does a lone ``@``."""

    delimiter = "@"
    pattern = r"@(?:(?P<escaped>@)|\{(?P<braced>[a-z_]+)\}|(?P<named>(?!)))|(?P<invalid>(?!))"  # type: ignore[assignment]


@dataclass(frozen=True)
class Site:
    """What differs from one web server to the next.

    Attributes
    ----------
    server_name : str
        The name that people type, in small letters; requests for another one are turned away.
    certificate, key : Path
        PEM files: the certificate with its chain, and its key.
    upstream : str
        Where the platform's one door is, as ``host:port``: the hub's proxy, or this machine's end of a tunnel to it.
    address : str
        IPv4 address to listen on; empty for all.
    plain_port, tls_port : int
        Ports of http, which only redirects, and https.
    log_folder : Path
    max_body_mb : int
        Largest upload [MB].
    logins_per_min, spawns_per_min, requests_per_s : int
        What one address may do in the long run.
    max_connections : int
        What one address may hold open; a dashboard holds two or three, an office may share one address.
    silence_s : int
        How long an open page may be silent [s].
    """

    server_name: str
    certificate: Path
    key: Path
    upstream: str = "127.0.0.1:8000"
    address: str = ""
    plain_port: int = 80
    tls_port: int = 443
    log_folder: Path = Path("/var/log/nginx")
    max_body_mb: int = 256
    logins_per_min: int = 10
    spawns_per_min: int = 10
    requests_per_s: int = 50
    max_connections: int = 300
    silence_s: int = 3600


def render_site(site: Site) -> str:
    """Return the site as nginx reads it, inside its ``http`` block.

    It speaks TLS 1.2 and 1.3 only, sends http to https, passes websockets on, limits logins and starts of servers by
    address, and takes from every request the headers by which a browser could claim to be somebody.

    Raises
    ------
    InputError
        If a value could not stand in the file as what it is; `error.name` says which.
    """
    _check(site)
    where = f"{site.address}:" if site.address else ""
    template = _SiteTemplate((Path(__file__).parent / "site.conf").read_text(encoding="utf-8"))
    return template.substitute(
        server_name=site.server_name,
        certificate=site.certificate,
        key=site.key,
        upstream=site.upstream,
        plain_port=f"{where}{site.plain_port}",
        tls_port=f"{where}{site.tls_port}",
        shown_port="" if site.tls_port == 443 else f":{site.tls_port}",
        log_folder=site.log_folder,
        max_body_mb=site.max_body_mb,
        logins_per_min=site.logins_per_min,
        logins_burst=5,  # typing mistakes
        spawns_per_min=site.spawns_per_min,
        spawns_burst=10,  # the page of a server that starts asks again and again
        requests_per_s=site.requests_per_s,
        requests_burst=10 * site.requests_per_s,  # a page of JupyterLab is a few hundred files
        max_connections=site.max_connections,
        silence_s=site.silence_s,
        stripped="\n".join(f'    proxy_set_header {name} "";' for name in STRIPPED),
    )


def _check(site: Site) -> None:
    if not _HOST.fullmatch(site.server_name):
        raise InputError("server_name", site.server_name, "a host name in small letters, such as desk.example.org")
    for name in ("certificate", "key", "log_folder"):
        if not _PATH.fullmatch(str(getattr(site, name))):
            raise InputError(name, str(getattr(site, name)), "an absolute path of letters, digits and ._/+@-")
    host, _, port = site.upstream.rpartition(":")
    if not _HOST.fullmatch(host) or not _is_port(port):
        raise InputError("upstream", site.upstream, "host:port, such as 127.0.0.1:8000")
    if site.address and not re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", site.address, re.ASCII):
        raise InputError("address", site.address, "an IPv4 address of this machine, or nothing for all")
    for name in ("plain_port", "tls_port"):
        if not _is_port(str(getattr(site, name))):
            raise InputError(name, getattr(site, name), "a port from 1 to 65535")
    for name in ("max_body_mb", "logins_per_min", "spawns_per_min", "requests_per_s", "max_connections", "silence_s"):
        value = getattr(site, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(name, value, "a whole number >= 1")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536
