"""Machine check: others' work makes times void, only while viewers tapped and only where nothing was left to spare."""

from dataclasses import asdict

import pytest

from loadtest.verdict.machine_check import MachineCheck, check_machine, machine_sentence
from tests.loadtest.verdict.test_generator_check import history

S = 1_000_000_000
TAPPED = history()  # from 1 s to 3 s
Spans = list[list[int | None]]


def _checked(*spans: tuple[float, float, float], own_service: bool = True) -> MachineCheck:
    """Check seconds, each with the processors that we, others and nobody used, on a machine of two."""
    lines: Spans = [
        [at * S, (at + 1) * S, *(round(each * S) for each in used), 0, S // 2] for at, used in enumerate(spans)
    ]
    checked = check_machine(lines, TAPPED, own_service=own_service)
    assert checked is not None
    return checked


def test_a_compiler_on_the_same_processors_voids_times() -> None:
    """The figures are means, and the note says who was busy."""
    busy = _checked((0.5, 0.0, 1.5), (0.5, 1.4, 0.1), (0.5, 1.2, 0.3))
    assert (busy.ours_cores, busy.others_cores, busy.idle_cores, busy.pressure) == (0.5, 1.3, 0.2, 0.5)
    assert busy.void
    assert busy.note == "while viewers tapped, other processes used 1.3 of the processors, and 0.2 were idle"


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param([(1.8, 0.2, 0.0)] * 3, id="the run itself used the machine"),
        pytest.param([(0.2, 1.2, 0.6)] * 3, id="there was room for both"),
        pytest.param([(0.0, 2.0, 0.0), (0.5, 0.1, 1.4), (0.5, 0.1, 1.4), (0.0, 2.0, 0.0)], id="before and after"),
    ],
)
def test_what_takes_nothing_from_the_run_is_only_stated(spans: list[tuple[float, float, float]]) -> None:
    quiet = _checked(*spans)
    assert (quiet.void, quiet.note) == (False, "")


def test_a_service_of_others_is_among_the_others() -> None:
    """A run that has not started it cannot tell it from a compiler: that is said, and nothing is void."""
    unknown = _checked(*[(0.5, 1.4, 0.1)] * 3, own_service=False)
    assert not unknown.void
    assert unknown.note.endswith("the service is among them if it runs on this machine")


def test_it_is_told_in_a_sentence() -> None:
    """Nothing is told of what is not known, and records from before have nothing."""
    told = machine_sentence(asdict(_checked(*[(0.5, 1.2, 0.3)] * 3)))
    assert told == (
        "the run used 0.5 processors, others 1.2, 0.3 were idle and 0.0 withheld; "
        "something waited for one 50% of the time"
    )
    unpressed: Spans = [[S, 3 * S, S, S, S, 0, None]]
    checked = check_machine(unpressed, TAPPED, own_service=True)
    assert checked is not None
    assert "waited" not in machine_sentence(asdict(checked))
    assert check_machine([], TAPPED, own_service=True) is None
    assert machine_sentence(None) == "not measured"
