"""A10: the journal explains every fen."""

from typing import Any

import pytest

from tests.loadtest.written_run import WrittenRun, a_run


@pytest.mark.parametrize("balance", ["available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen"])
def test_a_wallet_that_the_journal_does_not_explain_is_a10(balance: str) -> None:
    """One fen off in any balance is found (DY-ACC-1)."""
    run = a_run()
    run.of("creator")[0]["wallet"][balance] += 1

    assert run.broken() == {"A10"}


@pytest.mark.parametrize("movement", ["recharge", "fund", "claim", "sweep"])
def test_a_movement_of_another_amount_is_a10(movement: str) -> None:
    """An entry that moves one fen more than it should is found."""
    run = a_run()
    run.of("journal", movement=movement)[0]["amount_fen"] += 1

    assert run.broken() == {"A10"}


@pytest.mark.parametrize("side", ["debit", "credit"])
def test_a_movement_between_the_wrong_accounts_is_a10(side: str) -> None:
    """Double entry: each movement has its two accounts."""
    run = a_run()
    run.of("journal", movement="sweep")[0][side] = "funds:somebody"

    assert run.broken() == {"A10"}


def test_an_entry_that_is_missing_is_a10() -> None:
    """Books without a movement that happened are found."""
    run = a_run(share_count=40)
    run.drop(run.of("journal", movement="sweep")[0])

    assert run.broken() == {"A10"}


def test_a_journal_that_stops_before_the_cut_is_a10() -> None:
    """The journal must reach the instant at which the balances were taken."""
    run = a_run()
    run.of("creator")[0]["journal_last_id"] = "99-0"

    assert run.broken() == {"A10"}


def test_a_transfer_that_was_carried_out_twice_is_a10() -> None:
    """One transfer id moves money once."""
    run = a_run()
    recharge = run.of("journal", movement="recharge")[0]
    run.books.insert(run.books.index(recharge), dict(recharge))
    for name in ("available_fen", "recharged_fen"):
        run.of("creator")[0]["wallet"][name] += recharge["amount_fen"]

    (found,) = run.audit()

    assert (found.invariant, found.detail) == ("A10", "transfer pay-1 was carried out twice")


def test_funding_without_money_is_a10() -> None:
    """No account of ours falls below zero (DY-ACC-6)."""
    run = a_run()
    recharge, fund = run.of("journal", movement="recharge")[0], run.of("journal", movement="fund")[0]
    run.books.remove(recharge)
    run.books.insert(run.books.index(fund) + 1, recharge)

    assert run.broken() == {"A10"}


def test_a_claim_line_that_the_journal_never_wrote_is_a10() -> None:
    """Claims at the end and claims in the journal are the same ones."""
    run = a_run()
    run.of("claim")[0]["edition"] = 2

    assert run.broken() == {"A10"}


def test_escrow_that_stays_after_the_end_is_a10() -> None:
    """A settled packet holds nothing."""
    run = a_run(share_count=40)
    sweep = run.of("journal", movement="sweep")[0]
    sweep["amount_fen"] -= 1

    assert any("escrow of the settled packet" in violation.detail for violation in run.audit())


def test_a_journal_without_a_wallet_is_a10() -> None:
    """Movements of a creator that the books do not know are found."""
    run = a_run()
    run.drop(run.of("creator")[0])

    assert run.broken() == {"A10"}


def a_run_with_an_opening() -> WrittenRun:
    """Return a run before which the creator recharged 500 fen and gave 300 of them to packets that are retired."""
    run = a_run(share_count=40)
    creator = run.of("creator")[0]
    opening = {
        "kind": "opening",
        "creator_id": creator["creator_id"],
        "through_entry_id": "0-0",
        "wallet": dict(zip(creator["wallet"], (200, 500, 100, 0, 400), strict=True)),
        "accounts": {"psp:bank": -500, "funds:c1": 200, "assets:retired": 300},
        "retired": [],
    }
    for name, fen in opening["wallet"].items():
        creator["wallet"][name] += fen
    run.books.insert(run.books.index(creator) + 1, opening)
    return run


def test_an_opening_explains_what_was_before_the_journal() -> None:
    """Balances begin where the retired entries left them."""
    run = a_run_with_an_opening()
    assert list(run.of("creator")[0]["wallet"]) == list(run.of("opening")[0]["wallet"])

    assert run.audit() == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"accounts": {"psp:bank": -500, "funds:c1": 200, "assets:retired": 299}}, "sums to -1 fen"),
        ({"accounts": {"psp:bank": -500, "funds:c1": 201, "assets:retired": 299}}, "has 201 fen of funds"),
        ({"accounts": {"psp:bank": -500, "funds:c1": 200, "assets:a": -1, "assets:b": 301}}, "-1 fen in assets:a"),
        ({"through_entry_id": "99999999999999-0"}, "the journal begins before"),
    ],
)
def test_an_opening_that_does_not_balance_is_a10(change: dict[str, Any], text: str) -> None:
    """An opening is double entry too, and nothing of it stands in the journal again."""
    run = a_run_with_an_opening()
    run.of("opening")[0].update(change)

    assert run.broken() == {"A10"}
    assert any(text in violation.detail for violation in run.audit())


def test_a_journal_without_its_opening_is_a10() -> None:
    """Whoever drops entries and leaves no balance is found."""
    run = a_run_with_an_opening()
    run.drop(run.of("opening")[0])

    assert run.broken() == {"A10"}
