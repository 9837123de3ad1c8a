"""Random walks of orders on the real store, whose process dies again and again: in the end every fen is somewhere."""

import contextlib
from random import Random
from typing import Any

import pytest

from server.commands.follow_order import PART_WAIT_REAL_MS
from server.core.ids import PLATFORM, OrderId
from server.core.money.account import kind_of
from server.core.orders.order import Refund
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.store import keys
from server.store.connection import Store
from server.sweeper import Sweeper
from tests.core.money.ledger_model import CLEARING
from tests.store.shop import ANNA, BOB, HORIZON_MS, LI, START_MS, USE_END_MS, Shop, a_purchase

WALKS, STEPS = 25, 40
INSTANTS = sorted(
    {
        START_MS + PART_WAIT_REAL_MS,
        USE_END_MS - 1,
        USE_END_MS,
        START_MS + DOUYIN.order_unpaid_max_ms,
        USE_END_MS + PART_WAIT_REAL_MS,
    }
)


class Died(Exception):  # noqa: N818 - what has happened
    """The process is gone at this point."""


class Walk:
    """A walk of a seed: which packets there are, what is tried, and when the process dies."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.rng = Random(seed)
        self.assets: list[str] = []
        self.orders: list[OrderId] = []
        self._run: Any = shop.store.run
        self._left: int | None = None  # commits until the process dies
        shop.store.run = self._until_death  # type: ignore[method-assign,assignment]

    async def _until_death(self, script: str, *rest: Any) -> Any:
        if script == "step_order" and self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Died
            came = await self._run(script, *rest)
            if self._left == 0 and self.rng.random() < 0.5:
                raise Died  # after the commit, before the answer
            return came
        return await self._run(script, *rest)

    async def walk(self) -> None:
        for face_fen, of in ((900, LI), (1_700, LI), (600, PLATFORM), (2_500, PLATFORM)):
            for viewer in (ANNA, BOB):
                self.assets.append(await self.shop.asset(face_fen, of=of, viewer=viewer))
        instants = iter(INSTANTS)
        for _ in range(STEPS):
            act = self.rng.choice([self.submit, self.submit, self.pay, self.pay, self.cancel, self.refund, self.sweep])
            self._left = self.rng.choice([None, None, 0, 1, 2])
            with contextlib.suppress(Refused, Died):
                await act()
            self._left = None
            await self.shop.balances()
            if self.rng.random() < 0.15 and (now_ms := next(instants, None)) is not None:
                await self.shop.at(now_ms)

    async def submit(self) -> None:
        viewer = self.rng.choice([ANNA, BOB])
        chosen = None if self.rng.random() < 0.4 else self.rng.sample(self.assets, self.rng.randrange(1, 4))
        purchase = a_purchase(*(self.rng.choice([300, 2_000, 9_000]) for _ in range(2)), shipping_fen=10)
        key = f"k{self.rng.randrange(8)}"
        record = await self.shop.submit(key=key, viewer=viewer, asset_ids=chosen, purchase=purchase)
        self.orders.append(record.order_id)

    async def any_order(self) -> OrderId:
        found: Any = await self.shop.store.redis.zrange(keys.orders(LI), 0, -1)
        return OrderId(self.rng.choice(found).decode()) if found else OrderId("li.none")

    async def pay(self) -> None:
        order_id = await self.any_order()
        await self.shop.orders.pay(order_id, f"pay-{order_id}")

    async def cancel(self) -> None:
        order_id = await self.any_order()
        await self.shop.orders.cancel(order_id, f"cancel-{order_id}")

    async def refund(self) -> None:
        order = (await self.shop.orders.get(await self.any_order())).order
        line_id = self.rng.choice(["l0", "l1"])
        left_fen = order.paid_by_line[line_id] - order.refunded_by_line.get(line_id, 0)
        fen = self.rng.choice([left_fen, left_fen // 2])
        asked = Refund(f"r{self.rng.randrange(20)}", {line_id: fen})
        await self.shop.orders.refund(OrderId(order.order_id), asked)

    async def sweep(self) -> None:
        await Sweeper(self.shop.orders.context).look()

    async def end(self) -> None:
        """Let a living process go on until nothing more is due."""
        far_ms = USE_END_MS + HORIZON_MS + 3 * PART_WAIT_REAL_MS
        for now_ms in (far_ms, far_ms + HORIZON_MS, far_ms + 2 * HORIZON_MS):
            await self.shop.at(now_ms)
            for _ in range(3):
                await self.sweep()


@pytest.mark.parametrize("seed", range(WALKS))
async def test_whatever_dies_every_fen_is_somewhere(store: Store, seed: int) -> None:
    """After each step all balances sum to zero, and once all is over nothing is under way and every asset is done."""
    shop = await Shop.open(store)
    walk = Walk(shop, seed)
    await walk.walk()
    await walk.end()

    balances = await shop.balances()
    assert {name: fen for name, fen in balances.items() if kind_of(name) in CLEARING} == {}
    assert {name: fen for name, fen in balances.items() if name.startswith("assets:")} == {}
    for asset in walk.assets:
        state = (await shop.state(asset)).partition(":")[0]
        assert state in ("final", "expired")
        assert set(await shop.counters(asset)) == {state, f"{state}_fen"}
    records = await shop.orders.list(LI)
    assert {record.order.state for record in records} <= {"cancelled", "refunded", "final"}
    used: list[str] = [
        asset.asset_id for record in records for asset in record.assets if asset.order_id == record.order_id
    ]
    assert len(used) == len(set(used))
    for creator_id in (LI, PLATFORM):
        assert await shop.orders.due(creator_id) == []
        assert await shop.reversals(creator_id) == {}
