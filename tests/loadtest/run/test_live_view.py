"""The live display: the newest figures, by the definitions of the result, in any terminal."""

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from loadtest.engines.progress import LivePacket, Progress
from loadtest.run.live_view import PLAIN_EVERY_LOOKS, LiveView, grabs_text, milliseconds
from server.core.ids import PacketId

NASTY = "[/bold] [red]红包"  # what a packet may be called, and a terminal might take for an instruction
PACKETS = {PacketId(f"c.p{number}"): LivePacket(f"{NASTY} {number}", 100) for number in range(30)}
PROGRESS = Progress(
    seats=1210,
    connected=1100,
    viewers=1000,
    present=950,
    offered=900,
    answered=800,
    lost=60,
    latencies={0.4: 100, 3.2: 600, 12.3: 99, 1_830.0: 1},
    max_ms=1_834.2,
    granted_of={PacketId("c.p0"): 70},
    packets=PACKETS,
)


def _console(*, terminal: bool, width: int = 160, height: int = 40) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    size = {"width": width, "height": height}
    return Console(file=text, force_terminal=terminal, highlight=False, color_system=None, **size), text  # type: ignore[arg-type]


def _last_frame(text: str) -> list[str]:
    """Return the lines of the frame that was drawn last."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return ("╭" + plain.rpartition("╭")[2]).partition("╯")[0].splitlines()


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_with_and_without_a_terminal(terminal: bool) -> None:
    """A terminal is redrawn, a log gets a line now and then; both say how far it is."""
    console, text = _console(terminal=terminal)
    with LiveView(console, f"storm {NASTY}").shown() as view:
        view.phase(f"the curtain rises {NASTY}")
        for _ in range(PLAIN_EVERY_LOOKS):
            view.progress(PROGRESS, f"{NASTY}: launched")
    shown = text.getvalue()
    for told in (
        "the curtain rises", "950 of 1,000 viewers, 1,100 connections", "800 of 900 answered, 60 unknown by design",
        "40 without an answer", "70", "p99 12.3", f"{NASTY}: launched",
    ):  # fmt: skip
        assert told in shown


def test_a_log_is_not_flooded() -> None:
    """Without a terminal most looks leave no line."""
    console, text = _console(terminal=False)
    with LiveView(console, "storm").shown() as view:
        for _ in range(3 * PLAIN_EVERY_LOOKS):
            view.progress(PROGRESS, "")
    assert len(text.getvalue().splitlines()) == 3


def test_a_log_has_the_last_figures() -> None:
    """The newest figures are printed before the next phase, however few looks there were."""
    console, text = _console(terminal=False)
    with LiveView(console, "storm").shown() as view:
        view.progress(PROGRESS, "")
        view.phase("judging")
        view.phase("writing")
    lines = text.getvalue().splitlines()
    assert ["800 of 900" in line for line in lines] == [True, False, False]


def test_the_phase_is_the_newest_one() -> None:
    """A phase without any look after it is shown in the frame too."""
    console, text = _console(terminal=True)
    with LiveView(console, "storm").shown() as view:
        view.phase("the curtain rises")
        view.progress(PROGRESS, "")
        view.phase("exporting the books")
    (line,) = (line for line in _last_frame(text.getvalue()) if "phase" in line)
    assert "exporting the books" in line


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60), (60, 24)])
@pytest.mark.parametrize("failed", [0, 12])
def test_the_frame_fits_the_terminal(width: int, height: int, failed: int) -> None:
    """Nothing is wider or higher than the screen, and no row is lost: histogram, packets and all figures."""
    console, text = _console(terminal=True, width=width, height=height)
    progress = replace(PROGRESS, failed=failed, failures={"connect: refused " * 20: failed} if failed else {})
    with LiveView(console, "storm evening").shown() as view:
        view.phase("the curtain rises")
        view.progress(progress, "x" * 300)
    frame = _last_frame(text.getvalue())
    assert len(frame) <= height - 2
    assert {cell_len(line) for line in frame[:-1]} == {min(width, 130)}
    shown = "\n".join(frame)
    for told in ("viewers", "grabs", "granted", "latency", "a second", "last", "<= 2000 ms", "70 of 100", "of 30)"):
        assert told in shown
    counts = re.findall(r"(?:<=|>) [0-9.]+ ms [ █▉▊▋▌▍▎▏]*([0-9,]+)", shown)
    assert sum(map(int, counts)) == sum(progress.latencies.values())


def test_figures_read_the_same_live_and_in_the_result() -> None:
    """A latency has three digits, and grabs without an answer are told apart by why they have none."""
    assert [milliseconds(ms) for ms in (0.04, 10.93, 99.96, 183.4, 1_834.2)] == ["0.0", "10.9", "100", "183", "1,830"]
    assert grabs_text(1_630, 1_606, 24) == "1,606 of 1,630 answered, 24 unknown by design"
    assert grabs_text(5, 5, 0) == "5 of 5 answered"
    assert grabs_text(5, 4, 0) == "4 of 5 answered, 1 without an answer"
