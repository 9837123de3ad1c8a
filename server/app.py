"""The composition root: the only module that builds a server from its parts, runs it and stops it."""

import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI

from server.api import docs, errors
from server.api.access import Authentication, deny_undeclared
from server.api.app_state import AppState
from server.api.body_limit import BodyLimit
from server.api.credentials import Credentials
from server.api.head import Head
from server.api.routers import PUBLIC_ROUTERS, ROUTERS
from server.api.siblings import Siblings
from server.api.whole_text import check_text
from server.core.rulebooks.overrides import BadRulebooks
from server.core.rulebooks.rulebook import Rulebook
from server.core.text import visible
from server.core.web_address import is_loopback, listed
from server.gateway.connection import RoomConnection
from server.gateway.door import Door
from server.gateway.gateway import Gateway
from server.gateway.guest_book import GuestBook
from server.gateway.http import HttpConnection
from server.gateway.limits import PROFILES
from server.gateway.proxies import TrustedProxies
from server.gateway.resume import ResumeTokens
from server.gateway.signing import SECRET_BYTES_MIN, Signer, weakness
from server.gateway.tickets import Tickets
from server.pages.pages import Pages
from server.rulebook_file import load_rulebooks
from server.settings import Settings
from server.signals import on_signals
from server.store.allocators.context import AllocatorContext
from server.store.allocators.guard import AllocatorFailed
from server.store.allocators.loading import BadAllocator
from server.store.allocators.registry import entries_for
from server.store.allocators.running import RunningAllocators
from server.store.assets import Assets
from server.store.claim_list import ClaimLists
from server.store.clock import ClockKeeper, StoreClock
from server.store.connection import Store
from server.store.coupon_budgets import CouponBudgets
from server.store.creators import Creators
from server.store.embedded.locks import trouble_in
from server.store.embedded.process import EmbeddedStore
from server.store.feed import Feed, FeedFollower
from server.store.inbox import Inboxes
from server.store.invoices import Invoices
from server.store.orders.orders import Orders
from server.store.packet_stats import StatsCounters
from server.store.packets import Packets
from server.store.products import Products
from server.store.retention import ARCHIVE, Retention
from server.store.reversals import Reversals
from server.store.rooms import Rooms
from server.store.secret import shared_secret
from server.store.trail import Trails
from server.store.wallet import Wallet
from server.store.withdrawals import Withdrawals
from server.store.witness import StoreWitness
from server.sweeper import Sweeper

STORE = "store"  # the folder of the embedded store, in the home folder
HOW_TO_MAKE_ONE = "openssl rand -hex 32 makes one"


class CannotServe(Exception):  # noqa: N818 - said to a person
    """The machine or the settings do not allow the server to run; the text says what to do."""


def open_port(settings: Settings, *, shared: bool = False) -> socket.socket:
    """
    Bind the listening socket, so that a taken port is reported before anything is built. Raises CannotServe.

    A *shared* one is for workers, each of which has its own on the same port.
    """
    listener = bind_port(settings, shared=shared)
    listener.listen(settings.backlog)
    return listener


def bind_port(settings: Settings, *, shared: bool) -> socket.socket:
    """Bind a socket to the port without listening yet. Raises CannotServe."""
    check_exposure(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"port: {settings.host}:{settings.port} cannot be had ({error.strerror}); stop what listens there, or "
            "choose another with --port (0 takes any free one)."
        ) from None
    return listener


