"""The studio: a server of its own with the demo's rooms, goods and audience, which is told over the API what to do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from loadtest.demo.errands import ISV, WARES
from loadtest.demo.programme import programme_of, programme_text
from loadtest.engines.crowd import Crowd, SilentView
from loadtest.engines.engine_process import CrowdOrder
from loadtest.run.director import Director
from loadtest.run.provision import provision
from loadtest.run.server_process import ServerProcess
from tests.api.caller import Caller
from tests.waiting import until

SPEED = 60
SECOND_MS = SPEED * 1000
"""The time that passes in the room in a second here."""
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
ORIGIN_MS = int(datetime.fromisoformat("2026-07-30T20:05:00+08:00").timestamp() * 1000)
"""An evening two days before the first of the platform's own slots."""
NAMES = {"xiaoman": "小满茶铺", "ali": "阿栗家居", "platform": "平台会场"}
STEPS = ("accepted", "picking", "picked", "waybill_printed", "packed")
TRADE = {"commission_rate": 2000, "service_fee_rate": 500, "merchant_id": "chestnut-lane"}


class Studio:
    """One evening; ``api`` is the way to everything that hosts, the platform and merchants do."""

    def __init__(self, server: ServerProcess, url: str, api: Caller) -> None:
        self.server = server
        self.url = url
        self.api = api

    def put(self, path: str, body: object) -> None:
        """Carry out what is named by its path."""
        answer = self.api.ask("PUT", path, raw=json.dumps(body))
        assert answer.ok, answer.text

    def now_ms(self) -> int:
        """Return the time of the rooms."""
        now: int = self.api.get("/api/clock")["room_ms"]
        return now

    def packet(self, creator_id: str, name: str, share_count: int, total_fen: int, **terms: object) -> str:
        """Create a packet and return its id."""
        body = {"creator_id": creator_id, "name": name, "share_count": share_count, "total_fen": total_fen}
        validity = {} if "use_for_ms" in terms else {"use_for_ms": 3 * DAY_MS}
        platform = {"platform": "douyin"} if creator_id == "platform" else {}
        made: dict[str, str] = self.api.post("/api/packets", {**body, **platform, **validity, **terms})
        return made["packet_id"]

    def launch(self, packet_id: str, room_id: str, mode: str = "relative", **times: int) -> dict[str, Any]:
        """Launch a packet into a room and return it."""
        body = {"room_id": room_id, "mode": mode, "claim_window_ms": 40 * MINUTE_MS, **times}
        launched: dict[str, Any] = self.api.post(f"/api/packets/{packet_id}/launch", body)
        return launched

    def launch_exact(self, packet_id: str, room_id: str, *, warmup_in_ms: int, grab_in_ms: int) -> None:
        """Launch a packet by exact times, counted from now; both are whole minutes."""
        now_ms = self.now_ms() // MINUTE_MS * MINUTE_MS
        times = {"warmup_at_ms": now_ms + warmup_in_ms, "grab_at_ms": now_ms + grab_in_ms}
        self.launch(packet_id, room_id, "exact", **times)

    def win(self, room_id: str, packet_id: str, viewer_id: str) -> None:
        """Tap as a viewer until a packet that is about to open is open."""
        until(lambda: self.api.grab(room_id, packet_id, viewer_id)["status"] in {"granted", "repeated"})

    def buy(self, viewer_id: str, creator_id: str, room_id: str) -> str:
        """Order the first goods of a host's table as a viewer, and return the order's id."""
        product_id, _, price_fen = WARES[creator_id][0]
        line = {"line_id": "1", "product_id": product_id, "list_price_fen": price_fen, "creator_id": creator_id}
        client = "kuaishou" if creator_id == "ali" else "douyin"
        purchase = {"viewer_id": viewer_id, "client": client, "lines": [{**line, "entrance": "live_room"}]}
        quote = self.api.post("/api/orders/quote", purchase)
        agreed = {**TRADE, "expected_payable_fen": quote["payable_fen"], "room_id": room_id}
        order_id: str = self.api.post("/api/orders", {**purchase, **agreed})["order_id"]
        return order_id

    def report(self, order_id: str, step: str) -> None:
        """Report a step of an order's logistics, as the merchant's tool does."""
        event = {"event_id": step, "type": step, "source": ISV, "occurred_at_ms": self.now_ms()}
        self.api.post(f"/api/trails/{order_id}/events", event)


@contextmanager
def studio(folder: Path, viewers: int = 240) -> Iterator[Studio]:
    """Run the server and its audience."""
    options = ["--speed", str(SPEED), "--origin-ms", str(ORIGIN_MS), "--limits", "demo", "--durability", "relaxed"]
    server = ServerProcess(folder, options)
    try:
        url = server.wait_until_ready()
        with Caller(url) as api:
            made = Studio(server, url, api)
            for creator_id, name in NAMES.items():
                made.put(f"/api/creators/{creator_id}/profile", {"name": name})
            with _audience(folder, url, viewers):
                api.post(f"/api/isvs/{ISV}", {"integrated": True})
                for creator_id, wares in WARES.items():
                    for product_id, title, price_fen in wares:
                        body = {"title": title, "list_price_fen": price_fen, "creator_id": creator_id}
                        made.put(f"/api/products/{product_id}", body)
                yield made
    finally:
        server.stop()


@contextmanager
def _audience(folder: Path, url: str, viewers: int) -> Iterator[None]:
    """Open the demo's rooms, and let its audience come in."""
    text = programme_text()
    path = folder / "studio.toml"
    path.write_text(text, "utf-8")
    planned = programme_of(text, viewers=viewers, speed=SPEED)
    scenario = provision(planned, engine="swarm", processes=1, target=None).scenario
    Director(url, scenario, viewers, lambda _: None).set_up()
    order = CrowdOrder(
        host=url,
        scenario=str(path),
        viewers=viewers,
        seats=sum(1 for _ in scenario.seats()),
        arrivals_per_second=scenario.audience.arrivals_per_second,
        seed=scenario.seed,
        reaction_median_ms=scenario.audience.reaction_median_ms,
    )
    crowd = Crowd("swarm", folder, order, processes=1, view=SilentView(), history=False)
    try:
        crowd.connect()
        yield
    finally:
        crowd.leave()
