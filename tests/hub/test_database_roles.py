"""A notebook connects as its owner, with the owner's rights and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost_lib.core.errors import InputError
from hub_config.database_roles import database_environment, forget_person

NOTEBOOK = """
import json
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.store import Watch, save_watch, watchlist
from bifrost_lib.workflows import open_desk
with open_desk() as desk:
    try:
        save_watch(desk.store, Watch("ROLE"))
        wrote = True
    except BifrostError as error:
        wrote = str(error)
    print(json.dumps([desk.store.address.username, wrote, len(watchlist(desk.store))]))
"""


@pytest.fixture
def notebook(database_settings, tmp_path):
    """Run the cells in a process that has a person's environment, and a home of its own."""

    def run(environment):
        environ = os.environ | {"BIFROST_HOME": str(tmp_path / "lab")} | environment
        checkout = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-c", NOTEBOOK]
        done = subprocess.run(command, env=environ, cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_notebook_has_the_rights_of_its_owner(database_settings, notebook, tmp_path):
    mark = database_settings.home.name[-6:].lower().replace("_", "x")
    trader, quant = f"tess-{mark}", f"quinn-{mark}"
    try:
        login, wrote, watched = notebook(database_environment(database_settings, trader, "trader"))
        assert (login, watched) == (f"desk_{trader}", 0)
        assert "read-only transaction" in wrote
        assert notebook(database_environment(database_settings, quant, "quant")) == [f"desk_{quant}", True, 1]
        first = database_environment(database_settings, quant, "quant")
        assert first == database_environment(database_settings, quant, "quant")
        assert not list((tmp_path / "lab").rglob("*password*"))
    finally:
        assert forget_person(database_settings, trader) and forget_person(database_settings, quant)


def test_a_name_of_the_hub_that_is_no_login_is_refused(database_settings):
    with pytest.raises(InputError) as error:
        database_environment(database_settings, 'eve"; DROP TABLE stocks', "quant")
    assert error.value.name == "name"
