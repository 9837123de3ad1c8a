"""What the money machine is compared with: packets as they should be, and the pure ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.core.claim import ClaimStatus
from server.core.ids import PacketId
from server.core.ledger import Ledger
from tests.store.desk import Desk

S = ClaimStatus


@dataclass
class Model:
    """A packet as it should be."""

    packet_id: PacketId
    shares: list[int]
    transfer_id: str
    state: str = "draft"
    grab_at_ms: int = 0
    claim_end_at_ms: int = 0
    given: int = 0
    owners: dict[str, tuple[int, str]] = field(default_factory=dict)
    edition: int = 1
    first_fen: int = 0
    first_count: int = 1
    waiting: int = 0  # shares of an edit whose time has not come
    claimable_at_ms: int = 0

    @property
    def left(self) -> list[int]:
        return self.shares[self.given :]

    def open_at(self, now_ms: int) -> list[int]:
        """Return the shares that can be claimed now."""
        if now_ms >= self.claimable_at_ms:
            return self.left
        return self.left[: len(self.left) - self.waiting]

    def refusal_at(self, now_ms: int) -> ClaimStatus | None:
        if self.state == "voided":
            return S.VOIDED
        if self.state == "draft" or (self.state == "launched" and now_ms < self.grab_at_ms):
            return S.TOO_EARLY
        if self.state == "settled" or now_ms >= self.claim_end_at_ms:
            return S.TOO_LATE
        return None


async def compare(desk: Desk, ledger: Ledger, packets: Sequence[Model]) -> None:
    """Assert that wallet, journal, withdrawals and every packet of the store are the model's."""
    ledger.check()
    funds, model = await desk.wallet.funds(desk.creator_id), ledger.funds(desk.creator_id)
    assert (model.available_fen, model.recharged_fen, model.returned_fen, model.withdrawn_fen, model.spent_fen) == (
        funds.available_fen,
        funds.recharged_fen,
        funds.returned_fen,
        funds.withdrawn_fen,
        funds.spent_fen,
    )
    journal = [
        (
            *(entry["kind"], entry["transfer_id"], entry["debit"], entry["credit"], int(entry["amount_fen"])),
            *(int(entry.get("fee_fen", 0)), entry.get("withdrawal_id", ""), entry.get("balance_fen")),
            entry.get("product", "red_packet"),
        )
        for entry in await desk.journal()
    ]
    assert journal == [
        (
            *(e.kind, e.transfer_id, e.debit, e.credit, e.amount_fen, e.fee_fen, e.withdrawal_id),
            None if e.balance_fen is None else str(e.balance_fen),
            e.product,
        )
        for e in ledger.journal
    ]
    pending_fen = sum(
        each.amount_fen for each in await desk.withdrawals.list(desk.creator_id) if each.ended_at_ms is None
    )
    assert pending_fen == ledger.balance(f"withdrawing:{desk.creator_id}")
    for packet in packets:
        await _compare_packet(desk, ledger, packet)


async def _compare_packet(desk: Desk, ledger: Ledger, packet: Model) -> None:
    counts = await desk.packets.counts(packet.packet_id)
    assert (await desk.packets.get(packet.packet_id)).edition == packet.edition
    over = packet.state in ("settled", "voided")
    assert (packet.given, 0 if over else len(packet.left)) == (counts.given, counts.remaining)
    assert (len(packet.left) if over else 0) == counts.returned
    assert counts.given_fen == ledger.balance(f"assets:{packet.packet_id}")
    assert counts.remaining_fen == ledger.balance(f"escrow:{packet.packet_id}")
    claims = await desk.packets.claims(packet.packet_id)
    assert packet.owners == {viewer: (share.index, share.request_id) for viewer, share in claims.items()}
