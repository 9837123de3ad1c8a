"""The director: sets a scenario's creators, rooms and packets up over the HTTP API, and makes things happen in time."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from client_sim.creator import PlannedPacket, Step, programme
from loadtest.scenario import Scenario

REQUEST_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.1


class SetUpFailed(Exception):  # noqa: N818 - said to a person
    """The server would not do what the scenario asks for; the text says what it answered."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something a creator did: when (room ms after the curtain), what, to which packet, and what came of it."""

    at_ms: int
    action: str
    packet_name: str
    packet_id: str
    outcome: str


class Director:
    """
    Runs one programme against one server, for any engine.

    ``set_up()`` once, then ``perform(stopped)``. Both block; under gevent they yield as everything else does.
    """

    def __init__(
        self,
        host: str,
        scenario: Scenario,
        viewers: int,
        say: Callable[[str], None],
        *,
        allocator: str = "default",
    ) -> None:
        self.happenings: list[Happening] = []
        self.packet_ids: dict[int, str] = {}
        self._host = host.rstrip("/")
        self._scenario = scenario
        self._viewers = viewers
        self._say = say
        self._allocator = allocator
        self._http = requests.Session()
        self._run = secrets.token_hex(4)

    def set_up(self) -> None:
        """Make the creators, fill their wallets and open the rooms. Raises SetUpFailed."""
        for creator in self._scenario.creators:
            self._post(
                f"/api/creators/{creator.creator_id}/recharge",
                {"amount_fen": creator.recharge_fen, "channel": creator.channel},
                key=f"recharge-{creator.creator_id}",
            )
        for room in self._scenario.rooms:
            self._post(
                "/api/rooms",
                {"room_id": room.room_id, "creator_id": room.creator_id, "title": room.title},
                key=f"room-{room.room_id}",
            )
        self._say(f"{len(self._scenario.creators)} creators, {len(self._scenario.rooms)} rooms")

    def perform(self, stopped: Callable[[], bool]) -> None:
        """
        Raise the curtain: create the packets, launch and void them when due, and wait until all have settled.

        With ``loop_ms`` in the scenario it begins again until *stopped()*. Raises SetUpFailed.
        """
        lap = 0
        while True:
            started = time.monotonic()
            self._perform_once(lap, stopped)
            loop_ms = self._scenario.loop_ms
            if loop_ms is None or stopped():
                return
            self._sleep_until(started + loop_ms / 1000 / self._scenario.speed, stopped)
            lap += 1

    def _perform_once(self, lap: int, stopped: Callable[[], bool]) -> None:
        packets = planned_packets(self._scenario, self._viewers)
        ids = {packet.number: self._create(packet, lap) for packet in packets}
        self.packet_ids.update(ids)
        clock = self._get("/api/clock")
        speed = int(clock["speed"])
        curtain_room_ms, curtain = int(clock["room_ms"]), time.monotonic()
        for step in programme(packets):
            self._sleep_until(curtain + step.at_ms / 1000 / speed, stopped)
            if stopped():
                return
            self._carry_out(step, ids[step.packet.number], curtain_room_ms, lap)
        while not stopped() and not self._all_settled(list(ids.values())):
            time.sleep(LOOK_EVERY_S)

    def _create(self, packet: PlannedPacket, lap: int) -> str:
        made = self._post(
            "/api/packets",
            {
                "creator_id": packet.creator_id,
                "name": packet.name,
                "platform": packet.platform,
                "denomination": packet.denomination,
                "share_count": packet.share_count,
                "total_fen": packet.total_fen,
                "min_share_fen": packet.min_share_fen,
                "max_share_fen": packet.max_share_fen,
                "allocator": self._allocator,
            },
            key=f"create-{lap}-{packet.number}",
        )
        return str(made["packet_id"])

    def _carry_out(self, step: Step, packet_id: str, curtain_room_ms: int, lap: int) -> None:
        packet = step.packet
        if step.action == "void":
            self._post(f"/api/packets/{packet_id}/void", {}, key=f"void-{lap}-{packet.number}")
            self._note(step, packet_id, "voided")
            return
        body: dict[str, Any] = {"room_id": packet.room_id, "mode": packet.mode}
        if packet.delay_ms is not None:
            body["delay_ms"] = packet.delay_ms
        if packet.warmup_at_ms is not None and packet.grab_at_ms is not None:
            body["warmup_at_ms"] = curtain_room_ms + packet.warmup_at_ms
            # An exact launch opens on a whole second (DY-LAU-4).
            body["grab_at_ms"] = -(-(curtain_room_ms + packet.grab_at_ms) // 1000) * 1000
        if packet.claim_window_ms is not None:
            body["claim_window_ms"] = packet.claim_window_ms
        self._post(f"/api/packets/{packet_id}/launch", body, key=f"launch-{lap}-{packet.number}")
        self._note(step, packet_id, "launched")

    def _note(self, step: Step, packet_id: str, outcome: str) -> None:
        self.happenings.append(Happening(step.at_ms, step.action, step.packet.name, packet_id, outcome))
        self._say(f"{step.packet.name}: {outcome}")

    def _all_settled(self, packet_ids: list[str]) -> bool:
        return all(self._get(f"/api/packets/{each}")["state"] in ("settled", "voided") for each in packet_ids)

    @staticmethod
    def _sleep_until(instant: float, stopped: Callable[[], bool]) -> None:
        while not stopped() and (left := instant - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_S))

    def _get(self, path: str) -> dict[str, Any]:
        return self._answer(self._http.get(self._host + path, timeout=REQUEST_TIMEOUT_S))

    def _post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": f"{self._run}-{key}"}
        return self._answer(self._http.post(self._host + path, json=body, headers=headers, timeout=REQUEST_TIMEOUT_S))

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        if response.ok:
            answer: dict[str, Any] = response.json()
            return answer
        request = response.request
        raise SetUpFailed(f"{request.method} {request.path_url}: {response.status_code} {response.text}")


def planned_packets(scenario: Scenario, viewers: int) -> list[PlannedPacket]:
    """Return a scenario's packets as their creators plan them before an audience of *viewers*."""
    hosts = {room.room_id: room.creator_id for room in scenario.rooms}
    return [
        PlannedPacket(
            number=number,
            creator_id=hosts[packet.room_id],
            share_count=packet.shares_for(viewers),
            total_fen=packet.sum_for(viewers),
            **packet.model_dump(exclude={"share_count", "shares_per_viewer", "total_fen", "mean_share_fen"}),
        )
        for number, packet in enumerate(scenario.packets)
    ]
