"""Ten people open a page at the same moment, and each of them sees data: counted, not timed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bifrost_lib.workflows.benchmarks import pages
from bifrost_lib.workflows.hub import Page, read_registry

if TYPE_CHECKING:
    from tests.started_platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = {page.name: page for page in read_registry() if page.shows}


async def visited(platform: Platform, chromium: Path, page: Page) -> tuple[list[float], list[float]]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        desk = pages.Visits(browser, platform.url)
        await desk.log_in(platform.passwords["quant"])
        served = await desk.served_at_once(page, pages.AT_ONCE)
        taken = await desk.visit_at_once(page, pages.AT_ONCE)
        await browser.close()
    return served, taken


@pytest.mark.parametrize("name", ["chain", "operations"])
def test_ten_viewers_at_once_all_see_data(platform, chromium, name):
    served, taken = asyncio.run(visited(platform, chromium, PAGES[name]))
    assert len(served) == len(taken) == pages.AT_ONCE
