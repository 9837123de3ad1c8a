"""A14: a fact that never came, came early, or came late by the store's clock is a violation."""

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import ORDINARY, Absence, Circumstances, MachineWait
from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run


def _broken(run: WrittenRun, circumstances: Circumstances = ORDINARY) -> set[str]:
    return {violation.invariant for violation in audit(*run.read(), run=circumstances)}


@pytest.mark.parametrize(
    ("kind", "off_ms", "told"),
    [
        ("open", 400, {"A14"}),
        ("closed", 1_500, {"A14"}),
        ("sold_out", 300, {"A14"}),
        ("warmup", 1_300, {"A14"}),
        ("open", -1, {"A14"}),
        ("open", 150, set()),
        ("result", 1_000, set()),
        ("result", 4_000, {"A14"}),
    ],
)
def test_a_fact_is_published_in_time(kind: str, off_ms: int, told: set[str]) -> None:
    """By the store's clock, to the bound of the run."""
    run = a_run()
    run.of("fact", type=kind)[0]["at_ms"] += off_ms
    assert _broken(run) == told


def test_the_bound_is_the_scenario_s() -> None:
    """One that is more patient lets more pass."""
    run = a_run()
    run.of("fact", type="open")[0]["at_ms"] += 400
    assert _broken(run, Circumstances(fact_late_ms=500)) == set()


def test_an_absence_and_a_stall_excuse() -> None:
    """While the store is away nothing can be published; a machine that stalled stalls the server too."""
    run = a_run()
    fact = run.of("fact", type="open")[0]
    due_ns = T0_NS + fact["at_ms"] * NS_PER_MS
    fact["at_ms"] += 400
    assert _broken(run, Circumstances([Absence(due_ns + NS_PER_MS, due_ns + 2 * NS_PER_MS)])) == set()
    stall = {"kind": "health", "t": due_ns + NS_PER_MS, "lag_ms": 250.0, "cpu": 1.0, "steal": 0.0, "descriptors": 9}
    run.history = [stall, *run.history]
    assert _broken(run) == set()
    run.history.remove(stall)
    assert _broken(run) == {"A14"}
    tap = next(grab for grab in run.of("grab", packet=fact["packet"]) if grab["status"] == "too_early")
    tap["t_reply"] = tap["t_sent"] + 300 * NS_PER_MS
    assert _broken(run) == set()


def test_a_server_that_waited_for_the_machine_is_excused_for_so_long() -> None:
    """Waits between the instant and the publication count, by their length; those of other times do not."""
    run = a_run()
    fact = run.of("fact", type="open")[0]
    due_ns = T0_NS + fact["at_ms"] * NS_PER_MS
    fact["at_ms"] += 400
    assert _broken(run, Circumstances(waits=[MachineWait(due_ns, due_ns + 50 * NS_PER_MS, 220 * NS_PER_MS)])) == set()
    short = MachineWait(due_ns, due_ns + 50 * NS_PER_MS, 100 * NS_PER_MS)
    before = MachineWait(due_ns - 900 * NS_PER_MS, due_ns - 800 * NS_PER_MS, 900 * NS_PER_MS)
    after = MachineWait(due_ns + 800 * NS_PER_MS, due_ns + 900 * NS_PER_MS, 900 * NS_PER_MS)
    assert _broken(run, Circumstances(waits=[short, before, after])) == {"A14"}


@pytest.mark.parametrize("kind", ["open", "closed", "result"])
def test_a_fact_that_never_came_is_a14(kind: str) -> None:
    """If somebody was in the room for certain; nobody else can tell."""
    run = a_run(packets=3)
    missing = run.of("fact", type=kind, packet="c1.p0")[0]
    run.history = [line for line in run.history if line is not missing and line["kind"] != "run"]
    assert any(violation.invariant == "A14" and "never came" in violation.detail for violation in run.audit())
    run.history = [line for line in run.history if line["kind"] != "conn"]
    run.history[-1]["conns"] = 0
    assert "A14" not in run.broken()


def test_shares_that_an_edit_adds_are_announced() -> None:
    """The last edit of a packet that the room knows of is published once more; not one before a trim."""
    run = a_run()
    packet = run.of("packet", packet_id="c1.p0")[0]
    packet["claim_end_at_ms"] += 4_000
    for kind in ("closed", "result"):
        run.of("fact", packet="c1.p0", type=kind)[0]["at_ms"] += 4_000
    sweep = run.of("journal", packet_id="c1.p0", movement="sweep")[0]
    edit = sweep | {"movement": "edit", "at_ms": packet["grab_at_ms"] + 500, "amount_fen": 0, "transfer_id": "more"}
    run.books.insert(run.books.index(sweep), edit)
    assert "A14" in _broken(run)
    said = run.of("fact", packet="c1.p0", type="open")[0] | {
        "type": "reopened",
        "seq": 99,
        "at_ms": edit["at_ms"] + 900,
    }
    run.history = [said, *run.history]
    assert "A14" not in _broken(run)
    said["at_ms"] += 1_000
    assert "A14" in _broken(run)
    run.history.remove(said)
    run.books.insert(run.books.index(sweep), edit | {"movement": "trim", "transfer_id": "fewer"})
    assert "A14" not in _broken(run)
