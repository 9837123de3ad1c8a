"""A run in short: every figure of a result, and a refusal of what is none."""

import pytest

from loadtest.record.shape import BadRecord
from loadtest.verdict.run_summary import summary_of, unit_of
from tests.loadtest.run_summaries import RESULT


def test_every_number_and_part_is_a_figure() -> None:
    """Distributions give one for each part, tables none, and what is not known stays unknown."""
    found = summary_of("one", RESULT)
    assert found.figures["grab_latency_ms.p99"] == 360.25
    assert found.figures["grabs"] == 132
    assert found.figures["issued_fen"] is None
    assert "packets" not in found.figures
    assert (found.run, found.verdict, found.environment["cpus"]) == ("one", "pass", 2)


def test_figures_have_units() -> None:
    """A part has its metric's; a name of another version has none."""
    assert (unit_of("grab_latency_ms.p99"), unit_of("grabs_per_second"), unit_of("other")) == ("ms", "grabs/s", "")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ([], "not a JSON object"),
        ({}, "started_at"),
        ({**RESULT, "seed": "many"}, "seed"),
        ({**RESULT, "grabs": {"p50": 1}}, "figures.grabs"),
        ({**RESULT, "verdict": "pass\n"}, "verdict"),
    ],
)
def test_what_is_no_result_is_refused_by_field(result: object, said: str) -> None:
    """The text names the run and the field."""
    with pytest.raises(BadRecord, match=r"^one: .*" + said):
        summary_of("one", result)
