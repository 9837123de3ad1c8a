"""The machine of packets' ends and edits: whatever brings money back from a packet, at once or in a while."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from server.core.money.money import half_up
from server.core.money.posting import Reversal
from server.core.packets.issuance import plan_edit
from server.core.packets.split import split
from server.core.rulebooks.platforms import LAB
from tests.core.money.ledger_model import Transfer, TransferKind
from tests.store.money_machine import WHICH, Money
from tests.store.money_model import Model
from tests.store.straight_on import wait_for


class Closing(Money):
    """Sweep, void, edit and end, as often as anybody asks."""

    @rule(which=WHICH)
    def sweep(self, which: int) -> None:
        if (model := self.pick(which)) is None:
            return
        counts = wait_for(self.packets.sweep(model.packet_id))
        due = model.state == "launched" and self.now_ms >= model.claim_end_at_ms
        assert (counts is not None) == (due or model.state == "settled")
        if due:
            self.give_back(model, TransferKind.SWEEP, f"sweep:{model.packet_id}", "settled")

    @rule(which=WHICH, again=st.booleans())
    def void(self, which: int, *, again: bool) -> None:
        if (model := self.pick(which)) is None:
            return
        transfer_id = self.next_transfer()
        codes = {
            self.code(self.packets.void(model.packet_id, transfer_id=transfer_id, lead_ms=None))
            for _ in range(1 + again)
        }
        if model.state in ("voided", "settled"):
            assert codes == {model.state}
        elif model.state == "launched" and self.now_ms >= model.claim_end_at_ms:
            assert codes == {"too_late"}
        else:
            assert codes == {""}
            self.give_back(model, TransferKind.VOID, transfer_id, "voided")

    @rule(which=WHICH, share_count=st.integers(1, 15), again=st.booleans())
    def edit(self, which: int, share_count: int, *, again: bool) -> None:
        if (model := self.pick(which)) is None or share_count == len(model.shares):
            return
        transfer_id = self.next_transfer()
        packet = wait_for(self.packets.get(model.packet_id))
        plan = plan_edit(packet, share_count, LAB)
        seed = transfer_id.encode().ljust(32, b"-")
        shares = [] if plan.added is None else split(plan.added, seed)
        codes = {
            self.code(self.packets.edit(packet, plan, transfer_id=transfer_id, shares=shares, seed=seed))
            for _ in range(1 + again)
        }
        if model.state in ("voided", "settled"):
            assert codes == {model.state}
        elif model.state == "launched" and self.now_ms >= model.claim_end_at_ms:
            assert codes == {"too_late"}
        elif share_count < model.given:
            assert codes == {"below_claimed"}
        elif plan.added is None:
            assert codes == {""}
            trimmed = model.shares[share_count:]
            cause = f"trim:{model.packet_id}:{model.edition + 1}"
            self.back(model, TransferKind.TRIM, transfer_id, sum(trimmed), cause)
            del model.shares[share_count:]
            model.waiting = max(0, model.waiting - len(trimmed))
            self.edited(model)
        else:
            added_fen = half_up(len(shares) * model.first_fen, model.first_count)
            assert added_fen == sum(shares)
            transfer = Transfer(TransferKind.EDIT, transfer_id, model.creator_id, added_fen, model.packet_id)
            assert codes == {self.post(transfer)}
            if codes == {""}:
                model.waiting = (model.waiting if self.now_ms < model.claimable_at_ms else 0) + len(shares)
                model.claimable_at_ms = self.now_ms + 2_000 if model.state == "launched" else 0
                model.shares += shares
                self.edited(model)

    def edited(self, model: Model) -> None:
        model.edition += 1
        self.allocator.forget(model.packet_id)

    @rule(which=WHICH)
    def wait_for_the_added(self, which: int) -> None:
        model = self.pick(which)
        if model is not None and model.state == "launched" and self.now_ms < model.claimable_at_ms:
            self.wait(model.claimable_at_ms - self.now_ms)

    @rule(which=WHICH, again=st.booleans())
    def end(self, which: int, *, again: bool) -> None:
        if (model := self.pick(which)) is None:
            return
        transfer_id = self.next_transfer()
        packet = wait_for(self.packets.get(model.packet_id))
        codes = {self.code(self.packets.end(packet, transfer_id=transfer_id)) for _ in range(1 + again)}
        if model.state in ("voided", "settled"):
            assert codes == {model.state}
        elif model.state == "launched" and self.now_ms >= model.claim_end_at_ms:
            assert codes == {"too_late"}
        else:
            assert codes == {""}
            self.give_back(model, TransferKind.END, transfer_id, "settled")
            self.allocator.forget(model.packet_id)

    def give_back(self, model: Model, kind: TransferKind, transfer_id: str, state: str) -> None:
        self.back(model, kind, transfer_id, sum(model.left), f"{kind}:{model.packet_id}")
        model.state = state
        if state == "voided":
            self.allocator.forget(model.packet_id)

    def back(self, model: Model, kind: TransferKind, transfer_id: str, amount_fen: int, key: str) -> None:
        """Have money go back to the creator of a packet, at once or in a while (DY-REV-8)."""
        delay_ms = model.packet.reversal_delay_ms
        transfer = Transfer(kind, transfer_id, model.creator_id, amount_fen, model.packet_id, delayed=delay_ms > 0)
        assert self.post(transfer) == ""
        if delay_ms > 0 and amount_fen > 0:
            due = Reversal(key, model.packet_id, amount_fen, self.now_ms + delay_ms)
            self.books[model.creator_id].reversals.append(due)
