"""Access: every route says who may call it, and nobody else can; of another one's things nobody sees anything."""

import asyncio
import json
import os
import re
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

from server import app
from server.api.access import GUEST_TICKETS, PUBLIC, allowed_to, declared
from server.app import create_app, serve
from server.core.credential import Role
from server.settings import Settings
from server.store.connection import Durability
from tests.api.caller import TIMEOUT_S, Caller, terms
from tests.api.conftest import Guarded

Route = tuple[str, str]

OF_GUESTS = {("POST", f"/api/orders{step}") for step in ("", "/{order_id}/pay", "/{order_id}/refunds")}
"""The routes that buyers may call for themselves only on a server that admits guests."""

OWNERLESS = {
    ("GET", "/api/clock"),
    ("GET", "/api/products"),
    ("GET", "/api/products/{product_id}"),
    ("GET", "/api/rooms"),
    ("GET", "/api/rulebooks"),
    ("GET", "/api/rulebooks/{platform}"),
}
"""The query with which each role may list resources without naming an owner; its rooms are then its own."""


def routes() -> Iterator[tuple[Route, frozenset[Role] | None]]:
    """Yield every route that the server has, with the roles that it declares; None if it declares nothing."""
    for context in iter_route_contexts(create_app(cast(Any, None), [], lambda: None).routes):
        is_ours = isinstance(context.original_route, APIRoute)
        roles = declared(context.dependencies) if is_ours else None
        for method in sorted(context.methods or {"ANY"}):
            yield (method, str(context.path)), roles


GUARDED_ROUTES = {route: roles for route, roles in routes() if route[1] not in PUBLIC}


def test_every_route_declares_who_may_call_it() -> None:
    """Every route declares its roles (see server/api/access.py); a page or a mount must be public."""
    silent = [route for route, roles in GUARDED_ROUTES.items() if not roles]
    assert not silent, "add dependencies=[allowed_to(...)]"
    assert all(Role.ADMIN in (roles or ()) for roles in GUARDED_ROUTES.values()), "an administrator may do everything"
    assert {path for (_, path), _ in routes()} >= PUBLIC


