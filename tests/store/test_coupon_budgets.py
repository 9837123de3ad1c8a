"""Coupon budgets: money of the one pool that goes out once, and comes back once (AMB-56)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.verdict.audit import audit
from server.core.ids import CreatorId
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, LAB
from server.store.books import export
from server.store.coupon_budgets import BudgetState, CouponBudgets
from server.store.reversals import Reversals
from server.store.wallet import WalletFunds
from tests.store.aged import violations
from tests.store.desk import NOW_MS, Desk

C1 = CreatorId("c1")


async def refusal_of(attempt: Any) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refusal:
        await attempt
    return refusal.value.code, refusal.value.field, refusal.value.rule


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-ACC-3")
async def test_a_budget_is_spent_from_the_pool_and_given_back(desk: Desk) -> None:
    """It counts as spent while it is open; what comes back is available again, each movement as a coupon's."""
    await desk.recharge(1_000)
    budgets = CouponBudgets(desk.store, desk.clock)
    budget = await budgets.fund(C1, LAB, amount_fen=400, transfer_id="b1")
    assert (budget.state, budget.amount_fen, budget.left_fen, budget.funded_at_ms) == ("open", 400, 400, NOW_MS)
    assert await desk.wallet.funds(C1) == WalletFunds(600, 1_000, 0, 0, 400)

    await desk.at(NOW_MS + 5)
    returned = await budgets.give_back(C1, budget.budget_id)
    assert (returned.state, returned.left_fen, returned.returned_at_ms) == (BudgetState.RETURNED, 0, NOW_MS + 5)
    assert await desk.wallet.funds(C1) == WalletFunds(1_000, 1_000, 400, 0, 400)
    before = await desk.state()
    assert returned == await budgets.give_back(C1, budget.budget_id)
    assert before == await desk.state()

    account = f"coupons:{budget.budget_id}"
    moves = [(e["kind"], e["debit"], e["credit"], e["product"]) for e in (await desk.journal())[1:]]
    assert moves == [
        ("coupon_fund", "funds:c1", account, "creator_coupon"),
        ("coupon_return", account, "funds:c1", "creator_coupon"),
    ]
    assert [one for one in await violations(desk) if one.invariant == "A10"] == []
    assert await budgets.list(C1) == [returned]

    await desk.at(NOW_MS + 6)
    later = await budgets.fund(C1, LAB, amount_fen=100, transfer_id="b2")
    assert await budgets.list(C1, newest=True) == [later, returned]


@pytest.mark.rule("DY-REV-8")
async def test_what_comes_back_takes_as_long_as_the_platform_says(desk: Desk) -> None:
    """With a delay it is on its way first, as what a packet returns is, and the audit follows it."""
    await desk.recharge(500)
    budgets = CouponBudgets(desk.store, desk.clock)
    slow = replace(DOUYIN, reversal_delay_ms=1_000)
    budget = await budgets.fund(C1, slow, amount_fen=500, transfer_id="b1")
    await budgets.give_back(C1, budget.budget_id)
    assert await desk.wallet.funds(C1) == WalletFunds(0, 500, 0, 0, 500, reversing_fen=500)
    await desk.at(NOW_MS + 1_000)
    assert await Reversals(desk.store, desk.clock).reverse(C1) == 1
    assert await desk.wallet.funds(C1) == WalletFunds(500, 500, 500, 0, 500)
    arrived = (await desk.wallet.details(C1))[-1]["reversals"]
    assert arrived == [{"cause": "coupon_return", "packet_id": "", "amount_fen": 500}]
    assert [one for one in await violations(desk) if one.invariant == "A10"] == []


@pytest.mark.rule("DY-ACC-6")
async def test_no_more_than_there_is_goes_into_budgets(desk: Desk) -> None:
    """Many at once never overdraw; without any funds the advice is to recharge; what is refused leaves no trace."""
    budgets = CouponBudgets(desk.store, desk.clock)
    fund = budgets.fund(C1, DOUYIN, amount_fen=1, transfer_id="b0")
    assert await refusal_of(fund) == ("recharge_required", "amount_fen", "DY-ELG-2")
    await desk.recharge(1_000)
    attempts = [budgets.fund(C1, DOUYIN, amount_fen=300, transfer_id=f"b{n}") for n in range(1, 9)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert {(one.code, one.field, one.rule) for one in refused} == {("insufficient_funds", "amount_fen", "DY-ACC-6")}
    assert len(refused) == 5
    assert (await desk.wallet.funds(C1)).available_fen == 100
    before = await desk.state()
    assert await refusal_of(budgets.fund(C1, LAB, amount_fen=0, transfer_id="x")) == ("out_of_range", "amount_fen", "")
    assert await refusal_of(budgets.give_back(C1, "c1.none")) == ("not_found", "budget_id", "")
    assert await refusal_of(budgets.get(C1, "c1.none")) == ("not_found", "budget_id", "")
    assert before == await desk.state()


async def test_the_same_request_makes_one_budget(desk: Desk) -> None:
    """A repeated transfer id is the same budget; with another amount it is a conflict."""
    await desk.recharge(1_000)
    budgets = CouponBudgets(desk.store, desk.clock)
    first = await budgets.fund(C1, LAB, amount_fen=300, transfer_id="b1")
    assert first == await budgets.fund(C1, LAB, amount_fen=300, transfer_id="b1")
    assert await refusal_of(budgets.fund(C1, LAB, amount_fen=301, transfer_id="b1")) == (
        *("transfer_conflict", "transfer_id", ""),
    )
    assert (await desk.wallet.funds(C1)).spent_fen == 300


async def test_the_audit_finds_a_budget_that_comes_back_twice(desk: Desk) -> None:
    """Its account would fall below zero, and the wallet says more than the journal explains."""
    await desk.recharge(1_000)
    budgets = CouponBudgets(desk.store, desk.clock)
    budget = await budgets.fund(C1, LAB, amount_fen=300, transfer_id="b1")
    await budgets.give_back(C1, budget.budget_id)
    await desk.store.redis.hset(f"{{c1}}:coupon_budget:{budget.budget_id}", "state", "open")
    await budgets.give_back(C1, budget.budget_id)
    lines = [line async for line in export(desk.store, desk.clock, final=False)]
    found = [one for one in audit(books_from(lines), None) if one.invariant == "A10"]
    assert any(f"coupons:{budget.budget_id} falls to -300 fen" in one.detail for one in found)
