"""The state of one server process for the routers: built once by server/app.py, passed to each request."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from server.api.credentials import Credentials
from server.api.siblings import Siblings
from server.commands.context import CommandContext
from server.core.refusal import Refused
from server.gateway.gateway import Gateway
from server.gateway.guest_book import GuestBook
from server.settings import Settings
from server.store.claim_list import ClaimLists
from server.store.connection import Store
from server.store.packet_stats import StatsCounters

IDEMPOTENCY_KEY_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class AppState(CommandContext):
    """The pieces of one server process."""

    gateway: Gateway
    settings: Settings
    store: Store
    effects: StatsCounters
    claim_lists: ClaimLists
    credentials: Credentials
    siblings: Siblings
    guest_book: GuestBook


def _state(request: Request) -> AppState:
    state = request.state.app_state
    assert isinstance(state, AppState)
    return state


def _given_key(
    idempotency_key: Annotated[str | None, Header(description="a repeated key gets the same answer")] = None,
) -> str | None:
    if idempotency_key is None:
        return None
    if not 0 < len(idempotency_key) <= IDEMPOTENCY_KEY_LENGTH_MAX or not idempotency_key.isprintable():
        raise Refused(
            "bad_field",
            f"must be 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} printable characters",
            field="Idempotency-Key",
        )
    return idempotency_key


GivenKey = Annotated[str | None, Depends(_given_key)]


def _idempotency_key(given: GivenKey) -> str:
    return secrets.token_hex(16) if given is None else given


WithState = Annotated[AppState, Depends(_state)]
WithKey = Annotated[str, Depends(_idempotency_key)]
