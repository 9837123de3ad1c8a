"""Withdrawals and invoices in the final books: a creator's money on its way out, and the fees that it was charged."""

from typing import NamedTuple

from server.core.ids import CreatorId


class BookedWithdrawal(NamedTuple):
    """Money that a creator asked to be paid out: pending, paid, or failed and in the funds again."""

    withdrawal_id: str
    creator_id: CreatorId
    state: str
    channel: str
    amount_fen: int
    requested_at_ms: int
    ended_at_ms: int | None


class InvoicedChannel(NamedTuple):
    """The fees of one channel in an invoice: how many recharges, what they credited, and the fees, in fen."""

    channel: str
    recharges: int
    credited_fen: int
    fee_fen: int


class BookedInvoice(NamedTuple):
    """The fees of the recharges in ``[from_ms, to_ms)`` of room time; numbers count a creator's invoices from 1."""

    number: int
    creator_id: CreatorId
    state: str
    from_ms: int
    to_ms: int
    fee_fen: int
    channels: tuple[InvoicedChannel, ...]
    requested_at_ms: int
    issued_at_ms: int | None
