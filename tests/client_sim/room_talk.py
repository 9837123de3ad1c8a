"""A room's messages to a simulated viewer, and the effects that the viewer returns."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import orjson

from client_sim.arrivals import SeatTaps
from client_sim.behaviour import Behaviour, Seat
from client_sim.effects import Effect, Send
from client_sim.recorder import Recorder
from client_sim.viewer import Viewer
from loadtest.record.history_writer import HistoryWriter
from loadtest.targets.redrain import RedrainTarget, room_path
from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Share
from server.core.rooms import messages
from server.core.rooms.feed import FactKind

MS = 1_000_000
ROOM = RoomId("r1")
PACKET = PacketId("anna.1")
NOON_MS = 1_000_000  # room time when the local clock is 0, at speed 1


def seat(behaviour: Behaviour = Behaviour.EAGER, number: int = 0) -> Seat:
    return Seat(number, ViewerId(f"v{number}"), 0, ROOM, behaviour)


def on_screen(packet_id: str = PACKET, *, grab_in_ms: int, window_ms: int = 3_000, phase: str = "") -> dict[str, Any]:
    packet: dict[str, Any] = {
        "packet_id": packet_id,
        "warmup_at_ms": NOON_MS,
        "grab_at_ms": NOON_MS + grab_in_ms,
        "claim_end_at_ms": NOON_MS + grab_in_ms + window_ms,
    }
    return {**packet, "phase": phase} if phase else packet


def welcome(
    *packets: dict[str, Any], seq: int = 0, epoch: str = "e1", resync: bool = False, at_ms: int = 0, speed: int = 1
) -> bytes:
    return messages.welcome(
        room_id=ROOM, viewer_id=ViewerId("v0"), epoch=epoch, seq=seq, resync=resync, server_ms=NOON_MS + at_ms,
        speed=speed, audience=1, packets=list(packets),
    )  # fmt: skip


def warmup(seq: int, *, grab_in_ms: int, packet_id: str = PACKET, at_ms: int = 0) -> bytes:
    return messages.fact(FactKind.WARMUP, seq, NOON_MS + at_ms, {"packet": on_screen(packet_id, grab_in_ms=grab_in_ms)})


def fact(kind: str, seq: int, *, packet_id: str = PACKET, at_ms: int = 0) -> bytes:
    return messages.fact(FactKind(kind), seq, NOON_MS + at_ms, {"packet_id": packet_id})


def receipt(request_id: str, status: ClaimStatus, *, index: int = 0, packet_id: str = PACKET) -> bytes:
    share = Share(index, 88, 1, RequestId(request_id)) if status in ("granted", "repeated") else None
    return messages.receipt(Claim(PacketId(packet_id), ViewerId("v0"), RequestId(request_id), status, 1, share))


def payloads(effects: Iterable[Effect]) -> list[bytes]:
    """Return the messages among *effects*."""
    return [effect.payload for effect in effects if isinstance(effect, Send)]


def grabs(effects: Iterable[Effect]) -> list[str]:
    """Return the request ids of the grabs among *effects*."""
    sent = [orjson.loads(payload) for payload in payloads(effects)]
    return [message["request_id"] for message in sent if message["type"] == "grab"]


TARGET = RedrainTarget(["http://room.test:80"])


class Sitting:
    """One viewer at work, with its history in memory; instants are milliseconds here."""

    def __init__(
        self,
        behaviour: Behaviour = Behaviour.EAGER,
        *,
        number: int = 0,
        recorder: Recorder | None = None,
        seat_taps: SeatTaps | None = None,
    ):
        self.file = BytesIO()
        self.recorder = recorder or Recorder(HistoryWriter(self.file))
        self.viewer = Viewer(seat(behaviour, number), 1, 400, self.recorder, seat_taps=seat_taps)

    def connect(self, *packets: dict[str, Any], at_ms: float = 0, **more: Any) -> list[Effect]:
        self.open(round(at_ms * MS))
        return self.hear(welcome(*packets, at_ms=round(at_ms), **more), at_ms)

    @property
    def path(self) -> str:
        return room_path(self.viewer)

    def open(self, now_ns: int) -> None:
        self.session = TARGET.session(self.viewer, TARGET.addresses[0])
        self.viewer.opened(self.session, now_ns)

    def hear(self, payload: bytes, at_ms: float) -> list[Effect]:
        return list(self.viewer.receive(self.session.message(payload), round(at_ms * MS)))

    def wait_until(self, at_ms: float) -> list[tuple[float, str]]:
        """Wake the viewer whenever it wants until *at_ms*; return when it tapped, with which request id."""
        tapped = []
        while (wake_ns := self.viewer.next_wakeup_ns()) is not None and wake_ns <= at_ms * MS:
            tapped += [(wake_ns / MS, request_id) for request_id in grabs(self.viewer.wake(wake_ns))]
        return tapped

    def next_tap(self, by_ms: float = 4_900) -> tuple[float, str]:
        """Wake the viewer until it taps once; return when, and with which request id."""
        while (wake_ns := self.viewer.next_wakeup_ns()) is not None and wake_ns <= by_ms * MS:
            for request_id in grabs(self.viewer.wake(wake_ns)):
                return wake_ns / MS, request_id
        raise AssertionError(f"no tap until {by_ms} ms")

    def history(self) -> list[dict[str, Any]]:
        self.recorder.finish()
        return [orjson.loads(line) for line in self.file.getvalue().splitlines()]

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.history() if line["kind"] == kind]
