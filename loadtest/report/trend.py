"""The trend of a figure over runs: a plot with its change points, and the stretches between them."""

from collections.abc import Sequence

from loadtest.record.run_history import RunSummary
from loadtest.report.compared import number
from loadtest.report.figure import Figure
from loadtest.report.sheet import ReportSheet, SheetPlot, SheetTable
from loadtest.verdict.change_points import SteadyRuns, stretches
from loadtest.verdict.run_summary import unit_of

COLUMNS = ("from", "to", "runs", "median", "change")
_BARS = "▁▂▃▄▅▆▇█"


def trend_sheet(runs: Sequence[RunSummary], figure: str, kind: str) -> ReportSheet:
    """Return the page of one figure of *runs*, all of which have it; *kind* says what the runs have in common."""
    values = [run.figures[figure] or 0.0 for run in runs]
    found = stretches(values)
    lead = (
        f"{len(runs)} runs of one kind ({kind}), the oldest first. The lines are the medians of stretches in which "
        "nothing changed by more than chance explains (docs/runs.md)."
    )
    plot = SheetPlot("Trend", "Each point is a run.", _figure(runs, figure, values, found))
    table = SheetTable(
        "Stretches", "A stretch ends where the figure changed.", COLUMNS, rows_of_stretches(runs, found), 2
    )
    return ReportSheet(figure, lead, [plot, table])


def rows_of_stretches(runs: Sequence[RunSummary], found: Sequence[SteadyRuns]) -> list[tuple[str, str, str, str, str]]:
    """Return for each stretch its first and last run, their number, the median and its change from the one before."""
    rows = []
    before: float | None = None
    for one in found:
        change = f"{one.median / before - 1:+.1%}" if before else ""
        first, last = runs[one.first], runs[one.end - 1]
        rows.append((first.run, last.run, str(one.end - one.first), number(one.median), change))
        before = one.median
    return rows


def sparkline(values: Sequence[float]) -> str:
    """Return a line of bars, the lowest value the lowest bar."""
    low, high = min(values), max(values)
    step = (high - low) / (len(_BARS) - 1)
    return "".join(_BARS[round((value - low) / step) if step else 0] for value in values)


def _figure(runs: Sequence[RunSummary], figure: str, values: Sequence[float], found: Sequence[SteadyRuns]) -> Figure:
    medians: list[float | None] = []
    places: list[int | None] = []
    for one in found:
        places += [one.first, one.end - 1, None]
        medians += [one.median, one.median, None]
    points = {
        "type": "scatter", "mode": "markers", "name": figure, "x": list(range(len(runs))), "y": list(values),
        "customdata": [run.run for run in runs], "marker": {"color": "--c1", "size": 8},
        "hovertemplate": "%{customdata}: %{y:,.4g}<extra></extra>",
    }  # fmt: skip
    lines = {
        "type": "scatter", "mode": "lines", "name": "median of a stretch", "x": places, "y": medians,
        "line": {"color": "--c2", "width": 3}, "hoverinfo": "skip",
    }  # fmt: skip
    ticks = sorted({0, len(runs) - 1, *(one.first for one in found)})
    layout = {
        "xaxis": {"tickvals": ticks, "ticktext": [runs[at].started_at[:10] for at in ticks]},
        "yaxis": {"title": {"text": unit_of(figure)}, "rangemode": "tozero"},
    }
    return Figure("trend", 400, [points, lines], layout)
