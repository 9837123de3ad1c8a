"""A house for the gateway's tests: a real store, a real server on a real port, one creator, one room."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from websockets.asyncio.client import ClientConnection, connect

from server.core.ids import CreatorId, PacketId, RoomId, packet_id_of
from server.core.packets.packet import Denomination, Schedule, Surface, Terms
from server.core.packets.split import commitment, split
from server.gateway.connection import RoomConnection
from server.gateway.door import Door
from server.gateway.gateway import Gateway
from server.gateway.http import HttpConnection
from server.gateway.limits import PRODUCTION, Limits
from server.gateway.proxies import TrustedProxies
from server.gateway.resume import ResumeTokens
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets
from server.store.allocators.context import AllocatorContext
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.registry import DEFAULT, entries_for
from server.store.allocators.running import RunningAllocators
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.feed import Feed, FeedFollower
from server.store.packets import Packets
from server.store.rooms import RoomRecord, Rooms
from tests.commands.ground import Purse
from tests.waiting import PATIENCE_S, until_so

CREATOR = CreatorId("c1")
ROOM = RoomId("r1")
SEED = bytes(range(32))


class House:
    """The running server and what a creator does in it."""

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        limits: Limits,
        *,
        insecure: bool,
        reusable_tickets: bool,
        proxies: str,
        door: Door,
    ) -> None:
        self.store = store
        self.clock = clock
        self.rooms = Rooms(store, clock)
        self.packets = Packets(store, clock)
        self.feed = Feed(store)
        self.follower = FeedFollower(store, self.feed)
        new_context = partial(AllocatorContext, store, clock, self.follower.is_fresh)
        entries = entries_for(diagnostics=False, own="", folder=Path())
        self.allocators = RunningAllocators(entries, new_context)
        default = self.allocators.named(DEFAULT)
        assert isinstance(default, DefaultAllocator)
        self.default = default
        self.gateway = Gateway(
            store=store,
            clock=clock,
            rooms=self.rooms,
            feed=self.feed,
            packets=self.packets,
            follower=self.follower,
            allocators=self.allocators,
            limits=limits,
            tokens=ResumeTokens(Signer(SEED)),
            tickets=Tickets(Signer(SEED), reusable=reusable_tickets),
            proxies=TrustedProxies(proxies),
            door=door,
            insecure=insecure,
        )
        self.room: RoomRecord
        self.port = 0
        self.server: uvicorn.Server
        self._numbers = count(1)
        self._guests: list[Guest | RawGuest] = []

    async def close(self) -> None:
        """Stop the server first, as viewers see it, then see them out."""
        self.server.should_exit = True
        for guest in self._guests:
            await guest.leave()

    def url(self, viewer: str, more: str = "", room: str = ROOM) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/rooms/{room}?viewer={viewer}{more}"

    async def join(self, viewer: str, more: str = "", room: str = ROOM) -> "Guest":
        guest = Guest(await connect(self.url(viewer, more, room), compression=None, proxy=None))
        self._guests.append(guest)
        guest.welcome = await guest.next("welcome")
        return guest

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection that says nothing yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._guests.append(RawGuest(reader, writer))
        return reader, writer

    async def raw(self, viewer: str = "raw") -> "RawGuest":
        """Shake hands over a bare socket and read up to the welcome's end."""
        reader, writer = await self.connect()
        writer.write(request(f"/ws/rooms/{ROOM}?viewer={viewer}"))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert head.startswith(b"HTTP/1.1 101 ")
        guest = RawGuest(reader, writer)
        assert (await guest.message())["type"] == "welcome"
        return guest

    async def packet(
        self, shares: int = 1, *, lead_ms: int = 100, window_ms: int = 60_000, surface: Surface = Surface.POPUP
    ) -> PacketId:
        """Fund a packet of equal shares of one yuan and launch it: warm-up now, opening after *lead_ms*."""
        suffix = f"p{next(self._numbers)}"
        terms = Terms(Denomination.FIXED, shares, 100 * shares, 100, 100)
        await Purse(self.store, self.clock).recharge(
            CREATOR, amount_fen=terms.total_fen, channel="bank", transfer_id=f"recharge:{suffix}"
        )
        packet = await self.packets.create(
            packet_id=packet_id_of(CREATOR, suffix),
            name="rain",
            platform="lab",
            terms=terms,
            allocator="default",
            transfer_id=f"create:{suffix}",
            shares=split(terms, SEED),
            seed=SEED,
            commitment=commitment(terms, SEED),
        )
        seen, _ = await self.packets.launches(CREATOR)
        now_ms = self.clock.room_ms()
        speed = max(1, self.clock.record.speed)
        schedule = Schedule(now_ms, now_ms + lead_ms * speed, now_ms + (lead_ms + window_ms) * speed)
        await self.packets.launch(packet.packet_id, room=self.room, schedule=schedule, surface=surface, seen=seen)
        return packet.packet_id


