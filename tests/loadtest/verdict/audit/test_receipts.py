"""A3 to A6: one share each, none invented, none lost, and always the same one."""

import pytest

from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import Circumstances
from tests.loadtest.written_run import Line, WrittenRun, a_run


def _granted(run: WrittenRun) -> Line:
    return run.of("grab", status="granted")[0]


def _claim_of(run: WrittenRun, grab: Line) -> Line:
    return run.of("claim", viewer_id=grab["viewer"], packet_id=grab["packet"])[0]


def test_two_claims_of_one_viewer_are_a3() -> None:
    """A viewer that owns two shares at the end is found, with both claims."""
    run = a_run()
    one, other = run.of("claim")[:2]
    other["viewer_id"] = one["viewer_id"]

    (found,) = [violation for violation in run.audit() if violation.invariant == "A3"]

    assert [line["index"] for line in found.evidence] == [0, 1]


def test_two_receipts_of_two_shares_are_a3_and_a6() -> None:
    """A viewer that was told of two different shares is found from its own side."""
    run = a_run()
    told = _granted(run)
    again = told | {"index": told["index"] + 1, "request_id": "another", "status": "repeated"}
    run.history = [again, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A3", "A4", "A6"}


def test_a_claim_that_the_journal_gave_twice_is_a3() -> None:
    """A hash of claims hides a second share that overwrote the first; the journal does not."""
    run = a_run(flaw="no repeat check")

    assert any("was given shares" in violation.detail for violation in run.audit() if violation.invariant == "A3")


@pytest.mark.parametrize("field", ["amount_fen", "index"])
def test_a_receipt_that_differs_from_the_books_is_a4(field: str) -> None:
    """One fen or one index off is a phantom."""
    run = a_run()
    told = _granted(run)
    for grab in run.of("grab", viewer=told["viewer"], packet=told["packet"], type="ok"):
        grab[field] += 1

    assert "A4" in run.broken()
    assert run.broken() <= {"A1", "A4", "A7"}


def test_a_wrong_claim_id_is_a4() -> None:
    """The claim id names the packet and the share."""
    run = a_run()
    _granted(run)["claim_id"] = "c1.p0:99"

    assert run.broken() == {"A4"}


def test_granted_told_to_another_tap_than_the_winning_one_is_a4() -> None:
    """Only the tap that won hears ``granted``."""
    run = a_run()
    _granted(run)["status"] = "repeated"

    assert run.broken() == {"A4"}


def test_a_claim_nobody_asked_for_is_a4() -> None:
    """Books that give a share to somebody who never tapped are found."""
    run = a_run()
    told = _granted(run)
    for grab in run.of("grab", viewer=told["viewer"], packet=told["packet"]):
        run.drop(grab)

    assert run.broken() == {"A4"}


def test_a_wrong_owner_is_a4_and_a5() -> None:
    """A share that the books give to another viewer is lost to the one and a phantom of the other."""
    run = a_run()
    claim = _claim_of(run, _granted(run))
    claim["viewer_id"] = "stranger"

    assert run.broken() == {"A4", "A5", "A10"}


def test_a_lost_receipt_is_a5_and_shows_what_the_books_say() -> None:
    """An acknowledged claim that the final books do not have is lost, even if the journal remembers it."""
    run = a_run()
    told = _granted(run)
    run.drop(_claim_of(run, told))

    (found,) = [violation for violation in run.audit() if violation.invariant == "A5"]

    assert found.evidence[0]["request_id"] == told["request_id"]
    assert "by the books nobody has it" in found.detail
    assert "A4" not in run.broken()


def test_a_reply_before_the_write_is_a4_and_a5() -> None:
    """A receipt of a packet that the books do not even know is a phantom and lost."""
    run = a_run()
    run.history = [_granted(run) | {"packet": "c1.unheard", "claim_id": "c1.unheard:0"}, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A4", "A5"}


def test_two_receipts_of_one_tap_that_differ_are_a6() -> None:
    """The same request id gets the same bytes."""
    run = a_run()
    run.history = [_granted(run) | {"receipt": "other bytes"}, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A6"}


def test_two_amounts_told_for_one_share_are_a6() -> None:
    """A repeat names the amount it named before."""
    run = a_run()
    told = _granted(run)
    again = told | {"request_id": "again", "status": "repeated", "amount_fen": told["amount_fen"] + 1}
    run.history = [again, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == {"A1", "A4", "A6"}  # a fen more than there is was told


def test_a_refusal_may_become_a_share() -> None:
    """A refused request id that is granted later is no violation: refusals are not remembered."""
    run = a_run()
    told = _granted(run)
    early = told | {"status": "too_early", "type": "fail", "index": None, "amount_fen": None, "claim_id": None}
    early |= {"receipt": "refusal"}
    run.history = [early, *run.history]
    run.history[-1]["grabs"] += 1

    assert run.broken() == set()


def test_a_packet_that_the_books_have_forgotten_is_a5() -> None:
    """Its creator was told that it was created; of a store that is not the run's own nothing is known."""
    run = a_run()
    known = Circumstances(store_is_known=True, created=["c1.p0", "c1.gone"])

    (found,) = audit(*run.read(), run=known)

    assert (found.invariant, found.packet_id) == ("A5", "c1.gone")
    assert audit(*run.read(), run=known._replace(store_is_known=False)) == []


@pytest.mark.parametrize("status", ["exhausted", "too_late", "voided", "too_early"])
def test_a_winner_that_is_refused_when_it_asks_again_is_a6(status: str) -> None:
    """It was told of its share before it tapped; a tap on its way at the same time proves nothing."""
    run = a_run()
    told = _granted(run)
    refused = told | {"type": "fail", "status": status, "request_id": "again", "t_sent": told["t_reply"] + 1}
    refused |= {"t_reply": told["t_reply"] + 9, "amount_fen": None, "index": None, "claim_id": None}
    run.history = [refused, *run.history]
    run.history[-1]["grabs"] += 1
    assert "A6" in run.broken()
    refused["t_sent"] = told["t_reply"]
    assert "A6" not in run.broken()
