"""The onlooker of one round: tells what happens, sends the luckiest shopping, and gathers the evidence of the books."""

import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from random import Random
from typing import Any

from client_sim.buyer import Errand, Won
from client_sim.creator import PlannedPacket
from loadtest.demo.errands import HABITS, SHOP, errand_of
from loadtest.demo.lines import launched, line, seconds, yuan
from loadtest.demo.programme import RoundSeen
from loadtest.record.sales import SalesFile
from loadtest.run.buyer_worker import BuyerWorker
from loadtest.run.director import Director, Happening, planned_packets
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import Access
from loadtest.targets.requester import Requester
from server.core.ids import CreatorId, OrderId, RoomId, ViewerId

LOOK_EVERY_S = 0.3
_OVER = frozenset({"settled", "voided"})
_VIEWER_SHOWN = 20  # characters of a name that anybody may choose


class Onlooker:
    """Watches one round of *director*. Only *simulated* viewers are sent shopping: guests buy for themselves."""

    def __init__(
        self,
        url: str,
        scenario: Scenario,
        director: Director,
        *,
        access: Access,
        folder: Path,
        simulated: Collection[ViewerId],
        language: str,
        say: Callable[[str], None],
    ) -> None:
        self.evidence = RoundSeen()
        self._requester = Requester(url, access)
        self._scenario = scenario
        self._director = director
        self._simulated = simulated
        self._language = language
        self._say = say
        self._plans = {plan.name: plan for plan in planned_packets(scenario, scenario.audience.viewers)}
        self._titles = {room.room_id: room.title for room in scenario.rooms}
        self._told: set[tuple[str, str]] = set()
        self._shoppers: set[str] = set()
        self._orders: dict[OrderId, Errand] = {}
        self._stopped = threading.Event()
        self._file = SalesFile(folder / "orders.jsonl")
        self._worker = BuyerWorker(
            url,
            SHOP,
            director,
            run=secrets.token_hex(4),
            file=self._file,
            orders=self._orders.__setitem__,
            stopped=self._stopped,
            access=access,
        )

    def run(self, stopped: Callable[[], bool]) -> None:
        """Watch until the round is over, orders included, or *stopped()*. Raises SetUpFailed, or RequestException."""
        try:
            over = False
            while not stopped() and not over:
                over = self._look()
                self._worker.check()
                time.sleep(LOOK_EVERY_S)
            if not stopped():
                self._look_at_orders()
        finally:
            self._stopped.set()
            self._worker.join()
            self._file.close()

    def _look(self) -> bool:
        """Tell what is new; return whether everything is over."""
        for happening in self._director.happenings[len(self.evidence.happenings) :]:
            self.evidence.happenings.append(happening)
            self._tell_happening(happening)
        over = bool(self._director.packet_ids)
        for number, packet_id in list(self._director.packet_ids.items()):
            name = self._scenario.packets[number].name
            if self.evidence.packets.get(name, {}).get("state") not in _OVER:
                self._look_at_packet(self._plans[name], packet_id)
                over = False
        self._look_at_orders()
        return over and self._worker.idle

    def _look_at_packet(self, plan: PlannedPacket, packet_id: str) -> None:
        packet = self._requester.get(f"/api/packets/{packet_id}")
        self.evidence.packets[plan.name] = packet
        if packet["phase"] == "grabbing":
            self._tell(plan, packet["surface"])
        if packet["state"] not in _OVER and (packet["remaining"] or not packet["given"]):
            return
        effects = self._requester.get(f"/api/packets/{packet_id}/effects")
        self.evidence.effects[plan.name] = effects
        if (after_s := effects["sold_out_seconds"]) is not None:
            self._tell(plan, "sold_out", seconds=seconds(after_s * 1000, self._scenario.speed, self._language))
        if packet["state"] == "settled" and effects["best_luck"]:
            best = effects["best_luck"][0]
            self._tell(
                plan,
                "settled",
                claims=effects["claims"],
                shares=packet["share_count"],
                best=yuan(best["amount_fen"]),
                viewer=best["viewer_id"][:_VIEWER_SHOWN],
            )
            self._send_shopping(plan, packet, effects)

    def _send_shopping(self, plan: PlannedPacket, packet: Mapping[str, Any], effects: Mapping[str, Any]) -> None:
        """Send the luckiest simulated winner of a host's first packet of the round shopping."""
        if plan.creator_id not in HABITS or plan.creator_id in self._shoppers:
            return
        for lucky in effects["best_luck"]:
            if lucky["viewer_id"] in self._simulated:
                self._shoppers.add(plan.creator_id)
                asset_id = f"{packet['packet_id']}:{lucky['index']}"
                creator_id, room_id = CreatorId(plan.creator_id), RoomId(plan.room_id)
                won = Won(ViewerId(lucky["viewer_id"]), asset_id, creator_id, room_id, plan.platform)
                now_ms = self._director.room_ms(time.monotonic())
                assert now_ms is not None
                self._worker.serve(errand_of(won, now_ms), Random(0))
                return

    def _look_at_orders(self) -> None:
        orders = []
        for order_id, errand in list(self._orders.items()):
            order = self._requester.get(f"/api/orders/{order_id}")
            trail = self._requester.get(f"/api/trails/{order_id}") if order["state"] != "submitted_unpaid" else None
            orders.append(order)
            self._tell_order(errand, order, trail)
            if trail is not None:
                self.evidence.trails[order_id] = trail
        self.evidence.orders = orders

    def _tell_order(self, errand: Errand, order: Mapping[str, Any], trail: Mapping[str, Any] | None) -> None:
        plan = next(plan for plan in self._plans.values() if plan.creator_id == errand.won.creator_id)
        places = {"viewer": order["viewer_id"]}
        off_fen = sum(each["amount_fen"] for each in order["quote"]["deductions"])
        self._tell(plan, "ordered", paid=yuan(order["payable_fen"]), off=yuan(off_fen), **places)
        if trail is not None:
            self._tell(plan, "paid", **places)
            if trail["completed"] == trail["of"]:
                self._tell(plan, "trail", **places)
        if order["refunded_by_line"]:
            kind = "refunded" if order["state"] == "refunded" else "refunded_in_part"
            self._tell(plan, kind, refund=yuan(order["payable_fen"] - order["kept_fen"]), **places)

    def _tell_happening(self, happening: Happening) -> None:
        plan = self._plans[happening.packet_name]
        if happening.outcome.startswith("refused"):
            if happening.action == "launch":
                why = happening.rule or happening.outcome.removeprefix("refused ")
                self._tell(plan, "refused" if plan.expect == happening.rule != "" else "in_the_way", rule=why)
        elif happening.action == "launch":
            kind, until_ms = launched(plan)
            in_s = seconds(until_ms, self._scenario.speed, self._language)
            self._tell(plan, kind, seconds=in_s, shares=plan.share_count, sum=yuan(plan.total_fen))
        elif happening.action == "edit":
            self._tell(plan, "edited", shares=plan.edits[0].share_count)
        elif happening.action == "void":
            self._tell(plan, f"voided_by_{plan.void_by}")

    def _tell(self, plan: PlannedPacket, kind: str, **places: object) -> None:
        """Say a line, once."""
        if (plan.creator_id if kind in _OF_ORDERS else plan.name, kind) in self._told:
            return
        self._told.add((plan.creator_id if kind in _OF_ORDERS else plan.name, kind))
        room_ms = self._director.room_ms(time.monotonic()) or 0
        self._say(line(self._language, room_ms, self._titles[plan.room_id], kind, packet=plan.name, **places))


_OF_ORDERS = frozenset({"ordered", "paid", "trail", "refunded", "refunded_in_part"})
