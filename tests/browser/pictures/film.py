"""The film of the README: a phone from the warm-up to the list of winners, and a glimpse of the dashboard."""

import base64
import io
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.pictures.camera import IMAGES, Camera
from tests.browser.pictures.dashboard import command
from tests.browser.pictures.phone import FALLING, close
from tests.browser.pictures.studio import MINUTE_MS, Studio, studio

FILM = IMAGES.parent / "demo.gif"
FILM_BYTES_MAX = 3 * 1024 * 1024
WINDOW = {"width": 390, "height": 780}
WIDTH = 260
FRAME_MS = 120  # the format counts in hundredths of a second
COLOURS = (128, 96, 80, 64, 48)

Scene = list[Image.Image]


class Recording:
    """Keeps all that a page shows from now on, as the browser paints it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._painted: list[tuple[float, bytes]] = []
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.on("Page.screencastFrame", self._keep)
        self._cdp.send("Page.startScreencast", {"format": "jpeg", "quality": 90})

    def _keep(self, frame: dict[str, object]) -> None:
        metadata = frame["metadata"]
        assert isinstance(metadata, dict)
        self._painted.append((metadata["timestamp"], base64.b64decode(str(frame["data"]))))
        self._cdp.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    def stop(self) -> None:
        """Keep nothing more."""
        self._cdp.send("Page.stopScreencast")
        self._page.wait_for_timeout(FRAME_MS)

    def frames(self, seconds: float) -> Scene:
        """Return the frames of the next seconds, evenly; a page that paints nothing new has the last one again."""
        before = len(self._painted)
        self._page.wait_for_timeout(seconds * 1000)
        painted = self._painted[max(0, before - 1) :]
        start = painted[-1][0] - seconds
        found = []
        for number in range(round(seconds * 1000 / FRAME_MS)):
            until = start + (number + 1) * FRAME_MS / 1000
            shown = [content for at, content in painted if at <= until] or [painted[0][1]]
            found.append(Image.open(io.BytesIO(shown[-1])).convert("RGB"))
        return found


def film(browser: Browser, folder: Path) -> None:
    """Make the film."""
    with (
        studio(folder) as stage,
        closing(Camera(browser, stage.url)) as camera,
        command(folder, "watch", "--target", stage.url, until="/dashboard") as said,
    ):
        scenes = filmed(stage, camera, said["/dashboard"])
    for colours in COLOURS:
        content = assembled(scenes, colours)
        if len(content) <= FILM_BYTES_MAX:
            break
    assert len(content) <= FILM_BYTES_MAX, f"{FILM.name}: {len(content)} bytes"
    FILM.write_bytes(content)
    seconds = sum(map(len, scenes)) * FRAME_MS / 1000
    print(f"{FILM.name}  {len(content) // 1024} KiB, {seconds:.1f} s, {colours} colours")


def filmed(stage: Studio, camera: Camera, watched: str) -> list[Scene]:
    """Return the scenes: countdown, rain, coin, amount, winners; then the dashboard."""
    phone = camera.open("/live/tea?lang=en&viewer=lili", viewport=WINDOW)
    dashboard = camera.open(f"{watched}?lang=en", viewport=WINDOW)
    packet = stage.packet("xiaoman", "开场红包雨", 240, 88_800, min_share_fen=20)
    phone.locator(".badge small").wait_for()
    stage.launch(packet, "tea", delay_ms=10 * MINUTE_MS, claim_window_ms=16 * MINUTE_MS)
    phone.locator(".widget[data-kind=countdown] time", has_text="00:05").wait_for()
    recording = Recording(phone)
    waiting = recording.frames(1.6)
    phone.locator(".big3").wait_for()
    counting = recording.frames(3.0)
    phone.locator(".rain").wait_for()
    raining = recording.frames(2.2)
    phone.locator(FALLING).dispatch_event("pointerdown")
    opening = recording.frames(4.4)
    close(phone)
    phone.locator(".luck").click(timeout=60_000)
    phone.get_by_role("button", name="Verify", exact=True).click()
    phone.locator(".ver[role=status]").wait_for()
    winners = recording.frames(2.0)
    dashboard.locator(".badge.green").wait_for(timeout=60_000)
    recording.stop()
    watching = Recording(dashboard)
    scenes = [waiting, counting, raining, opening, winners, watching.frames(1.8)]
    watching.stop()
    return scenes


def assembled(scenes: list[Scene], colours: int) -> bytes:
    """Return scenes as one animation; a scene has one palette, so that what stands still costs nothing."""
    size = WIDTH, round(WINDOW["height"] * WIDTH / WINDOW["width"])
    frames: Scene = []
    for scene in scenes:
        small = [frame.resize(size, Image.Resampling.LANCZOS) for frame in scene]
        some = small[:: max(1, len(small) // 6)]
        strip = Image.new("RGB", (WIDTH, size[1] * len(some)))
        for number, frame in enumerate(some):
            strip.paste(frame, (0, number * size[1]))
        palette = strip.quantize(colours)
        frames += [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
    drawn = io.BytesIO()
    first, *others = frames
    first.save(drawn, "GIF", save_all=True, append_images=others, duration=FRAME_MS, loop=0, optimize=False)
    return drawn.getvalue()
