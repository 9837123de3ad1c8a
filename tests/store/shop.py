"""A shop for tests of orders: two creators and the platform with packets, one clock, and the journals replayed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from server.commands.cancel_order import cancel_order
from server.commands.catch_up_order import catch_up_order
from server.commands.context import CommandContext
from server.commands.finish_order import finish_order
from server.commands.pay_order import pay_order
from server.commands.quote_order import quote_order
from server.commands.refund_order import refund_order
from server.commands.submit_order import submit_order
from server.core.ids import PLATFORM, CreatorId, OrderId, PacketId, ViewerId, claim_id_of
from server.core.money.account import kind_of
from server.core.orders.discount import Discount
from server.core.orders.order import Refund
from server.core.orders.pricing import Quote
from server.core.orders.purchase import App, Entrance, Line, Purchase
from server.core.orders.settlement import Rates
from server.core.orders.stacking import Choice
from server.core.orders.submission import Submission
from server.core.rulebooks.platforms import DOUYIN, RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.orders.order_record import OrderRecord
from tests.commands.ground import context_of
from tests.core.money.ledger_model import CLEARING, may_be_negative
from tests.store.desk import GRAB_AT_MS, NOW_MS, Desk

LI, WANG, ANNA, BOB = CreatorId("li"), CreatorId("wang"), ViewerId("anna"), ViewerId("bob")
START_MS = GRAB_AT_MS  # room time at which packets have just been grabbed
USE_END_MS = START_MS + 600_000
DELAY_MS = DOUYIN.reversal_delay_ms
HORIZON_MS = DOUYIN.refund_horizon_ms
RATES = Rates(commission=2_000, service_fee=500)
MERCHANT = "shop"


class OrderCalls:
    """The commands of orders, as one process gives them."""

    def __init__(self, context: CommandContext) -> None:
        self.context = context
        self.get, self.list, self.due = context.orders.get, context.orders.list, context.orders.due

    async def quote(
        self, viewer_id: ViewerId, purchase: Purchase, discounts: Sequence[Discount], platform: str | None
    ) -> tuple[Quote, Choice]:
        return await quote_order(self.context, viewer_id, purchase, discounts, platform)

    async def submit(self, **asked: Any) -> OrderRecord:
        named = asked.get("asset_ids")
        words = {"discounts": tuple(asked["discounts"]), "asset_ids": None if named is None else tuple(named)}
        return await submit_order(self.context, Submission(**{**asked, **words}))

    async def pay(self, order_id: OrderId, transfer_id: str) -> OrderRecord:
        return await pay_order(self.context, order_id, transfer_id)

    async def cancel(self, order_id: OrderId, transfer_id: str) -> OrderRecord:
        return await cancel_order(self.context, order_id, transfer_id)

    async def refund(self, order_id: OrderId, asked: Refund) -> OrderRecord:
        return await refund_order(self.context, order_id, asked)

    async def finish(self, order_id: OrderId) -> OrderRecord:
        return await finish_order(self.context, order_id)

    async def catch_up(self, order_id: OrderId) -> None:
        await catch_up_order(self.context, order_id)


class Shop:
    """Everything that orders need; ``at`` moves the room time of store and process."""

    def __init__(self, store: Store, desks: Mapping[CreatorId, Desk], orders: OrderCalls, clock: StoreClock) -> None:
        self.store = store
        self.desks = desks
        self.orders = orders
        self.clock = clock
        self.assets = Assets(store, clock)

    @classmethod
    async def open(
        cls, store: Store, rulebooks: Mapping[str, Rulebook] = RULEBOOKS, platform: str = "douyin"
    ) -> "Shop":
        desks = {creator_id: await Desk.open(store, creator_id, platform) for creator_id in (LI, WANG, PLATFORM)}
        clock = await StoreClock.open(store, speed=0, origin_ms=NOW_MS)
        return cls(store, desks, OrderCalls(context_of(store, clock, rulebooks)), clock)

    def another_process(self) -> OrderCalls:
        """Return the orders as another process has them: it shares the store and nothing else."""
        return OrderCalls(context_of(self.store, self.clock))

    async def at(self, room_ms: int) -> None:
        for desk in self.desks.values():
            await desk.at(room_ms)
        self.clock.record = self.desks[LI].clock.record

    async def asset(
        self, face_fen: int, *, of: CreatorId = LI, viewer: ViewerId = ANNA, use_end_at_ms: int | None = USE_END_MS
    ) -> str:
        """Have a viewer grab the only share of a new packet and return its id."""
        desk = self.desks[of]
        await self.at(NOW_MS)
        await desk.recharge(face_fen)
        packet = await desk.draft([face_fen], use_end_at_ms=use_end_at_ms, reversal_delay_ms=DELAY_MS)
        await desk.launch(packet.packet_id)
        await self.at(START_MS)
        await desk.run_claim(packet.packet_id, [viewer, "q"])
        return claim_id_of(packet.packet_id, 0)

    async def submit(self, *asset_ids: str, key: str = "k", viewer: ViewerId = ANNA, **changes: Any) -> OrderRecord:
        asked: dict[str, Any] = {
            "viewer_id": viewer,
            "purchase": a_purchase(10_000),
            "discounts": (),
            "platform": "douyin",
            "rates": RATES,
            "merchant_id": MERCHANT,
            "asset_ids": asset_ids,
            "transfer_id": key,
        }
        return await self.orders.submit(**{**asked, **changes})

    async def refund(self, order_id: OrderId, extras_fen: int = 0, refund_id: str = "r", **by_line: int) -> OrderRecord:
        return await self.orders.refund(order_id, Refund(refund_id, by_line, extras_fen))

    async def state(self, asset_id: str) -> str:
        """Return what the store has written of an asset, or "" while it is available."""
        packet_id, _, index = asset_id.rpartition(":")
        held = await self.store.redis.hget(keys.assets(PacketId(packet_id)), index)
        return held.decode() if isinstance(held, bytes) else ""

    async def counters(self, asset_id: str) -> dict[str, int]:
        """Return the counters of an asset's packet that are not zero."""
        packet_id = PacketId(asset_id.rpartition(":")[0])
        states = ("locked", "redeemed", "final", "expired")
        names = [name for state in states for name in (state, f"{state}_fen")]
        found: Any = await self.store.redis.hmget(keys.packet(packet_id), names)
        return {name: int(value) for name, value in zip(names, found, strict=True) if int(value or 0)}

    async def reversals(self, creator_id: CreatorId) -> dict[str, int]:
        """Return the money on its way back to a creator, with when it arrives."""
        found: Any = await self.store.redis.zrange(keys.reversals(creator_id), 0, -1, withscores=True)
        return {member.decode(): int(due_at_ms) for member, due_at_ms in found}

    async def effects(self, key: str) -> dict[str, int]:
        found: Any = await self.store.redis.hgetall(key)
        return {name.decode(): int(value) for name, value in found.items()}

    async def balances(self) -> dict[str, int]:
        """Replay all journals and return what is not zero; it sums to zero, and nothing of ours is negative."""
        held: defaultdict[str, int] = defaultdict(int)
        for desk in self.desks.values():
            for entry in await desk.journal():
                for debit, credit, fen in postings_of(entry):
                    held[debit] -= fen
                    held[credit] += fen
                    assert may_be_negative(debit) or held[debit] >= 0 or desk.creator_id == PLATFORM, entry
            wallet: Any = await self.store.redis.hget(keys.wallet(desk.creator_id), "reversing_fen")
            assert int(wallet or 0) == held[f"reversing:{desk.creator_id}"]
        assert sum(held.values()) == 0
        assert all(fen >= 0 or may_be_negative(name) for name, fen in held.items())
        return {name: fen for name, fen in held.items() if fen}

    async def under_way(self) -> dict[str, int]:
        """Return what is in accounts that are zero when everything is over."""
        return {name: fen for name, fen in (await self.balances()).items() if kind_of(name) in CLEARING}


def postings_of(entry: Mapping[str, str]) -> list[tuple[str, str, int]]:
    if not entry.get("postings"):
        return [(entry["debit"], entry["credit"], int(entry["amount_fen"]))]
    parts = [posting.split(",") for posting in entry["postings"].split(";")]
    assert sum(int(fen) for _, _, fen in parts) == int(entry["amount_fen"])
    return [(debit, credit, int(fen)) for debit, credit, fen in parts]


def a_line(line_id: str, fen: int, creator_id: CreatorId | None = LI) -> Line:
    return Line(line_id, f"product-{line_id}", fen, creator_id=creator_id, entrance=Entrance.LIVE_ROOM)


def a_purchase(*lines: Line | int, shipping_fen: int = 0, **changes: Any) -> Purchase:
    made = tuple(each if isinstance(each, Line) else a_line(f"l{i}", each) for i, each in enumerate(lines))
    return Purchase(made, changes.pop("client", App.DOUYIN), shipping_fen=shipping_fen, **changes)
