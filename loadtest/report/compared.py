"""The page of two runs side by side: figures with ratios, spectra over each other, differences of the surroundings."""

from collections.abc import Mapping, Sequence

from loadtest.record.run_history import RunSummary
from loadtest.report.sheet import ReportSheet, SheetPlot, SheetTable
from loadtest.report.spectrum import spectra_figure
from loadtest.verdict.side_by_side import CAVEAT, Difference, FigureRow, incomparable, rows_of, surroundings

COLUMNS = ("figure", "unit", "A", "B", "B / A")


def compared_sheet(a: RunSummary, b: RunSummary, latencies_ns: Mapping[str, Sequence[int]]) -> ReportSheet:
    """Return the page; *latencies_ns* are the sorted latencies of the runs that have a history, by A and B."""
    sections: list[SheetTable | SheetPlot] = []
    for title, lead, differences in (
        (
            "Not comparable",
            "The runs differ in what decides their figures, and were compared anyway.",
            incomparable(a, b),
        ),
        ("Surroundings", "What else differed.", surroundings(a, b)),
    ):
        if differences:
            rows = [(each.name, each.a, each.b) for each in differences]
            sections.append(SheetTable(title, lead, ("difference", "A", "B"), rows, words=3))
    drawn = {name: each for name, each in latencies_ns.items() if each}
    if drawn:
        lead = "From the planned tap to the answer. The axis gives the slowest 1 % as much room as the rest."
        sections.append(SheetPlot("Latency", lead, spectra_figure(drawn)))
    lead = "A ratio above 1 is more in B than in A, for better or worse."
    sections.append(SheetTable("Figures", lead, COLUMNS, list(map(cells, rows_of(a, b))), words=2))
    return ReportSheet("Two runs side by side", f"A is {told_of(a)}. B is {told_of(b)}. {CAVEAT}", sections)


def told_of(run: RunSummary) -> str:
    """Return a run in a few words."""
    reasons = f" ({', '.join(run.reasons)})" if run.reasons else ""
    return (
        f"{run.run}: {run.verdict}{reasons}, {run.viewers:,} viewers, {run.engine}, seed {run.seed}, {run.started_at}"
    )


def cells(row: FigureRow) -> tuple[str, str, str, str, str]:
    """Return a row of the table of figures."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.figure, row.unit, number(row.a), number(row.b), ratio


def number(value: float | None) -> str:
    """Return a figure as text: whole where it is large, with digits where these matter."""
    if value is None:
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:,.4g}"


def difference_text(difference: Difference) -> str:
    """Return a difference as a sentence's part."""
    return f"{difference.name} ({difference.a}, {difference.b})"
