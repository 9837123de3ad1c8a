"""The percentile spectrum: latencies on a logarithmic axis that spreads out the slowest."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

from loadtest.record.history import History
from loadtest.report.figure import DASHES, Figure, Trace, colour_of
from loadtest.verdict.samples import NS_PER_MS, answered_taps

_TICKS = (0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999)


def spectrum_figure(history: History) -> Figure | None:
    """Return the spectra from the planned tap and from sending, or None if no tap was answered."""
    taps = answered_taps(history.grabs)
    if not taps:
        return None
    planned = sorted(t_reply - tap.t_intended for tap, t_reply in taps)
    sent = sorted(t_reply - tap.t_sent for tap, t_reply in taps)
    traces = [_trace("from the planned tap", planned, "--c1", "solid"), _trace("from sending", sent, "--c2", "dash")]
    return Figure("spectrum", 400, traces, _layout(len(taps)))


def spectra_figure(ordered_ns: Mapping[str, Sequence[int]]) -> Figure:
    """Return the spectra of the sorted latencies of several runs, by their names, over each other."""
    traces = [
        _trace(name, each, colour_of(at), DASHES[at % len(DASHES)])
        for at, (name, each) in enumerate(ordered_ns.items())
    ]
    return Figure("spectra", 420, traces, _layout(max(map(len, ordered_ns.values()))))


def spectrum(ordered_ns: Sequence[int]) -> list[tuple[float, float]]:
    """
    Return (percentile, milliseconds) of sorted latencies.

    Points are thinned towards the fast end, where neighbours are alike; all of the slowest are kept. The last point is
    the maximum, half a rank below 100 %, which no logarithmic axis reaches.
    """
    count = len(ordered_ns)
    slower = count - 1
    ranks = {count}
    while slower > 0:
        ranks.add(count - slower)
        slower = min(slower - 1, int(slower * 0.96))
    points = [(100 * rank / count, ordered_ns[rank - 1] / NS_PER_MS) for rank in sorted(ranks)]
    return [*points[:-1], (100 * (count - 0.5) / count, ordered_ns[-1] / NS_PER_MS)]


def _layout(taps: int) -> dict[str, Any]:
    ticks = [tick for tick in _TICKS if _place(tick) <= 2 * taps]
    return {
        "xaxis": {
            "type": "log",
            "title": {"text": "percentile of taps"},
            "tickvals": [_place(tick) for tick in ticks],
            "ticktext": [f"{tick:g} %" for tick in ticks],
            "range": [-0.02, round(log10(2 * taps) + 0.02, 3)],
        },
        "yaxis": {"title": {"text": "milliseconds"}, "rangemode": "tozero"},
        "hovermode": "x unified",
    }


def _place(percentile: float) -> float:
    """Return a percentile's place on the axis: one in how many is slower."""
    return 100 / (100 - percentile)


def _trace(name: str, ordered_ns: Sequence[int], colour: str, dash: str) -> Trace:
    points = spectrum(ordered_ns)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [round(_place(percentile), 6) for percentile, _ in points],
        "y": [round(ms, 3) for _, ms in points],
        "customdata": [*(f"{percentile:.7g} %" for percentile, _ in points[:-1]), "all"],
        "line": {"color": colour, "dash": dash, "width": 2.5},
        "hovertemplate": "%{customdata} took at most %{y:,.2f} ms",
    }
