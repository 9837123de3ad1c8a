"""
The shop driver: looks up the winners, passes them to buyer workers, and waits until every order is final.

It checks a packet once its window is over and queries the assets of the viewers of its room. Each winner is always
served by the same one of a few workers, so that a buyer's requests stay in order.
"""

import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Protocol

from client_sim.buyer import Errand, Won, errand
from loadtest.record.sales import SaleRecord, SalesFile
from loadtest.run.buyer_worker import BuyerWorker, RoomTime
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.shop import Shop
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.requester import Requester, SetUpFailed
from server.core.ids import PLATFORM, CreatorId, OrderId, RoomId, ViewerId
from server.core.orders.order import TRANSITIONS, OrderState

BUYER_WORKERS = 4  # enough for some hundred requests a second
LOOK_EVERY_S = 0.3
_OVER = frozenset({"settled", "voided"})


class ShopProgramme(RoomTime, Protocol):
    """The part of the running programme that the shop needs."""

    packet_ids: dict[int, str]
    """The packets by their number in the scenario, once they are created."""


class ShopDriver:
    """
    Serves one scenario's buyers. ``run`` blocks; ``status`` is a short summary of the state.

    *broken_off* tells whether the run is ended early by its own thresholds, and so is judged all the same.
    """

    def __init__(
        self,
        host: str,
        scenario: Scenario,
        programme: ShopProgramme,
        path: Path,
        *,
        access: Access = NOBODY,
        broken_off: Callable[[], bool] = lambda: False,
    ) -> None:
        assert scenario.shop is not None
        self.status = ""
        self._broken_off = broken_off
        self._shop: Shop = scenario.shop
        self._scenario = scenario
        self._programme = programme
        self._requester = Requester(host, access)
        self._file = SalesFile(path)
        self._stopped = threading.Event()
        self._open_orders: dict[OrderId, Errand] = {}
        self._orders = 0
        run = secrets.token_hex(4)
        self._clerks = [
            BuyerWorker(
                host,
                self._shop,
                programme,
                run=run,
                file=self._file,
                orders=self._ordered,
                stopped=self._stopped,
                access=access,
            )
            for _ in range(BUYER_WORKERS)
        ]
        self._closes_ms: dict[int, int] = {}

    def run(self, stopped: Callable[[], bool]) -> None:
        """
        Serve all winners, and wait until all orders are final and all packets used, expired or returned.

        In a run that was broken off the file is whole too, with the orders that are final. Raises SetUpFailed for an
        unexpected refusal, or if something is not final in time; and the exceptions of ``requests``.
        """
        whole = False
        try:
            isv = f"/api/isvs/{self._shop.isv_id}"
            self._requester.post(isv, {"integrated": True}, key=f"integrate-{self._shop.isv_id}")
            self._serve(stopped)
            self._see_to_the_end(stopped)
            whole = not stopped() or self._broken_off()
        finally:
            self._stopped.set()
            for clerk in self._clerks:
                clerk.join()
            if whole:
                self._file.end()
            self._file.close()

    def _serve(self, stopped: Callable[[], bool]) -> None:
        """Check each packet when its window is over, until all are checked and all acts are done."""
        waited_for = set(range(len(self._scenario.packets)))
        while not stopped() and (waited_for or not all(clerk.idle for clerk in self._clerks)):
            packet_ids = dict(self._programme.packet_ids)
            for number in sorted(waited_for & packet_ids.keys()):
                if self._over(number, packet_ids[number]):
                    if not self._expired(number):
                        self._welcome(number, packet_ids[number])
                    waited_for.discard(number)
            self._check()
            self._tell(f"{len(waited_for)} packets to come")
            time.sleep(LOOK_EVERY_S)

    def _over(self, number: int, packet_id: str) -> bool:
        """Tell whether a packet has settled, without asking before its window closes."""
        now_ms = self._programme.room_ms(time.monotonic())
        if now_ms is None or now_ms < self._closes_ms.get(number, 0):
            return False
        packet = self._requester.get(f"/api/packets/{packet_id}")
        self._closes_ms[number] = packet["claim_end_at_ms"] or 0
        return packet["state"] in _OVER

    def _expired(self, number: int) -> bool:
        """Tell whether nobody can use a share of a packet any more: in a long programme the shop may lag behind."""
        lasts_ms, now_ms = self._scenario.packets[number].use_for_ms, self._programme.room_ms(time.monotonic())
        return lasts_ms is not None and now_ms is not None and now_ms > self._closes_ms[number] + lasts_ms

    def _welcome(self, number: int, packet_id: str) -> None:
        """Pass the first winners found, in an order that depends on the seed, to the workers."""
        seed, shop = self._scenario.seed, self._shop
        products = [ware.product for ware in shop.products]
        for won in self._winners(number, packet_id):
            self._check()
            now_ms = self._programme.room_ms(time.monotonic())
            assert now_ms is not None
            rng = Random(f"{seed}:buyer:{won.viewer_id}:{number}:{won.asset_id.rpartition(':')[2]}")
            clerk = self._clerks[zlib.crc32(won.viewer_id.encode()) % BUYER_WORKERS]
            clerk.serve(errand(won, rng, now_ms, orders=shop.orders, mix=shop.mix, products=products), rng)

    def _winners(self, number: int, packet_id: str) -> Iterator[Won]:
        planned = self._scenario.packets[number]
        rng = Random(f"{self._scenario.seed}:winners:{number}")
        viewers = list(
            dict.fromkeys(seat.viewer_id for seat in self._scenario.seats() if seat.room_id == planned.room_id)
        )
        rng.shuffle(viewers)
        creator_id = CreatorId(packet_id.partition(".")[0])
        sellers = self._sellers(planned.platform) if creator_id == PLATFORM else [creator_id]
        found = 0
        for viewer_id in viewers:
            for asset in self._assets(viewer_id, creator_id):
                if asset["packet_id"] != packet_id or asset["state"] != "available":
                    continue
                scope = asset["product_ids"]
                yield Won(
                    viewer_id,
                    asset["asset_id"],
                    rng.choice(sellers),
                    RoomId(planned.room_id),
                    planned.platform,
                    None if scope is None else frozenset(scope),
                )
                found += 1
            if found >= self._shop.buyers_max:
                return

    def _assets(self, viewer_id: ViewerId, creator_id: CreatorId) -> list[dict[str, Any]]:
        assets: list[dict[str, Any]] = self._requester.get(
            f"/api/viewers/{viewer_id}/assets", creator_id=creator_id, platform_packets=False
        )
        return assets

    def _sellers(self, platform: str) -> list[CreatorId]:
        """Return the creators of a platform, or all if it has none: a winner of a platform packet may buy from them."""
        hosts = {room.room_id: CreatorId(room.creator_id) for room in self._scenario.rooms}
        there = {hosts[packet.room_id] for packet in self._scenario.packets if packet.platform == platform}
        return sorted(there - {PLATFORM}) or sorted({*hosts.values()} - {PLATFORM}) or [PLATFORM]

    def _see_to_the_end(self, stopped: Callable[[], bool]) -> None:
        """Wait until nothing can change any more, and record the final state of each order."""
        packets = list(self._programme.packet_ids.values())
        creators = [creator.creator_id for creator in self._scenario.creators]
        began_ms = self._programme.room_ms(time.monotonic())
        while not stopped():
            self._check()
            self._settle_orders()
            while packets and _used_up(self._requester.get(f"/api/packets/{packets[0]}")):
                packets.pop(0)
            while not packets and creators and self._all_back(creators[0]):
                creators.pop(0)
            self._tell(f"{len(packets)} packets not used up")
            if not self._open_orders and not packets and not creators:
                return
            now_ms = self._programme.room_ms(time.monotonic())
            if began_ms is not None and now_ms is not None and now_ms - began_ms > self._shop.final_within_ms:
                raise SetUpFailed(f"not everything in the shop is final in time: {self._left(packets, creators)}")
            time.sleep(LOOK_EVERY_S)

    def _settle_orders(self) -> None:
        """Record the orders that are final, up to the first that is not."""
        for order_id, its in list(self._open_orders.items()):
            order = self._requester.get(f"/api/orders/{order_id}")
            if TRANSITIONS[OrderState(order["state"])]:
                return
            trail = self._requester.get(f"/api/trails/{order_id}")
            self._file.sale(_record(order, its, len(trail["timeline"])))
            del self._open_orders[order_id]

    def _all_back(self, creator_id: str) -> bool:
        return bool(self._requester.get(f"/api/creators/{creator_id}/funds").get("reversing_fen", 0) == 0)

    def _left(self, packets: list[str], creators: list[str]) -> str:
        left = [*self._open_orders][:3] + packets[:3] + creators[:3]
        return ", ".join(left)

    def _ordered(self, order_id: OrderId, its: Errand) -> None:
        self._open_orders[order_id] = its
        self._orders += 1

    def _check(self) -> None:
        for clerk in self._clerks:
            clerk.check()

    def _tell(self, more: str) -> None:
        refused = sum(self._file.refusals.values())
        self.status = f"shop: {self._orders} orders, {len(self._open_orders)} open, {refused} refused, {more}"


def _used_up(packet: dict[str, Any]) -> bool:
    """Tell whether no share of a packet can be used any more; shares without an end of validity always can."""
    if packet["use_for_ms"] is None and packet["use_end_at_ms"] is None:
        return bool(packet["locked"] == packet["redeemed"] == 0)
    return bool(packet["given"] == packet["final"] + packet["expired"])


def _record(order: dict[str, Any], its: Errand, timeline: int) -> SaleRecord:
    return SaleRecord(
        **{name: order[name] for name in _OF_ORDER},
        habit=its.habit,
        state=OrderState(order["state"]),
        packets=tuple((each["asset_id"], each["used_fen"], each["state"]) for each in order["packets"]),
        timeline=timeline,
    )


_OF_ORDER = ("order_id", "creator_id", "viewer_id", "merchant_id", "paid_at_ms", "payable_fen", "kept_fen")
