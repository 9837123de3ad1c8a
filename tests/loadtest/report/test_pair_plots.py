"""The plots of a comparison: each pair a point, the interval a band, the budget a line."""

import pytest

from loadtest.report.pair_plots import pair_figures, yardstick_figure
from tests.loadtest.report.gate_kinds import comparison


def test_each_metric_has_a_plot_those_that_decide_first() -> None:
    """All pairs are points, the unsteady ones hollow; the band is the interval."""
    compared = comparison(0.1, 0.01, moved=(2,))
    compared["decided_by"] = ["latency_p50_ms"]
    figures = pair_figures(compared)
    metric, figure = figures[0]
    assert metric["metric"] == "latency_p50_ms"
    assert len({figure.name for _, figure in figures}) == len(figures) == 4
    steady, unsteady, allowed, centre = figure.traces
    assert (len(steady["x"]), unsteady["x"], unsteady["marker"]["symbol"]) == (7, [3], "circle-open")
    assert (allowed["name"], allowed["y"][0]) == ("allowed 9 %", 9.0)
    assert centre["y"][0] == pytest.approx(100 * metric["change"])
    band = next(shape for shape in figure.layout["shapes"] if shape["type"] == "rect")
    assert (band["y0"], band["y1"]) == (100 * metric["low"], 100 * metric["high"])
    low, high = figure.layout["yaxis"]["range"]
    assert all(low < y < high for trace in figure.traces for y in trace["y"])


def test_too_few_pairs_have_no_band() -> None:
    """And what equal builds showed has a line where it is more than the budget."""
    compared = comparison(0.1, 0.3, 2)
    (_, figure), *_ = pair_figures(compared)
    assert all(shape["type"] == "line" for shape in figure.layout["shapes"])
    assert any(trace["name"].startswith("equal builds") for trace in figure.traces)


def test_the_yardstick_is_drawn_where_it_was_measured() -> None:
    compared = comparison(0.0, 0.01, moved=(2,))
    drawn = yardstick_figure(compared)
    assert drawn is not None
    assert drawn.traces[0]["y"][2] == pytest.approx(20.0)
    assert yardstick_figure({**compared, "yardstick": []}) is None