def check_exposure(settings: Settings) -> None:
    """Raise CannotServe if the settings would admit anybody from outside, or nobody."""
    secret = settings.secret.get_secret_value().encode()
    previous = settings.secret_previous.get_secret_value().encode()
    for name, each in (("secret", secret), ("secret_previous", previous)):
        if each and (why := weakness(each)):
            raise CannotServe(f"{name}: REDRAIN_{name.upper()} {why}; {HOW_TO_MAKE_ONE}.")
    if settings.insecure and not is_loopback(settings.host):
        raise CannotServe(
            f"host: {settings.host} is not a loopback address; an insecure server may only speak to its own machine. "
            "Use --host 127.0.0.1, or set REDRAIN_SECRET and leave --insecure out."
        )
    if settings.insecure and settings.trusted_proxies:
        raise CannotServe(
            "trusted_proxies: an insecure server takes every caller for an administrator, and a proxy brings callers "
            "from other machines. Set REDRAIN_SECRET and leave --insecure out."
        )
    if settings.insecure and "*" in listed(settings.allowed_hosts):
        raise CannotServe(
            "allowed_hosts: an insecure server takes every caller for an administrator, and with * that may be a page "
            "of any web site. Name the hosts, or set REDRAIN_SECRET and leave --insecure out."
        )
    if not settings.insecure and not secret:
        raise CannotServe(
            f"secret: set REDRAIN_SECRET to at least {SECRET_BYTES_MIN} bytes ({HOW_TO_MAKE_ONE}), so that "
            "redrain token can make credentials; or use --insecure to try things out on this machine alone."
        )


def set_up_logging() -> None:
    """Write warnings and errors to standard error, each line with its time and level: a storm looks for errors."""
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[to_stderr])


class _Plain(logging.Formatter):
    """Lines for a terminal: what a peer has sent stands in them as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """
    Serve until SIGINT or SIGTERM; *ready* is called with the base URL once grabs can be answered.

    Raises CannotServe, StoreUnfit or StoreUnavailable before anything is served.
    """
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(open_port(settings))
        await serve_on(listener, settings, lambda: ready(base_url(listener)))


async def serve_on(
    listener: socket.socket,
    settings: Settings,
    started: Callable[[], None],
    *,
    sibling: Path | None = None,
    siblings: Sequence[Path] = (),
) -> None:
    """
    Serve on *listener*, alone or as one of several workers: *sibling* is the socket for requests from the others.

    Raises as ``serve`` does.
    """
    async with AsyncExitStack() as stack:
        url = stack.enter_context(store_in_use(settings))
        store = await Store.connect(url, durability=settings.durability)
        stack.push_async_callback(store.close)
        if not settings.store_url:
            store.supervisor.explain = partial(trouble_in, settings.home / STORE)
        if settings.is_witnessed:
            witness = await StoreWitness.over(store, settings.home, settings.store_url)
            stack.push_async_callback(witness.stop)
        state, running = await _build(settings, store, sibling, siblings)
        allocators = state.gateway.allocators
        stack.push_async_callback(allocators.close)
        try:
            await allocators.open()
        except AllocatorFailed as failed:
            raise CannotServe(str(failed)) from None
        await _run(create_app(state, running, started, facts_of(settings)), settings, listener)


@contextmanager
def store_in_use(settings: Settings) -> Iterator[str]:
    """Hold the store in use, an embedded one if no other is configured, and yield its URL."""
    if settings.store_url:
        yield settings.store_url
        return
    embedded = EmbeddedStore.join(settings.home / STORE, settings.durability)
    try:
        yield embedded.url
    finally:
        embedded.stop()


def base_url(listener: socket.socket) -> str:
    """Return the URL of *listener*."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _build(
    settings: Settings, store: Store, sibling: Path | None, siblings: Sequence[Path]
) -> tuple[AppState, list[Any]]:
    judged_by = _rulebooks(settings)
    clock = await StoreClock.open(store, speed=settings.speed, origin_ms=settings.origin_ms)
    room_records, packet_records, feed = Rooms(store, clock), Packets(store, clock, judged_by), Feed(store)
    follower = FeedFollower(store, feed)
    allocators = _allocators(settings, store, clock, follower)

    async def come_back() -> None:
        """Discard what was known before the store was unavailable, its time included, and read it again."""
        await clock.sync()
        allocators.forget()

    follower.on_back = come_back
    signer = await _signer(settings, store)
    limits = PROFILES[settings.limits]
    gateway = Gateway(
        store=store,
        clock=clock,
        rooms=room_records,
        feed=feed,
        packets=packet_records,
        follower=follower,
        allocators=allocators,
        limits=limits,
        tokens=ResumeTokens(signer),
        tickets=Tickets(signer, reusable=settings.reusable_tickets),
        proxies=TrustedProxies(settings.trusted_proxies),
        door=Door(bound=settings.host, hosts=settings.allowed_hosts, origins=settings.allowed_origins),
        insecure=settings.insecure,
        diagnostics=settings.diagnostics,
    )
    state = AppState(
        settings=settings,
        store=store,
        clock=clock,
        rulebooks=judged_by,
        allocators=allocators,
        creators=Creators(store),
        wallet=Wallet(store, clock),
        withdrawals=Withdrawals(store, clock),
        coupon_budgets=CouponBudgets(store, clock),
        invoices=Invoices(store, clock),
        packets=packet_records,
        products=Products(store),
        effects=StatsCounters(store),
        claim_lists=ClaimLists(store),
        rooms=room_records,
        reversals=Reversals(store, clock),
        trails=Trails(store, clock),
        inboxes=Inboxes(store, clock),
        assets=Assets(store, clock),
        orders=Orders(store, clock),
        gateway=gateway,
        credentials=Credentials(signer),
        siblings=Siblings(gateway, store, socket=sibling, others=siblings),
        guest_book=GuestBook(settings.guests_per_minute, limits.guests_per_address_max),
    )
    return state, [ClockKeeper(clock), gateway, Sweeper(state, _retention(settings, store, clock)), state.siblings]


