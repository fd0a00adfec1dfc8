"""What a reader may open of a report's run, and what nobody gets through its address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from apps.report_files import ADDRESS, ReportFile
from bifrost_lib.core.errors import NoDataError, SourceUnavailable
from bifrost_lib.store import begin_report_run, finish_report_run, place_report_run
from bifrost_lib.workflows import Desk, report_file, report_files


@pytest.fixture
def folder(desk: Desk) -> Path:
    """The folder of a run that failed: its page, its notebook, and something else."""
    made: Path = desk.settings.home / "reports" / "daily_open" / "run"
    made.mkdir(parents=True, exist_ok=True)
    (made / "report.html").write_text("<script>1</script>", encoding="utf-8")
    (made / "report.ipynb").write_text("{}", encoding="utf-8")
    (made / "secret").write_text("secret", encoding="utf-8")
    return made


@pytest.fixture
def run_id(desk: Desk, folder: Path) -> int:
    now = desk.clock.now()
    number = begin_report_run(desk.store, name="daily_open", parameters={}, started=now)
    place_report_run(desk.store, number, path=str(folder))
    finish_report_run(desk.store, number, finished=now, seconds=1.0, problem="no chain")
    return number


def asked(find: Callable[[int, str], Path], path: str) -> HTTPResponse:
    async def ask() -> HTTPResponse:
        socket, port = bind_unused_port()
        server = HTTPServer(Application([(f"/{ADDRESS}", ReportFile, {"find": find})]))
        server.add_socket(socket)
        try:
            return await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/{path}")
        finally:
            server.stop()

    return asyncio.run(ask())


def test_the_page_of_a_run_is_sent_and_may_do_nothing_in_its_readers_name(
    desk: Desk, folder: Path, run_id: int
) -> None:
    assert report_files(str(folder)) == ["report.html", "report.ipynb"]
    answer = asked(lambda run, name: report_file(desk, run, name), f"reports/{run_id}/report.html")
    assert answer.body == b"<script>1</script>"
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts;") and "allow-same-origin" not in policy
    kept = asked(lambda run, name: report_file(desk, run, name), f"reports/{run_id}/report.ipynb")
    assert kept.headers["Content-Disposition"] == f'attachment; filename="{run_id}-report.ipynb"'


@pytest.mark.parametrize("name", ["secret", "report.pdf", "..", "..%2fsecret", "%2e%2e/secret", "report.html%00", ""])
def test_nothing_else_is_sent(desk: Desk, run_id: int, name: str) -> None:
    with pytest.raises(HTTPClientError) as caught:
        asked(lambda run, file: report_file(desk, run, file), f"reports/{run_id}/{name}")
    assert caught.value.code in (400, 404)


@pytest.mark.parametrize("run", ["999999999999999999", "-1", "1e3", "x"])
def test_a_run_that_is_not_there_has_no_files(desk: Desk, run: str) -> None:
    if re.fullmatch("[0-9]+", run):
        with pytest.raises(NoDataError, match="bifrost report"):
            report_file(desk, int(run), "report.html")
    with pytest.raises(HTTPClientError) as caught:
        asked(lambda number, file: report_file(desk, number, file), f"reports/{run}/report.html")
    assert caught.value.code == 404


def test_a_database_that_is_away_is_no_missing_file() -> None:
    def away(run: int, name: str) -> Path:
        raise SourceUnavailable("database", "connection refused")

    with pytest.raises(HTTPClientError, match="cannot be read now") as caught:
        asked(away, "reports/1/report.html")
    assert caught.value.code == 503


def test_a_file_that_was_removed_is_not_there(desk: Desk, folder: Path, run_id: int) -> None:
    (folder / "report.html").unlink()
    with pytest.raises(NoDataError):
        report_file(desk, run_id, "report.html")
    assert report_files(str(folder)) == ["report.ipynb"]


def test_the_grid_of_reports_links_what_there_is(desk: Desk, folder: Path, run_id: int) -> None:
    from bifrost_lib.store import list_report_runs
    from bifrost_lib.views import live

    runs = list_report_runs(desk.store)
    table: dict[str, Any] = live.reports_grid(runs, now=desk.clock.now(), files=report_files)
    cells = next(row["cells"] for row in table["rows"] if f"reports/{run_id}/" in str(row))
    assert cells[2] == {"text": "failed: no chain", "kind": "bad", "title": "failed: no chain"}
    assert cells[-1]["links"] == [
        {"text": "html", "href": f"reports/{run_id}/report.html"},
        {"text": "ipynb", "href": f"reports/{run_id}/report.ipynb"},
    ]
