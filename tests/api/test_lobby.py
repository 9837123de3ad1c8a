"""The lobby over HTTP: what a person without a credential may know of the rooms."""

from tests.api.caller import Caller
from tests.api.conftest import Guarded


def test_the_lobby_names_each_room_with_its_rules(api: Caller) -> None:
    creator = api.creator(1000, "kuaishou")
    api.post("/api/rooms", {"room_id": f"{creator}-live", "creator_id": creator, "title": "阿栗家居"})
    found = [room for room in api.get("/api/lobby") if room["creator_id"] == creator]
    shown = {
        "room_id": f"{creator}-live",
        "creator_id": creator,
        "title": "阿栗家居",
        "platform": "kuaishou",
        "audience": 0,
    }
    assert found in ([shown], [])  # at most 24 are named, and other tests open rooms too
    assert len(api.get("/api/lobby")) <= 24


def test_a_guarded_server_names_no_room(guarded: Guarded) -> None:
    with Caller(guarded.url) as stranger:
        assert stranger.get("/api/lobby") == []
