"""
Access: the roles that may call each route. Every other call is refused, also if a route declares no roles.

**How to declare it**, for all routes of a router or for one (if both do, both must allow the caller)::

    router = APIRouter(prefix="/api/orders", dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])

    @router.post("/{order_id}/paid", dependencies=[allowed_to(Role.ADMIN)])

That also checks path and query: a creator may name only itself as ``creator_id``, and only its own packets as
``packet_id``; a viewer itself as ``viewer_id``; an ISV itself as ``isv_id``. Owners named elsewhere (in the body, in
the requested record) are checked by the handler, in one line::

    async def get(order_id: str, state: WithState, caller: WithCaller) -> OrderShown:
        order = await state.orders.get(OrderId(order_id))
        caller.check_owns(viewer_id=order.viewer_id)

tests/api/test_access.py walks all routes: each must declare its roles, and must refuse a stranger of each role.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, params
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.api import docs
from server.api.app_state import AppState
from server.api.catalogue import language_of
from server.api.credentials import HOW
from server.api.errors import refusal_answer
from server.core.credential import Caller, Role
from server.core.refusal import Refused

GUEST_TICKETS: Final = "/api/guest-tickets"
PUBLIC: Final = (
    frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", "/api/lobby", "/api/texts", GUEST_TICKETS})
    | docs.PATHS
)
"""The paths that need no credential: probes, metrics, lobby, texts, a guest's first request, the API's document."""

OF_THIS_MACHINE: Final = Caller(Role.ADMIN, "insecure")
"""The caller of requests without a credential where none is needed (``--insecure``)."""

_SCHEME: Final = "Bearer"


class Authentication:
    """Identifies the caller before anything else of a request is read; refuses requests without a valid credential."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or answer 401."""
        if scope["type"] == "http" and scope["path"] not in PUBLIC:
            try:
                scope["state"]["caller"] = identify(Headers(scope=scope), scope["state"]["app_state"])
            except Refused as refusal:
                language = language_of(Headers(scope=scope).get("accept-language", ""))
                await refusal_answer(refusal, language)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def identify(headers: Headers, state: AppState) -> Caller:
    """Return the caller of a request. Raises Refused with a code that is answered by 401."""
    shown = headers.getlist("authorization")
    if not shown and state.settings.insecure:
        return OF_THIS_MACHINE
    if not shown:
        raise Refused("credential_needed", f"missing; send {_SCHEME} and a credential; {HOW}", field="Authorization")
    scheme, _, credential = shown[0].partition(" ")
    if len(shown) > 1 or scheme.lower() != _SCHEME.lower():
        raise Refused("bad_credential", f"must be {_SCHEME} and one credential; {HOW}", field="Authorization")
    return state.credentials.read(credential.strip(), state.clock.real_ms())


class AllowedTo(SecurityBase):
    """The declaration of the roles that may call a route; the OpenAPI document calls it a security scheme."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self.roles = roles
        self.model = HTTPBearer(bearerFormat="JWT", description=f"a credential; {HOW}")
        self.scheme_name = "bearer"

    def __call__(self, request: Request) -> None:
        """Raise Refused unless the caller has one of the roles and names only itself in path and query."""
        caller = _caller(request)
        caller.check_role(self.roles)
        for field, value in (*request.path_params.items(), *request.query_params.multi_items()):
            caller.check_named(field, str(value))


def allowed_to(*roles: Role) -> Any:
    """Declare that these roles may call a route, for its ``dependencies`` or its router's."""
    return Depends(AllowedTo(frozenset(roles)))


def declared(dependencies: list[params.Depends]) -> frozenset[Role] | None:
    """Return the roles that all of a route's dependencies allow, or None if they declare none."""
    found = [each.dependency.roles for each in dependencies if isinstance(each.dependency, AllowedTo)]
    return frozenset(Role).intersection(*found) if found else None


def deny_undeclared(request: Request) -> None:
    """Raise Refused if a route neither is public nor declares its roles: default deny."""
    if request.scope["path"] not in PUBLIC and declared(request.scope["route"].dependencies) is None:
        raise Refused("not_allowed", "this route declares no roles, so it cannot be called")


def _caller(request: Request) -> Caller:
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


WithCaller = Annotated[Caller, Depends(_caller)]
