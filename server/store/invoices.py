"""Invoices for a creator's channel fees: numbered records of periods that do not overlap (KS-ACC-3, AMB-57)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId
from server.core.refusal import Raced, Refused
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Record, text_fields
from server.store.transfers import checked_transfer_id, refusal, run_sound
from server.store.wallet import ChannelFees


class InvoiceState(StrEnum):
    """The state of an invoice: requested by the creator, then issued by an administrator."""

    REQUESTED = "requested"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    The fees of the recharges in ``[from_ms, to_ms)`` of room time. ``issued_at_ms`` is None until it is issued.

    ``number`` counts a creator's invoices from 1.
    """

    number: int
    creator_id: CreatorId
    state: InvoiceState
    from_ms: int
    to_ms: int
    fee_fen: int
    channels: list[ChannelFees]
    requested_at_ms: int
    issued_at_ms: int | None


class Invoices:
    """The invoices of all creators. Every change is one script, and happens once."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def request(
        self,
        creator_id: CreatorId,
        rulebook: Rulebook,
        from_ms: int,
        to_ms: int,
        fees: Sequence[ChannelFees],
        *,
        transfer_id: str,
    ) -> Invoice:
        """
        Record the invoice for a period that is over; a repeated transfer id returns the same one.

        Raises Refused: invoice_overlaps (an earlier one's period), transfer_conflict; Raced if another was made
        meanwhile.
        """
        checked_transfer_id(transfer_id)
        await self._clock.copy_to(creator_id)
        number = int(await self._store.redis.zcard(keys.invoices(creator_id))) + 1
        names = [
            *(keys.clock_of(creator_id), keys.transfers(creator_id)),
            *(keys.invoices(creator_id), keys.invoice(creator_id, number)),
        ]
        lines = ";".join(f"{each.channel},{each.recharges},{each.credited_fen},{each.fee_fen}" for each in fees)
        asked: list[str | int] = [transfer_id, creator_id, number, from_ms, to_ms, lines]
        outcome, made = await self._store.run("invoice_request", names, asked)
        match outcome:
            case b"done" | b"repeated":
                return await self.get(creator_id, int(made))
            case b"invoice_overlaps":
                detail, rule = f"the period of invoice {made.decode()} overlaps this one", rulebook.rule("KS-ACC-3")
                raise Refused("invoice_overlaps", detail, field="from_ms", rule=rule)
            case b"raced":
                raise Raced("raced", "another invoice is being made for this creator; try again")
        raise refusal(outcome)

    async def issue(self, creator_id: CreatorId, number: int) -> Invoice:
        """Issue an invoice; a repetition returns the same. Raises Refused: not_found; StoreBroken."""
        await self._clock.copy_to(creator_id)
        names = [keys.clock_of(creator_id), keys.invoice(creator_id, number)]
        outcome = await run_sound(self._store, f"invoice {number}", "invoice_issue", names, [])
        if outcome == b"not_found":
            raise _no_such()
        return await self.get(creator_id, number)

    async def get(self, creator_id: CreatorId, number: int) -> Invoice:
        """Return the invoice. Raises Refused if there is none."""
        record: Any = await self._store.redis.hgetall(keys.invoice(creator_id, number))
        if not record:
            raise _no_such()
        return _invoice_from(record)

    async def list(self, creator_id: CreatorId) -> "list[Invoice]":
        """Return all invoices of a creator, by number."""
        count = int(await self._store.redis.zcard(keys.invoices(creator_id)))
        async with self._store.redis.pipeline(transaction=False) as together:
            for number in range(1, count + 1):
                together.hgetall(keys.invoice(creator_id, number))
            return [_invoice_from(record) for record in await together.execute()]


def _no_such() -> Refused:
    return Refused("not_found", "no such invoice", field="number")


def _invoice_from(record: Record) -> Invoice:
    fields = text_fields(record)
    lines = [line.split(",") for line in fields.pop("fees").split(";")]
    channels = [ChannelFees(channel, *map(int, numbers)) for channel, *numbers in lines]
    fee_fen = sum(each.fee_fen for each in channels)
    return _INVOICE.validate_python({"issued_at_ms": None, "channels": channels, "fee_fen": fee_fen, **fields})


_INVOICE = TypeAdapter(Invoice)
