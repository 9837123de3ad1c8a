"""
A tiny room server on the wire protocol of docs/protocol.md, for trying the audience without the product.

Run as a script it prints its port and gives one packet after the other; ``/wire/...`` paths say things to a transport.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share, answer_to
from server.core.rooms import messages
from server.core.rooms.feed import FactKind

WARMUP_MS, WINDOW_MS, PAUSE_S = 800, 1_500, 0.3
ROOM_EPOCH_MS = 1_700_000_000_000


def room_ms() -> int:
    return ROOM_EPOCH_MS + time.monotonic_ns() // 1_000_000


class FakePacket:
    """One packet with equal shares, and who has one."""

    def __init__(self, number: int, shares: int) -> None:
        now_ms = room_ms()
        self.packet_id = PacketId(f"anna.{number}")
        self.grab_at_ms = now_ms + WARMUP_MS
        self.claim_end_at_ms = self.grab_at_ms + WINDOW_MS
        self.left = shares
        self.claims: dict[ViewerId, Share] = {}
        self.on_screen: dict[str, Any] = {
            "packet_id": self.packet_id, "name": "fake", "creator_id": "anna", "platform": "lab",
            "share_count": shares, "total_fen": shares * 88, "warmup_at_ms": now_ms, "grab_at_ms": self.grab_at_ms,
            "claim_end_at_ms": self.claim_end_at_ms, "surface": "popup", "edition": 1, "commitment": "",
        }  # fmt: skip

    def claim(self, grab: Grab) -> Claim:
        held = self.claims.get(grab.viewer_id)
        if held is not None:
            return answer_to(grab, self.packet_id, held)
        now_ms = room_ms()
        status, share = ClaimStatus.GRANTED, None
        if now_ms < self.grab_at_ms:
            status = ClaimStatus.TOO_EARLY
        elif now_ms >= self.claim_end_at_ms:
            status = ClaimStatus.TOO_LATE
        elif not self.left:
            status = ClaimStatus.EXHAUSTED
        else:
            self.left -= 1
            share = self.claims[grab.viewer_id] = Share(len(self.claims), 88, 1, grab.request_id)
        return Claim(self.packet_id, grab.viewer_id, grab.request_id, status, 1, share)


class FakeRoom:
    def __init__(self, room_id: str, shares: int) -> None:
        self.room_id = RoomId(room_id)
        self.shares = shares
        self.seq = 0
        self.facts: list[bytes] = []
        self.packets: dict[str, FakePacket] = {}
        self.here: set[ServerConnection] = set()

    def say(self, kind: str, body: dict[str, Any]) -> None:
        self.seq += 1
        fact = messages.fact(FactKind(kind), self.seq, room_ms(), body)
        self.facts.append(fact)
        for ws in self.here:
            ws.transport.write(b"".join(frames_of(fact)))

    async def perform(self) -> None:
        number = 0
        while True:
            packet = FakePacket(number, self.shares)
            self.packets = {packet.packet_id: packet}
            self.say("warmup", {"packet": packet.on_screen})
            await until(packet.grab_at_ms)
            self.say("open", {"packet_id": packet.packet_id})
            await until(packet.claim_end_at_ms)
            self.say("closed", {"packet_id": packet.packet_id})
            self.say("result", {"packet_id": packet.packet_id, "granted_count": len(packet.claims)})
            await asyncio.sleep(PAUSE_S)
            number += 1

    async def attend(self, ws: ServerConnection, viewer_id: ViewerId, after: int | None) -> None:
        packets = [{**packet.on_screen, "phase": "warming"} for packet in self.packets.values()]
        welcome = messages.welcome(
            room_id=self.room_id, viewer_id=viewer_id, epoch="e1", seq=self.seq, resync=after is None,
            server_ms=room_ms(), speed=1, audience=len(self.here), packets=packets,
        )  # fmt: skip
        await ws.send(welcome, text=True)
        for fact in self.facts[after:] if after is not None else []:
            await ws.send(fact, text=True)
        self.here.add(ws)
        try:
            async for raw in ws:
                assert isinstance(raw, str)
                match messages.decode(raw.encode()):
                    case messages.Ping(client_ms):
                        await ws.send(messages.pong(client_ms, room_ms()), text=True)
                    case messages.GrabMessage(packet_id, request_id):
                        await ws.send(messages.receipt(self.claim(viewer_id, packet_id, request_id)), text=True)
        finally:
            self.here.discard(ws)

    def claim(self, viewer_id: ViewerId, packet_id: PacketId, request_id: RequestId) -> Claim:
        packet = self.packets.get(packet_id)
        if packet is None:
            return Claim(packet_id, viewer_id, request_id, ClaimStatus.NOT_FOUND, 0)
        return packet.claim(Grab(viewer_id, request_id))


def frames_of(*payloads: bytes) -> Iterator[bytes]:
    for payload in payloads:
        yield Frame(Opcode.TEXT, payload).serialize(mask=False)


async def until(at_ms: int) -> None:
    await asyncio.sleep(max(0, at_ms - room_ms()) / 1000)


async def say_on_the_wire(ws: ServerConnection, what: str) -> None:  # noqa: C901 - a list of things to say
    """Say what a transport must get right."""
    match what:
        case "echo":
            async for raw in ws:
                await ws.send(raw)
        case "halves":
            for piece in b"".join(frames_of(b'{"n":1}', b"x" * 300, b'{"n":2}')):
                ws.transport.write(bytes([piece]))
                await asyncio.sleep(0)
        case "fragments":
            await ws.send(["one ", "and ", "two"])
        case "ping between fragments":
            parts = [Frame(Opcode.TEXT, b"before ", fin=False), Frame(Opcode.PING, b"?"), Frame(Opcode.CONT, b"after")]
            ws.transport.write(b"".join(part.serialize(mask=False) for part in parts))
            await ws.send("done")
        case "large":
            await ws.send("y" * 200_000)
        case "too large":
            await ws.send("z" * 1_100_000)
        case "ping":
            await (await ws.ping(b"are you there"))
            await ws.send("pong came")
        case "goodbye":
            await ws.send("bye")
            await ws.close(4008, "too far behind")
        case "break":
            ws.transport.abort()
        case "masked":
            ws.transport.write(Frame(Opcode.TEXT, b"illegal").serialize(mask=True))
            await asyncio.sleep(1)
    await ws.wait_closed()


async def main(shares: int) -> None:
    rooms: dict[str, FakeRoom] = {}
    performances = []

    async def handle(ws: ServerConnection) -> None:
        assert ws.request is not None
        parts = urlsplit(ws.request.path)
        query = parse_qs(parts.query)
        try:
            if parts.path.startswith("/wire/"):
                await say_on_the_wire(ws, parts.path.removeprefix("/wire/").replace("-", " "))
                return
            room_id = parts.path.rpartition("/")[2]
            if room_id not in rooms:
                rooms[room_id] = FakeRoom(room_id, shares)
                performances.append(asyncio.create_task(rooms[room_id].perform()))
            after = int(query["seq"][0]) if "seq" in query else None
            await rooms[room_id].attend(ws, ViewerId(query["viewer"][0]), after)
        except ConnectionClosed:
            pass

    async with serve(handle, "127.0.0.1", 0, subprotocols=[messages.PROTOCOL], compression=None) as server:  # type: ignore[list-item]
        sys.stdout.buffer.write(orjson.dumps({"port": server.sockets[0].getsockname()[1]}) + b"\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
