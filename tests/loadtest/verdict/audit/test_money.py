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

    assert run.broken() == {"A8", "A10"}


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


def a_run_with_withdrawals() -> WrittenRun:
    """Write down a run whose creator recharges with a fee, is paid one withdrawal, and gets another back."""
    run = a_run()
    wallet = run.of("creator")[0]["wallet"]
    available_fen = wallet["available_fen"]
    funds, withdrawing = "funds:c1", "withdrawing:c1"
    last = run.of("journal")[-1]
    at = run.books.index(last) + 1
    for number, (movement, debit, credit, amount_fen, to_funds_fen, name) in enumerate(
        [
            ("recharge", "psp:wechat", funds, 10_000, 10_000, None),
            ("withdraw", funds, withdrawing, 400, -400, "w1"),
            ("withdraw", funds, withdrawing, 300, -300, "w2"),
            ("withdraw_paid", withdrawing, "payout:alipay", 400, 0, "w1"),
            ("withdraw_failed", withdrawing, funds, 300, 300, "w2"),
        ]
    ):
        available_fen += to_funds_fen
        moved = {"movement": movement, "debit": debit, "credit": credit, "amount_fen": amount_fen, "packet_id": ""}
        told = {"balance_fen": available_fen if to_funds_fen else None, "withdrawal_id": name}
        fee = {"fee_fen": 100 if movement == "recharge" else None}
        names = {"entry_id": f"100{number}-0", "transfer_id": f"more-{number}"}
        run.books.insert(at + number, {**last, **names, **moved, **told, **fee})
    run.of("creator")[0]["journal_last_id"] = "1004-0"
    wallet["available_fen"] = available_fen
    wallet["recharged_fen"] += 10_000
    wallet["withdrawn_fen"] += 400
    return run


def test_fees_and_withdrawals_are_explained() -> None:
    """A fee beside a recharge, a withdrawal paid and one put back: every fen has its place."""
    assert a_run_with_withdrawals().audit() == []


@pytest.mark.parametrize(
    ("movement", "field", "value", "said"),
    [
        ("withdraw", "amount_fen", 401, "moves 400 fen of withdrawal w1 of 401"),
        ("withdraw", "balance_fen", 0, "was told of 0 fen"),
        ("withdraw", "withdrawal_id", None, "names no withdrawal"),
        ("withdraw_paid", "withdrawal_id", "w3", "a withdraw_paid of withdrawal w3 follows nothing"),
        ("withdraw_failed", "withdrawal_id", "w1", "a withdraw_failed of withdrawal w1 follows withdraw_paid"),
        ("withdraw_paid", "credit", "funds:c1", "names funds:c1 where payout:<channel> belongs"),
        ("withdraw_paid", "debit", "withdrawing:c2", "names withdrawing:c2 where withdrawing:c1 belongs"),
        ("withdraw_failed", "amount_fen", 299, "moves 299 fen of withdrawal w2 of 300"),
        ("withdraw_paid", "fee_fen", 4, "has a fee of 4 fen"),
    ],
)
def test_a_withdrawal_that_does_not_add_up_is_a10(movement: str, field: str, value: object, said: str) -> None:
    """Another amount, another account, another balance, an end without a beginning or a second one are found."""
    run = a_run_with_withdrawals()
    run.of("journal", movement=movement)[0][field] = value

    found = run.audit()

    assert {violation.invariant for violation in found} == {"A10"}
    assert any(said in violation.detail for violation in found), found


@pytest.mark.parametrize("fee_fen", [-1, -100])
def test_a_fee_is_never_negative(fee_fen: int) -> None:
    """A channel that pays the creator is found."""
    run = a_run_with_withdrawals()
    run.of("journal", movement="recharge")[1]["fee_fen"] = fee_fen

    assert run.broken() == {"A10"}


@pytest.mark.parametrize("movement", ["withdraw", "withdraw_failed"])
def test_a_withdrawal_that_is_missing_is_a10(movement: str) -> None:
    """Books without a request, or without the money that came back, are found."""
    run = a_run_with_withdrawals()
    run.drop(run.of("journal", movement=movement)[0])

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
        "withdrawals": {},
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


