"""
Figures of the phone's page, printed and not judged: ``scripts/page_figures``.

Two countdowns, one of them on a device whose clocks are two seconds off: how far apart the same second appears.
A page in a room of many viewers who comment: its longest and its largest task, its frames a second during the rain,
and its heap.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from loadtest.engines.crowd import Crowd, SilentView
from loadtest.engines.engine_process import CrowdOrder
from loadtest.run.server_process import ServerProcess
from tests.api.caller import Caller
from tests.browser.conftest import BROWSERS

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
OFF_MS = 2_000
COUNTED_S = 20
RAIN_S = 20
HEAP_EVERY_S = 30
HOUR_MS = 3_600_000
CROWD = """
name = "figures"
seed = 8
[audience]
viewers = {viewers}
arrivals_per_second = 200
reaction_median_ms = 2400
[audience.mix]
commenter = 1.0
[[creators]]
creator_id = "host"
platform = "lab"
recharge_fen = 100000000
[[rooms]]
room_id = "room"
creator_id = "host"
title = "Figures"
[[packets]]
name = "figures"
room_id = "room"
share_count = 10
total_fen = 1000
mode = "manual"
launch_at_ms = 0
"""

NOTE_SECONDS = """
const [now, origin] = [performance.now.bind(performance), performance.timeOrigin];
window.seen = {};
addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  const text = document.querySelector(".widget time")?.textContent;
  if (text) window.seen[text] ??= origin + now();
}).observe(document.body, {subtree: true, childList: true, characterData: true}));
"""
WRONG_CLOCKS = f"""
{{
  const [date, monotonic] = [Date.now, performance.now.bind(performance)];
  Date.now = () => date() + {OFF_MS};
  performance.now = () => monotonic() + {OFF_MS};
}}
"""
NOTE_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({type: "longtask", buffered: false});
"""
TRACED = ["toplevel"]
TASK = "ThreadControllerImpl::RunTask"
COUNT_FRAMES = """(seconds) => new Promise((tell) => {
  let [frames, start, before, worst] = [0, 0, 0, 0];
  const frame = (now) => {
    if (start) { frames++; worst = Math.max(worst, now - before); } else start = now;
    before = now;
    if (now - start < seconds * 1000) requestAnimationFrame(frame);
    else tell([frames / (now - start) * 1000, worst]);
  };
  requestAnimationFrame(frame);
})"""


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/page_figures", description="Figures of the phone's page.")
    parser.add_argument("--viewers", type=int, default=2_000, help="commenting viewers in the room (default: 2000)")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the heap is watched (default: 5)")
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print(f"page_figures: no browser here: none of {', '.join(BROWSERS)} is on the path", file=sys.stderr)
        return 30
    with tempfile.TemporaryDirectory(prefix="redrain-figures-", ignore_cleanup_errors=True) as folder:
        server = ServerProcess(Path(folder), ["--durability", "relaxed", "--limits", "load"])
        try:
            url = server.wait_until_ready()
            with sync_playwright() as playwright, Caller(url) as api:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
                api.post("/api/creators/host/recharge", {"amount_fen": 100_000_000, "platform": "lab"})
                api.post("/api/rooms", {"room_id": "room", "creator_id": "host", "title": "Figures"})
                _print_clocks(browser, url, api)
                with _crowd(Path(folder), url, options.viewers):
                    _print_load(browser, url, api, options)
                browser.close()
        finally:
            server.stop()
    return 0


def _open(browser: Browser, url: str, viewer: str, script: str) -> Page:
    page = browser.new_context(**PHONE).new_page()
    page.add_init_script(script)
    page.goto(f"{url}/live/room?lang=en&viewer={viewer}")
    page.locator(".badge small").wait_for()
    return page


def _launch(api: Caller, mode: str, share_count: int, **times: int) -> str:
    body = {"creator_id": "host", "name": "figures", "share_count": share_count, "total_fen": share_count * 100}
    packet: str = api.post("/api/packets", body)["packet_id"]
    api.post(f"/api/packets/{packet}/launch", {"room_id": "room", "mode": mode, **times})
    return packet


