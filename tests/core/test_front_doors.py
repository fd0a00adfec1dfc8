"""Front doors load what is asked for, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest


def told_by_a_new_process(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_name_loads_what_it_needs_and_is_kept():
    told = told_by_a_new_process(
        "import sys, bifrost_lib.analytics as door\n"
        "loaded = lambda name: f'bifrost_lib.analytics.{name}' in sys.modules\n"
        "print(loaded('rankings'))\n"
        "assert door.iv_rank is door.iv_rank is vars(door)['iv_rank']\n"
        "print(loaded('rankings'), loaded('calibration'))\n"
    )
    assert told == ["False", "True", "False"]


def test_an_unknown_name_is_an_attribute_error_that_names_the_package():
    import bifrost_lib.microstructure as door

    with pytest.raises(AttributeError, match=r"'bifrost_lib\.microstructure' has no attribute 'rotatoin_order'"):
        _ = door.rotatoin_order


def test_every_name_is_listed():
    import bifrost_lib.microstructure as door

    assert set(door.__all__) < set(dir(door))
