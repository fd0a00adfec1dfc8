"""Whoever is killed and whenever: the spool loses nothing and doubles nothing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.store import Spool, chain_moments, list_runs, list_symbols, option_chain
from bifrost_lib.store import spool as spool_module

MINUTE = timedelta(minutes=1)


def moments_of(store, symbol):
    start = pd.Timestamp("2024-03-01", tz="UTC").to_pydatetime()
    return chain_moments(store.engine, symbol, start, start + timedelta(days=60)).tolist()


def test_a_database_that_goes_away_in_the_middle(store, made, symbol, tmp_path, monkeypatch):
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.put(made.batch(symbol, number))
    settle, calls = spool_module.ingestion, []

    def cut(store, key, **known):
        calls.append(key)
        if len(calls) == 2:  # every connection of this database is cut while the second batch is being stored
            inner = settle(store, key, **known)

            class Cut:
                def __enter__(self):
                    writer = inner.__enter__()
                    with store.engine.connect() as other:
                        other.execute(
                            text(
                                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                            )
                        )
                    return writer

                def __exit__(self, *error):
                    return inner.__exit__(*error)

            return Cut()
        return settle(store, key, **known)

    monkeypatch.setattr(spool_module, "ingestion", cut)
    with pytest.raises(SourceUnavailable):
        spool.deliver(store)
    assert len(spool) == 2 and moments_of(store, symbol) == [made.noon]
    assert spool.deliver(store).stored == 2
    assert moments_of(store, symbol) == [made.noon + k * MINUTE for k in range(3)]
    assert len(list_runs(store, symbol=symbol)) == 3


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import Spool, open_store
from bifrost_lib.store import spool as module

folder, step, action = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
batch = pickle.loads(Path(sys.argv[4]).read_bytes())

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(type(Path())):
    def rename(self, target):
        if step == "before_rename":
            die()
        found = super().rename(target)
        if step == "after_rename":
            die()
        return found

    def unlink(self, missing_ok=False):
        die()

if step == "before_write":
    module.os.fsync = die
elif step in ("before_rename", "after_rename"):
    module.Path = Dying
spool = Spool(folder)
if action == "put":
    if step != "before_write":
        spool.folder = Dying(folder)
    spool.put(batch)
else:
    real = module.store_batch
    def dying(store, batch):
        if step == "before_commit":
            module.ingestion, inner = lambda *a, **k: Wrapped(inner(*a, **k)), module.ingestion
        return real(store, batch)
    class Wrapped:
        def __init__(self, inner): self.inner = inner
        def __enter__(self): return self.inner.__enter__()
        def __exit__(self, *error): die()
    module.store_batch = dying
    if step == "after_commit":
        spool.folder = Dying(folder)
    with open_store(load_settings()) as store:
        spool.deliver(store)
print("not killed", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "step", "waiting", "stored"),
    [
        ("put", "before_write", 0, 0),
        ("put", "before_rename", 0, 0),
        ("put", "after_rename", 1, 0),
        ("deliver", "before_commit", 1, 0),
        ("deliver", "after_commit", 1, 1),
    ],
)
def test_a_process_killed_at_any_step_neither_loses_nor_doubles(
    store, database_settings, made, symbol, tmp_path, action, step, waiting, stored
):
    batch, folder = made.batch(symbol), tmp_path / "spool"
    (tmp_path / "batch").write_bytes(pickle.dumps(batch))
    if action == "deliver":
        Spool(folder).put(batch)
    environ = {
        "BIFROST_HOME": str(database_settings.home),
        "BIFROST_DATABASE_URL": database_settings.database_url,
    }
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), step, action, str(tmp_path / "batch")],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -9, done.stdout + done.stderr
    spool = Spool(folder)
    assert len(spool) == waiting and list(folder.glob("*.part")) == []
    assert len(list_runs(store, symbol=symbol)) == stored
    spool.put(batch)  # the collector that starts again cannot know how far the one before it came
    spool.deliver(store)
    assert len(spool) == 0
    assert len(option_chain(store.engine, symbol)) == 3
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "rows"] == 3
    assert list_runs(store, symbol=symbol)["status"].tolist() == ["done"]
    assert list_runs(store, symbol=symbol)["missing"].tolist() == [{"timeout": 1}]
