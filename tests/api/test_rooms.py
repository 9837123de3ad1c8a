"""Rooms over HTTP: opened once, shown as they are, never taken from their creator."""

import secrets

import pytest

from tests.api.caller import Caller
from tests.waiting import until


def test_a_room_is_opened_and_shown(api: Caller) -> None:
    """A new room has no audience, nothing on air, and stands in the list."""
    creator_id = api.creator()
    room_id = f"room-{secrets.token_hex(6)}"
    made = api.post("/api/rooms", {"room_id": room_id, "creator_id": creator_id, "title": "红包雨"})

    assert made["epoch"]
    rest = {"room_id": room_id, "creator_id": creator_id, "title": "红包雨", "seq": 0, "audience": 0, "on_air": []}
    assert made == {**rest, "epoch": made["epoch"]}
    assert api.get(f"/api/rooms/{room_id}") == made
    assert made in api.get("/api/rooms")


def test_opening_a_room_again_is_no_error(api: Caller) -> None:
    """The second answer is the first, without a title too; another title is refused and not taken."""
    creator_id = api.creator()
    room_id = api.room(creator_id)
    shown = api.get(f"/api/rooms/{room_id}")
    body = {"room_id": room_id, "creator_id": creator_id}
    for again in ({}, {"title": shown["title"]}):
        assert api.post("/api/rooms", {**body, **again}) == shown
    assert api.refused("/api/rooms", {**body, "title": "another"}) == (409, "room_taken", "")
    assert api.get(f"/api/rooms/{room_id}") == shown


def test_a_packet_is_on_air_until_its_window_is_over(api: Caller) -> None:
    """A room names what is still to be grabbed; a void, an end or the end of the window takes it off."""
    _, room_id, packet_id = api.on_air(10 * 60_000)
    assert api.get(f"/api/rooms/{room_id}")["on_air"] == [packet_id]
    api.post(f"/api/packets/{packet_id}/end")
    assert api.get(f"/api/rooms/{room_id}")["on_air"] == []
    _, passing, short = api.on_air(5_000)  # half a second
    until(lambda: bool(api.get(f"/api/rooms/{passing}")["on_air"] == []))
    assert api.get(f"/api/packets/{short}")["phase"] in ("claim_closed", "settled")


def test_somebody_elses_room_cannot_be_taken(api: Caller) -> None:
    """A room keeps its creator, and the other one gets nothing."""
    owner, other = api.creator(), api.creator()
    room_id = api.room(owner)
    with api.nothing_changes(owner), api.nothing_changes(other):
        assert api.refused("/api/rooms", {"room_id": room_id, "creator_id": other}) == (409, "room_taken", "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"room_id": ""}, "bad_id"),
        ({"room_id": "a b"}, "bad_id"),
        ({"room_id": "x" * 37}, "bad_id"),
        ({"room_id": ".hidden"}, "bad_id"),
        ({"room_id": "红包"}, "bad_id"),
        ({"creator_id": "a.b"}, "bad_id"),
        ({"creator_id": ""}, "bad_id"),
        ({"room_id": 7}, "bad_field"),
        ({"room_id": None}, "bad_field"),
        ({"title": "x" * 61}, "bad_field"),
        ({"title": " "}, "bad_field"),
        ({"title": "a\u202eb"}, "bad_field"),
        ({"title": ["a"]}, "bad_field"),
        ({"size": 3}, "bad_field"),
    ],
)
def test_a_wrong_room_is_422(api: Caller, changes: dict[str, object], code: str) -> None:
    """Each slip is refused, and no room is opened."""
    rooms = {room["room_id"] for room in api.get("/api/rooms")}
    body = {"room_id": f"room-{secrets.token_hex(6)}", "creator_id": api.creator(), **changes}
    assert api.refused("/api/rooms", body) == (422, code, "")
    assert {room["room_id"] for room in api.get("/api/rooms")} == rooms


@pytest.mark.parametrize("missing", ["room_id", "creator_id"])
def test_a_room_needs_its_ids(api: Caller, missing: str) -> None:
    """A field left out is named."""
    body = {"room_id": "r", "creator_id": "c"}
    del body[missing]
    assert api.refused("/api/rooms", body) == (422, "bad_field", "")


@pytest.mark.parametrize("room_id", ["nowhere", "a%20b", "%E7%BA%A2"])
def test_an_unknown_room_is_404(api: Caller, room_id: str) -> None:
    """A room that nobody opened cannot be looked at."""
    assert api.not_shown(f"/api/rooms/{room_id}") == (404, "not_found", "")


def test_a_launched_packet_is_on_air(api: Caller) -> None:
    """The room names what was launched into it."""
    _, room_id, packet_id = api.on_air(600_000)
    assert api.get(f"/api/rooms/{room_id}")["on_air"] == [packet_id]