class Guest:
    """A viewer with an independent client; remembers all it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.received: list[str] = []
        self.welcome: dict[str, Any] = {}

    async def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next message of one of the *kinds*."""
        while True:
            text = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            assert isinstance(text, str)
            self.received.append(text)
            message: dict[str, Any] = json.loads(text)
            if message["type"] in kinds:
                return message

    async def grab(self, packet_id: PacketId, request_id: str = "q1") -> dict[str, Any]:
        await self.socket.send(grab_text(packet_id, request_id))
        return await self.next("receipt")

    async def leave(self) -> None:
        await self.socket.close()

    def facts(self) -> list[str]:
        return [text for text in self.received if '"seq":' in text and '"welcome"' not in text]


class RawGuest:
    """A viewer that writes bytes as it pleases."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame, but for the ``audience`` that comes when its second is full."""
        while True:
            opcode, payload = await self._any_frame()
            if not payload.startswith(b'{"type":"audience"'):
                return opcode, payload

    async def _any_frame(self) -> tuple[int, bytes]:
        head = await self._exactly(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(await self._exactly(2), "big")
        return head[0] & 0x0F, await self._exactly(length)

    async def message(self) -> dict[str, Any]:
        opcode, payload = await self.frame()
        assert opcode == 1
        message: dict[str, Any] = json.loads(payload)
        return message

    async def close_code(self) -> int:
        """Read up to the close frame and the end of the stream; return the code."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                assert await asyncio.wait_for(self.reader.read(), PATIENCE_S) == b""
                return int.from_bytes(payload[:2], "big")

    async def _exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)


def grab_text(packet_id: str, request_id: str) -> str:
    return json.dumps({"type": "grab", "packet_id": packet_id, "request_id": request_id}, separators=(",", ":"))


def masked(payload: bytes, head: int = 0x81, mask: bytes = b"\x0a\x1b\x2c\x3d") -> bytes:
    """Return a client's frame; *head* is the first byte (final text unless told)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([head]) + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def request(target: str, *headers: str) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _add_routes(app: FastAPI) -> None:
    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.get("/big")
    async def big() -> StreamingResponse:
        return StreamingResponse(bytes(1 << 20) for _ in range(16))

    @app.post("/late")
    async def late(request: Request) -> str:
        return f"{(await request.body()).decode()}, {request.headers.get('x-late', 'none')}"

    @app.post("/echo")
    async def echo(request: Request) -> str:
        return (await request.body()).decode()


@asynccontextmanager
async def open_house(
    store: Store,
    limits: Limits = PRODUCTION,
    speed: int = 1,
    *,
    insecure: bool = True,
    reusable_tickets: bool = False,
    proxies: str = "",
    door: Door | None = None,
) -> AsyncIterator[House]:
    """Serve until left; then everything is stopped in the order a server stops in."""
    clock = await StoreClock.open(store, speed=speed, origin_ms=None)
    house = House(
        store,
        clock,
        limits,
        insecure=insecure,
        reusable_tickets=reusable_tickets,
        proxies=proxies,
        door=door or Door(),
    )
    house.room = await house.rooms.create(ROOM, CREATOR, "a room")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await house.gateway.start()
        yield {"gateway": house.gateway}
        await house.gateway.stop()

    app = FastAPI(lifespan=lifespan)
    _add_routes(app)
    config = uvicorn.Config(
        app, port=0, ws=RoomConnection, http=HttpConnection, lifespan="on", log_config=None, access_log=False
    )
    house.server = uvicorn.Server(config)
    serving = asyncio.ensure_future(house.server.serve())
    await until_so(lambda: house.server.started or serving.done())
    assert not serving.done(), serving
    house.port = house.server.servers[0].sockets[0].getsockname()[1]
    try:
        yield house
    finally:
        await house.close()
        await serving
        await house.default.caught_up()