def _retention(settings: Settings, store: Store, clock: StoreClock) -> Retention | None:
    kept = settings.retention_ms > 0
    return Retention(store, clock, settings.home / ARCHIVE, settings.retention_ms) if kept else None


async def _signer(settings: Settings, store: Store) -> Signer:
    secrets = [each.get_secret_value().encode() for each in (settings.secret, settings.secret_previous)]
    return Signer(secrets[0] or await shared_secret(store), *filter(None, secrets[1:]))


def _allocators(settings: Settings, store: Store, clock: StoreClock, follower: FeedFollower) -> RunningAllocators:
    try:
        entries = entries_for(diagnostics=settings.diagnostics, own=settings.allocator, folder=Path.cwd())
        return RunningAllocators(entries, partial(AllocatorContext, store, clock, follower.is_fresh))
    except BadAllocator as bad:
        raise CannotServe(f"allocator: {bad}") from None
    except AllocatorFailed as failed:
        raise CannotServe(str(failed)) from None


def _rulebooks(settings: Settings) -> Mapping[str, Rulebook]:
    try:
        return load_rulebooks(settings.rulebooks)
    except BadRulebooks as bad:
        raise CannotServe(str(bad)) from None


def create_app(
    state: AppState, running: list[Any], started: Callable[[], None], facts: Mapping[str, str] | None = None
) -> FastAPI:
    """
    Return the HTTP application; its lifespan starts the background services and gives *state* to every request.

    *facts* are for the pages.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            for piece in running:
                await piece.start()
                stack.push_async_callback(piece.stop)
            started()
            yield {"app_state": state, "gateway": state.gateway}

    app = FastAPI(
        title="Redrain",
        version=metadata.version("redrain"),
        lifespan=lifespan,
        responses=errors.ANY_PROBLEM,
        dependencies=[Depends(deny_undeclared), Depends(check_text)],
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Authentication)
    app.add_middleware(Pages, facts=facts or {})
    app.add_middleware(Head)
    docs.install(app)
    for router in PUBLIC_ROUTERS:
        app.include_router(router)
    for router in ROUTERS:
        app.include_router(router, responses=errors.problems(401, 403))
    return app


def facts_of(settings: Settings) -> dict[str, str]:
    """Return what the pages must know of this server before they can ask it."""
    facts = {name: "yes" if getattr(settings, name) else "no" for name in ("insecure", "guests")}
    return facts | ({"dashboard": settings.dashboard_url} if settings.dashboard_url else {})


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
        proxy_headers=bool(settings.trusted_proxies),  # sets the scheme; the client is found by TrustedProxies
        forwarded_allow_ips=settings.trusted_proxies,
    )
    # uvicorn raises a signal it was stopped by once more when it is done; the default action would end the process
    # before the store is stopped.
    with on_signals(lambda: None, signal.SIGINT, signal.SIGTERM):
        await uvicorn.Server(config).serve(sockets=[listener])
