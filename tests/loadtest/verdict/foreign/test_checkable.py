"""Checkable: each invariant that the evidence cannot speak about says so, and a part that is missing is named."""

from loadtest.verdict.audit import INVARIANTS, outcomes_of
from loadtest.verdict.foreign import audit_foreign, foreign_blind_spots
from tests.loadtest.foreign_run import ForeignRun, Line, a_claim, a_grab, a_run_of

FULL: Line = {"total_fen": 300, "min_share_fen": 50, "max_share_fen": 150}
ALL = [a_grab(f"v{at}", "granted", claim_id=f"c{at}", index=at, amount_fen=100) for at in range(3)]
AGAIN = a_grab("v0", "repeated", 1_200, request_id="r2", claim_id="c0")
REFUSED = a_grab("v9", "exhausted", 1_200)


def _outcomes(run: ForeignRun) -> dict[str, tuple[str, str]]:
    cases, (_, history) = run.cases(), run.read()
    results = outcomes_of(audit_foreign(cases, history), foreign_blind_spots(cases, history))
    return {one.invariant: (one.outcome.value, one.why) for one in results}


def test_with_books_and_a_full_run_all_but_two_are_checked() -> None:
    """Messages and money of somebody else's service stay in the dark, all else is light."""
    books = [a_claim(f"v{at}", claim_id=f"c{at}", index=at, amount_fen=100) for at in range(3)]
    outcomes = _outcomes(a_run_of(*ALL, AGAIN, REFUSED, claims=books, **FULL))
    assert list(outcomes) == list(INVARIANTS)
    assert {outcomes.pop(name)[0] for name in ("A9", "A10", "A12", "A13", "A14")} == {"not_checkable"}
    assert set(outcomes.values()) == {("pass", "")}


def test_without_books_nothing_can_be_found_lost_or_invented() -> None:
    """A4 and A5 need the service's books; the rest is told by receipts."""
    outcomes = _outcomes(a_run_of(*ALL, AGAIN, REFUSED, **FULL))
    assert outcomes["A4"] == outcomes["A5"] == ("not_checkable", "the service gave no books")
    assert {outcomes[name] for name in ("A1", "A2", "A3", "A6", "A7", "A8")} == {("pass", "")}


def test_a_run_in_which_nothing_was_given_checks_nothing() -> None:
    """No invariant passes for want of evidence."""
    outcomes = _outcomes(a_run_of(a_grab("v1", "too_early", 900)))
    assert {outcome for outcome, _ in outcomes.values()} == {"not_checkable"}
    assert all(why for _, why in outcomes.values())


def test_a_missing_part_is_named_beside_the_pass() -> None:
    """No total, no names, no closing and a lost answer: what is left was checked, and the rest is said."""
    outcomes = _outcomes(a_run_of(a_grab("v1", "granted"), a_grab("v2", None), closes_ns=None, min_share_fen=1))
    outcome, why = outcomes["A1"]
    assert outcome == "pass"
    for told in ("no total_fen is declared", "shares without an amount", "unanswered taps (1)"):
        assert told in why
    assert outcomes["A7"] == ("pass", "when a window closes is not known; nobody was told that nothing is left")
    assert outcomes["A8"] == ("pass", "neither receipts nor books name a share by claim id or index")
    assert outcomes["A2"] == ("not_checkable", "nobody was told that nothing is left")


def test_what_cannot_be_known_at_all_is_not_checkable() -> None:
    """Several shares a viewer, no times, no names and no bounds."""
    run = a_run_of(a_grab("v1", "granted"), opens_ns=None, closes_ns=None, one_per_viewer=False)
    outcomes = _outcomes(run)
    assert {outcomes[name][0] for name in ("A2", "A3", "A6", "A7", "A8")} == {"not_checkable"}


def test_a_lost_answer_leaves_the_drain_open() -> None:
    """It may have won the share of which nobody was told."""
    outcomes = _outcomes(a_run_of(*ALL[:2], a_grab("v5", None), REFUSED))
    assert outcomes["A2"] == (
        "not_checkable", "unanswered taps (1) may have won the shares of which nobody was told",
    )  # fmt: skip


def test_a_violation_outweighs_what_was_not_seen() -> None:
    """However little was seen, what is wrong is wrong."""
    outcomes = _outcomes(a_run_of(*ALL, share_count=2))
    assert outcomes["A1"] == ("violated", "")
