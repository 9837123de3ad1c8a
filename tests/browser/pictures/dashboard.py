"""The pictures of the dashboard and the lobby: the demo as people run it, and a storm that ends on its verdict."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.pictures.camera import DESKTOP, SCREEN, Camera, take

FULL_MS = 25_000  # in which the charts have something to show
DRAWN_MS = 1_500
STORM = ("storm", "stampede", "--viewers", "400", "--engine", "swarm", "--watch", "--watch-stay", "60")


def dashboard_pictures(browser: Browser, folder: Path) -> None:
    """Take all pictures of the dashboard and the lobby."""
    with command(folder, "demo", "--port", "0", until="/dashboard") as said:
        url = said["/console"].removesuffix("/console")
        with closing(Camera(browser, url)) as camera:
            page = camera.open(f"{said['/dashboard']}?lang=en", **SCREEN)
            chinese = camera.open(f"{said['/dashboard']}?lang=zh", **SCREEN)
            page.locator(".badge.green").wait_for(timeout=120_000)
            page.wait_for_timeout(FULL_MS)
            take(page, "dashboard-live.jpg")
            take(chinese, "dashboard-live-zh.jpg")
            chinese.close()
            for lang, name in (("en", "lobby.jpg"), ("zh", "lobby-zh.jpg")):
                lobby = camera.open(f"/?lang={lang}", **DESKTOP)
                lobby.locator(".room").nth(2).wait_for()
                _look(lobby, name)
                lobby.close()
            _break(page)
    with command(folder, *STORM, until="/dashboard") as said, closing(Camera(browser, "")) as camera:
        page = camera.open(f"{said['/dashboard']}?lang=en", **SCREEN)
        page.locator(".verdict strong").wait_for(timeout=120_000)
        _look(page, "dashboard-verdict.jpg")


def _look(page: Page, name: str) -> None:
    page.wait_for_timeout(DRAWN_MS)
    take(page, name)


def _break(page: Page) -> None:
    """Press both buttons: a packet with the naive allocator, then a killed store."""
    page.get_by_role("button", name=re.compile("naive")).first.click()
    page.locator(".badge.red").wait_for(timeout=90_000)
    _look(page, "dashboard-red.jpg")
    page.get_by_role("button", name="Clear the red badge").click()
    page.locator(".badge.green").wait_for(timeout=60_000)
    page.get_by_role("button", name=re.compile("store")).first.click()
    page.wait_for_timeout(700)
    take(page, "dashboard-recovering.jpg")


@contextmanager
def command(folder: Path, *arguments: str, until: str) -> Iterator[dict[str, str]]:
    """Run a command of redrain until it has told of the page *until*; yield the URLs it told of, by their last part."""
    told: dict[str, str] = {}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "scripts.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        heard = []
        for line in process.stdout:
            heard.append(line)
            told |= {match[2]: match[0] for match in re.finditer(r"http://([^\s/]+)(/\w+)", line)}
            if until in told:
                break
        assert until in told, "".join(heard)
        rest = threading.Thread(target=process.stdout.read)
        rest.start()
        try:
            yield told
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            rest.join()
