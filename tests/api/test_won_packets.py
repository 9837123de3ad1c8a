"""My packets over HTTP: of all creators, with what each may be used for."""

import secrets

import pytest

from tests.api.caller import Caller

WINDOW_MS = 600_000


@pytest.mark.rule("KS-CLM-3")
def test_a_viewer_sees_what_it_has_won_of_anybody(api: Caller) -> None:
    """The last claimed first, whoever it came from; a state leaves out the others."""
    viewer = secrets.token_hex(6)
    won = []
    for _ in range(2):
        creator_id, room_id, packet_id = api.on_air(WINDOW_MS)
        won.append((creator_id, packet_id, api.grab(room_id, packet_id, viewer)["claim_id"]))
    shown, after = [], ""
    while True:
        page = api.get(f"/api/viewers/{viewer}/packets{after}")
        shown += page["packets"]
        if page["next"] is None:
            break
        after = f"?after={page['next']}"
    assert sorted((each["creator_id"], each["packet_id"], each["asset_id"]) for each in shown) == sorted(won)
    asset = shown[0]
    assert (asset["state"], asset["usable"], asset["goods"], asset["creator_name"]) == (
        *("available", True, "creator"),
        asset["creator_id"],
    )
    assert "live_room" in asset["entrances"]
    assert api.get(f"/api/viewers/{viewer}/packets?state=redeemed")["packets"] == []
    for wrong in ("state=lost", "after=nowhere", "after=a.b:1"):
        assert api.not_shown(f"/api/viewers/{viewer}/packets?{wrong}")[:2] == (422, "bad_field")
