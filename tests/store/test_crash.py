"""Whatever is killed during an ingest: each file is in whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.store import ingestion, list_files, list_symbols, open_store, option_chain

CLIENT = """
import sys, time
import pandas as pd
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import FileKey, ingestion, open_store

frame = pd.read_pickle(sys.argv[1])
with open_store(load_settings()) as store:
    with ingestion(store, FileKey("half", "00", 1, "made up"), source="test") as writer:
        for minute in range(5):
            writer.append(frame.assign(ts=frame["ts"] + pd.Timedelta(minutes=minute)))
        print("half", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def settings() -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="bifrost-home-", dir="/tmp"))
    home.chmod(0o711)
    yield load_settings({"BIFROST_HOME": str(home)})
    shutil.rmtree(home)


def later(frame, minutes):
    return frame.assign(ts=frame["ts"] + timedelta(minutes=minutes))


def check_only_the_whole_file_is_there(store, frame):
    assert list_files(store.engine)["path"].tolist() == ["whole"]
    symbols = list_symbols(store.engine).set_index("symbol")
    assert symbols.index.tolist() == ["ACME"] and symbols.loc["ACME", "rows"] == len(frame)
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM option_snapshots")) == len(frame)
        assert connection.scalar(text("SELECT count(*) FROM option_contracts")) == len(frame)
    assert len(option_chain(store.engine, "ACME")) == len(frame)


@pytest.mark.slow
def test_a_client_killed_in_the_middle_of_a_file(settings, made, tmp_path):
    frame = made.snapshots(made.chain_rows([90, 100, 110]))
    with open_store(settings) as store:
        made.ingest(store, "whole", frame)
    other = made.snapshots(made.chain_rows(range(50, 150)), ts=made.noon)
    other.to_pickle(tmp_path / "frame")
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path / "frame")],
        env=os.environ | {"BIFROST_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    with open_store(settings) as store:
        check_only_the_whole_file_is_there(store, frame)
        assert made.ingest(store, "half", later(other, 1)) == len(other)


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_a_file(settings, made):
    frame = made.snapshots(made.chain_rows([90, 100, 110]))
    other = made.snapshots(made.chain_rows(range(50, 150)))
    with open_store(settings) as store:
        made.ingest(store, "whole", frame)
        with pytest.raises(SourceUnavailable), ingestion(store, made.key("half"), source="test") as writer:
            writer.append(later(other, 1))
            kill_server(settings.home)
            writer.append(later(other, 2))
        check_only_the_whole_file_is_there(store, frame)  # the open store starts it again by itself
    with open_store(settings) as store:
        check_only_the_whole_file_is_there(store, frame)
        assert made.ingest(store, "half", later(other, 1)) == len(other)


def kill_server(home):
    """Kill the server and all its processes at once, as a power cut would."""
    data = home / "postgres" / "data"
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue
