"""The live display of a storm: redrawn in place on a terminal, a line now and then elsewhere."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from client_sim.grab_figures import shown_ms
from loadtest.engines.progress import Progress
from loadtest.run.plain_console import plain

PLAIN_EVERY_LOOKS = 40  # without a terminal to redraw, one line every four seconds
REDRAWS_PER_SECOND = 4  # drawing takes CPU from the audience
WIDE = 100  # columns from which the packets stand beside the latencies
AROUND = 4  # lines of the screen that are not for the figures: the frame, and two for the phases above it
LEAST_ROWS, MOST_ROWS = 3, 14
SECONDS = 48  # of grabs a second
_LABEL = 10
_BAR, _NAME = 24, 18
_FACT = 64  # columns that label and text of a long fact take
_EDGES_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
_BLOCKS = "▁▂▃▄▅▆▇█"


class LiveView:
    """Shows the progress of a storm. The newest progress is what is drawn, so that its last is the final one."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._phase = ""
        self._progress = Progress()
        self._happening = ""
        self._looks = 0
        self._unsaid = False
        self._began = console.get_time()
        self._answered: deque[tuple[float, int]] = deque(maxlen=SECONDS + 1)

    @contextmanager
    def shown(self) -> Iterator["LiveView"]:
        """Show it while the block runs."""
        if not self._console.is_terminal:
            yield self
            return
        frequency = REDRAWS_PER_SECOND
        with Live(console=self._console, transient=True, refresh_per_second=frequency, get_renderable=lambda: self):
            yield self

    def phase(self, text: str) -> None:
        """Show that a new phase has begun."""
        if self._unsaid and not self._console.is_terminal:
            self._say()
        self._phase = text
        self._console.print(f"[dim]storm[/]  {plain(text)}")

    def progress(self, progress: Progress, happening: str) -> None:
        """Show the newest numbers."""
        self._progress, self._happening, self._unsaid = progress, happening, True
        now = self._console.get_time()
        if not self._answered or now - self._answered[-1][0] >= 1.0:
            self._answered.append((now, progress.answered))
        self._looks += 1
        if self._looks % PLAIN_EVERY_LOOKS == 0 and not self._console.is_terminal:
            self._say()

    def _say(self) -> None:
        """Print the newest numbers as a line."""
        self._unsaid = False
        line = f"{progress_line(self._progress)}  {self._happening}"
        self._console.print(f"[dim]     [/]  {plain(line.rstrip())}", soft_wrap=True)

    def __rich__(self) -> Panel:
        """Return the figures as they fit into the terminal of this moment."""
        progress, width, height = self._progress, self._console.width, self._console.height
        facts = self._facts(progress)
        rows = height - AROUND - facts.row_count - 1
        if width < WIDE:
            rows = (rows - 1) // 2
        rows = min(max(rows, LEAST_ROWS), MOST_ROWS)
        latencies = _histogram(progress, rows)
        packets = _packets(progress, rows)
        body: RenderableType = Group(latencies, packets)
        if width >= WIDE:
            body = Table.grid(padding=(0, 4))
            body.add_row(latencies, packets)
        return Panel(Group(facts, body), title=plain(self._title), title_align="left", width=min(width, 130))

    def _facts(self, progress: Progress) -> Table:
        rows: dict[str, RenderableType] = {
            "phase": _line(f"{self._phase}, {self._console.get_time() - self._began:.0f} s"),
            "viewers": _beside(progress.present, progress.viewers, self._console.width - _FACT, _viewers(progress)),
            "grabs": _line(grabs_text(progress.offered, progress.answered, progress.lost, progress.unread)),
            "granted": _line(f"{progress.granted:,}"),
            "latency": _line(latency_text(progress.percentile_ms(500), progress.p99_ms, progress.max_ms)),
            "a second": _line(self._rates()),
            "last": _line(self._happening or "-"),
        }
        if progress.failed:
            told = ", ".join(f"{reason} ({count:,})" for reason, count in progress.failures.items())
            rows["failed"] = _line(f"{progress.failed:,}: {told}", "red")
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", width=_LABEL, no_wrap=True)
        for name, value in rows.items():
            table.add_row(name, value)
        return table

    def _rates(self) -> str:
        """Return how many grabs were answered a second, as a line of bars, and now."""
        rates = [(more - fewer) / (after - before) for (before, fewer), (after, more) in pairwise(self._answered)]
        most = max(rates, default=0.0) or 1.0
        bars = (_BLOCKS[min(len(_BLOCKS) - 1, int(rate / most * len(_BLOCKS)))] for rate in rates)
        return f"{''.join(bars)} {rates[-1] if rates else 0:,.0f} answered"


