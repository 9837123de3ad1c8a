"""The programme of the demo as data: the rooms, what happens in them in one round, and what a round has to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any

from client_sim.creator import PlannedPacket
from loadtest.run.director import Happening
from loadtest.scenarios.crowd_scenario import toml_table, validated
from loadtest.scenarios.scenario import Scenario

ROOMS = ("tea", "home", "hall")
HOSTS = {"xiaoman": "小满 Xiaoman", "ali": "阿栗 Chestnut", "platform": "平台 Platform"}
ORIGIN_MS = int(datetime.fromisoformat("2026-08-19T20:00:00+08:00").timestamp() * 1000)
"""The room time at which a demo begins: an evening, and a year before the next blackouts."""


def programme_text(rooms: int = len(ROOMS)) -> str:
    """Return the scenario of the first so many rooms, as TOML."""
    folder = resources.files("loadtest") / "demo" / "rooms"
    return "\n".join((folder / f"{name}.toml").read_text("utf-8") for name in ("audience", *ROOMS[:rooms]))


def programme_of(text: str, *, viewers: int | None, speed: int) -> Scenario:
    """Return the scenario in *text* before an audience of *viewers*, at *speed*. Raises BadScenario."""
    return validated(Scenario, toml_table("demo", text), source="demo", text=text).before(viewers=viewers, speed=speed)


@dataclass(slots=True)
class RoundSeen:
    """The books as they are after a round: packets and their effects by name, orders, and trails by order."""

    packets: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    effects: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    orders: list[Mapping[str, Any]] = field(default_factory=list)
    trails: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)


def lacking(planned: Sequence[PlannedPacket], seen: RoundSeen) -> list[str]:
    """Return what a round was to show and, by its evidence, has not shown."""
    found = [*_of_packets(planned, seen), *_of_orders(planned, seen)]
    return [what for what, shown in found if not shown]


def _of_packets(planned: Sequence[PlannedPacket], seen: RoundSeen) -> list[tuple[str, bool]]:
    """Return what each packet was to show, and whether it did."""
    found: list[tuple[str, bool]] = []
    surfaces: list[str] = []
    for plan in planned:
        packet, effects = seen.packets.get(plan.name, {}), seen.effects.get(plan.name, {})
        if plan.expect:
            refused = any(each.packet_name == plan.name and each.rule == plan.expect for each in seen.happenings)
            found.append((f"{plan.name}: refused by {plan.expect}", refused))
        elif plan.void_at_ms is not None:
            found.append((f"{plan.name}: voided", packet.get("state") == "voided"))
        else:
            surfaces.append(packet.get("surface", ""))
            found.append((f"{plan.name}: claimed", bool(effects.get("claims"))))
            found.append((f"{plan.name}: best luck", bool(effects.get("best_luck"))))
        if plan.edits:
            found.append((f"{plan.name}: edited", packet.get("edition", 0) > 1))
    sold_out = any(effects.get("sold_out_seconds") is not None for effects in seen.effects.values())
    found += [("a packet that sells out", sold_out), ("a popup", "popup" in surfaces)]
    if any(plan.mode == "scheduled" for plan in planned):
        found.append(("an asset widget", "asset_widget" in surfaces))
    return found


def _of_orders(planned: Sequence[PlannedPacket], seen: RoundSeen) -> list[tuple[str, bool]]:
    """Return what the orders of a round were to show, and whether they did."""
    full = [order for order in seen.orders if order["state"] == "refunded"]
    part = [order for order in seen.orders if order["state"] == "paid" and order["refunded_by_line"]]
    discounted = [order for order in seen.orders if len(order["quote"]["deductions"]) > 1]
    told = [trail for trail in seen.trails.values() if trail["completed"] == trail["of"]]
    found = [("an order with several discounts", bool(discounted)), ("a trail with all its steps", bool(told))]
    platforms = {plan.platform for plan in planned}
    if "douyin" in platforms:
        found.append(("a refund in part", bool(part)))
    if "kuaishou" in platforms:
        found.append(("a refund in full", bool(full)))
    return found
