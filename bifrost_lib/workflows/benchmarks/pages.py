"""The pages of the running platform in a real browser: from the click to the first data that is painted."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Coroutine, Sequence
from statistics import median
from typing import Any

from bifrost_lib.core.errors import EnvironmentProblem, SourceUnavailable
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.hub import Page, Places, read_registry

#: Quants may open every page.
NAME = "quant"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LAPTOP = {"width": 1366, "height": 768}
WARM_VISITS = 5
AT_ONCE, CROWDED_VISITS = 10, 3
#: Preheated kernels that were used up are replaced within this time on two cores.
REST_S = 20.0
PATIENCE_MS = 180_000


def measure(*, rows: int) -> list[Measured]:
    """Visit every page of the platform that runs in this home: first, again, and ten viewers at once.

    What is served whole to ten, and what a window shows while nine others are served, is told beside what ten windows
    of one browser show: those share the machine's cores, which ten people do not. A page counts as painted when what
    the registry names under `shows` is visible. `rows` does not matter here.

    Raises
    ------
    EnvironmentProblem
        If Playwright or a Chromium is missing, nothing was started in this home, or its first passwords are gone.
    SourceUnavailable
        If the platform does not answer.
    """
    settings = load_settings()
    places, password = Places.read(settings.home), first_password(settings, NAME)
    pages = [page for page in read_registry() if page.shows]
    return asyncio.run(_measured(places.url, password, pages))


def first_password(settings: Settings, name: str) -> str:
    """Return the password that the first `bifrost up` gave to `name`.

    Raises
    ------
    EnvironmentProblem
        If the file with them was removed, as it should be once everybody has his own.
    """
    path = settings.home / "credentials"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = dict(line.split(": ", 1) for line in lines if ": " in line)
    if name not in found:
        remedy = "measure on a platform of its own: BIFROST_HOME=/tmp/bench bifrost up --port 8100 --detach"
        raise EnvironmentProblem(f"the first password of {name} is not in {path}", remedy)
    return found[name]


async def _measured(url: str, password: str, pages: Sequence[Page]) -> list[Measured]:
    async with _playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        desk = Visits(browser, url)
        await desk.log_in(password)
        lines: list[Measured] = []
        for page in pages:
            lines.append(Measured(f"{page.name}, first visit", await desk.visit(page), "s"))
            warm = [await desk.visit(page, rest_s=REST_S if page.kind == "voila" else 0.5) for _ in range(WARM_VISITS)]
            lines.append(Measured(f"{page.name}, warm", median(warm), "s, median"))
        for page in pages:
            await asyncio.sleep(REST_S)
            served = await desk.served_at_once(page, AT_ONCE)
            lines.append(Measured(f"{page.name}, served whole to {AT_ONCE} at once", max(served), "s, slowest"))
            among = [await desk.visit_among(page, AT_ONCE, rest_s=REST_S) for _ in range(CROWDED_VISITS)]
            lines.append(Measured(f"{page.name}, painted among {AT_ONCE} viewers", max(among), "s, slowest"))
            await asyncio.sleep(REST_S)
            at_once = await desk.visit_at_once(page, AT_ONCE)
            lines.append(Measured(f"{page.name}, {AT_ONCE} windows of one browser", median(at_once), "s, median"))
            lines.append(Measured(f"{page.name}, {AT_ONCE} windows of one browser", max(at_once), "s, slowest"))
        await browser.close()
    return lines


class Visits:
    """One person's visits, each in a window of its own that knows the login and nothing else.

    Parameters
    ----------
    browser : Browser
        Playwright's, of its asynchronous interface.
    url : str
        Address of the platform, ending in a slash.
    """

    def __init__(self, browser: Any, url: str) -> None:
        self._browser, self._url = browser, url
        self._login: Any = None

    async def log_in(self, password: str, *, name: str = NAME) -> None:
        """Log in at the hub, for all visits.

        Raises
        ------
        SourceUnavailable
            If the platform does not answer, or does not take the password.
        """
        from playwright.async_api import Error

        window = await self._browser.new_context(viewport=LAPTOP)
        try:
            tab = await window.new_page()
            await tab.goto(self._url)
            await tab.get_by_label("Name").fill(name)
            await tab.get_by_label("Password").fill(password)
            await tab.get_by_role("button", name="Log in").click()
            await tab.get_by_role("heading", name=f"Welcome, {name}").wait_for(timeout=PATIENCE_MS)
        except Error as problem:
            raise SourceUnavailable(self._url, str(problem).splitlines()[0]) from None
        self._login = await window.storage_state()
        await window.close()

    async def visit(self, page: Page, *, rest_s: float = 0.0) -> float:
        """Return the seconds until `page` shows data, `rest_s` after whoever was there before has left."""
        await asyncio.sleep(rest_s)
        (taken,) = await self.visit_at_once(page, 1)
        return taken

    async def visit_at_once(self, page: Page, viewers: int) -> list[float]:
        """Return the seconds until `page` shows data to each of `viewers` who open it at the same moment.

        Raises
        ------
        SourceUnavailable
            If one of them sees none.
        """
        windows = await self._windows(viewers)
        try:
            tabs = [await window.new_page() for window in windows]
            visits: list[Coroutine[Any, Any, float]] = [self._painted(tab, page) for tab in tabs]
            return list(await asyncio.gather(*visits))
        finally:
            for window in windows:
                await window.close()

    async def visit_among(self, page: Page, viewers: int, *, rest_s: float = 0.0) -> float:
        """Return the seconds until `page` shows data to one of `viewers` who come at once; it is served to the others.

        Raises
        ------
        SourceUnavailable
            If one of them gets none.
        """
        await asyncio.sleep(rest_s)
        painted, *_ = await asyncio.gather(self.visit(page), self.served_at_once(page, viewers - 1))
        return painted

    async def served_at_once(self, page: Page, viewers: int) -> list[float]:
        """Return the seconds until the whole page has come to each of `viewers`; nobody draws it.

        That is more than the data, which come first: of a notebook page it is all that its kernel said.

        Ten tabs on one machine measure its browser: this is what the server takes of their time, with the login.

        Raises
        ------
        SourceUnavailable
            If one of them gets none.
        """
        windows = await self._windows(viewers)
        try:
            answers: list[Coroutine[Any, Any, float]] = [self._served(window, page) for window in windows]
            return list(await asyncio.gather(*answers))
        finally:
            for window in windows:
                await window.close()

    async def _windows(self, viewers: int) -> list[Any]:
        return [await self._browser.new_context(viewport=LAPTOP, storage_state=self._login) for _ in range(viewers)]

    async def _served(self, window: Any, page: Page) -> float:
        began = time.perf_counter()
        answer = await window.request.get(f"{self._url}services/{page.name}/", timeout=PATIENCE_MS)
        if not answer.ok:
            raise SourceUnavailable(f"the page {page.title}", f"it answers {answer.status}")
        return time.perf_counter() - began

    async def _painted(self, tab: Any, page: Page) -> float:
        from playwright.async_api import Error

        began = time.perf_counter()
        try:
            await tab.goto(f"{self._url}services/{page.name}/", wait_until="commit", timeout=PATIENCE_MS)
            await tab.locator(page.shows).first.wait_for(timeout=PATIENCE_MS)
        except Error as problem:
            raise SourceUnavailable(f"the page {page.title}", str(problem).splitlines()[0]) from None
        return time.perf_counter() - began


def _playwright() -> Any:
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        raise EnvironmentProblem("Playwright is not installed", "install the extra 'dev'") from None
    return async_playwright()


def _chromium() -> str:
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise EnvironmentProblem("no Chromium is installed", "Debian: apt install chromium")
