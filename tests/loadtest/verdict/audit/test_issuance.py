"""A1 and A2: no more than there is, and no less where viewers were told that nothing is left."""

import pytest

from tests.loadtest.written_run import WrittenRun, a_run


@pytest.mark.parametrize("counter", ["given", "remaining", "returned", "given_fen", "remaining_fen", "returned_fen"])
def test_counters_that_do_not_sum_up_are_a1(counter: str) -> None:
    """One share or one fen more in any counter breaks the sum."""
    run = a_run()
    run.of("packet")[0][counter] += 1

    assert "A1" in run.broken()
    assert run.broken() <= {"A1", "A2", "A10"}


def test_superfluous_claims_are_shown() -> None:
    """A claim beyond the share count is shown with both numbers."""
    run = a_run(flaw="one too many")

    (first, *_) = [
        violation for violation in run.audit() if violation.invariant == "A1" and "claims" in violation.detail
    ]

    assert first.detail.startswith("7 claims")
    assert "6 shares" in first.detail
    assert first.evidence[0]["share_count"] == 6
    assert first.evidence[1]["claim"]["index"] == 6


def test_claims_that_do_not_sum_to_what_is_gone_are_a1() -> None:
    """Counters may agree with each other while the claims hold another sum."""
    run = a_run()
    run.of("claim")[0]["amount_fen"] += 1

    assert any("sum to" in violation.detail for violation in run.audit() if violation.invariant == "A1")


def _with_shares_left() -> WrittenRun:
    return a_run(share_count=40)


def test_sold_out_while_shares_are_left_is_a2() -> None:
    """A room that heard ``sold_out`` of a packet whose rest went back was told wrong."""
    run = _with_shares_left()
    run.of("fact", type="open")[0]["type"] = "sold_out"

    assert run.broken() == {"A2", "A14"}  # the opening was missing


def test_one_refusal_for_lack_of_shares_is_a2() -> None:
    """A single viewer that heard ``exhausted`` while shares were left is enough."""
    run = _with_shares_left()
    run.of("grab", status="granted")
    run.of("grab", status="too_early")[0]["status"] = "exhausted"

    # It is also out of order: shares were tapped for after that reply.
    assert run.broken() == {"A2", "A7"}


def test_exhausted_after_the_window_says_nothing() -> None:
    """A refusal after ``closed`` may say sold out or too late; neither is a violation."""
    run = _with_shares_left()
    refused = run.of("grab", viewer="late")[-1]
    ends = max(fact["t_first"] for fact in run.of("fact", type="closed"))
    refused |= {"status": "exhausted", "t_intended": ends, "t_sent": ends + 1, "t_reply": ends + 2, "type": "fail"}
    refused |= {"amount_fen": None, "index": None, "claim_id": None}

    assert "A2" not in run.broken()


def test_reopened_takes_sold_out_back() -> None:
    """A packet that was sold out in an earlier edition may have shares left at the end."""
    run = _with_shares_left()
    packet_id = run.of("packet")[0]["packet_id"]
    run.of("fact", type="warmup", packet=packet_id)[0]["type"] = "sold_out"
    run.of("fact", type="open", packet=packet_id)[0]["type"] = "reopened"

    assert run.broken() == {"A14"}  # warm-up and opening were missing