def test_the_packets_of_an_opening_have_one_account_of_each_kind() -> None:
    """Remaining journal entries of a retired packet are balanced with the opening's merged accounts."""
    run = a_run_with_an_opening()
    opening, wallet = run.of("opening")[0], run.of("creator")[0]["wallet"]
    accounts = {"psp:bank": -500, "funds:c1": 200, "escrow:retired": 300}
    opening.update(accounts=accounts, retired=["c1.gone"])
    first = run.of("journal")[0]
    claim = {"movement": "claim", "packet_id": "c1.gone", "debit": "escrow:c1.gone", "credit": "assets:c1.gone"}
    claims: dict[str, Any] = {"claims": [["ann", 0, 290, "q"]], "amount_fen": 290, "edition": 1, "balance_fen": None}
    names = {"entry_id": "0-1", "transfer_id": "claim:c1.gone:0"}
    run.books.insert(run.books.index(first), {**first, **claim, **claims, **names})
    end = {"movement": "sweep", "packet_id": "c1.gone", "debit": "escrow:c1.gone", "credit": "funds:c1"}
    sweep = {**first, **end, "entry_id": "0-2", "transfer_id": "sweep:c1.gone", "balance_fen": 210, "amount_fen": 10}
    run.books.insert(run.books.index(first), sweep)
    wallet["returned_fen"] += 10
    wallet["available_fen"] += 10
    for entry in run.of("journal")[2:]:
        if entry.get("balance_fen") is not None:
            entry["balance_fen"] += 10
    assert run.audit() == []

    run.drop(sweep)
    assert any("the escrow of c1's retired packets holds 10 fen" in found.detail for found in run.audit())


def test_a_withdrawal_that_was_pending_at_the_opening_ends_in_the_journal() -> None:
    """Its request is retired, its payment is not: it ends once, with what the opening says."""
    run = a_run_with_withdrawals()
    asked = run.of("journal", movement="withdraw")
    creator = run.of("creator")[0]
    first = run.of("journal")[0]
    opening: dict[str, Any] = {
        "kind": "opening",
        "creator_id": "c1",
        "through_entry_id": "0-0",
        "wallet": {**dict.fromkeys(creator["wallet"], 0), "recharged_fen": 700, "withdrawn_fen": 700},
        "accounts": {"psp:bank": -700, "withdrawing:c1": 700},
        "withdrawals": {"w1": 400, "w2": 300},
        "retired": [],
    }
    for entry in asked:
        run.drop(entry)
    for entry in run.of("journal", movement="withdraw_failed"):
        entry["balance_fen"] += 700
    creator["wallet"]["recharged_fen"] += 700
    creator["wallet"]["available_fen"] += 700
    run.books.insert(run.books.index(first), opening)
    assert run.audit() == []

    opening["withdrawals"] = {"w1": 399, "w2": 300}
    said = [found.detail for found in run.audit()]
    assert any("has 700 fen set aside, but withdrawals of 699" in text for text in said)
    assert any("moves 400 fen of withdrawal w1 of 399" in text for text in said)


def test_a_journal_without_its_opening_is_a10() -> None:
    """Whoever drops entries and leaves no balance is found."""
    run = a_run_with_an_opening()
    run.drop(run.of("opening")[0])

    assert run.broken() == {"A10"}


