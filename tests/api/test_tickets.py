"""Tickets over HTTP: a viewer gets one for itself, comes in with it, and no log knows."""

import json
import secrets

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from server.core.credential import Role
from tests.api.caller import TIMEOUT_S, Caller
from tests.api.conftest import Guarded


@pytest.fixture
def room_id(guarded: Guarded) -> str:
    """Open a room."""
    with guarded.calls(Role.ADMIN, "root") as admin:
        return admin.room(f"c-{secrets.token_hex(4)}")


def test_a_viewer_comes_in_with_its_ticket(guarded: Guarded, room_id: str) -> None:
    """It may leave its name out; in the room it is who its credential says."""
    with guarded.calls(Role.VIEWER, "vera") as vera:
        for body in (None, {}, {"viewer_id": None}, {"viewer_id": "vera"}):
            made = vera.post(f"/api/rooms/{room_id}/tickets", body)
            assert (made["room_id"], made["viewer_id"], made["expires_in_s"]) == (room_id, "vera", 60)
            protocols = [Subprotocol("redrain.v1"), Subprotocol(f"ticket.{made['ticket']}")]
            address = f"{guarded.url.replace('http', 'ws')}/ws/rooms/{room_id}"
            with connect(address, subprotocols=protocols, compression=None, proxy=None) as line:
                assert json.loads(line.recv(TIMEOUT_S))["viewer_id"] == "vera"


def test_nobody_gets_a_ticket_in_another_ones_name(guarded: Guarded, room_id: str) -> None:
    """But an administrator, who must say whose it is to be."""
    path = f"/api/rooms/{room_id}/tickets"
    with guarded.calls(Role.VIEWER, "vera") as vera, guarded.calls(Role.ADMIN, "root") as admin:
        assert vera.refused(path, {"viewer_id": "anna"}) == (403, "not_allowed", "")
        assert admin.post(path, {"viewer_id": "anna"})["viewer_id"] == "anna"
        assert admin.refused(path, {}) == (422, "missing_field", "")
        assert admin.refused(path, {"viewer_id": "a b"}) == (422, "bad_id", "")
        assert vera.refused(path, {"role": "admin"}) == (422, "bad_field", "")
        assert vera.refused("/api/rooms/nowhere/tickets") == (404, "not_found", "")


def test_no_log_knows_a_ticket(guarded: Guarded, room_id: str) -> None:
    """Neither one that was taken nor one that was refused, nor anything else of a query."""
    with guarded.calls(Role.VIEWER, "vera") as vera:
        ticket = vera.post(f"/api/rooms/{room_id}/tickets")["ticket"]
    address = f"{guarded.url.replace('http', 'ws')}/ws/rooms/{room_id}?ticket="
    with connect(f"{address}{ticket}", compression=None, proxy=None) as line:
        assert json.loads(line.recv(TIMEOUT_S))["type"] == "welcome"
    with pytest.raises(InvalidStatus), connect(f"{address}{ticket}x", compression=None, proxy=None):
        pass
    with Caller(guarded.url) as nobody:
        assert nobody.not_shown(f"/api/rooms?ticket={ticket}")[0] == 401
    log = guarded.log()
    assert "ticket" not in log
    assert ticket.rpartition(".")[2] not in log
    assert "?" not in log
