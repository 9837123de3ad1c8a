"""Withdrawals: money set aside once, then paid or put back once, and never more than there is."""

import asyncio

import pytest

from server.core.ids import CreatorId
from server.core.money.account import FundProduct
from server.core.money.money import FEN_MAX
from server.core.refusal import Refused
from server.store.wallet import WalletFunds
from server.store.withdrawals import Withdrawal, WithdrawalState
from tests.commands.ground import PAYEE
from tests.store.desk import CLAIM_END_AT_MS, NOW_MS, Desk

C1 = CreatorId("c1")
S = WithdrawalState


async def of_douyin(desk: Desk, amount_fen: int = 1_000) -> None:
    await desk.wallet.recharge(C1, amount_fen=amount_fen, platform="douyin", transfer_id="r1")


async def refusal_of(attempt: object) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refusal:
        await attempt  # type: ignore[misc]
    return refusal.value.code, refusal.value.field, refusal.value.rule


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-ACC-7")
async def test_a_withdrawal_is_set_aside_then_paid(desk: Desk) -> None:
    """From the request on the money is no longer available; the payment only says where it went."""
    await of_douyin(desk)
    asked = await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")
    assert asked == Withdrawal(
        *(asked.withdrawal_id, C1, S.PENDING, "alipay", FundProduct.RED_PACKET, 400, NOW_MS, None, PAYEE.masked())
    )
    assert await desk.wallet.funds(C1) == WalletFunds(600, 1_000, 0, 400, 0)

    await desk.at(NOW_MS + 5)
    paid = await desk.withdrawals.paid(C1, asked.withdrawal_id)

    assert (paid.state, paid.amount_fen, paid.ended_at_ms) == (S.PAID, 400, NOW_MS + 5)
    assert await desk.wallet.funds(C1) == WalletFunds(600, 1_000, 0, 400, 0)
    moves = [
        (e["kind"], e["debit"], e["credit"], e["amount_fen"], e["withdrawal_id"]) for e in (await desk.journal())[1:]
    ]
    assert moves == [
        ("withdraw", "funds:c1", "withdrawing:c1", "400", asked.withdrawal_id),
        ("withdraw_paid", "withdrawing:c1", "payout:alipay", "400", asked.withdrawal_id),
    ]


async def test_a_withdrawal_that_fails_is_put_back(desk: Desk) -> None:
    """A failed withdrawal's money is available again; the details show both movements."""
    await of_douyin(desk)
    asked = await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")

    failed = await desk.withdrawals.failed(C1, asked.withdrawal_id)

    assert failed.state is S.FAILED
    assert await desk.wallet.funds(C1) == WalletFunds(1_000, 1_000, 0, 0, 0)
    assert [(each["kind"], each["amount_fen"], each["balance_fen"]) for each in await desk.wallet.details(C1)] == [
        ("recharge", 1_000, 1_000),
        ("withdraw", 400, 600),
        ("withdraw_failed", 400, 1_000),
    ]


@pytest.mark.parametrize(("first", "other"), [("paid", "failed"), ("failed", "paid")])
async def test_a_withdrawal_ends_once(desk: Desk, first: str, other: str) -> None:
    """Said again it is the same; the opposite is refused, and nothing changes."""
    await of_douyin(desk)
    asked = await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")
    ended = await getattr(desk.withdrawals, first)(C1, asked.withdrawal_id)
    await desk.at(NOW_MS + 5)
    before = await desk.state()

    assert ended == await getattr(desk.withdrawals, first)(C1, asked.withdrawal_id)
    assert before == await desk.state()
    said = await refusal_of(getattr(desk.withdrawals, other)(C1, asked.withdrawal_id))

    assert said == ("not_pending", "withdrawal_id", "")
    assert before == await desk.state()


async def test_ends_at_once_end_it_once(desk: Desk) -> None:
    """Two providers, or one that repeats itself, move the money one way."""
    await of_douyin(desk)
    asked = await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")

    ends = [
        (desk.withdrawals.paid, desk.withdrawals.failed)[number % 2](C1, asked.withdrawal_id) for number in range(20)
    ]
    outcomes = await asyncio.gather(*ends, return_exceptions=True)

    assert sum(isinstance(outcome, Withdrawal) for outcome in outcomes) == 10
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {"not_pending"}
    assert len(await desk.journal()) == 3


async def test_the_same_request_is_one_withdrawal(desk: Desk) -> None:
    """The same transfer id gives the same withdrawal, as it is by then; for something else it is refused."""
    await of_douyin(desk)
    asked = await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")
    paid = await desk.withdrawals.paid(C1, asked.withdrawal_id)
    before = await desk.state()

    assert paid == await desk.withdrawals.request(C1, amount_fen=400, transfer_id="w1")
    for other in (401, 1_000):
        said = await refusal_of(desk.withdrawals.request(C1, amount_fen=other, transfer_id="w1"))
        assert said == ("transfer_conflict", "transfer_id", "")
    assert (await refusal_of(desk.wallet.recharge(C1, amount_fen=400, transfer_id="w1")))[0] == "transfer_conflict"
    assert before == await desk.state()


