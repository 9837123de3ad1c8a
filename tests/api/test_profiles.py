"""A creator's name over HTTP, and the terms of a launch that go with it."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.api.caller import TIMEOUT_S, Caller
from tests.waiting import until


def _rename(api: Caller, creator_id: str, name: str) -> tuple[int, str]:
    answer = api.ask("PUT", f"/api/creators/{creator_id}/profile", raw=json.dumps({"name": name}))
    return answer.status_code, "" if answer.ok else answer.json()["code"]


def test_a_creator_has_the_name_it_was_given_last(api: Caller) -> None:
    """Before that it is called by its id; what cannot be read is no name."""
    creator_id = api.creator()
    assert api.get(f"/api/creators/{creator_id}/profile") == {
        "creator_id": creator_id,
        "name": creator_id,
        "platform": None,
    }
    assert _rename(api, creator_id, "小满茶铺") == (200, "")
    for wrong in ("", " ", "x" * 31, "a\nb"):
        assert _rename(api, creator_id, wrong) == (422, "bad_field")
    assert api.get(f"/api/creators/{creator_id}/profile")["name"] == "小满茶铺"


def _welcome(api: Caller, room_id: str) -> Any:
    address = f"{api.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer=vera"
    with connect(address, compression=None, proxy=None) as socket:
        return json.loads(socket.recv(TIMEOUT_S))


@pytest.mark.rule("DY-CRE-4")
def test_a_launch_settles_what_viewers_read(api: Caller) -> None:
    """Mode, name and entrances are those of the launch, whatever comes later."""
    creator_id = api.creator(2_000, "kuaishou")
    _rename(api, creator_id, "阿栗家居")
    room_id, packet_id = api.room(creator_id), api.packet(creator_id, platform="kuaishou")
    draft = api.get(f"/api/packets/{packet_id}")
    assert [draft[name] for name in ("launch_mode", "launched_at_ms", "entrances")] == [None, None, None]
    assert draft["created_at_ms"] > 0
    launched = api.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "manual"})
    assert (launched["launch_mode"], launched["creator_name"], launched["goods"]) == ("manual", "阿栗家居", "creator")
    assert launched["entrances"] == ["live_room", "short_video", "shop"]
    assert launched["launched_at_ms"] >= draft["created_at_ms"] == launched["created_at_ms"]
    until(lambda: len(_welcome(api, room_id)["packets"]) == 1)
    welcome = _welcome(api, room_id)
    names = ("title", "creator_id", "creator_name")
    assert [welcome[name] for name in names] == ["a show", creator_id, "阿栗家居"]
    (shown,) = welcome["packets"]
    terms = ("creator_name", "denomination", "min_share_fen", "max_share_fen", "use_for_ms", "goods", "entrances")
    assert {name: shown[name] for name in terms} == {name: launched[name] for name in terms}
    _rename(api, creator_id, "阿栗")
    assert api.get(f"/api/packets/{packet_id}")["creator_name"] == "阿栗家居"