def _line(text: str, style: str = "") -> Text:
    """Return a text that is cut where the line ends."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _bar(done: int, whole: int, width: int) -> Bar:
    return Bar(max(whole, done, 1), 0, done, width=width, color="green")


def _beside(done: int, whole: int, room: int, text: str) -> Table:
    """Return a bar with a text beside it, if there is room for both."""
    table = Table.grid(padding=(0, 2))
    bar = [_bar(done, whole, min(room, _BAR))] if room > 0 else []
    table.add_row(*bar, _line(text))
    return table


def progress_line(progress: Progress) -> str:
    """Return the newest numbers as one line."""
    return (
        f"{_viewers(progress)}; "
        f"grabs: {grabs_text(progress.offered, progress.answered, progress.lost, progress.unread)}, "
        f"{progress.granted:,} granted, p99 {milliseconds(progress.p99_ms)} ms from the planned tap"
    )


def grabs_text(offered: int, answered: int, lost: int, unread: int = 0) -> str:
    """
    Say how many grabs were answered, live and in the result; *lost* are those of viewers absent on purpose.

    *unread* were answered with something that the scenario does not explain.
    """
    told = f"{answered:,} of {offered:,} answered"
    if unread:
        told += f", {unread:,} not read"
    if lost:
        told += f", {lost:,} unknown by design"
    if waiting := offered - answered - lost - unread:
        told += f", {waiting:,} without an answer"
    return told


def latency_text(p50: float, p99: float, most: float) -> str:
    """Return three figures of a distribution, live and in the result."""
    return f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)}, max {milliseconds(most)} ms"


def milliseconds(latency_ms: float) -> str:
    """Return a latency as it is shown everywhere."""
    shown = shown_ms(latency_ms)
    return f"{shown:.1f}" if shown < 100 else f"{shown:,.0f}"


def _viewers(progress: Progress) -> str:
    return f"{progress.present:,} of {progress.viewers:,} viewers, {progress.connected:,} connections"


def _histogram(progress: Progress, rows: int) -> Table:
    """Return how many taps took how long, from their plan to the first answer, in at most so many rows."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", width=_LABEL)
    counts = dict.fromkeys((*_EDGES_MS, float("inf")), 0)
    for ms, count in progress.latencies.items():
        counts[next((edge for edge in _EDGES_MS if ms <= edge), float("inf"))] += count
    used = [edge for edge, count in counts.items() if count]
    table.add_row("", Text("taps by their latency", style="dim"), "")
    if not used:
        return table
    edges = [edge for edge in counts if used[0] <= edge <= used[-1]]
    edges = edges[:: -max(1, -(-len(edges) // rows))][::-1]  # coarser steps if there are too few rows
    of_row = [sum(counts[each] for each in counts if low < each <= edge) for low, edge in pairwise([0.0, *edges])]
    for edge, count in zip(edges, of_row, strict=True):
        name = f"<= {edge:g} ms" if edge != float("inf") else f"> {_EDGES_MS[-1]:g} ms"
        table.add_row(name, _bar(count, max(of_row), _BAR), f"{count:,}")
    return table


def _packets(progress: Progress, rows: int) -> Table:
    """Return the packets with their shares, those of last interest if there are more than rows."""
    table = Table.grid(padding=(0, 2))
    begun = [each for each, packet in progress.packets.items() if packet.outcome or progress.granted_of.get(each)]
    ahead = [each for each in progress.packets if each not in set(begun)]
    shown = begun[-rows:] if len(begun) >= rows else begun + ahead[: rows - len(begun)]
    heading = "packets" if len(shown) == len(progress.packets) else f"packets ({len(shown)} of {len(progress.packets)})"
    table.add_column(no_wrap=True, overflow="ellipsis", width=_NAME)
    table.add_row(Text(heading, style="dim"), Text("shares granted", style="dim"), "", "")
    for packet_id in shown:
        packet = progress.packets[packet_id]
        granted = progress.granted_of.get(packet_id, 0)
        table.add_row(
            Text(packet.name),
            _bar(granted, packet.share_count, _BAR - _LABEL),
            f"{granted:,} of {packet.share_count:,}",
            Text(packet.outcome, style="dim"),
        )
    return table
