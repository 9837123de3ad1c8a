"""A viewer's list of what it has claimed and used."""

import pytest

from tests.api.caller import Caller

WINDOW_MS = 600_000


@pytest.mark.rule("KS-CLM-3")
@pytest.mark.rule("ALL-ELG-1")
def test_a_viewer_sees_what_it_has_claimed(api: Caller) -> None:
    """Face, packet and validity of each; nobody else's; and no route takes one out or gives it away."""
    creator_id, room_id, packet_id = api.on_air(WINDOW_MS)
    receipt = api.grab(room_id, packet_id, "vera")
    api.grab(room_id, packet_id, "wu")
    listed = api.get(f"/api/viewers/vera/assets?creator_id={creator_id}")
    assert [(each["asset_id"], each["face_fen"], each["state"]) for each in listed] == [
        (receipt["claim_id"], receipt["amount_fen"], "available")
    ]
    (asset,) = listed
    assert asset["usable"]
    assert (asset["packet_id"], asset["packet_name"], asset["use_end_at_ms"]) == (packet_id, "rain", None)
    assert api.get(f"/api/viewers/nobody/assets?creator_id={creator_id}") == []
    document = api.get("/openapi.json")["paths"]
    assert [path for path in document if "assets" in path] == ["/api/viewers/{viewer_id}/assets"]
    assert set(document["/api/viewers/{viewer_id}/assets"]) == {"get"}


def test_the_creators_are_named_and_few(api: Caller) -> None:
    """Without a creator there is nothing to look through, and too many are refused."""
    assert api.not_shown("/api/viewers/vera/assets")[:2] == (422, "bad_field")
    many = "&".join(f"creator_id=c{n}" for n in range(21))
    assert api.not_shown(f"/api/viewers/vera/assets?{many}")[:2] == (422, "bad_field")
    assert api.not_shown("/api/viewers/vera/assets?creator_id=a.b")[:2] == (422, "bad_id")
