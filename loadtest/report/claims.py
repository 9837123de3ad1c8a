"""The claim timeline: the shares of each packet given over time, and those given in excess."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, log10

from loadtest.record.books import Books, PacketRecord
from loadtest.record.journal import JournalRecord
from loadtest.report.figure import Figure, Trace, colour_of, dash_of, thinned

PACKETS_MAX = 60
LEGEND_MAX = 14
POINTS_MAX = 160
SUPERFLUOUS_MAX = 200
FEW_DECADES = 300  # between the first claim and the last; beyond it only powers of ten are named
EARLIEST_MS = 1.0  # the axis is logarithmic; earlier claims are drawn at its left edge


@dataclass(slots=True)
class Run:
    """
    One packet's claims in order of room time: (real ms after the opening, shares given so far).

    ``superfluous`` are those whose share another claim had already, or the packet does not have.
    """

    number: int
    packet: PacketRecord
    steps: list[tuple[float, int]] = field(default_factory=list)
    superfluous: list[tuple[float, int]] = field(default_factory=list)


def runs_of(books: Books) -> list[Run]:
    """Return the claim timeline of every packet that gave a share."""
    runs: list[Run] = []
    entries: dict[str, list[JournalRecord]] = {}
    for entry in books.journal:
        if entry.claims:
            entries.setdefault(entry.packet_id, []).append(entry)
    for number, packet in enumerate(books.packets.values()):
        if packet.packet_id in entries and packet.grab_at_ms is not None:
            runs.append(_run(number, packet, entries[packet.packet_id], books.clock.speed))
    return runs


def claims_figure(runs: Sequence[Run]) -> Figure | None:
    """Return the timelines of all packets over each other, or None if no share was given."""
    if not runs:
        return None
    shown = sorted(runs, key=lambda run: -run.packet.share_count)[:PACKETS_MAX]
    shown.sort(key=lambda run: run.number)
    layout = {
        "xaxis": {"type": "log", "title": {"text": "real time since the opening"}, **_ticks(shown)},
        "yaxis": {"title": {"text": "per cent of the packet"}, "rangemode": "tozero", "ticksuffix": " %"},
        "shapes": [
            {
                "type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": 100, "y1": 100,
                "line": {"color": "--faint", "width": 1, "dash": "dot"},
            }
        ],
        "showlegend": len(shown) <= LEGEND_MAX,
    }  # fmt: skip
    traces = [_trace(run) for run in shown]
    traces += [_superfluous(run) for run in shown if run.superfluous]
    return Figure("claims", 430, traces, layout)


def _run(number: int, packet: PacketRecord, entries: Sequence[JournalRecord], speed: int) -> Run:
    assert packet.grab_at_ms is not None
    run = Run(number, packet)
    taken: set[int] = set()
    given = 0
    # A server that races writes its journal out of order.
    for entry in sorted(entries, key=lambda entry: entry.at_ms):
        at_ms = (entry.at_ms - packet.grab_at_ms) / max(1, speed)
        for claim in entry.claims or ():
            given += 1
            if claim.index in taken or claim.index >= packet.share_count:
                run.superfluous.append((at_ms, given))
            taken.add(claim.index)
        run.steps.append((at_ms, given))
    return run


def _ticks(runs: Sequence[Run]) -> dict[str, object]:
    earliest_ms = max(EARLIEST_MS, min(run.steps[0][0] for run in runs))
    latest_ms = max(run.steps[-1][0] for run in runs)
    steps = (1, 2, 5) if latest_ms < FEW_DECADES * earliest_ms else (1,)
    decades = range(1 + max(0, ceil(log10(max(1.0, latest_ms)))))
    ticks = [step * 10**decade for decade in decades for step in steps]
    texts = [f"{tick:,} ms" if tick < 1_000 else f"{tick // 1_000:,} s" for tick in ticks]
    return {"tickvals": ticks, "ticktext": texts}


def _name(run: Run) -> str:
    return run.packet.name or run.packet.packet_id


def _trace(run: Run) -> Trace:
    points = thinned(run.steps, POINTS_MAX)
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) < 4 else "lines",
        "name": _name(run),
        "x": [max(EARLIEST_MS, round(at_ms, 2)) for at_ms, _ in points],
        "y": [round(100 * given / run.packet.share_count, 2) for _, given in points],
        "customdata": [given for _, given in points],
        "line": {"color": colour_of(run.number), "dash": dash_of(run.number), "width": 2, "shape": "hv"},
        "hovertemplate": f"%{{customdata:,}} of {run.packet.share_count:,} shares after %{{x:,.4~g}} ms",
    }


def _superfluous(run: Run) -> Trace:
    points = thinned(run.superfluous, SUPERFLUOUS_MAX)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{_name(run)}: given twice or too many",
        "x": [max(EARLIEST_MS, round(at_ms, 2)) for at_ms, _ in points],
        "y": [round(100 * given / run.packet.share_count, 2) for _, given in points],
        "marker": {"color": "--fail", "symbol": "x-thin", "size": 7, "line": {"color": "--fail", "width": 1.5}},
        "hovertemplate": "a share that already had an owner, or that the packet does not have",
    }