def _print_clocks(browser: Browser, url: str, api: Caller) -> None:
    """Print how far apart two pages show the same second, one of them with wrong clocks."""
    packet = _launch(api, "relative", 10, delay_ms=HOUR_MS, claim_window_ms=HOUR_MS)
    right = _open(browser, url, "vera", NOTE_SECONDS)
    wrong = _open(browser, url, "wei", NOTE_SECONDS + WRONG_CLOCKS)
    right.wait_for_timeout(COUNTED_S * 1000)
    seen = [page.evaluate("window.seen") for page in (right, wrong)]
    # The first of each page is when it was drawn, and not when the second began.
    common = sorted(set(seen[0]) & set(seen[1]), reverse=True)[2:]
    apart = [abs(seen[0][text] - seen[1][text]) for text in common]
    _line("a clock 2 s off", f"{len(apart)} seconds, {statistics.median(apart):.0f} ms apart (median)", "")
    _line("", f"{max(apart):.0f} ms at most", "<= 100 ms")
    for page in (right, wrong):
        page.context.close()
    api.post(f"/api/packets/{packet}/void")


def _print_load(browser: Browser, url: str, api: Caller, options: argparse.Namespace) -> None:
    """Print what the page does in a full room."""
    page = _open(browser, url, "vera", "")
    page.wait_for_timeout(3_000)
    page.evaluate(NOTE_TASKS)
    browser.start_tracing(page=page, categories=TRACED)
    page.wait_for_timeout(10_000)
    quiet, quiet_worst = page.evaluate(COUNT_FRAMES, 5)
    packet = _launch(api, "manual", 100_000, claim_window_ms=HOUR_MS)
    page.locator(".rain").wait_for()
    frames, worst = page.evaluate(COUNT_FRAMES, RAIN_S)
    trace = browser.stop_tracing()
    audience = page.locator(".badge small").inner_text()
    _line("room", f"{audience}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", "")
    _line("frames, no rain", f"{quiet:.0f} a second, the longest {quiet_worst:.0f} ms", "")
    _line("frames, rain", f"{frames:.0f} a second, the longest {worst:.0f} ms", ">= 50 a second")
    _print_tasks(trace)
    api.post(f"/api/packets/{packet}/end")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    heap = [_heap_mb(cdp)]
    for _ in range(int(options.minutes * 60 / HEAP_EVERY_S)):
        page.wait_for_timeout(HEAP_EVERY_S * 1000)
        heap.append(_heap_mb(cdp))
    _line("heap", " ".join(f"{each:.1f}" for each in heap) + f" MB, each {HEAP_EVERY_S} s", "flat")
    _line("longest task", f"{page.evaluate('window.longest'):.0f} ms, to the end", "<= 100 ms")


def _print_tasks(trace: bytes) -> None:
    """Print the page's longest task, and how much of a task was its own work: the rest is waiting for a processor."""
    events = json.loads(trace)["traceEvents"]
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event
        for event in events
        if event["name"] == TASK and "dur" in event and (event["pid"], event["tid"]) in pages  # else it had not ended
    ]
    longest = max(tasks, key=lambda task: task["dur"])
    most_us = max(task.get("tdur", 0) for task in tasks)
    _line(
        "longest task",
        f"{longest['dur'] / 1000:.0f} ms, {longest.get('tdur', 0) / 1000:.0f} ms of it on a processor",
        "<= 100 ms",
    )
    _line("largest task", f"{most_us / 1000:.0f} ms on a processor", "<= 100 ms")


def _heap_mb(cdp: CDPSession) -> float:
    cdp.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in cdp.send("Performance.getMetrics")["metrics"]}
    used: float = metrics["JSHeapUsedSize"]
    return used / 1e6


@contextmanager
def _crowd(folder: Path, url: str, viewers: int) -> Iterator[None]:
    path = folder / "figures.toml"
    path.write_text(CROWD.format(viewers=viewers), "utf-8")
    order = CrowdOrder(
        host=url,
        scenario=str(path),
        viewers=viewers,
        seats=viewers,
        arrivals_per_second=200,
        seed=8,
        reaction_median_ms=2_400,
    )
    crowd = Crowd("swarm", folder, order, processes=1, view=SilentView(), history=False)
    try:
        crowd.connect()
        yield
    finally:
        crowd.leave()


def _line(what: str, found: str, asked: str) -> None:
    print(f"{what:<16} {found:<64} {asked}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
