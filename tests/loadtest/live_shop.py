"""A server on which ten minutes pass in a second, and rooms whose viewers have all won a share of their packet."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from websockets.sync.client import connect

from loadtest.run.director import Director
from loadtest.run.server_process import ServerProcess
from loadtest.scenarios.scenario import Scenario
from tests.waiting import PATIENCE_S, until

SPEED = 600
MINUTE = 60_000
WINDOW_MS = 600 * MINUTE  # a minute of real time; the packets are ended when all have grabbed
RULEBOOKS: dict[str, dict[str, Any]] = {
    "lab": {"refund_horizon_ms": 10 * MINUTE, "reversal_delay_ms": MINUTE, "order_unpaid_max_ms": 12 * MINUTE},
    "patient": {"base": "lab", "order_unpaid_max_ms": 6_000 * MINUTE},
}
"""The second gives buyers as long to pay as a busy machine needs."""

SHOP: dict[str, Any] = {
    "orders": 1.0,
    "products": [{"product_id": "tea", "price_fen": (900, 1_900)}, {"product_id": "pin", "price_fen": 40}],
    "shipping_fen": 300,
    "service_fee_fen": 20,
    "commission_rate": 2_000,
    "service_fee_rate": 500,
    "discounts": [{"kind": "platform_coupon", "pay_permille": 900}],
}


@contextmanager
def a_server(folder: Path) -> Iterator[str]:
    """Give the URL of a server whose orders are soon final."""
    options = ["--speed", str(SPEED), "--durability", "relaxed", "--limits", "load"]
    server = ServerProcess(folder, options, RULEBOOKS)
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


def a_scenario(*creators: str, viewers: int = 4, shop: dict[str, Any] | None = None, **packet: Any) -> Scenario:
    """Return a scenario of a room and a packet per creator, with a share for each of its viewers."""
    terms: dict[str, Any] = {"platform": "lab", "mode": "manual", "launch_at_ms": 0, "claim_window_ms": WINDOW_MS}
    terms |= {"share_count": viewers // len(creators), "total_fen": 100 * viewers, "use_for_ms": 30 * MINUTE}
    terms |= packet
    whole = {
        "name": "shop",
        "speed": SPEED,
        "rulebooks": RULEBOOKS,
        "audience": {"viewers": viewers},
        "creators": [{"creator_id": each, "recharge_fen": 100_000, "platform": terms["platform"]} for each in creators],
        "rooms": [{"room_id": f"{each}-live", "creator_id": each} for each in creators],
        "packets": [{"name": f"of {each}", "room_id": f"{each}-live", **terms} for each in creators],
        "shop": {**SHOP, **(shop or {})},
    }
    return Scenario.model_validate(whole)


@contextmanager
def performed(url: str, scenario: Scenario) -> Iterator[Director]:
    """Raise the curtain, let every viewer grab, and give the director, which performs until its packets are over."""
    director = Director(url, scenario, scenario.audience.viewers, lambda _: None)
    director.set_up()
    thread = threading.Thread(target=director.perform, args=(lambda: False,))
    thread.start()
    try:
        until(lambda: len(director.happenings) >= len(scenario.packets))
        seats = list(scenario.seats())
        packets = {packet.room_id: director.packet_ids[number] for number, packet in enumerate(scenario.packets)}
        with ThreadPoolExecutor(8) as pool:  # the window is short, and the machine may be busy
            grabs = [pool.submit(_grab, url, each.viewer_id, each.room_id, packets[each.room_id]) for each in seats]
        for grab in grabs:
            grab.result()
        for packet_id in packets.values():
            requests.post(f"{url}/api/packets/{packet_id}/end", json={}, timeout=PATIENCE_S).raise_for_status()
        yield director
    finally:
        thread.join()


def _grab(url: str, viewer: str, room: str, packet_id: str) -> None:
    address = f"{url.replace('http', 'ws')}/ws/rooms/{room}?viewer={viewer}"
    with connect(address, subprotocols=["redrain.v1"]) as line:  # type: ignore[list-item]
        line.send(json.dumps({"type": "grab", "packet_id": packet_id, "request_id": f"{viewer}-1"}))
        while (message := json.loads(line.recv(timeout=PATIENCE_S)))["type"] != "receipt":
            pass
    assert message["status"] == "granted", message