class World:
    """The resources of one creator, one viewer and one ISV; a stranger of each role owns none of them."""

    def __init__(self, guarded: Guarded) -> None:
        token = secrets.token_hex(4)
        self.owners = {Role.CREATOR: f"anna-{token}", Role.VIEWER: f"vera-{token}", Role.ISV: f"wms-{token}"}
        self.owners[Role.ADMIN] = f"root-{token}"
        anna, vera, wms = (self.owners[role] for role in (Role.CREATOR, Role.VIEWER, Role.ISV))
        with guarded.calls(Role.ADMIN, self.owners[Role.ADMIN]) as admin:
            admin.post(f"/api/creators/{anna}/recharge", {"amount_fen": 10_000})
            room_id, packet_id = admin.room(anna), admin.packet(anna)
            withdrawal = admin.post(f"/api/creators/{anna}/withdrawals", {"amount_fen": 1})
            budget = admin.post(f"/api/creators/{anna}/coupon-budgets", {"amount_fen": 1})
            line = {"line_id": "l", "product_id": "p", "list_price_fen": 100, "creator_id": anna}
            purchase = {"viewer_id": vera, "lines": [line]}
            order_id = admin.post("/api/orders", purchase)["order_id"]
        self.names = {
            "creator_id": anna,
            "viewer_id": vera,
            "room_id": room_id,
            "packet_id": packet_id,
            "withdrawal_id": withdrawal["withdrawal_id"],
            "budget_id": budget["budget_id"],
            "number": "1",
            "order_id": order_id,
            "isv_id": wms,
            "platform": "lab",
            "product_id": "p",
        }
        of_anna = f"?creator_id={anna}"
        self.queries = {"/api/packets": of_anna, "/api/orders": of_anna, "/api/trails": f"?viewer_id={vera}"}
        self.queries["/api/viewers/{viewer_id}/assets"] = of_anna
        self.queries["/api/creators/{creator_id}/timeline"] = "?from_ms=0&to_ms=1"
        self.queries["/api/packets/{packet_id}/claims"] = f"?viewer_id={vera}"
        event = {"event_id": "e1", "type": "accepted", "occurred_at_ms": 1, "source": wms}
        self.bodies: dict[str, object] = {
            "/api/creators/{creator_id}/recharge": {"amount_fen": 1},
            "/api/creators/{creator_id}/withdrawals": {"amount_fen": 1},
            "/api/creators/{creator_id}/coupon-budgets": {"amount_fen": 1},
            "/api/creators/{creator_id}/invoices": {"from_ms": 0, "to_ms": 1},
            "/api/creators/{creator_id}/profile": {"name": "Anna"},
            "/api/viewers/{viewer_id}/messages/read": {"received_at_ms": 1},
            "/api/rooms": {"room_id": f"new-{token}", "creator_id": anna},
            "/api/rooms/{room_id}/tickets": {"viewer_id": vera},
            "/api/packets": terms(anna),
            "/api/packets/{packet_id}/launch": {"room_id": room_id, "mode": "manual"},
            "/api/packets/{packet_id}/preview-launch": {"room_id": room_id, "mode": "manual"},
            "/api/packets/preview-split": {"creator_id": anna, "share_count": 2, "total_fen": 4},
            "/api/packets/{packet_id}/issuance": {"share_count": 10},
            "/api/products/{product_id}": {"title": "tea"},
            "/api/trails": {"order_id": f"another-{token}", "viewer_id": vera},
            "/api/trails/{order_id}/events": event,
            "/api/isvs/{isv_id}": {"integrated": True},
            "/api/orders/quote": purchase,
            "/api/orders": purchase,
            "/api/orders/{order_id}/refunds": {"refund_id": "r", "by_line": {"l": 1}},
        }

    def call(self, caller: Caller, route: Route) -> requests.Response:
        """Call a route about the owners' things, whoever the caller is."""
        method, template = route
        path = re.sub(r"\{(\w+)\}", lambda name: self.names[name[1]], template)
        query = self.queries.get(template, "") if method == "GET" else ""
        return caller.ask(method, path + query, raw=json.dumps(self.bodies.get(template)))


@pytest.fixture(scope="module")
def world(guarded: Guarded) -> World:
    """Give everybody something."""
    return World(guarded)


@pytest.fixture(scope="module")
def callers(guarded: Guarded, world: World) -> Iterator[dict[tuple[Role, str], Caller]]:
    """Give the owner and a stranger of each role its credential."""
    made = {(role, "owner"): guarded.calls(role, subject) for role, subject in world.owners.items()}
    made |= {(role, "stranger"): guarded.calls(role, "a-stranger") for role in Role if role is not Role.ADMIN}
    yield made
    for caller in made.values():
        caller.__exit__()


