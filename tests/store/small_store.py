"""The small world on the real store: each step by the store's own interface, and what the store then holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from server.core.ids import CreatorId, PacketId, RequestId, ViewerId, claim_id_of
from server.core.orders.asset import Asset
from server.core.orders.purchase import Purchase
from server.core.packets.claim import Grab
from server.core.packets.issuance import Edit, plan_edit
from server.core.packets.launch import plan_launch
from server.core.packets.split import commitment
from server.core.refusal import Refused
from server.core.rulebooks.platforms import LAB
from server.store import keys
from server.store.allocators.default import DefaultAllocator
from server.store.packets import Packets
from server.store.reversals import Reversals
from tests.commands.ground import Payouts, Purse, context_of
from tests.core.small_world import world as small
from tests.core.small_world.orders import PURCHASE, order_id_at, refund_of, submit_id_of
from tests.core.small_world.packets import LAUNCH
from tests.core.small_world.world import ADDED_FEN, ANNA, MERCHANT, RATES, SHARES, STOLEN, Do, Step, World, terms_of
from tests.store.desk import SEED, Desk
from tests.store.reading import read_all
from tests.store.replay import Replay, not_empty, told_by
from tests.store.shop import OrderCalls


class SmallStore:
    """A creator of a real store, in whose name everything happens that happens in a world."""

    def __init__(self, desk: Desk, world: World) -> None:
        store, clock, rulebook = desk.store, desk.clock, world.setting.rulebook
        rulebooks = {rulebook.platform: rulebook, LAB.platform: LAB}
        self.desk = desk
        desk.packets = Packets(store, clock, rulebooks)
        self.creator_id = desk.creator_id
        self.packet_id = PacketId(f"{self.creator_id}.p")
        self.rulebook = rulebook
        self.wallet = Purse(store, clock, rulebooks)
        self.withdrawals = Payouts(store, clock, self.wallet)
        self.orders = OrderCalls(context_of(store, clock, rulebooks))
        self.reversals = Reversals(store, clock)
        self.allocator = DefaultAllocator(store, clock, lambda: False)
        self.purchase = purchase_of(self.creator_id)
        self.journal = Replay(self._said)
        self._compared = 0
        self._withdrawal_ids: dict[str, str] = {}
        self._edits: dict[str, Edit] = {}

    async def taken(self, world: World, step: Step, after: World) -> str:
        """Take a step in the store, which stands where *world* does, and return the answer to it."""
        if step.do is Do.WAIT:
            await self.desk.at(after.now_ms)
            return ""
        try:
            answer = await getattr(self, f"_{step.do.name.lower()}")(world, step)
        except Refused as refusal:
            return refusal.code
        return answer or ""

    async def _recharge(self, _: World, step: Step) -> None:
        await self.wallet.recharge(
            self.creator_id,
            amount_fen=step.number,
            channel="bank",
            transfer_id=step.key,
            platform=self.rulebook.platform,
        )

    async def _withdraw(self, _: World, step: Step) -> None:
        made = await self.withdrawals.request(
            self.creator_id, amount_fen=step.number, channel="alipay", transfer_id=step.key
        )
        self._withdrawal_ids[step.key] = made.withdrawal_id

    async def _paid(self, _: World, step: Step) -> None:
        await self.withdrawals.paid(self.creator_id, self._withdrawal_ids.get(step.key, "nobody"))

    async def _failed(self, _: World, step: Step) -> None:
        await self.withdrawals.failed(self.creator_id, self._withdrawal_ids.get(step.key, "nobody"))

    async def _fund(self, world: World, step: Step) -> None:
        terms, setting = terms_of(SHARES), world.setting
        await self.desk.packets.create(
            packet_id=self.packet_id,
            name="another rain" if step.twisted else "rain",
            platform=self.rulebook.platform,
            terms=terms,
            allocator="default",
            transfer_id=step.key,
            shares=SHARES,
            seed=SEED,
            commitment=commitment(terms, SEED),
            use_end_at_ms=setting.use_end_at_ms,
            use_for_ms=setting.use_for_ms,
            reversal_delay_ms=self.rulebook.reversal_delay_ms,
        )

    async def _launch(self, world: World, _: Step) -> None:
        packet = await self.desk.packets.get(self.packet_id)
        plan = plan_launch(LAUNCH, packet=packet, rulebook=self.rulebook, now_ms=world.now_ms, others=())
        await self.desk.launch(self.packet_id, plan.schedule)

    async def _claim(self, _: World, step: Step) -> str:
        tap = Grab(ViewerId(step.key), RequestId(f"q-{step.key}-{step.number}"))
        (claim,) = await self.allocator.claim(self.packet_id, self.desk.room.room_id, [tap])
        return claim.status

    async def _void(self, _: World, step: Step) -> None:
        await self.desk.packets.void(self.packet_id, transfer_id=step.key, lead_ms=self.rulebook.void_lead_ms)

    async def _edit(self, world: World, step: Step) -> None:
        """Ask for what was asked by this id before, if anything was; a twisted edit asks for more."""
        packet = await self.desk.packets.get(self.packet_id)
        plan = self._edits.get(step.key)
        if plan is None or step.twisted:
            plan = plan_edit(packet, len(packet_shares(world)) + step.number, self.rulebook)
        shares = [] if plan.added is None else [ADDED_FEN] * plan.added.share_count
        await self.desk.packets.edit(packet, plan, transfer_id=step.key, shares=shares, seed=SEED)
        self._edits[step.key] = plan

    async def _end(self, _: World, step: Step) -> None:
        packet = await self.desk.packets.get(self.packet_id)
        await self.desk.packets.end(packet, transfer_id=step.key)

    async def _sweep(self, _: World, __: Step) -> None:
        await self.desk.packets.sweep(self.packet_id)

    async def _submit(self, world: World, step: Step) -> None:
        asset = world.asset_of(ANNA if step.number == STOLEN else step.key)
        assert asset is not None
        _, _, index = asset.asset_id.rpartition(":")
        purchase = self.purchase
        await self.orders.submit(
            viewer_id=ViewerId(step.key),
            purchase=replace(purchase, shipping_fen=purchase.shipping_fen + 1) if step.twisted else purchase,
            discounts=(),
            platform=self.rulebook.platform,
            rates=RATES,
            merchant_id=MERCHANT,
            transfer_id=submit_id_of(ViewerId(step.key)),
            asset_ids=[claim_id_of(self.packet_id, int(index))],
        )

    async def _pay(self, world: World, step: Step) -> None:
        await self.orders.pay(order_id_at(self.creator_id, world), step.key)

    async def _cancel(self, world: World, step: Step) -> None:
        await self.orders.cancel(order_id_at(self.creator_id, world), step.key)

    async def _refund(self, world: World, step: Step) -> None:
        if world.order is None:
            await self.orders.get(order_id_at(self.creator_id, world))
        assert world.order is not None
        await self.orders.refund(order_id_at(self.creator_id, world), refund_of(world.order, step))

    async def _finish(self, world: World, _: Step) -> None:
        await self.orders.finish(order_id_at(self.creator_id, world))

    async def _catch_up(self, world: World, _: Step) -> None:
        await self.orders.catch_up(order_id_at(self.creator_id, world))

    async def _expire(self, _: World, __: Step) -> None:
        await self.reversals.expire(self.packet_id)

    async def _reverse(self, _: World, __: Step) -> None:
        await self.reversals.reverse(self.creator_id)

    async def compare(self, world: World) -> None:
        """Raise AssertionError unless the store holds what the world does, in one reading."""
        order_id, packet_id = order_id_at(self.creator_id, world), self.packet_id
        found = await read_all(
            self.desk.store,
            [
                [
                    ("XRANGE", keys.journal(self.creator_id), self.journal.read_from, "+"),
                    ("HGETALL", keys.wallet(self.creator_id)),
                    ("HGETALL", keys.packet(packet_id)),
                    ("HGETALL", keys.assets(packet_id)),
                    ("LRANGE", keys.owners(packet_id), 0, -1),
                    ("ZRANGE", keys.reversals(self.creator_id), 0, -1, "WITHSCORES"),
                    ("HGETALL", keys.order(self.creator_id, order_id)),
                    ("LRANGE", keys.shares(packet_id), 0, -1),
                    ("LRANGE", keys.added(packet_id), 0, -1),
                ]
            ],
        )
        journal, wallet, packet, assets, owners, reversals, order, *lists = found
        self.journal.hear(journal)
        known = self._compared
        assert self.journal.entries[known:] == [told_by(each) for each in world.ledger.journal[known:]]
        self._compared = len(self.journal.entries)  # a journal only grows
        assert self.journal.held() == not_empty(world.ledger.balances())
        assert _numbers(wallet, WALLET) == wallet_of(world)
        assert _numbers(packet, PACKET) == packet_numbers_of(world)
        assert packet.get(b"state", b"").decode() == (world.issue.state if world.issue else "")
        assert self._text(assets) == assets_of(world)
        assert [line.decode().partition(":")[0] for line in owners] == [each.viewer_id for each in world.assets]
        assert {self._said(name.decode()): due for name, due in reversals} == {
            f"{each.key}|{each.packet_id}|{each.amount_fen}": each.due_at_ms for each in world.reversals
        }
        assert order_told(order) == order_of(world)
        over = world.issue is None or world.issue.state in ("settled", "voided")
        left = [] if over else packet_shares(world)[len(world.assets) :]
        assert [int(fen) for each in lists for fen in each] == list(left)

    def _said(self, text: str) -> str:
        """Return a text of the store as the world says it."""
        for asked, made in self._withdrawal_ids.items():
            text = text.replace(made, asked)
        return text.replace(self.creator_id, small.CREATOR)

    def _text(self, fields: Mapping[bytes, bytes]) -> dict[str, str]:
        return {name.decode(): self._said(value.decode()) for name, value in fields.items()}


WALLET = ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen", "reversing_fen")
PACKET = (
    *("share_count", "total_fen", "edition", "given", "given_fen", "expired_upto"),
    *("locked", "locked_fen", "redeemed", "redeemed_fen", "final", "final_fen", "expired", "expired_fen"),
)


def purchase_of(creator_id: CreatorId) -> Purchase:
    """Return the small world's purchase, in a creator's live room."""
    return replace(PURCHASE, lines=tuple(replace(line, creator_id=creator_id) for line in PURCHASE.lines))


def packet_shares(world: World) -> tuple[int, ...]:
    return world.issue.shares if world.issue is not None else ()


def wallet_of(world: World) -> list[int]:
    funds = world.ledger.funds(small.CREATOR)
    reversing_fen = sum(each.amount_fen for each in world.reversals)
    return [
        *(funds.available_fen, funds.recharged_fen, funds.returned_fen, funds.withdrawn_fen, funds.spent_fen),
        reversing_fen,
    ]


def packet_numbers_of(world: World) -> list[int]:
    if world.issue is None:
        return [0] * len(PACKET)
    issue, states = world.issue, []
    for word in ("locked", "redeemed", "final", "expired"):
        faces = [asset.face_fen for asset in world.assets if word_of(world, asset) == word]
        states += [len(faces), sum(faces)]
    given_fen = sum(asset.face_fen for asset in world.assets)
    return [
        *(len(issue.shares), sum(issue.shares), issue.edition, len(world.assets), given_fen, issue.expired_upto),
        *states,
    ]


def assets_of(world: World) -> dict[str, str]:
    """Return what is written of each share that is not available."""
    told = {}
    for index, asset in enumerate(world.assets):
        if asset.state == "expired_returned":
            told[str(index)] = "expired"
        elif asset.order_id is not None:
            told[str(index)] = f"{word_of(world, asset)}:{asset.order_id}"
    return told


def word_of(world: World, asset: Asset) -> str:
    """Return the store's word for where a share stands; redeemed by a final order it has paid for good."""
    if asset.state == "expired_returned":
        return "expired"
    final = world.order is not None and world.order.state == "final"
    return "final" if asset.state == "redeemed" and final else asset.state


def order_of(world: World) -> tuple[Any, ...]:
    if world.order is None:
        return ("", None, [])
    return (world.order.state, world.order.paid_at_ms, [each.refund_id for each in world.order.refunds])


def order_told(found: Mapping[bytes, bytes]) -> tuple[Any, ...]:
    if not found:
        return ("", None, [])
    told = orjson.loads(found[b"progress"])
    return (found[b"state"].decode(), told["paid_at_ms"], [each["refund_id"] for each in told["refunds"]])


def _numbers(fields: Mapping[bytes, bytes], names: tuple[str, ...]) -> list[int]:
    return [int(fields.get(name.encode(), 0)) for name in names]
