"""Reports run for real: they end, whatever their notebook does, and say what became of them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import list_report_runs
from bifrost_lib.workflows import Desk, last_report_runs, run_report
from bifrost_lib.workflows.reporting import Limits
from bifrost_lib.workflows.reporting.printing import find_browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # apprise's own, in its own modules
]

#: A machine so busy that what a cell shows arrives this long after its end; nbclient gives up after four seconds.
LATE = "import time\nget_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))\n"
AWAY = (
    "import pathlib\nfrom bifrost_lib.core.errors import SourceUnavailable\n"
    "tried = pathlib.Path(marker)\nif not tried.exists():\n    tried.touch()\n"
    "    raise SourceUnavailable('gateway', 'no answer')"
)


def kernels() -> set[int]:
    """Every kernel that lives on this machine and was started by this process' descendants or is an orphan of them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if b"ipykernel_launcher" in words and "bifrost-tests-" in place:
                found.add(int(entry.name))
    return found


def test_a_report_is_kept_private_with_its_page_and_entered_in_the_ledger(desk, reports):
    folder = reports("fine", "print('1 + 1 =', 1 + top)", parameters="top = 3  # rows", title="Sums & <things>")
    run = run_report(desk, "fine", {"top": "1"}, folder=folder)
    assert (run.status, run.problem, run.attempt, run.parameters) == ("done", None, 1, {"top": 1})
    assert run.path == desk.settings.home / "reports" / "fine" / run.path.name
    for place in (run.path, run.path.parent, run.path.parent.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    for file in (run.notebook, run.html):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page = run.html.read_text()
    assert "1 + 1 = 2" in page
    assert "<title>Sums &amp; &lt;things&gt;</title>" in page
    assert "print(" not in page, "a page shows no code"
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\((?!["']?data:)""", page)
    assert "default-src 'none'" in page, "a page asks nothing of a network"
    (row,) = list_report_runs(desk.store, name="fine").to_dict("records")
    assert (row["status"], row["parameters"], row["path"]) == ("done", {"top": 1}, str(run.path))
    assert 0 < row["seconds"] < 120
    assert not kernels()


def test_a_failed_notebook_is_kept_and_linked_with_its_reason(desk, reports):
    missing = "from bifrost_lib.core.errors import NoDataError\nraise NoDataError('chain', symbol='XYZ')"
    folder = reports("fails", "print('so far')", missing)
    run = run_report(desk, "fails", folder=folder)
    assert run.status == "failed" and run.attempt == 1, "a bug is not tried again"
    assert "NoDataError" in run.problem and "no chain for symbol XYZ" in run.problem
    assert "so far" in run.notebook.read_text()
    page = run.html.read_text()
    assert "This report failed" in page and "so far" in page and "no chain for symbol XYZ" in page
    (row,) = last_report_runs(desk, name="fails")
    assert (row["status"], row["path"], row["problem"]) == ("failed", str(run.path), run.problem)


def test_what_a_cell_shows_late_is_in_the_report(desk, reports):
    run = run_report(desk, "late", folder=reports("late", f"{LATE}print('late, but there')"))
    assert (run.status, run.problem) == ("done", None)
    assert "late, but there" in run.html.read_text()


def test_a_notebook_that_hangs_is_stopped_by_the_wall_clock(desk, reports):
    folder = reports("hangs", "print('begun')", "import time\ntime.sleep(600)")
    begun = time.monotonic()
    run = run_report(desk, "hangs", folder=folder, limits=Limits(wall_s=25))
    assert time.monotonic() - begun < 60
    assert run.status == "failed" and "25 s" in run.problem
    assert run.notebook is not None
    assert not kernels()


def test_a_notebook_that_eats_memory_is_stopped(desk, reports):
    greedy = "import time\nheld = []\nwhile True:\n    held.append(b'x' * 20_000_000)\n    time.sleep(0.05)"
    folder = reports("eats", greedy)
    run = run_report(desk, "eats", folder=folder, limits=Limits(wall_s=90, memory_mb=600))
    assert run.status == "failed" and "600 MB" in run.problem
    assert not kernels()


def test_a_kernel_that_is_killed_does_not_hang_the_report(desk, reports):
    folder = reports("dies", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    begun = time.monotonic()
    run = run_report(desk, "dies", folder=folder, limits=Limits(wall_s=60))
    assert run.status == "failed" and "kernel died" in run.problem
    assert time.monotonic() - begun < 90


def test_only_a_source_that_is_away_is_tried_again(desk, reports, tmp_path):
    folder = reports("away", AWAY, "print('here now')", parameters="marker = ''  # file")
    run = run_report(desk, "away", {"marker": str(tmp_path / "tried")}, folder=folder, first_pause_s=0.05)
    assert (run.status, run.attempt) == ("done", 2)
    rows = list_report_runs(desk.store, name="away").to_dict("records")
    assert [(row["attempt"], row["status"]) for row in rows] == [(2, "done"), (1, "failed")]
    assert "gateway is not available" in rows[1]["problem"]


def test_nothing_runs_with_a_parameter_that_is_not_there(desk, reports):
    folder = reports("strict", parameters="symbols = []  # underlyings")
    with pytest.raises(UnknownNameError) as caught:
        run_report(desk, "strict", {"symbol": "SIM"}, folder=folder)
    assert caught.value.nearest == "symbols"
    with pytest.raises(InputError) as refused:
        run_report(desk, "strict", folder=folder, limits=Limits(wall_s=0))
    assert refused.value.name == "wall_s"
    assert list_report_runs(desk.store, name="strict").empty


def test_parameters_are_data_and_never_code(desk, reports, tmp_path):
    folder = reports("safe", "print(repr(name))", parameters="name = ''  # text")
    trap = f"'); open({str(tmp_path / 'trap')!r}, 'w'); ('</script><script>alert(1)</script>"
    run = run_report(desk, "safe", {"name": trap}, folder=folder)
    assert run.status == "done" and not (tmp_path / "trap").exists()
    assert "<script>alert(1)" not in run.html.read_text()


def test_a_stop_ends_the_attempt_and_says_so(desk, reports):
    folder = reports("stopped", "import time\ntime.sleep(600)")
    stop = threading.Event()
    threading.Timer(8.0, stop.set).start()
    run = run_report(desk, "stopped", folder=folder, stop=stop)
    assert (run.status, run.problem) == ("failed", "interrupted")
    assert not kernels()


def test_a_run_whose_process_is_killed_ends_and_is_told_at_the_next_start(desk, reports):
    folder = reports("killed", "import time\ntime.sleep(600)")
    code = (
        "import sys; from pathlib import Path; from bifrost_lib.workflows import open_desk, run_report\n"
        "run_report(open_desk(), 'killed', folder=Path(sys.argv[1]))"
    )
    url = desk.settings.database_url.replace("+psycopg2", "")
    environment = os.environ | {"BIFROST_HOME": str(desk.settings.home), "BIFROST_DATABASE_URL": url}
    runner = subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment)
    deadline = time.monotonic() + 60
    while not kernels() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert kernels(), "the notebook runs"
    runner.kill()
    runner.wait()
    while kernels() and time.monotonic() < deadline + 30:
        time.sleep(0.2)
    assert not kernels(), "nobody waits for it any more"
    (row,) = last_report_runs(desk, name="killed")
    assert (row["status"], row["problem"]) == ("failed", "interrupted")
    assert row["path"] and row["finished"]


class Mailbox(HTTPServer):
    """Takes messages from apprise."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.messages: list[dict[str, str]] = []


class Taker(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def mailbox():
    box = Mailbox()
    thread = threading.Thread(target=box.serve_forever)
    thread.start()
    yield box
    box.shutdown()
    thread.join()
    box.server_close()


def test_success_and_failure_are_told_once_each(desk, reports, mailbox):
    home, url = str(desk.settings.home), desk.settings.database_url.replace("+psycopg2", "")
    address = f"json://user:s3cret@127.0.0.1:{mailbox.server_port}/box"
    told = load_settings({"BIFROST_HOME": home, "BIFROST_DATABASE_URL": url, "BIFROST_NOTIFY_URLS": address})
    telling = Desk(settings=told, clock=desk.clock, store=desk.store)
    reports("tells", "import os\nprint(os.environ.get('BIFROST_NOTIFY_URLS'))")
    folder = reports("tells_failure", "1 / 0")
    try:
        good, bad = (run_report(telling, name, folder=folder) for name in ("tells", "tells_failure"))
    finally:
        telling._finalizer.detach()  # the store belongs to the module
    first, second = mailbox.messages
    assert (first["title"], first["type"]) == ("Bifrost report tells: done", "success")
    assert str(good.html) in first["message"]
    assert (second["title"], second["type"]) == ("Bifrost report tells_failure: failed", "failure")
    assert "ZeroDivisionError" in second["message"] and str(bad.html) in second["message"]
    assert "s3cret" not in good.html.read_text() + str(told)


def test_an_address_that_does_not_work_fails_no_report(desk, reports, caplog):
    home, url = str(desk.settings.home), desk.settings.database_url.replace("+psycopg2", "")
    addresses = "json://user:s3cret@127.0.0.1:9/box, nonsense://s3cret"
    told = load_settings({"BIFROST_HOME": home, "BIFROST_DATABASE_URL": url, "BIFROST_NOTIFY_URLS": addresses})
    telling = Desk(settings=told, clock=desk.clock, store=desk.store)
    try:
        run = run_report(telling, "untold", folder=reports("untold", "1"))
    finally:
        telling._finalizer.detach()
    assert run.status == "done"
    assert "notify_urls" in caplog.text and "s3cret" not in caplog.text


@pytest.mark.browser
def test_a_report_is_printed(desk, reports):
    if find_browser() is None:
        pytest.skip("no Chromium to print with: apt-get install chromium")
    run = run_report(desk, "print", pdf=True, folder=reports("print", "print('on paper')"))
    assert run.pdf is not None and run.note == ""
    content = run.pdf.read_bytes()
    assert content.startswith(b"%PDF") and len(content) > 5_000
    assert stat.S_IMODE(run.pdf.stat().st_mode) == 0o600