def a_run_with_reversals() -> WrittenRun:
    """Write down a run in which two shares of a packet expire and what the sweep left arrives later."""
    run = a_run(share_count=40)
    creator, [packet, *_] = run.of("creator")[0], run.of("packet")
    packet_id, wallet = packet["packet_id"], creator["wallet"]
    given = run.of("claim", packet_id=packet_id)[:2]
    fen = sum(claim["amount_fen"] for claim in given)
    sweep = run.of("journal", movement="sweep", packet_id=packet_id)[0]
    sweep |= {"credit": "reversing:c1", "balance_fen": None}
    swept_fen = sweep["amount_fen"]
    key = f"expire:{packet_id}:0"
    members = f"sweep:{packet_id}|{packet_id}|{swept_fen};{key}|{packet_id}|{fen}"
    last = run.of("journal")[-1]
    expire = {"movement": "expire", "transfer_id": key, "packet_id": packet_id, "amount_fen": fen, "shares": 2}
    reverse = {"movement": "reverse", "transfer_id": f"reverse:sweep:{packet_id}", "packet_id": ""}
    reverse |= {"amount_fen": swept_fen + fen, "reversals": members}
    at = run.books.index(last) + 1
    run.books[at:at] = [
        {**last, "entry_id": "2000-0", **expire, "debit": f"assets:{packet_id}", "credit": "reversing:c1"},
        {**last, "entry_id": "2001-0", **reverse, "debit": "reversing:c1", "credit": "funds:c1"},
    ]
    creator["journal_last_id"] = "2001-0"
    packet |= {"expired": 2, "expired_fen": fen, "reversal_delay_ms": 60_000}
    wallet |= {"returned_fen": wallet["returned_fen"] + fen, "available_fen": wallet["available_fen"] + fen}
    wallet["reversing_fen"] = 0
    return run


@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-ACC-5")
def test_expiries_and_late_arrivals_are_explained() -> None:
    """Whatever reached the funds other than a recharge was returned."""
    assert a_run_with_reversals().audit() == []


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("creator", "returned_fen", 1, "returned_fen is 1, but the journal explains"),
        ("creator", "reversing_fen", 1, "reversing_fen is 1, but the journal explains 0"),
        ("packet", "expired", 3, "expired is 3, but the journal explains 2"),
        ("packet", "expired_fen", 0, "expired_fen is 0, but the journal explains"),
        ("packet", "locked_fen", 1, "1 are locked"),
        ("expire", "amount_fen", 1, "reversal expire:c1.p0:0 arrives with"),
        ("expire", "credit", "funds:c1", "reversal expire:c1.p0:0 arrives, but was never sent"),
        ("expire", "credit", "reversing:c2", "names reversing:c2 where reversing:c1 belongs"),
        ("expire", "debit", "assets:c1.p1", "names assets:c1.p1 where assets:c1.p0 belongs"),
        ("expire", "shares", None, "expired is 2, but the journal explains 0"),
        ("sweep", "amount_fen", 1, "reversal sweep:c1.p0 arrives with"),
        ("reverse", "amount_fen", 1, "a reverse moves 1 fen, but its reversals sum to"),
        ("reverse", "reversals", None, "lists '', which is no reversal"),
        ("reverse", "debit", "reversing:c2", "names reversing:c2 where reversing:c1 belongs"),
        ("reverse", "credit", "reversing:c1", "names reversing:c1 where funds:c1 belongs"),
    ],
)
def test_money_on_its_way_back_that_does_not_add_up_is_a10(kind: str, field: str, value: object, said: str) -> None:
    """Another amount, account, counter or cause is found."""
    run = a_run_with_reversals()
    line = run.of(kind)[0] if kind in ("creator", "packet") else run.of("journal", movement=kind)[0]
    (line["wallet"] if kind == "creator" else line)[field] = value

    found = run.audit()

    assert "A10" in {violation.invariant for violation in found}
    assert any(said in violation.detail for violation in found), found


def test_a_reversal_that_arrives_twice_is_a10() -> None:
    """The same key credits once, even if the wallet agrees with both."""
    run = a_run_with_reversals()
    first = run.of("journal", movement="reverse")[0]
    run.books.insert(run.books.index(first) + 1, {**first, "transfer_id": "reverse:again", "entry_id": "2002-0"})

    found = run.audit()

    assert any("arrives twice" in violation.detail for violation in found), found


@pytest.mark.parametrize("movement", ["expire", "reverse"])
def test_an_expiry_or_an_arrival_that_is_missing_is_a10(movement: str) -> None:
    """Books without one of them are found."""
    run = a_run_with_reversals()
    run.drop(run.of("journal", movement=movement)[0])

    assert "A10" in run.broken()
