"""Makes the pictures of every page and state: ``scripts/screenshots [phone] [console] [dashboard] [film]``."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import BROWSERS
from tests.browser.pictures.camera import Camera
from tests.browser.pictures.console import console_pictures
from tests.browser.pictures.dashboard import dashboard_pictures
from tests.browser.pictures.film import film
from tests.browser.pictures.phone import phone_pictures
from tests.browser.pictures.studio import Studio, studio

ENVIRONMENT = 30
ARGUMENTS = ("--no-sandbox", "--disable-quic")


def _in_studio(pictures: Callable[[Studio, Camera], None]) -> Callable[[Browser, Path], None]:
    def made(browser: Browser, folder: Path) -> None:
        with studio(folder) as stage, closing(Camera(browser, stage.url)) as camera:
            pictures(stage, camera)

    return made


SETS: dict[str, Callable[[Browser, Path], None]] = {
    "phone": _in_studio(phone_pictures),
    "console": _in_studio(console_pictures),
    "dashboard": dashboard_pictures,
    "film": film,
}


def main() -> int:
    """Make the sets that were asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all by default")
    asked = parser.parse_args().sets or list(SETS)
    if unknown := set(asked) - set(SETS):
        parser.error(f"no such set: {', '.join(sorted(unknown))}")
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print(f"screenshots: no browser here: none of {', '.join(BROWSERS)} is on the path", file=sys.stderr)
        return ENVIRONMENT
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for name in asked:
            with tempfile.TemporaryDirectory(prefix="redrain-pictures-", ignore_cleanup_errors=True) as folder:
                SETS[name](browser, Path(folder))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
