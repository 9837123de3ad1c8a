"""The judge as a whole: correct runs pass, and every classic way to get it wrong is found."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.record.books import books_from
from loadtest.record.history import GrabRecord, Grabs
from loadtest.verdict.audit import INVARIANTS, audit
from tests.loadtest.written_run import a_run


@settings(max_examples=200, deadline=None)  # a busy machine is no failure
@given(
    seed=st.integers(0, 2**32),
    packets=st.integers(1, 3),
    share_count=st.integers(1, 20),
    viewers=st.integers(1, 15),
    void_last=st.booleans(),
)
def test_a_correct_run_passes(seed: int, packets: int, share_count: int, viewers: int, void_last: bool) -> None:
    """Whatever a correct server and its audience write down, the audit has nothing to say."""
    run = a_run(seed, packets=packets, share_count=share_count, viewers=viewers, void_last=void_last)

    assert run.audit() == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("flaw", "share_count", "found", "plausible"),
    [
        ("check then act", 10, {"A1", "A8"}, {"A2", "A7", "A10"}),
        ("no repeat check", 6, {"A3", "A6"}, {"A1", "A2", "A4", "A8", "A10"}),
        ("no repeat check in a batch", 20, {"A3", "A6"}, {"A1", "A2", "A4", "A8", "A10"}),
        ("sold out too soon", 6, {"A2"}, set()),
        ("reply before write", 40, {"A4"}, {"A3", "A5", "A6"}),
        ("opens early", 6, {"A7"}, set()),
        ("closes late", 40, {"A7"}, set()),
        ("one too many", 6, {"A1", "A8"}, {"A10"}),
        ("rounding leak", 6, {"A8", "A2"}, {"A1"}),
    ],
)
def test_a_flawed_server_is_found(flaw: str, share_count: int, found: set[str], plausible: set[str], seed: int) -> None:
    """Each classic mistake breaks the invariant it is known for, and no other than follow from it."""
    broken = a_run(seed, flaw=flaw, share_count=share_count, viewers=24).broken()

    assert found <= broken <= found | plausible


def test_without_a_history_the_books_are_judged_alone() -> None:
    """An over-issue shows in the books even if nobody wrote down what viewers were told."""
    books, _ = a_run(flaw="one too many").read()

    assert {"A1", "A8"} <= {violation.invariant for violation in audit(books, None)}
    assert audit(a_run().read()[0], None) == []


def test_snapshots_are_judged_too() -> None:
    """A sum that is wrong only in the middle of a run is found."""
    run = a_run()
    books, history = run.read()
    run.of("packet")[0]["remaining"] = 1
    snapshot = books_from(run.books)

    violations = audit(books, history, [books, snapshot])

    assert [violation.invariant for violation in violations] == ["A1"]
    assert "snapshot 2" in violations[0].detail


def test_books_that_are_not_final_are_judged_by_their_journal() -> None:
    """Without claim lines the journal's claims stand for them, and a phantom is still found."""
    run = a_run()
    run.books = [line for line in run.books if line["kind"] not in {"claim", "left"}]
    run.books[-1]["final"] = False
    assert run.broken() == set()

    told = run.of("grab", type="ok")[0]
    run.history = [told | {"viewer": "ghost", "i": 0}, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A1", "A4"}  # one viewer more than there are shares was told of one


def test_violations_come_in_the_order_of_the_invariants() -> None:
    """Over-issuance is said before money."""
    invariants = [violation.invariant for violation in a_run(flaw="one too many").audit()]

    assert invariants == sorted(invariants, key=list(INVARIANTS).index)


class _Counted(Grabs):
    """Taps that count how often somebody goes through them all."""

    times = 0

    def __iter__(self) -> Iterator[GrabRecord]:
        self.times += 1
        return super().__iter__()


def test_the_work_for_a_packet_does_not_grow_with_the_run() -> None:
    """However many packets there are, and be each of their facts late, the taps are gone through as often."""
    times = []
    for packets in (1, 6):
        run = a_run(packets=packets)
        for fact in run.of("fact", type="open"):
            fact["at_ms"] += 400
        books, history = run.read()
        history.grabs = counted = _Counted(history.grabs)
        assert "A14" in {violation.invariant for violation in audit(books, history)}
        times.append(counted.times)
    assert times[0] == times[1]
