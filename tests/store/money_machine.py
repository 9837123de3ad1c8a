"""The machine of wallet and packets: every rule does the same to the real store and to the pure ledger."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from server.core.ids import PLATFORM, CreatorId, PacketId, RoomId, ViewerId
from server.core.money.account import FundProduct
from server.core.money.channel import FeeMode
from server.core.orders.asset import Asset, asset_of
from server.core.packets.claim import ClaimStatus
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.platforms import KUAISHOU, LAB
from server.store.allocators.default import DefaultAllocator
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.rooms import Rooms
from tests.commands.ground import Payouts, Purse
from tests.core.money.ledger_model import Transfer, TransferKind
from tests.store.desk import NOW_MS, ROOM, Desk, grab
from tests.store.money_model import Book, Bought, Model, compare
from tests.store.straight_on import wait_for

S = ClaimStatus
CREATORS = (CreatorId("c1"), PLATFORM)
WHOSE = st.sampled_from((CREATORS[0], *CREATORS))
SHARES = st.lists(st.integers(1, 600), min_size=1, max_size=12)
USE_FOR_MS, DELAY_MS = st.sampled_from([None, 60, 250]), st.sampled_from([0, 30])
VIEWERS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)
WHICH = st.integers(0, 20)
FEES = replace(KUAISHOU, fee_mode=FeeMode.DEDUCTED, withdraw_channels=("alipay",))
"""A platform that has it all: fees, taken off the amount, and withdrawals."""


class Live(NamedTuple):
    """A packet that is to go live at once."""

    shares: list[int]
    whose: CreatorId
    use_for_ms: int | None
    delay_ms: int
    viewers: list[str]


LIVE = st.builds(Live, SHARES, WHOSE, USE_FOR_MS, DELAY_MS, VIEWERS)


class Money(RuleBasedStateMachine):
    """Every rule does the same to the store and to the model; after each step all balances are compared."""

    store: Store  # for all examples

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Model] = []
        self.orders: list[Bought] = []
        self.books: dict[CreatorId, Book] = {name: Book(name) for name in CREATORS}
        self.now_ms = NOW_MS
        self.taps = 0
        self.transfers = 0

    @initialize(live=st.lists(LIVE, min_size=1, max_size=3))
    def open(self, live: list[Live]) -> None:
        wait_for(self._open())
        for each in live:
            self.go_live(each)

    async def _open(self) -> None:
        store = self.store
        await store.redis.flushall()
        first = await Desk.open(store, CREATORS[0])
        rooms = Rooms(store, first.clock)
        self.desks = {first.creator_id: first}
        for name in CREATORS[1:]:
            self.desks[name] = Desk(store, first.clock, await rooms.create(RoomId(f"room-{name}"), name, "a room"))
        self.wallet = Purse(store, first.clock, {FEES.platform: FEES, LAB.platform: LAB})
        self.withdrawals = Payouts(store, first.clock, self.wallet)
        self.packets = first.packets
        self.allocator = DefaultAllocator(store, first.clock, lambda: True)
        self.opened(store, first.clock)

    def opened(self, store: Store, clock: StoreClock) -> None:
        """Build what a machine with more rules needs."""

    def teardown(self) -> None:
        if hasattr(self, "desks"):
            wait_for(self.allocator.caught_up())

    @rule(
        amount_fen=st.integers(1, 10**6),
        channel=st.sampled_from(["bank", "wechat", "alipay"]),
        product=st.sampled_from(FundProduct),
        whose=WHOSE,
        again=st.booleans(),
    )
    def recharge(self, amount_fen: int, channel: str, product: FundProduct, whose: CreatorId, *, again: bool) -> None:
        transfer_id = self.next_transfer()
        attempt = {"amount_fen": amount_fen, "channel": channel, "product": product, "transfer_id": transfer_id}
        codes = {self.code(self.wallet.recharge(whose, platform=FEES.platform, **attempt)) for _ in range(1 + again)}
        fee_fen = 0 if channel == "bank" else max(1, (amount_fen + 50) // 100)  # KS-ACC-4
        left_fen = amount_fen - fee_fen
        assert codes == {"" if left_fen else "out_of_range"}
        if left_fen:
            self.books[whose].ledger.post(
                Transfer(
                    TransferKind.RECHARGE,
                    transfer_id,
                    whose,
                    left_fen,
                    channel=channel,
                    fee_fen=fee_fen,
                    product=product,
                )
            )

    @rule(thousandths=st.integers(0, 1_100), whose=WHOSE, again=st.booleans())
    def withdraw(self, thousandths: int, whose: CreatorId, *, again: bool) -> None:
        book = self.books[whose]
        available_fen = book.ledger.funds(whose).available_fen
        amount_fen = max(1, available_fen * thousandths // 1_000)
        transfer_id = self.next_transfer()
        made: set[str] = set()

        async def attempt() -> None:
            asked = self.withdrawals.request(whose, amount_fen=amount_fen, channel="alipay", transfer_id=transfer_id)
            made.add((await asked).withdrawal_id)

        codes = {self.code(attempt()) for _ in range(1 + again)}
        if amount_fen > available_fen:
            assert (codes, made) == ({"insufficient_funds"}, set())
            return
        (withdrawal_id,) = made
        assert codes == {""}
        transfer = Transfer(
            TransferKind.WITHDRAW, transfer_id, whose, amount_fen, channel="alipay", withdrawal_id=withdrawal_id
        )
        book.withdrawals.append(transfer)
        assert self.post(transfer) == ""

    @rule(which=WHICH, paid=st.booleans(), again=st.booleans())
    def end_a_withdrawal(self, which: int, *, paid: bool, again: bool) -> None:
        known = [each for book in self.books.values() for each in book.withdrawals]
        if not known:
            return
        asked = known[which % len(known)]
        kind = TransferKind.WITHDRAW_PAID if paid else TransferKind.WITHDRAW_FAILED
        step = self.withdrawals.paid if paid else self.withdrawals.failed
        codes = {self.code(step(asked.creator_id, asked.withdrawal_id)) for _ in range(1 + again)}
        transfer_id = f"{'paid' if paid else 'failed'}:{asked.withdrawal_id}"
        assert codes == {self.post(replace(asked, kind=kind, transfer_id=transfer_id))}

    @rule(packet=LIVE)
    def go_live(self, packet: Live) -> None:
        """Do all that it takes for a packet to be in viewers' hands."""
        self.recharge(2 * sum(packet.shares), "bank", FundProduct.RED_PACKET, packet.whose, again=False)
        self.fund(packet.shares, packet.whose, packet.use_for_ms, packet.delay_ms, again=False)
        last = len(self.models) - 1
        self.launch(last, 0, 5_000)
        self.claim(last, packet.viewers)

    @rule(shares=SHARES, whose=WHOSE, use_for_ms=USE_FOR_MS, delay_ms=DELAY_MS, again=st.booleans())
    def fund(self, shares: list[int], whose: CreatorId, use_for_ms: int | None, delay_ms: int, *, again: bool) -> None:
        transfer_id = self.next_transfer()
        packet_id = PacketId(f"{whose}.{transfer_id}")
        more: dict[str, Any] = {"transfer_id": transfer_id, "use_for_ms": use_for_ms, "reversal_delay_ms": delay_ms}
        codes = {self.code(self.desks[whose].draft(shares, packet_id=packet_id, **more)) for _ in range(1 + again)}
        expected = self.post(Transfer(TransferKind.FUND, transfer_id, whose, sum(shares), packet_id))
        assert codes == {expected}
        if not expected:
            packet = wait_for(self.packets.get(packet_id))
            self.models.append(Model(packet, shares, transfer_id, first_fen=sum(shares), first_count=len(shares)))

    @rule(which=WHICH, lead_ms=st.integers(0, 50), window_ms=st.sampled_from([1, 20, 200, 5_000]))
    def launch(self, which: int, lead_ms: int, window_ms: int) -> None:
        if (model := self.pick(which)) is None:
            return
        grab_at_ms = self.now_ms + lead_ms
        schedule = Schedule(self.now_ms, grab_at_ms, grab_at_ms + window_ms)
        code = self.code(self.desks[model.creator_id].launch(model.packet_id, schedule))
        assert code == ("" if model.state == "draft" else "not_draft")
        if not code:
            model.state, model.grab_at_ms, model.claim_end_at_ms = "launched", grab_at_ms, grab_at_ms + window_ms

    @rule(which=WHICH, viewers=VIEWERS)
    def claim(self, which: int, viewers: list[str]) -> None:
        if (model := self.pick(which)) is None:
            return
        grabs = []
        for viewer in viewers:
            self.taps += 1
            grabs.append(grab(viewer, f"q{self.taps}"))
        claims = wait_for(self.allocator.claim(model.packet_id, ROOM, grabs))

        first, refusal = model.given, model.refusal_at(self.now_ms)
        for one, claim in zip(grabs, claims, strict=True):
            if one.viewer_id in model.owners:
                assert claim.share is not None
                assert (S.REPEATED, model.owners[one.viewer_id][0]) == (claim.status, claim.share.index)
            elif refusal or not model.open_at(self.now_ms):
                assert (refusal or S.EXHAUSTED) == claim.status
            else:
                assert claim.share is not None
                assert (S.GRANTED, model.given, model.left[0]) == (
                    claim.status,
                    claim.share.index,
                    claim.share.amount_fen,
                )
                model.owners[one.viewer_id] = (model.given, one.request_id)
                model.assets.append(self.asset(model, one.viewer_id))
        self.post_claims(model, first)

    def asset(self, model: Model, viewer_id: ViewerId) -> Asset:
        """Return the next share of a packet as it comes into a viewer's hands."""
        return asset_of(
            model.packet,
            index=model.given,
            amount_fen=model.left[0],
            viewer_id=viewer_id,
            claimed_at_ms=self.now_ms,
        )

    def post_claims(self, model: Model, first: int) -> None:
        if model.given > first:
            amount_fen = sum(model.shares[first : model.given])
            transfer_id = f"claim:{model.packet_id}:{first}"
            transfer = Transfer(TransferKind.CLAIM, transfer_id, model.creator_id, amount_fen, model.packet_id)
            assert self.post(transfer) == ""

    @rule(ms=st.integers(1, 100))
    def wait(self, ms: int) -> None:
        self.now_ms += ms
        for desk in self.desks.values():
            wait_for(desk.at(self.now_ms))

    @rule(which=WHICH, off_ms=st.integers(-1, 1), opening=st.booleans(), viewers=VIEWERS)
    def claim_at_an_edge(self, which: int, off_ms: int, viewers: list[str], *, opening: bool) -> None:
        model = self.pick(which)
        if model is not None and model.state != "draft":
            edge_ms = model.grab_at_ms if opening else model.claim_end_at_ms
            self.wait(max(0, edge_ms + off_ms - self.now_ms))
            self.claim(which, viewers)

    @rule(which=WHICH)
    def ask_again_for_another_packet(self, which: int) -> None:
        if (model := self.pick(which)) is None:
            return
        other = [9_999, *model.shares]  # more than any packet here ever had, whatever was trimmed since
        packet_id = PacketId(f"{model.creator_id}.other")
        desk = self.desks[model.creator_id]
        code = self.code(desk.draft(other, packet_id=packet_id, transfer_id=model.transfer_id))
        assert code == "transfer_conflict"

    @invariant()
    def balances_agree(self) -> None:
        if hasattr(self, "desks"):
            wait_for(compare(self.store, list(self.books.values()), self.models, self.orders))

    def code(self, attempt: Awaitable[object]) -> str:
        """Return the code of the refusal that *attempt* meets, or nothing."""
        try:
            wait_for(attempt)
        except Refused as refusal:
            return refusal.code
        return ""

    def post(self, transfer: Transfer) -> str:
        """Return the code of the ledger's refusal, or nothing."""
        try:
            self.books[transfer.creator_id].ledger.post(transfer)
        except Refused as refusal:
            return refusal.code
        return ""

    def pick(self, which: int) -> Model | None:
        return self.models[which % len(self.models)] if self.models else None

    def next_transfer(self) -> str:
        self.transfers += 1
        return f"t{self.transfers}"
