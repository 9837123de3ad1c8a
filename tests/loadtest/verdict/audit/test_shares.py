"""A8: what was handed out is what the packet had committed to."""

import pytest

from tests.loadtest.written_run import a_run


def test_one_share_with_two_owners_shows_both_claims() -> None:
    """The race of check then act is shown by the two claims that it made."""
    run = a_run(flaw="check then act", viewers=24)

    shown = [violation.evidence for violation in run.audit() if "two owners" in violation.detail]

    assert shown
    for one, other in shown:
        assert one["index"] == other["index"]
        assert one["viewer_id"] != other["viewer_id"]


def test_a_gap_is_a8() -> None:
    """Shares are given in order: the last winner cannot have one that lies further on."""
    run = a_run(share_count=40)
    claim = max(run.of("claim", packet_id="c1.p0"), key=lambda claim: int(claim["index"]))
    claim["index"] += 1

    assert "A8" in run.broken()
    assert any("was skipped" in violation.detail for violation in run.audit())


def test_a_changed_amount_is_a8() -> None:
    """An amount that is not the committed one is named, with what it should have been."""
    run = a_run()
    claim = run.of("claim")[2]
    committed = claim["amount_fen"]
    claim["amount_fen"] += 1

    assert run.broken() == {"A1", "A4", "A8", "A10"}
    assert any(f"committed to as {committed}" in violation.detail for violation in run.audit())


def test_two_amounts_that_changed_places_are_a8() -> None:
    """Sums agree, and still each index has its own amount."""
    run = a_run()
    one, other = run.of("claim", packet_id="c1.p0")[:2]
    assert one["amount_fen"] != other["amount_fen"]
    one["amount_fen"], other["amount_fen"] = other["amount_fen"], one["amount_fen"]

    assert run.broken() == {"A4", "A8", "A10"}


@pytest.mark.parametrize(("field", "value"), [("seed", "00" * 32), ("commitment", "00" * 32), ("seed", None)])
def test_a_seed_that_does_not_fit_its_commitment_is_a8(field: str, value: str | None) -> None:
    """The seed that is revealed must be the one that was committed to."""
    run = a_run()
    run.of("packet")[0][field] = value

    assert run.broken() == {"A8"}


def test_a_share_that_went_back_changed_is_a8() -> None:
    """The rest is what nobody got, in order."""
    run = a_run(share_count=40)
    amounts = run.of("left")[0]["amounts"]
    amounts[0] += 1
    amounts[1] -= 1

    assert run.broken() == {"A8"}


def test_shares_of_a_packet_that_the_books_do_not_know_are_a8() -> None:
    """A journal that gives what no packet holds is found."""
    run = a_run()
    run.drop(run.of("packet")[0])

    assert "A8" in run.broken()


def test_a_journal_that_gives_a_batch_in_another_order_is_a8() -> None:
    """The amounts, owners and sums are right; only the running number of the claims is not."""
    run = a_run(viewers=40, share_count=20)
    batch = next(entry for entry in run.of("journal", movement="claim") if len(entry["claims"]) > 1)
    batch["claims"] = batch["claims"][::-1]
    assert run.broken() == {"A8"}
    for packet in run.of("packet"):
        packet["allocator"] = "watch-multi"  # it writes its claims down behind its answers
    assert run.broken() == set()
