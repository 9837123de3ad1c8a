"""Coupon budgets: funds of a creator that are set aside for its coupons, out of the one pool (DY-ACC-3, AMB-56)."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId, checked_id
from server.core.money.money import FEN_MAX
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import recharge_required
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Record, text_fields
from server.store.transfers import checked_transfer_id, refusal, run_sound


class BudgetState(StrEnum):
    """The state of a coupon budget: open, or given back."""

    OPEN = "open"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class CouponBudget:
    """Money for a creator's coupons, in fen; instants in room ms. ``returned_at_ms`` is None while it is open."""

    budget_id: str
    creator_id: CreatorId
    state: BudgetState
    amount_fen: int
    funded_at_ms: int
    returned_at_ms: int | None
    left_fen: int


class CouponBudgets:
    """The coupon budgets of all creators. Every change is one script, and happens once."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def fund(
        self, creator_id: CreatorId, rulebook: Rulebook, *, amount_fen: int, transfer_id: str
    ) -> CouponBudget:
        """
        Move *amount_fen* of the available funds into a new budget; a repeated transfer id returns the same one.

        Raises Refused: out_of_range, recharge_required, insufficient_funds (DY-ACC-6), transfer_conflict, too_much.
        """
        checked_transfer_id(transfer_id)
        if not 0 < amount_fen <= FEN_MAX:
            raise Refused("out_of_range", f"must be from 1 to {FEN_MAX}", field="amount_fen")
        await self._clock.copy_to(creator_id)
        budget_id = f"{creator_id}.{secrets.token_hex(8)}"
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id), keys.journal(creator_id)),
            *(keys.coupon_budgets(creator_id), keys.coupon_budget(creator_id, budget_id)),
        ]
        asked: list[str | int] = [transfer_id, creator_id, budget_id, amount_fen, rulebook.reversal_delay_ms]
        outcome, made = await self._store.run("coupon_fund", names, asked)
        if outcome == b"recharge_required":
            raise recharge_required(rulebook.rule(rulebook.recharge_rule), field="amount_fen")
        if outcome not in (b"done", b"repeated"):
            raise refusal(outcome, rulebook, of="coupons")
        return await self.get(creator_id, made.decode())

    async def give_back(self, creator_id: CreatorId, budget_id: str) -> CouponBudget:
        """
        Give what is left of a budget back to its creator, at once or after the platform's delay (DY-REV-8).

        A repetition returns the same. Raises Refused: not_found; StoreBroken.
        """
        checked_id("budget_id", budget_id)
        await self._clock.copy_to(creator_id)
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id), keys.journal(creator_id)),
            *(keys.coupon_budget(creator_id, budget_id), keys.reversals(creator_id)),
        ]
        outcome = await run_sound(self._store, budget_id, "coupon_return", names, [budget_id, creator_id])
        if outcome == b"not_found":
            raise _no_such()
        return await self.get(creator_id, budget_id)

    async def get(self, creator_id: CreatorId, budget_id: str) -> CouponBudget:
        """Return the budget. Raises Refused if there is none."""
        checked_id("budget_id", budget_id)
        record: Any = await self._store.redis.hgetall(keys.coupon_budget(creator_id, budget_id))
        if not record:
            raise _no_such()
        return _budget_from(record)

    async def list(
        self, creator_id: CreatorId, *, skip: int = 0, count: int = 100, newest: bool = False
    ) -> "list[CouponBudget]":
        """Return up to *count* budgets of a creator after the first *skip*, oldest or *newest* first."""
        found: Any = await self._store.redis.zrange(
            keys.coupon_budgets(creator_id), skip, skip + count - 1, desc=newest
        )
        async with self._store.redis.pipeline(transaction=False) as together:
            for budget_id in found:
                together.hgetall(keys.coupon_budget(creator_id, budget_id.decode()))
            return [_budget_from(record) for record in await together.execute()]


def _no_such() -> Refused:
    return Refused("not_found", "no such coupon budget", field="budget_id")


def _budget_from(record: Record) -> CouponBudget:
    fields = text_fields(record)
    left_fen = int(fields["amount_fen"]) if fields["state"] == BudgetState.OPEN else 0
    return _BUDGET.validate_python({"returned_at_ms": None, "left_fen": left_fen, **fields})


_BUDGET = TypeAdapter(CouponBudget)