def outcome(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.ok else answer.json()["code"]


@pytest.mark.parametrize("route", GUARDED_ROUTES, ids=" ".join)
def test_a_route_answers_whom_it_declares_and_nobody_else(
    guarded: Guarded, world: World, callers: dict[tuple[Role, str], Caller], route: Route
) -> None:
    """Without a credential 401, in another role 403, about another one's things 403; else an answer it declares."""
    allowed = GUARDED_ROUTES[route] or frozenset()
    with Caller(guarded.url) as nobody, Caller(guarded.url, "a.b.c") as forger:
        assert outcome(world.call(nobody, route)) == (401, "credential_needed")
        assert outcome(world.call(forger, route)) == (401, "bad_credential")
    for (role, kind), caller in sorted(callers.items(), key=lambda each: each[0][1], reverse=True):
        got = outcome(world.call(caller, route))
        elsewhere = role is Role.VIEWER and route in OF_GUESTS
        if role not in allowed or elsewhere or (kind == "stranger" and route not in OWNERLESS):
            assert got == (403, "not_allowed"), (role, kind)
        else:
            assert got[0] not in (401, 403, 500), (role, kind, got)


def test_a_strange_request_is_refused_before_it_is_read(guarded: Guarded) -> None:
    """Neither what is no JSON nor a path that leads nowhere is looked at without a credential."""
    with Caller(guarded.url) as nobody:
        assert outcome(nobody.ask("POST", "/api/rooms", raw="{")) == (401, "credential_needed")
        assert outcome(nobody.ask("GET", "/nowhere")) == (401, "credential_needed")
        assert outcome(nobody.ask("GET", "/docs/")) == (401, "credential_needed")
        for path in PUBLIC - {GUEST_TICKETS}:
            assert nobody.ask("GET", path).ok, path


def test_a_creator_finds_its_own_rooms(world: World, callers: dict[tuple[Role, str], Caller]) -> None:
    """The list of all rooms is an administrator's."""
    assert callers[Role.CREATOR, "stranger"].get("/api/rooms") == []
    own = callers[Role.CREATOR, "owner"].get("/api/rooms")
    assert {room["creator_id"] for room in own} == {world.owners[Role.CREATOR]}
    assert world.names["room_id"] in {room["room_id"] for room in own}


@pytest.mark.parametrize(
    "path",
    [
        "/api/trails?viewer_id=a-stranger&viewer_id={viewer}",
        "/api/trails?viewer_id={viewer}&viewer_id=a-stranger",
        "/api/trails?viewer%5Fid={viewer}",
        "/api/trails?viewer_id=a-stranger&viewer%5fid={viewer}",
    ],
)
def test_a_name_cannot_be_smuggled_in(world: World, callers: dict[tuple[Role, str], Caller], path: str) -> None:
    """Said twice or in other letters, another one's id is found."""
    path = path.replace("{viewer}", world.owners[Role.VIEWER])
    assert callers[Role.VIEWER, "stranger"].not_shown(path) == (403, "not_allowed", "")


@pytest.mark.rule("LT-6")
def test_an_isv_speaks_for_itself_alone(world: World, callers: dict[tuple[Role, str], Caller]) -> None:
    """Not for another one, and not for the platform."""
    isv, path = callers[Role.ISV, "owner"], f"/api/trails/{world.names['order_id']}/events"
    admin = callers[Role.ADMIN, "owner"]
    admin.post(f"/api/orders/{world.names['order_id']}/pay")
    event = {"event_id": "e2", "type": "shipped", "occurred_at_ms": admin.get("/api/clock")["room_ms"]}
    for source in ("platform", "another"):
        assert isv.refused(path, {**event, "source": source})[:2] == (403, "not_allowed")
    assert isv.post(path, {**event, "type": "accepted", "source": world.owners[Role.ISV]})["event_id"] == "e2"


def test_the_document_shows_the_security_scheme(guarded: Guarded) -> None:
    """Each route that is guarded says so, and that it may answer 401 and 403; what is public does not."""
    with Caller(guarded.url) as nobody:
        document = nobody.get("/openapi.json")
    (name, scheme), *more = document["components"]["securitySchemes"].items()
    assert not more
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            guards = ({name: []} in operation.get("security", []), {"401", "403"} <= set(operation["responses"]))
            assert guards == ((path not in PUBLIC,) * 2), path


async def test_a_route_that_declares_nothing_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even an administrator does not get in; what both its router and itself declare must both allow it."""
    bare = APIRouter(prefix="/api/bare", dependencies=[])

    @bare.get("/silent")
    async def silent() -> str:
        return "nobody asked"

    @bare.get("/narrow", dependencies=[allowed_to(Role.ADMIN, Role.VIEWER), allowed_to(Role.VIEWER)])
    async def narrow() -> str:
        return "an administrator asked"

    monkeypatch.setattr(app, "ROUTERS", (bare,))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    settings = Settings(port=0, home=tmp_path, durability=Durability.NONE, insecure=True)
    serving = asyncio.create_task(serve(settings, ready.set_result))
    url = await asyncio.wait_for(ready, 60)
    for path in ("silent", "narrow"):
        answer = await asyncio.to_thread(requests.get, f"{url}/api/bare/{path}", timeout=TIMEOUT_S)
        assert outcome(answer) == (403, "not_allowed"), path
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 60)
