"""The list of claims over HTTP: all names for the creator, the ends of them for viewers."""

from typing import Any

from server.core.credential import Role
from tests.api.caller import Caller
from tests.api.conftest import Guarded

TEN_MINUTES_MS = 600_000


def _names(shown: Any) -> list[tuple[str, bool]]:
    return [(claim["viewer"], claim["mine"]) for claim in shown["claims"]]


def test_a_viewer_sees_the_ends_of_others_names(api: Caller) -> None:
    """Only grants are in the list; a repetition and a refusal are not."""
    creator_id = api.creator(300)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id, share_count=2, total_fen=300, min_share_fen=100)
    api.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "manual"})
    statuses = [api.grab(room_id, packet_id, viewer)["status"] for viewer in ("vera", "vera", "wei")]
    assert statuses[0] == statuses[2] == "granted"
    assert api.grab(room_id, packet_id, "zoe")["status"] == "exhausted"
    shown = api.get(f"/api/packets/{packet_id}/claims")
    assert (shown["claimed"], shown["next"], _names(shown)) == (2, None, [("vera", False), ("wei", False)])
    assert [claim["index"] for claim in shown["claims"]] == [0, 1]
    assert sum(claim["amount_fen"] for claim in shown["claims"]) == 300
    assert sum(claim["best_luck"] for claim in shown["claims"]) == 1  # sold out
    best = max(shown["claims"], key=lambda claim: (claim["amount_fen"], -claim["index"]))
    assert best["best_luck"]
    seen = api.get(f"/api/packets/{packet_id}/claims?viewer_id=vera&order=newest&limit=1")
    assert (_names(seen), seen["next"]) == ([("w**i", False)], 1)
    more = api.get(f"/api/packets/{packet_id}/claims?viewer_id=vera&order=newest&limit=1&after=1")
    assert (_names(more), more["next"]) == ([("vera", True)], None)


def test_what_is_asked_must_be_sensible(api: Caller) -> None:
    """A packet that is not there, a page that is too long, an order that is none."""
    creator_id, _, packet_id = api.on_air(TEN_MINUTES_MS)
    assert api.get(f"/api/packets/{packet_id}/claims")["claims"] == []
    assert api.not_shown(f"/api/packets/{creator_id}.none/claims")[:2] == (404, "not_found")
    for wrong in ("limit=101", "limit=0", "after=-1", "order=best"):
        assert api.not_shown(f"/api/packets/{packet_id}/claims?{wrong}")[:2] == (422, "bad_field")


def test_a_viewer_cannot_look_through_other_eyes(guarded: Guarded) -> None:
    """Its credential says who looks, whatever it leaves out."""
    with guarded.calls(Role.ADMIN, "root") as admin:
        creator_id = admin.creator(1000)
        packet_id = admin.packet(creator_id)
    with guarded.calls(Role.VIEWER, "vera") as vera, guarded.calls(Role.CREATOR, "another") as another:
        assert vera.get(f"/api/packets/{packet_id}/claims")["claims"] == []
        assert vera.not_shown(f"/api/packets/{packet_id}/claims?viewer_id=wei")[:2] == (403, "not_allowed")
        assert another.not_shown(f"/api/packets/{packet_id}/claims")[:2] == (403, "not_allowed")
