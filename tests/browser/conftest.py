"""One Chromium and one server for all tests that look at pages, and a page whose console must stay silent."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from loadtest.run.server_process import ServerProcess
from tests.api.caller import Caller

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SPEED = 60
TIMEOUT_MS = 20_000
RULEBOOKS = {"stage": {"base": "douyin", "launch_modes": ["manual"], "reversal_delay_ms": 0}}
"""A platform for tests: launched at once, open at once."""

REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of (409|422) ")
"""Chromium's line for every answer that refuses; the page shows why, and that is no complaint."""

NewPage = Callable[..., Page]
FINDINGS = """async (source) => {
  if (!window.axe) (0, eval)(source);
  const found = await window.axe.run(document, {resultTypes: ["violations"]});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map(
    (one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
}"""
SIDEWAYS = """async () => {
  const root = document.documentElement;
  for (let frame = 0; root.scrollWidth > root.clientWidth; frame++) {
    if (frame === 60) return true;
    await new Promise(requestAnimationFrame);
  }
  return false;
}"""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the machine's first Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is on the path")
    return found


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Run one browser with a context for each page. Its event loop must be gone before tests of other folders."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=TIMEOUT_MS)  # a busy machine is no finding
        rebound = "--host-resolver-rules=MAP rebound.example 127.0.0.1"  # what an attacker's DNS would say
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic", rebound])
        yield running
        running.close()


@pytest.fixture(scope="package")
def page_server(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[str]:
    """Run a server as a demo would, at 60 times the speed of the room, and yield its base URL."""
    options = ["--speed", str(SPEED), "--durability", "relaxed", "--diagnostics", "--limits", "load"]
    server = ServerProcess(tmp_path_factory.mktemp("pages"), options, RULEBOOKS)
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture
def api(page_server: str) -> Iterator[Caller]:
    """Call the server that the pages look at."""
    with Caller(page_server) as caller:
        yield caller


@pytest.fixture
def new_page(browser: Browser, page_server: str) -> Iterator[NewPage]:
    """Open pages by their path on the server; at the end, none may have had a complaint."""
    with pages_of(browser, page_server) as open_page:
        yield open_page


@contextmanager
def pages_of(browser: Browser, base_url: str, expected: str = "") -> Iterator[NewPage]:
    """
    Open pages of one server, each as another person; at the end fail if the console of any said something.

    Complaints that contain *expected* are none: those of a server that was stopped.
    """
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        harmless = REFUSED.search(message.text) or (expected and expected in message.text)
        if message.type in {"error", "warning"} and not harmless:
            said.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def open_page(path: str, *, script: str = "", **options: Any) -> Page:
        """
        Open a path; *script* runs before the page's own, *options* are those of a browser context.

        Without motion a page takes a fraction of the time of a machine that draws without a graphics card.
        """
        context = browser.new_context(base_url=base_url, **{"locale": "en-GB", "reduced_motion": "reduce", **options})
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
        page.goto(path)
        return page

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()
    assert said == []


def serious_findings(page: Page) -> list[str]:
    """Return what axe-core calls serious or critical on a page as it stands."""
    source = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    found = page.evaluate(FINDINGS, source)
    assert isinstance(found, list)
    return found


def scrolls_sideways(page: Page) -> bool:
    """Tell whether a page stays wider than its window; in the first frames of a new width it may be."""
    return bool(page.evaluate(SIDEWAYS))
