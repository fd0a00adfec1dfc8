"""A verdict is one line: what is well, or all that is not; and a weekend is no fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import EnvironmentProblem, InputError
from bifrost_lib.core.settings import Settings
from bifrost_lib.sim import SOURCE, simulated_history
from bifrost_lib.store import FileKey, Watch, ingestion, remove_watch, save_watch
from bifrost_lib.workflows import (
    Desk,
    collection_health,
    data_health,
    open_desk,
    page_health,
    read_registry,
    verdict,
    with_analytics,
)

FRIDAY, SUNDAY = date(2026, 8, 14), datetime(2026, 8, 16, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    """Friday's close of one symbol, looked at on a Sunday."""
    with open_desk(settings=database_settings, clock=SteppedClock(SUNDAY)) as opened:
        key = FileKey(path="a friday", sha256="0", size=0, format=SOURCE)
        with ingestion(opened.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(symbols=["SIM"], start=FRIDAY, end=FRIDAY, whole_from=date(2026, 9, 1)):
                writer.append(with_analytics(quotes))
        yield opened


def states(found):
    return dict(zip(found["check"], found["state"], strict=True))


def test_friday_is_fresh_on_sunday_and_old_on_wednesday(desk):
    found = data_health(desk, most_missing=0)
    assert states(found) == {"database": "ok", "SIM": "ok"}
    assert verdict(found) == "healthy: 2 checks passed"
    with open_desk(settings=desk.settings, clock=SteppedClock(datetime(2026, 8, 19, 21, tzinfo=UTC))) as later:
        found = data_health(later)
    assert states(found)["SIM"] == "fail"
    assert "3 sessions closed since" in found.set_index("check").loc["SIM", "detail"]


def test_a_verdict_names_all_that_failed_in_one_line(desk):
    with pytest.raises(EnvironmentProblem) as caught:
        verdict(data_health(desk, symbols=["sim", "spy", "qqq"]))
    assert caught.value.problem == "2 of 4 checks failed: SPY: nothing is stored; QQQ: nothing is stored"
    assert caught.value.remedy == "bifrost collect SPY" and "\n" not in str(caught.value)


def test_collection_tells_what_did_not_come_and_who_is_late(desk):
    found = collection_health(desk)
    assert verdict(found) == "healthy: 1 checks passed, 1 with a note"
    save_watch(desk.store, Watch("SIM", cadence_s=300.0))
    try:
        assert states(collection_health(desk))["late symbols"] == "fail"
        assert states(data_health(desk)) == {"database": "ok", "SIM": "ok"}
    finally:
        remove_watch(desk.store, "SIM")
    with pytest.raises(InputError) as caught:
        collection_health(desk, least_complete=98)
    assert caught.value.name == "least_complete"


class Hub(BaseHTTPRequestHandler):
    """A hub whose pages send strangers to the login, but for one that lies open."""

    open_page = ""

    def do_GET(self):
        is_open = self.path in ("/hub/health", f"/services/{self.open_page}/")
        self.send_response(200 if is_open else 302)
        self.send_header("Location", "/hub/login")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture
def hub(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("PLATFORM_URL", f"http://127.0.0.1:{server.server_port}/")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_pages_stand_behind_the_login(desk, hub, monkeypatch):
    found = page_health(desk, most_s=30, most_mb=1e6)
    pages = [page.name for page in read_registry()]
    assert [states(found)[name] for name in ("hub", *pages)] == ["ok"] * (1 + len(pages))
    monkeypatch.setattr(Hub, "open_page", pages[0])
    found = page_health(desk, most_s=30, most_mb=1e6)
    assert found.loc[found["state"] == "fail", "check"].tolist() == [pages[0]]
    assert "opens without a login" in found.loc[found["state"] == "fail", "detail"].item()


def test_a_hub_that_is_away_is_a_fault_unless_it_may_be(desk, monkeypatch):
    monkeypatch.setenv("PLATFORM_URL", "http://127.0.0.1:9/")
    assert states(page_health(desk, most_mb=1e6))["hub"] == "fail"
    assert states(page_health(desk, most_mb=1e6, needs_hub=False))["hub"] == "note"
    with pytest.raises(EnvironmentProblem):
        verdict(page_health(desk, most_mb=1.0, needs_hub=False))
