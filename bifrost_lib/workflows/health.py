"""Whether the desk is well: what an operator looks at in the morning, as findings that end in one verdict."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import exchange_date, session_close, sessions
from bifrost_lib.core.errors import EnvironmentProblem, InputError
from bifrost_lib.core.kernels import cache_folder, has_kernels
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.hub import platform_url, read_registry
from bifrost_lib.workflows.live import operations_picture

Finding = tuple[str, str, str, str]
COLUMNS = ("check", "state", "detail", "remedy")
#: How much longer than it should take an answer is waited for, so that a slow page is told from a dead one.
PATIENCE_S = 5.0


def data_health(desk: Desk, *, symbols: Sequence[str] = (), most_missing: int = 1) -> pd.DataFrame:
    """Look at the database and at how old each symbol is, counted in sessions, so that a weekend is no fault.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        What has to be fresh. Default: what the watchlist collects, and where nothing is watched, all that is stored.
    most_missing : int
        Sessions that may have closed since a symbol's newest quote.

    Returns
    -------
    DataFrame
        ``check``, ``state`` (ok; note: worth knowing; fail), ``detail`` and ``remedy``.
    """
    now = desk.clock.now()
    summary = store.store_summary(desk.store)
    found: list[Finding] = [
        ("database", "ok", f"{desk.store.description}, {summary.size_bytes / 1024**2:,.0f} MB", ""),
    ]
    known = store.list_symbols(desk.store.engine).set_index("symbol")
    watched = [watch.symbol for watch in store.watchlist(desk.store) if watch.enabled]
    wanted = [name.upper() for name in symbols] or watched or list(known.index)
    if not wanted:
        found.append(("data", "fail", "nothing is stored", "bifrost ingest PATH, or bifrost up"))
    for symbol in wanted:
        if symbol not in known.index:
            found.append((symbol, "fail", "nothing is stored", f"bifrost collect {symbol}"))
            continue
        row = known.loc[symbol]
        missing = _closes_between(row["last_ts"].to_pydatetime(), now)
        detail = f"newest quote {row['last_ts']:%Y-%m-%d %H:%M} UTC, {missing} sessions closed since, {row['source']}"
        state = "ok" if missing <= most_missing else "fail"
        found.append((symbol, state, detail, "" if state == "ok" else "see whether its collector runs: bifrost status"))
    return _frame(found)


def collection_health(desk: Desk, *, least_complete: float = 0.98, most_gaps: int = 0) -> pd.DataFrame:
    """Look at the collectors' ledger: what came of what was expected, what failed, which gaps stand, and who is late.

    Parameters
    ----------
    desk : Desk
    least_complete : float
        Share of the expected observations, 0 to 1.
    most_gaps : int
        Gaps that may be open.

    Returns
    -------
    DataFrame
        As `data_health`. Where nothing was ever collected or is watched, a note says so.
    """
    if not 0 <= least_complete <= 1:
        raise InputError("least_complete", least_complete, "a share from 0 to 1")
    picture = operations_picture(desk)
    runs, watches = picture.runs, picture.watches
    if runs.empty and watches.empty:
        return _frame(
            [("collection", "note", "nothing was ever collected, and nothing is watched", "bifrost watch SPY")]
        )
    failed = runs[runs["status"] == "failed"]
    late = list(watches.loc[watches["late"].astype(bool), "symbol"]) if len(watches) else []
    broken = list(picture.services.loc[picture.services["state"] == "failed", "name"])
    share, gaps = picture.completeness, len(picture.gaps)
    came = "unknown: no run has ended" if pd.isna(share) else f"{share:.1%} of what {len(runs)} runs expected"
    is_complete = pd.isna(share) or share >= least_complete
    return _frame(
        [
            ("completeness", _state(is_complete), came, "see the reasons in the ledger"),
            ("failed runs", _state(failed.empty), _listed(failed["problem"]), "see the problem, then bifrost doctor"),
            ("open gaps", _state(gaps <= most_gaps), f"{gaps} open", "they are filled while they can be"),
            ("late symbols", _state(not late), _listed(late), "see whether the gateway is logged in"),
            ("services", _state(not broken), _listed(broken), "bifrost status tells the log of each"),
        ]
    )


def page_health(desk: Desk, *, most_s: float = 2.0, most_mb: float = 1024.0, needs_hub: bool = True) -> pd.DataFrame:
    """Look at this kernel, at the hub, at each page behind its login, and at the last run of each report.

    Parameters
    ----------
    desk : Desk
    most_s : float
        Seconds within which a page must answer; it is asked as a stranger, so that the login is its right answer.
    most_mb : float
        Memory that this kernel may have taken at most.
    needs_hub : bool
        Whether a hub that does not answer is a fault, or only worth a note.

    Returns
    -------
    DataFrame
        As `data_health`.
    """
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    compiled = "compiled" if has_kernels() else "not compiled yet: the first calculation is slow"
    found: list[Finding] = [
        ("kernel", _state(used <= most_mb), f"{used:,.0f} MB at most so far", "restart the kernel"),
        ("computing", "ok" if has_kernels() else "note", f"{compiled}, {cache_folder()}", "bifrost up compiles them"),
    ]
    url = platform_url(desk.settings)
    hub = _answer("hub", f"{url}hub/health", most_s, expected=HTTPStatus.OK)
    found.append(hub if hub[1] == "ok" or needs_hub else (hub[0], "note", *hub[2:]))
    if hub[1] == "ok":
        pages = [(page.name, f"{url}services/{page.name}/") for page in read_registry()]
        found += [_answer(name, address, most_s, expected=HTTPStatus.FOUND) for name, address in pages]
    last = store.list_report_runs(desk.store).drop_duplicates("name")
    for name, status, problem in zip(last["name"], last["status"], last["problem"], strict=True):
        detail = f"{status}: {problem}" if problem else str(status)
        found.append((f"report {name}", _state(status != "failed"), detail, f"bifrost report {name}"))
    return _frame(found)


def verdict(findings: pd.DataFrame) -> str:
    """Return one line that says that all is well, and count what is worth a note.

    Raises
    ------
    EnvironmentProblem
        If something is not well; its one line names everything that failed, and what to do about the first.
    """
    failed = findings[findings["state"] == "fail"]
    if len(failed):
        words = "; ".join(f"{check}: {detail}" for check, detail in zip(failed["check"], failed["detail"], strict=True))
        raise EnvironmentProblem(f"{len(failed)} of {len(findings)} checks failed: {words}", failed["remedy"].iloc[0])
    notes = int((findings["state"] == "note").sum())
    return f"healthy: {len(findings)} checks passed" + (f", {notes} with a note" if notes else "")


def _closes_between(last: datetime, now: datetime) -> int:
    closes = [session_close(day) for day in sessions(exchange_date(last), exchange_date(now))]
    return sum(last < close - timedelta(minutes=30) and close <= now for close in closes)


def _answer(name: str, url: str, most_s: float, *, expected: HTTPStatus) -> Finding:
    place = urlsplit(url)
    connect = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = connect(place.netloc, timeout=most_s + PATIENCE_S)
    begun = time.perf_counter()
    try:
        connection.request("GET", place.path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return name, "fail", f"{url} does not answer: {error}", "bifrost up starts it"
    finally:
        connection.close()
    seconds = time.perf_counter() - begun
    if status == HTTPStatus.OK != expected:
        return name, "fail", f"{url} opens without a login", "bifrost down, and tell who looks after the platform"
    detail = f"{status} {HTTPStatus(status).phrase}, within {seconds:.2f} s"
    return name, _state(status == expected and seconds <= most_s), detail, "bifrost status tells its log"


def _state(is_well: bool) -> str:
    return "ok" if is_well else "fail"


def _listed(names: Sequence[str] | pd.Series) -> str:
    words = [str(name) for name in names]
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "") if words else "none"


def _frame(found: Sequence[Finding]) -> pd.DataFrame:
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    return frame.assign(remedy=frame["remedy"].where(frame["state"] != "ok", ""))
