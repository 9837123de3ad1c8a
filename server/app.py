"""The composition root: the only place that builds a server out of its parts, runs it and takes it down."""

import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from server.api import books, creators, errors, health, packets, rooms
from server.api.body_limit import BodyLimit
from server.api.parts import Parts
from server.gateway.connection import RoomConnection
from server.gateway.gateway import Gateway
from server.gateway.http import HttpConnection
from server.gateway.limits import LOAD, PRODUCTION, Limits
from server.gateway.resume import ResumeTokens
from server.settings import LimitsProfile, Settings
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.naive import NaiveAllocator
from server.store.allocators.port import Allocator
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.feed import Feed, FeedFollower
from server.store.folder import StoreLease
from server.store.packets import Packets
from server.store.rooms import Rooms
from server.store.secret import shared_secret
from server.store.wallet import Wallet
from server.sweeper import Sweeper

LOOPBACK = ("127.", "::1", "localhost")


class CannotServe(Exception):  # noqa: N818 - said to a person
    """The machine or the settings do not allow to serve; the text says what to do."""


def open_port(settings: Settings) -> socket.socket:
    """Bind the listening socket, so that a taken port is told before anything is built. Raises CannotServe."""
    if not settings.host.startswith(LOOPBACK):
        raise CannotServe(
            f"host: {settings.host} is not a loopback address; without join tickets a server may only speak to its own "
            "machine. Use --host 127.0.0.1."
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(settings.backlog)
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"port: {settings.host}:{settings.port} cannot be had ({error.strerror}); stop what listens there, or "
            "choose another with --port (0 takes any free one)."
        ) from None
    return listener


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """
    Serve until told to stop by SIGINT or SIGTERM; *ready* is called with the base URL once grabs can be answered.

    Raises CannotServe, StoreUnfit or StoreUnavailable before anything is served.
    """
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(open_port(settings))
        url = settings.store_url
        if not url:
            lease = StoreLease.take(settings.home, settings.durability)
            stack.callback(lease.release)
            url = lease.url
        store = await Store.connect(url, durability=settings.durability)
        stack.push_async_callback(store.close)
        parts, parts_running = await _build(settings, store)
        host, port = listener.getsockname()[:2]
        base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        app = create_app(parts, parts_running, lambda: ready(base_url))
        await _run(app, settings, listener)


async def _build(settings: Settings, store: Store) -> tuple[Parts, list[Any]]:
    clock = await StoreClock.open(store, speed=settings.speed, origin_ms=settings.origin_ms)
    room_records, packet_records, feed = Rooms(store, clock), Packets(store, clock), Feed(store)
    follower = FeedFollower(store, feed)
    default = DefaultAllocator(store, clock, follower.heard)
    allocators: dict[str, Allocator] = {"default": default}

    async def come_back() -> None:
        """Trust nothing that was known before the store was away: its time may be another, its word counts."""
        await clock.sync()
        default.forget()

    follower.on_back = come_back
    if settings.diagnostics:
        allocators["naive"] = NaiveAllocator(store)
    limits: Limits = LOAD if settings.limits is LimitsProfile.LOAD else PRODUCTION
    gateway = Gateway(
        store=store,
        clock=clock,
        rooms=room_records,
        feed=feed,
        packets=packet_records,
        follower=follower,
        allocators=allocators,
        limits=limits,
        tokens=ResumeTokens(settings.secret.get_secret_value().encode() or await shared_secret(store)),
        insecure=True,
    )
    sweeper = Sweeper(store, clock, packet_records, on_settled=gateway.settled)
    parts = Parts(
        settings=settings,
        store=store,
        clock=clock,
        wallet=Wallet(store, clock),
        packets=packet_records,
        rooms=room_records,
        gateway=gateway,
    )
    return parts, [gateway, sweeper]


def create_app(parts: Parts, running: list[Any], started: Callable[[], None]) -> FastAPI:
    """Return the HTTP side; its lifespan starts what runs beside it, and hands the parts to every request."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            for piece in running:
                await piece.start()
                stack.push_async_callback(piece.stop)
            started()
            yield {"parts": parts, "gateway": parts.gateway}

    app = FastAPI(title="Redrain", version="0.1.0", lifespan=lifespan, responses=errors.ANY_PROBLEM)
    errors.install(app)
    app.add_middleware(BodyLimit)
    for module in (creators, rooms, packets, books, health):
        app.include_router(module.router)
    return app


async def _run(app: FastAPI, settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        http=HttpConnection,
        ws=RoomConnection,
        loop="uvloop",
        lifespan="on",
        backlog=settings.backlog,
        timeout_graceful_shutdown=settings.shutdown_s,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    # uvicorn raises a signal it was stopped by once more when it is done; the default action would end the process
    # before the store is told to stop.
    before = {number: signal.signal(number, _heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        await uvicorn.Server(config).serve(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard(_: int, __: FrameType | None) -> None:
    """Do nothing: the server has been stopped already."""
