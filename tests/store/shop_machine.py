"""The machine of all that moves money: wallet and packets, and what viewers do with what they have claimed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import rule

from server.core.ids import PLATFORM, CreatorId, PacketId, ViewerId, order_id_of
from server.core.money.account import AccountKind, kind_of
from server.core.money.posting import OrderKind, Reversal, parts_of
from server.core.orders import order as core
from server.core.orders.asset import Asset, sweep
from server.core.orders.order import Order, OrderState, Refund, StepOutcome
from server.core.orders.order_stats import given_back, order_stats_of
from server.core.orders.selection import exact_quote
from server.core.orders.settlement import Settlement, settle
from server.core.orders.stacking import best_quote
from server.core.packets.packet_stats import estimate_gains
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.reversals import Reversals
from tests.commands.ground import context_of
from tests.core.money.ledger_model import CLEARING, Transfer, TransferKind
from tests.store.carts import CARTS, MERCHANT, NOTHING, RATES, SHARE, SHOPS, Cart, refund_for
from tests.store.closing_machine import Closing
from tests.store.money_machine import CREATORS, WHICH
from tests.store.money_model import Bought, Model
from tests.store.replay import not_empty
from tests.store.shop import OrderCalls
from tests.store.straight_on import wait_for


class Change(NamedTuple):
    """A step of an order: what the core makes of it, and its packets as they were."""

    outcome: StepOutcome
    before: Sequence[Asset]
    kind: OrderKind
    transfer_id: str
    settled: Settlement | None = None


class Shopping(Closing):
    """Orders, expiry and reversals after a claim; the platform's packets are combined with a creator's."""

    rulebooks = SHOPS

    def opened(self, store: Store, clock: StoreClock) -> None:
        self.shop = OrderCalls(context_of(store, clock, SHOPS))
        self.reversals = Reversals(store, clock)

    @rule(cart=CARTS, again=st.booleans())
    def submit(self, cart: Cart, *, again: bool) -> None:
        """Order with the best packets of somebody who has some, or with those picked."""
        everybody = [asset for model in self.models for asset in model.assets]
        usable = [each for each in everybody if each.state == "available" and not each.expired_at(self.now_ms)]
        found = usable or everybody
        viewer_id = found[cart.whose % len(found)].viewer_id if found else ViewerId("a")
        own = [asset.asset_id for asset in everybody if asset.viewer_id == viewer_id]
        asset_ids = None
        if cart.picked is not None:
            asset_ids = list(dict.fromkeys(own[n % len(own)] for n in cart.picked if own))
            asset_ids += [asset.asset_id for asset in everybody[:1] if cart.stolen and asset.viewer_id != viewer_id]
        asked: dict[str, Any] = {
            "viewer_id": viewer_id,
            "purchase": cart.purchase(),
            "discounts": cart.discounts,
            "platform": next(each for each in SHOPS if (each == self.platform) is not cart.elsewhere),
            "rates": RATES,
            "merchant_id": MERCHANT,
            "transfer_id": self.next_transfer(),
            "asset_ids": asset_ids,
        }
        codes = {self.code(self.shop.submit(**asked)) for _ in range(1 + again)}
        made: list[tuple[Bought, StepOutcome, list[Asset]]] = []
        assert codes == {refusal_of(lambda: made.append(self.submitted(asked)))}
        for bought, outcome, used in made:
            self.orders.append(bought)
            self.carry_out(bought, Change(outcome, used, OrderKind.SUBMIT, f"submit:{bought.order_id}"))

    @rule(cart=CARTS, then=st.sampled_from(["pay", "cancel", "line", "half", "all"]))
    def buy(self, cart: Cart, then: str) -> None:
        """Submit and pay, or not, and then perhaps think better of it."""
        which = len(self.orders)
        self.submit(cart, again=False)
        if len(self.orders) == which:
            return
        if then == "cancel":
            self.cancel(which, again=True)
            return
        self.pay(which, again=False)
        if then != "pay":
            self.refund(which, then, again=True)

    def submitted(self, asked: Mapping[str, Any]) -> tuple[Bought, StepOutcome, list[Asset]]:
        """Return the order as the core makes it, and the packets in it as they were. Raises Refused."""
        viewer_id, rulebook = asked["viewer_id"], SHOPS[asked["platform"]]
        named, purchase = asked["asset_ids"], asked["purchase"]
        by_id = {asset.asset_id: asset for model in self.models for asset in model.assets}
        home = purchase.lines[0].creator_id or PLATFORM
        if named is None:
            held = [each for each in by_id.values() if each.viewer_id == viewer_id and tag_of(each) in (home, PLATFORM)]
            quote, choice = best_quote(purchase, asked["discounts"], held, self.now_ms, rulebook)
        else:
            held = [by_id[name] for name in named]
            if any(each.viewer_id != viewer_id for each in held):
                raise Refused("not_yours", "somebody else's")
            home = next((tag_of(each) for each in held if tag_of(each) != PLATFORM), home)
            quote, choice = exact_quote(purchase, asked["discounts"], held, self.now_ms, rulebook)
        used = [asset for asset, _ in choice.used]
        order_id = order_id_of(home, viewer_id, asked["transfer_id"])
        outcome = core.submit(order_id, viewer_id, quote, used, self.now_ms, rulebook=rulebook)
        return Bought(outcome.order, home, rulebook, self.now_ms, asked), outcome, used

    @rule(which=WHICH)
    def submit_something_else(self, which: int) -> None:
        if self.orders:
            asked = dict(self.orders[which % len(self.orders)].asked)
            asked["merchant_id"] = "another"
            assert self.code(self.shop.submit(**asked)) == "transfer_conflict"

    @rule(which=WHICH, again=st.booleans())
    def pay(self, which: int, *, again: bool) -> None:
        if self.orders:
            bought, transfer_id = self.orders[which % len(self.orders)], self.next_transfer()
            codes = {self.code(self.shop.pay(bought.order_id, transfer_id)) for _ in range(1 + again)}
            self.step(bought, OrderKind.PAY, transfer_id, codes)

    @rule(which=WHICH, again=st.booleans())
    def cancel(self, which: int, *, again: bool) -> None:
        if self.orders:
            bought, transfer_id = self.orders[which % len(self.orders)], self.next_transfer()
            codes = {self.code(self.shop.cancel(bought.order_id, transfer_id)) for _ in range(1 + again)}
            self.step(bought, OrderKind.CANCEL, transfer_id, codes)

    @rule(which=WHICH, share=SHARE, again=st.booleans())
    def refund(self, which: int, share: str, *, again: bool) -> None:
        if self.orders:
            bought, refund_id = self.orders[which % len(self.orders)], self.next_transfer()
            asked = refund_for(bought.order, refund_id, share)
            codes = {self.code(self.shop.refund(bought.order_id, asked)) for _ in range(1 + again)}
            self.step(bought, OrderKind.REFUND, f"refund:{bought.order_id}:{refund_id}", codes, asked)

    @rule(which=WHICH)
    def refund_otherwise(self, which: int) -> None:
        """A refund's id with another body stands for another refund already."""
        known = [(bought, each) for bought in self.orders for each in bought.order.refunds]
        if known:
            bought, asked = known[which % len(known)]
            other = replace(asked, extras_fen=asked.extras_fen + 1)
            assert self.code(self.shop.refund(bought.order_id, other)) == "refund_conflict"

    @rule(which=WHICH, again=st.booleans())
    def finish(self, which: int, *, again: bool) -> None:
        if self.orders:
            bought = self.orders[which % len(self.orders)]
            codes = {self.code(self.shop.finish(bought.order_id)) for _ in range(1 + again)}
            self.step(bought, OrderKind.FINISH, f"finish:{bought.order_id}", codes)

    @rule(which=WHICH, again=st.booleans())
    def catch_up(self, which: int, *, again: bool) -> None:
        if not self.orders:
            return
        bought = self.orders[which % len(self.orders)]
        codes = {self.code(self.shop.catch_up(bought.order_id)) for _ in range(1 + again)}
        if bought.due_at_ms is None or self.now_ms < bought.due_at_ms:
            assert codes == {""}
        elif bought.order.state is OrderState.PAID:
            self.step(bought, OrderKind.FINISH, f"finish:{bought.order_id}", codes)
        else:
            self.step(bought, OrderKind.CANCEL, f"unpaid:{bought.order_id}", codes)

    def teardown(self) -> None:
        """Let all time pass: once everything is over nothing is on its way, in no journal."""
        try:
            if hasattr(self, "desks"):
                self.let_all_time_pass()
        finally:
            super().teardown()

    def let_all_time_pass(self) -> None:
        for _ in range(2):
            self.wait(10_000)
            for n in range(len(self.models)):
                self.sweep(n)
                self.expire(n, again=False)
            for n in range(len(self.orders)):
                self.catch_up(n, again=False)
            for name in CREATORS:
                self.reverse(name, again=False)
        self.balances_agree()
        pending = {AccountKind.WITHDRAWING}  # somebody has to pay that out
        for book in self.books.values():
            held = not_empty(book.replay.balances)
            assert not [name for name in held if kind_of(name) in CLEARING - pending], held

    def step(
        self, bought: Bought, kind: OrderKind, transfer_id: str, codes: set[str], asked: Refund | None = None
    ) -> None:
        """Do to the model what was asked of the store, which answered with *codes*."""
        before = [self.asset_of(packet.asset_id) for packet in bought.order.packets]
        order, rulebook = bought.order, bought.rulebook
        made: list[StepOutcome] = []
        decide: dict[OrderKind, Callable[[], StepOutcome]] = {
            OrderKind.PAY: lambda: core.pay(order, before, self.now_ms, rulebook),
            OrderKind.CANCEL: lambda: core.cancel(order, before, self.now_ms, rulebook),
            OrderKind.REFUND: lambda: core.refund(order, before, asked or NOTHING, self.now_ms, rulebook),
            OrderKind.FINISH: lambda: core.finish(order, before, self.now_ms, rulebook),
        }
        assert codes == {refusal_of(lambda: made.append(decide[kind]()))}
        settled = settlement_of(order, rulebook) if kind is OrderKind.FINISH else None
        for outcome in made:
            if outcome.order != order:
                bought.order = outcome.order
                bought.version += 1
                change = Change(outcome, before, kind, transfer_id, settled)
                self.gain(order, change, rulebook)
                self.carry_out(bought, change)

    def gain(self, before: Order, change: Change, rulebook: Rulebook) -> None:
        """Add what a step brought to the totals of creator and platform, and of their packets (KS-MON-1)."""
        after, back = change.outcome.order, given_back(change.before, change.outcome.assets)
        estimates = estimate_gains(before, after, RATES, rulebook)
        for name in CREATORS:
            gains = order_stats_of(
                change.kind, before, after, name, change.settled, estimates=estimates, given_back=back
            )
            self.books[name].gains.update(gains.total)
            for packet_id, more in gains.by_packet.items():
                self.model_of(packet_id).gains.update(more)

    def carry_out(self, bought: Bought, change: Change) -> None:
        """Move what a step of an order moves, in the journal of each whose packets are in it."""
        parts = parts_of(
            change.outcome,
            change.before,
            kind=change.kind,
            transfer_id=change.transfer_id,
            home=bought.home,
            merchant_id=MERCHANT,
            settled=change.settled,
        )
        word = "hold" if change.kind is OrderKind.SUBMIT else "follow"
        for name, part in parts.items():
            if part.postings:
                transfer_id = part.transfer_id if name == bought.home else f"{word}:{bought.order_id}:{bought.version}"
                self.books[name].ledger.post_part(replace(part, transfer_id=transfer_id))
                self.books[name].reversals += part.reversals
            for spent in (each for each in part.changes if each.final):
                packet_id, _, index = spent.asset_id.rpartition(":")
                self.model_of(PacketId(packet_id)).final.add(int(index))
        for asset in change.outcome.assets:
            packet_id, _, index = asset.asset_id.rpartition(":")
            self.model_of(PacketId(packet_id)).assets[int(index)] = asset

    def asset_of(self, asset_id: str) -> Asset:
        packet_id, _, index = asset_id.rpartition(":")
        return self.model_of(PacketId(packet_id)).assets[int(index)]

    def model_of(self, packet_id: PacketId) -> Model:
        return next(model for model in self.models if model.packet_id == packet_id)

    @rule(which=WHICH, again=st.booleans())
    def expire(self, which: int, *, again: bool) -> None:
        if (model := self.pick(which)) is None:
            return
        looked_at = [wait_for(self.reversals.expire(model.packet_id)) for _ in range(1 + again)]
        first, gone_fen = model.expired_upto, 0
        while model.expired_upto < model.given and model.assets[model.expired_upto].expired_at(self.now_ms):
            before = model.assets[model.expired_upto]
            after = model.assets[model.expired_upto] = sweep(before, self.now_ms)
            gone_fen += before.face_fen if after is not before else 0
            model.expired_upto += 1
        assert looked_at == [model.expired_upto - first, 0][: 1 + again]
        if gone_fen:
            cause = f"expire:{model.packet_id}:{first}"
            self.back(model, TransferKind.EXPIRE, cause, gone_fen, cause)

    @rule(whose=st.sampled_from(CREATORS), again=st.booleans())
    def reverse(self, whose: CreatorId, *, again: bool) -> None:
        arrived = [wait_for(self.reversals.reverse(whose)) for _ in range(1 + again)]
        book = self.books[whose]
        due = sorted((each for each in book.reversals if each.due_at_ms <= self.now_ms), key=_in_the_store)
        assert arrived == [len(due), 0][: 1 + again]
        if due:
            book.reversals = [each for each in book.reversals if each not in due]
            amount_fen = sum(each.amount_fen for each in due)
            assert self.post(Transfer(TransferKind.REVERSE, f"reverse:{due[0].key}", whose, amount_fen)) == ""

    @rule(which=WHICH)
    def let_the_sweeper_work(self, which: int) -> None:
        """Go to an instant at which something is due, and have all done that is."""
        self.wait_for_an_edge(which, 0)
        for n in range(len(self.models)):
            self.sweep(n)
            self.expire(n, again=False)
        for n in range(len(self.orders)):
            self.catch_up(n, again=False)
        for name in CREATORS:
            self.reverse(name, again=False)

    @rule(which=WHICH, off_ms=st.integers(-1, 1))
    def wait_for_an_edge(self, which: int, off_ms: int) -> None:
        """Go to an instant at which something begins or ends, or a millisecond before or after it."""
        edges = [asset.use_end_at_ms for model in self.models for asset in model.assets]
        edges += [each.due_at_ms for book in self.books.values() for each in book.reversals]
        edges += [bought.due_at_ms for bought in self.orders if bought.due_at_ms is not None]
        ahead = sorted({edge for edge in edges if self.now_ms < edge + off_ms < self.now_ms + 1_000})
        if ahead:
            self.wait(ahead[which % len(ahead)] + off_ms - self.now_ms)


def refusal_of(decide: Callable[[], object]) -> str:
    """Return the code of the core's refusal, or nothing."""
    try:
        decide()
    except Refused as refusal:
        return refusal.code
    return ""


def settlement_of(order: Order, rulebook: Rulebook) -> Settlement:
    return settle(order.quote, RATES, rulebook, refunded_fen=sum(order.refunded_by_line.values()))


def tag_of(asset: Asset) -> CreatorId:
    return PLATFORM if asset.creator_id is None else asset.creator_id


def _in_the_store(reversal: Reversal) -> tuple[int, str]:
    return reversal.due_at_ms, f"{reversal.key}|{reversal.packet_id}|{reversal.amount_fen}"
