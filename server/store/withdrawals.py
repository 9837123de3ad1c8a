"""Withdrawals of a creator's funds: set aside on request, then paid out or put back (DY-ACC-7)."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId, checked_id
from server.core.money.account import FundProduct
from server.core.money.money import FEN_MAX
from server.core.money.payee import Payee
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Record, text_fields
from server.store.transfers import refusal, run_sound
from server.store.wallet import CHANNEL_LENGTH_MAX


class WithdrawalState(StrEnum):
    """The state of a withdrawal: set aside, paid out, or back in the funds."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """
    Money that leaves a creator's funds, in fen; instants in room ms. ``ended_at_ms`` is None while pending.

    The payee's account is masked: the store alone has it in full (AMB-57).
    """

    withdrawal_id: str
    creator_id: CreatorId
    state: WithdrawalState
    channel: str
    product: FundProduct
    amount_fen: int
    requested_at_ms: int
    ended_at_ms: int | None
    payee: Payee | None = None


class Withdrawals:
    """All withdrawals of all creators. Every change is one script, and happens once."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def set_aside(
        self,
        creator_id: CreatorId,
        rulebook: Rulebook,
        product: FundProduct,
        channel: str,
        payee: Payee | None,
        *,
        fen: int,
        transfer_id: str,
    ) -> Withdrawal:
        """
        Set *fen* of the available funds aside to be paid out to *payee* over *channel* (DY-ACC-7).

        Raises Refused: bad_id for an invalid channel, out_of_range, insufficient_funds, transfer_conflict, too_much.
        """
        checked_id("channel", channel, length_max=CHANNEL_LENGTH_MAX)
        if not 0 < fen <= FEN_MAX:
            raise Refused("out_of_range", f"must be from 1 to {FEN_MAX}", field="amount_fen")
        await self._clock.copy_to(creator_id)
        withdrawal_id = secrets.token_hex(8)
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id), keys.journal(creator_id)),
            *(keys.withdrawals(creator_id), keys.withdrawal(creator_id, withdrawal_id)),
        ]
        paid_to = ("", "") if payee is None else (payee.name, payee.account)
        asked: list[str | int] = [transfer_id, creator_id, withdrawal_id, channel, product, fen, *paid_to]
        outcome, made = await self._store.run("withdraw_request", names, asked)
        if outcome not in (b"done", b"repeated"):
            raise refusal(outcome, rulebook, of="withdraw")
        return await self.get(creator_id, made.decode())

    async def paid(self, creator_id: CreatorId, withdrawal_id: str) -> Withdrawal:
        """
        Record that a withdrawal has been paid out; a repetition returns the same.

        Raises Refused: not_found, not_pending (it failed); StoreBroken.
        """
        return await self._end("withdraw_paid", creator_id, withdrawal_id)

    async def failed(self, creator_id: CreatorId, withdrawal_id: str) -> Withdrawal:
        """
        Put back the money of a withdrawal that could not be paid out; a repetition returns the same.

        Raises Refused: not_found, not_pending (it was paid); StoreBroken.
        """
        return await self._end("withdraw_failed", creator_id, withdrawal_id)

    async def get(self, creator_id: CreatorId, withdrawal_id: str) -> Withdrawal:
        """Return the withdrawal. Raises Refused if there is none."""
        checked_id("withdrawal_id", withdrawal_id)
        record: Any = await self._store.redis.hgetall(keys.withdrawal(creator_id, withdrawal_id))
        if not record:
            raise _no_such()
        return _withdrawal_from(record)

    async def list(
        self, creator_id: CreatorId, *, skip: int = 0, count: int = 100, newest: bool = False
    ) -> "list[Withdrawal]":
        """Return up to *count* withdrawals of a creator after the first *skip*, oldest or *newest* first."""
        found: Any = await self._store.redis.zrange(keys.withdrawals(creator_id), skip, skip + count - 1, desc=newest)
        async with self._store.redis.pipeline(transaction=False) as together:
            for withdrawal_id in found:
                together.hgetall(keys.withdrawal(creator_id, withdrawal_id.decode()))
            return [_withdrawal_from(record) for record in await together.execute()]

    async def _end(self, script: str, creator_id: CreatorId, withdrawal_id: str) -> Withdrawal:
        checked_id("withdrawal_id", withdrawal_id)
        # What is set aside has left the wallet: paid, it does not come back.
        wallet = [] if script == "withdraw_paid" else [keys.wallet(creator_id)]
        names = [
            *(keys.clock_of(creator_id), *wallet, keys.transfers(creator_id), keys.journal(creator_id)),
            keys.withdrawal(creator_id, withdrawal_id),
        ]
        outcome: bytes = await run_sound(self._store, withdrawal_id, script, names, [withdrawal_id, creator_id])
        match outcome:
            case b"done" | b"repeated":
                return await self.get(creator_id, withdrawal_id)
            case b"paid" | b"failed":
                raise Refused("not_pending", f"this withdrawal has {_SAID[outcome]} already", field="withdrawal_id")
        raise _no_such()


_SAID = {b"paid": "been paid out", b"failed": "failed"}


def _no_such() -> Refused:
    return Refused("not_found", "no such withdrawal", field="withdrawal_id")


def _withdrawal_from(record: Record) -> Withdrawal:
    fields = text_fields(record)
    name, account = fields.pop("payee_name", None), fields.pop("payee_account", None)
    payee = None if name is None or account is None else Payee(name, account).masked()
    return _WITHDRAWAL.validate_python({"ended_at_ms": None, "payee": payee, **fields})


_WITHDRAWAL = TypeAdapter(Withdrawal)
