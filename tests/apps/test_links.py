"""The links of a page's head: where its reader may go, and nowhere else."""

from __future__ import annotations

import pytest

from apps.links import page_links
from bifrost_lib.workflows.hub import read_registry
from hub_config.roles import may_open


@pytest.mark.parametrize("role", ["quant", "trader", "operator", "admin"])
def test_they_lead_home_and_to_every_page_that_the_role_may_open(role: str) -> None:
    home, *others = page_links(role)
    assert home == ("Home", "/hub/home")
    assert others == [(page.title, f"/services/{page.name}/") for page in read_registry() if may_open(role, page)]
    assert others


@pytest.mark.parametrize("role", [None, "", "nobody"])
def test_whoever_has_no_role_is_led_to_no_page(role: str | None) -> None:
    assert all(address == "/hub/home" for _, address in page_links(role))
