"""Voids over HTTP in the name of a creator and of the platform (AMB-55)."""

import secrets
from typing import Any

import pytest

from server.core.credential import Role
from tests.api.caller import Caller
from tests.api.conftest import Guarded

MINUTE_MS = 60_000
IMMEDIATE = {"mode": "relative", "delay_ms": 4 * MINUTE_MS}  # warms up at once, so its creator can never void it


def launched_on_douyin(admin: Caller, launch: dict[str, Any]) -> tuple[str, str, str]:
    """Launch a packet of a new creator of Douyin, and return creator, room and packet."""
    creator_id = secrets.token_hex(6)
    admin.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1000, "platform": "douyin"})
    room_id = admin.room(creator_id)
    packet_id = admin.packet(creator_id, platform="douyin", use_for_ms=10**8)
    admin.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **launch})
    return creator_id, room_id, packet_id


@pytest.mark.rule("DY-VOI-2")
@pytest.mark.rule("DY-VOI-3")
def test_the_platform_may_void_while_the_creator_may_not(guarded: Guarded) -> None:
    """During the warm-up the creator is too late and the administrator is not; all that was unclaimed goes back."""
    with guarded.calls(Role.ADMIN, "root") as admin:
        creator_id, _, packet_id = launched_on_douyin(admin, IMMEDIATE)
        path = f"/api/packets/{packet_id}/void"
        with guarded.calls(Role.CREATOR, creator_id) as creator, admin.nothing_changes(creator_id):
            assert creator.refused(path) == (409, "too_late", "DY-VOI-2")
            assert creator.refused(path, {"by": "platform"}) == (403, "not_allowed", "")
            assert admin.refused(path, {"by": "creator"}) == (409, "too_late", "DY-VOI-2")
        voided = admin.post(path)
        assert (voided["state"], voided["returned_fen"]) == ("voided", 1000)
        assert admin.refused(path) == (409, "voided", "DY-VOI-1")


@pytest.mark.rule("DY-VOI-3")
def test_a_share_that_was_claimed_before_the_platforms_void_stays_usable(api: Caller) -> None:
    """In the grab window: the claim stays with its viewer, and later grabs are told of the void."""
    creator_id, room_id, packet_id = api.on_air(10 * MINUTE_MS)
    viewer = secrets.token_hex(6)
    assert api.grab(room_id, packet_id, viewer)["status"] == "granted"

    voided = api.post(f"/api/packets/{packet_id}/stop_launch", {"by": "platform"})

    assert (voided["state"], voided["given"]) == ("voided", 1)
    assert api.grab(room_id, packet_id, secrets.token_hex(6))["status"] == "voided"
    assets = api.get(f"/api/viewers/{viewer}/assets?creator_id={creator_id}")
    assert [(asset["packet_id"], asset["state"]) for asset in assets] == [(packet_id, "available")]
    funds = api.get(f"/api/creators/{creator_id}/funds")
    assert funds["returned_fen"] == voided["returned_fen"] == 1000 - assets[0]["face_fen"]


@pytest.mark.rule("DY-VOI-2")
def test_whoever_shows_no_credential_stands_for_the_creator(api: Caller) -> None:
    """On a server that asks for none, the platform has to say that it is the platform."""
    creator_id, _, packet_id = launched_on_douyin(api, IMMEDIATE)
    path = f"/api/packets/{packet_id}/void"
    with api.nothing_changes(creator_id):
        assert api.refused(path, {}) == (409, "too_late", "DY-VOI-2")
        assert api.ask("POST", path, raw='{"by": "somebody"}').status_code == 422
    assert api.post(path, {"by": "platform"})["state"] == "voided"
