"""The audit of a foreign service as a whole: it is silent about a correct one, and names each flaw of a broken one."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.verdict.foreign import foreign_blind_spots
from tests.loadtest.foreign_run import ALL_NAMES, MANNERS, MS, a_foreign_run, a_grab, a_run_of


@settings(max_examples=250, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    names=st.sets(st.sampled_from(ALL_NAMES)),
    viewers=st.integers(1, 20),
    share_count=st.integers(1, 12),
    lost=st.sampled_from([0.0, 0.2, 0.5]),
    one_per_viewer=st.booleans(),
    books=st.booleans(),
    manners=st.sets(st.sampled_from(MANNERS)),
)
def test_a_correct_service_breaks_nothing(seed: int, names: set[str], viewers: int, **service: Any) -> None:
    """However taps interleave, and whatever is lost or sent again, with or without names, amounts and books."""
    run = a_foreign_run(Random(seed), names=sorted(names), viewers=viewers, **service)
    assert run.audit() == []


@pytest.mark.parametrize("books", [False, True])
@pytest.mark.parametrize("names", [(), ALL_NAMES])
@pytest.mark.parametrize(
    ("flaw", "named", "share_count"),
    [
        ("one too many", "A1", 9),
        ("no repeat check", "A3", 9),
        ("sold out too soon", "A2", 9),
        ("opens early", "A7", 9),
        ("closes late", "A7", 30),
    ],
)
def test_each_flaw_is_named(flaw: str, named: str, share_count: int, names: tuple[str, ...], books: bool) -> None:
    """With and without share names, one of a few runs shows the fault, with receipts."""
    shown = [
        violation
        for seed in range(12)
        for violation in a_foreign_run(
            Random(seed), names=names, flaw=flaw, viewers=20, share_count=share_count, books=books, lost=0.05
        ).audit()
        if violation.invariant == named
    ]
    assert shown
    assert any(record["kind"] == "grab" for violation in shown for record in violation.evidence)


def test_one_index_for_two_viewers_is_named() -> None:
    """Claim ids that differ hide no index that is given twice."""
    run = a_foreign_run(Random(1), flaw="same index twice", lost=0.0)
    assert "A8" in run.broken()


def test_an_answer_that_was_never_sent_is_a12_and_one_for_another_viewer_a4() -> None:
    """They need no books, only what the connections were told; older histories do not say how long anybody waited."""
    conn = {"kind": "conn", "conn": "v1.0", "viewer": "v1", "room": "r", "t_open": 0}
    given_up = a_grab("v1", None, t_gave_up=3_100 * MS)
    astray = {"kind": "stray", "conn": "v2.0", "viewer": "v2", "t": 1_200 * MS, "request_id": "r-v1"}
    silent = a_run_of(given_up)
    silent.history.append(conn | {"patience_ms": 2_000})
    swapped = a_run_of(a_grab("v1", "granted"))
    swapped.history.append(astray)

    assert silent.broken() == {"A12"}
    assert swapped.broken() == {"A4"}
    assert "A12" not in foreign_blind_spots(silent.cases(), silent.read()[1])
    assert foreign_blind_spots(swapped.cases(), swapped.read()[1])["A12"].all