@pytest.mark.rule("DY-ACC-6")
@pytest.mark.rule("DY-ACC-7")
async def test_no_more_is_withdrawn_than_is_available(desk: Desk) -> None:
    """Money in a packet is not available; the last available fen can be withdrawn."""
    await of_douyin(desk)
    await desk.draft([300])
    before = await desk.state()

    said = await refusal_of(desk.withdrawals.request(C1, amount_fen=701, transfer_id="w1"))

    assert said == ("insufficient_funds", "amount_fen", "DY-ACC-7")
    assert before == await desk.state()
    await desk.withdrawals.request(C1, amount_fen=700, transfer_id="w1")
    assert (await desk.wallet.funds(C1)).available_fen == 0


async def test_requests_at_once_never_overdraw(desk: Desk) -> None:
    """Ten requests for 300 of 1,000: three are carried out."""
    await of_douyin(desk)
    attempts = [desk.withdrawals.request(C1, amount_fen=300, transfer_id=f"w{number}") for number in range(10)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)

    assert sum(isinstance(outcome, Withdrawal) for outcome in outcomes) == 3
    assert (await desk.wallet.funds(C1)).available_fen == 100


@pytest.mark.parametrize("amount_fen", [0, -1, FEN_MAX + 1])
async def test_an_amount_that_is_none_is_refused(desk: Desk, amount_fen: int) -> None:
    """Nothing, a debt or more than can be counted is no withdrawal."""
    await of_douyin(desk)
    said = await refusal_of(desk.withdrawals.request(C1, amount_fen=amount_fen, transfer_id="w1"))
    assert said == ("out_of_range", "amount_fen", "")


@pytest.mark.parametrize("withdrawal_id", ["nobody", "a:b", ""])
async def test_what_was_never_asked_for_does_not_end(desk: Desk, withdrawal_id: str) -> None:
    """An unknown id is not found, and one that is no id is refused as such."""
    await of_douyin(desk)
    before = await desk.state()
    code = "not_found" if withdrawal_id == "nobody" else "bad_id"
    for step in (desk.withdrawals.get, desk.withdrawals.paid, desk.withdrawals.failed):
        assert await refusal_of(step(C1, withdrawal_id)) == (code, "withdrawal_id", "")
    assert before == await desk.state()


async def test_withdrawals_are_listed_in_order(desk: Desk) -> None:
    """Oldest or newest first, page by page, as they are now."""
    await of_douyin(desk)
    made = []
    for number in range(3):
        await desk.at(NOW_MS + number)
        made.append(await desk.withdrawals.request(C1, amount_fen=number + 1, transfer_id=f"w{number}"))
    made[1] = await desk.withdrawals.paid(C1, made[1].withdrawal_id)

    assert made == await desk.withdrawals.list(C1)
    assert made[1:2] == await desk.withdrawals.list(C1, skip=1, count=1)
    assert made[::-1] == await desk.withdrawals.list(C1, newest=True)
    assert await desk.withdrawals.list(CreatorId("nobody")) == []


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-ACC-5")
async def test_the_vector_of_the_rule_as_far_as_it_goes(desk: Desk) -> None:
    """
    100,000 recharged, 30,000 in a packet, 12,000 claimed, 18,000 swept, 20,000 withdrawn.

    68,000 are available: the vector's 75,000 less the 7,000 that expire of what was claimed.
    """
    await desk.wallet.recharge(C1, amount_fen=100_000, platform="douyin", transfer_id="r1")
    packet = await desk.draft([5_000, 7_000, 8_000, 10_000], platform="douyin")
    await desk.launch(packet.packet_id)
    await desk.at(CLAIM_END_AT_MS - 1)
    await desk.run_claim(packet.packet_id, ["ann", "q", "bob", "q"])
    await desk.at(CLAIM_END_AT_MS)
    counts = await desk.packets.sweep(packet.packet_id)
    asked = await desk.withdrawals.request(C1, amount_fen=20_000, transfer_id="w1")
    await desk.withdrawals.paid(C1, asked.withdrawal_id)

    assert counts is not None
    assert (counts.given_fen, counts.returned_fen) == (12_000, 18_000)
    assert await desk.wallet.funds(C1) == WalletFunds(68_000, 100_000, 18_000, 20_000, 30_000)
    balances = [each["balance_fen"] for each in await desk.wallet.details(C1)]
    assert balances == [100_000, 70_000, 88_000, 68_000]
