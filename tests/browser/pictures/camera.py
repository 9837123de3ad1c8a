"""The camera: opens pages of one server, and writes what they show as small pictures."""

import io
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"
BYTES_MAX = 300 * 1024
QUALITY = 86

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 1.5,
    "has_touch": True,
    "is_mobile": True,
}
CALM: dict[str, Any] = {**PHONE, "reduced_motion": "reduce"}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
SCREEN: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}}
STOP_TIME = "performance.now = ((instant) => () => instant)(performance.now())"
LET_TIME_RUN = "delete performance.now"
HOLD_THE_ROOM = """
window.WebSocket = class extends WebSocket {
  set onmessage(hear) {
    super.onmessage = (event) => (window.held ? window.held.push(() => hear(event)) : hear(event));
  }
};
"""
"""A script for a page: while ``window.held`` is a list, what the room says waits there."""


class Camera:
    """Opens pages below *base_url*; ``close`` closes them all."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser = browser
        self._base_url = base_url
        self._contexts: list[BrowserContext] = []

    def open(self, path: str, *, script: str = "", **options: Any) -> Page:
        """Open a page as another person, with the options of a browser context; *script* runs before the page's own."""
        context = self._browser.new_context(base_url=self._base_url, **{"locale": "en-GB", **options})
        self._contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(path)
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()


def take(page: Page, name: str) -> None:
    """Write what a page shows now as the picture *name*: JPEG where light and shade are many, else PNG."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    drawn = io.BytesIO()
    if name.endswith(".jpg"):
        image.save(drawn, "JPEG", quality=QUALITY, optimize=True, subsampling=0)
    else:
        image.save(drawn, "PNG", optimize=True)
        if drawn.tell() > BYTES_MAX:
            drawn = io.BytesIO()
            image.quantize(256).save(drawn, "PNG", optimize=True)
    content = drawn.getvalue()
    assert len(content) <= BYTES_MAX, f"{name}: {len(content)} bytes"
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / name).write_bytes(content)
    print(f"{name}  {len(content) // 1024} KiB", flush=True)
