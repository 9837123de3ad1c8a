"""The report in a real browser: it draws from disk, without network, and its console stays silent."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from loadtest.report import write_report
from tests.loadtest.judged_run import judged
from tests.loadtest.report.gate_kinds import GATES
from tests.loadtest.written_run import a_run

HOSTILE = "<img src=x onerror=alert(1)>"
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def opened(chromium: str, page: Path, profile: Path, width: int) -> tuple[str, list[str]]:
    """Open a page from disk; return its document after its scripts ran, and what was said on its console."""
    command = [chromium, *QUIET, f"--user-data-dir={profile}", f"--window-size={width},900", "--enable-logging=stderr"]
    command += ["--v=0", "--virtual-time-budget=8000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("width", [1400, 500])
@pytest.mark.parametrize("flaw", ["", "check then act"])
def test_every_plot_is_drawn_and_the_console_is_silent(chromium: str, tmp_path: Path, flaw: str, width: int) -> None:
    """A passing and a failing run, wide and narrow: each plot holds a drawing, and nothing was complained about."""
    folder, result = judged(a_run(packets=3, flaw=flaw, share_count=30, viewers=80), tmp_path)
    document, said = opened(chromium, write_report(folder, result), tmp_path / "profile", width)
    assert said == []
    plots = re.findall(r'<div class="(plot|plot [^"]*)" id="plot-', document)
    assert len(plots) >= 6
    assert set(plots) == {"plot drawn"}


def test_a_gate_is_drawn_from_disk_without_network(chromium: str, tmp_path: Path) -> None:
    """Every plot of the comparison, and the counterexample's diagram; the console stays silent."""
    folder, result = judged(a_run(packets=3, flaw="check then act", share_count=30, viewers=80), tmp_path)
    document, said = opened(
        chromium, write_report(folder, {**result, "gate": GATES["void"][1]}), tmp_path / "profile", 1400
    )
    assert said == []
    assert len(re.findall(r'<div class="plot drawn" id="plot-(?:pairs-|yardstick)', document)) == 5
    assert document.count('<svg class="spacetime"') == len({each["invariant"] for each in result["violations"]})


def test_a_plot_says_what_is_under_the_pointer(browser: Browser, tmp_path: Path) -> None:
    """In words and as text, whatever a packet is called; in a window of another width it is drawn again."""
    run = a_run(share_count=30, viewers=80)
    run.of("packet")[0]["name"] = HOSTILE
    folder, result = judged(run, tmp_path)
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(write_report(folder, result).as_uri())
        expect(page.locator("#plot-claims .legend")).to_contain_text(HOSTILE)
        plot = page.locator("#plot-shares-0")
        plot.locator("g rect:not([height='0'])").first.hover(force=True)
        expect(plot.locator(".words")).to_contain_text("claimed of")
        assert page.locator(".plot img").count() == 0
        page.set_viewport_size({"width": 640, "height": 900})
        expect(plot.locator(":scope > svg")).to_have_attribute("width", str(plot.evaluate("one => one.clientWidth")))


def test_an_error_on_the_page_would_be_heard(chromium: str, tmp_path: Path) -> None:
    """The listener itself works: a script that throws and a picture from the network both leave a line."""
    page = tmp_path / "broken.html"
    page.write_text('<img src="http://redrain.invalid/x.png"><script>throw new Error("oh")</script>', "utf-8")
    _, said = opened(chromium, page, tmp_path / "profile", 500)
    assert any("oh" in line for line in said)
