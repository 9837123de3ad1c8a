"""Outcome: every invariant of a run of ours is told, and one that had nothing to check does not pass."""

import pytest

from loadtest.record.sales import Sales
from loadtest.verdict.audit import INVARIANTS, audit, blind_spots, outcomes_of
from tests.loadtest.written_run import WrittenRun, a_run


def _outcomes(run: WrittenRun) -> dict[str, tuple[str, str]]:
    books, history = run.read()
    results = outcomes_of(audit(books, history), blind_spots(books, history, Sales()))
    return {one.invariant: (one.outcome.value, one.why) for one in results}


def test_a_correct_run_passes_in_all() -> None:
    """All in order; of money only the orders were missing, and that is said."""
    outcomes = _outcomes(a_run())
    assert list(outcomes) == list(INVARIANTS)
    assert outcomes.pop("A10") == ("pass", "there was no order to recompute")
    assert set(outcomes.values()) == {("pass", "")}


def test_a_broken_invariant_is_violated() -> None:
    """A violation outweighs every blind spot."""
    run = a_run(seed=2, flaw="check then act")
    outcomes = _outcomes(run)
    assert {name for name, (outcome, _) in outcomes.items() if outcome == "violated"} == run.broken() != set()


def test_a_packet_that_never_opened_proves_little() -> None:
    """Nothing was given and nobody was refused: most invariants had nothing to check, and say why."""
    outcomes = _outcomes(a_run(packets=1, void_last=True))
    blind = {name for name, (outcome, why) in outcomes.items() if outcome == "not_checkable" and why}
    assert blind == {"A2", "A3", "A4", "A5", "A6", "A7", "A8", "A12", "A13"}


@pytest.mark.parametrize(("sealed", "outcome"), [(1, "pass"), (2, "not_checkable")])
def test_a_seed_that_was_not_revealed_is_told(sealed: int, outcome: str) -> None:
    """Without the seed of any packet no amount can be compared."""
    run = a_run()
    for packet in run.of("packet")[:sealed]:
        packet |= {"seed": None, "state": "launched"}
    books, history = run.read()
    (told,) = [one for one in outcomes_of([], blind_spots(books, history, Sales())) if one.invariant == "A8"]
    assert (told.outcome.value, told.why.startswith(f"{sealed} of 2 packets")) == (outcome, True)


def test_messages_that_nobody_heard_are_told() -> None:
    """Without a fact there is no fan-out to check."""
    run = a_run()
    run.history = [line for line in run.history if line["kind"] not in ("fact", "run", "conn", "arrival")]
    run.history[-1]["conns"] = 0
    books, history = run.read()
    assert blind_spots(books, history, Sales())["A9"].all


def test_a_history_without_welcomes_is_blind_to_messages_without_a_number() -> None:
    """Older ones are judged by their facts alone, and that is said."""
    run = a_run()
    run.history = [line for line in run.history if line["kind"] not in ("heard", "welcome")]
    outcome, why = _outcomes(run)["A14"]
    assert (outcome, bool(why)) == ("pass", True)
