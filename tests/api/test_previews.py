"""Previews over HTTP: what is refused is an answer, and nothing is changed."""

import pytest

from tests.api.caller import Caller, terms

MINUTE_MS = 60_000


@pytest.mark.rule("DY-LAU-9")
def test_a_launch_is_previewed_before_it_is_made(api: Caller) -> None:
    """Times, overlaps, refusal and the next start; the launch then comes out the same."""
    creator_id = api.creator(5_000, "douyin")
    room_id = api.room(creator_id)
    first, second, third = (api.packet(creator_id, platform="douyin") for _ in range(3))
    body = {"room_id": room_id, "mode": "relative", "delay_ms": 4 * MINUTE_MS}
    with api.nothing_changes(creator_id):
        alone = api.post(f"/api/packets/{first}/preview-launch", body)
    assert (alone["allowed"], alone["refusal"], alone["overlaps"]) == (True, None, [])
    assert alone["grab_at_ms"] - alone["warmup_at_ms"] == 4 * MINUTE_MS
    for packet_id in (first, second):
        api.post(f"/api/packets/{packet_id}/launch", body)
    too_many = api.post(f"/api/packets/{third}/preview-launch", body)
    assert (too_many["allowed"], too_many["overlap_max"], too_many["surface"]) == (False, 2, None)
    assert (too_many["refusal"]["code"], too_many["refusal"]["rule"]) == ("too_many_at_once", "DY-LAU-9")
    assert {each["packet_id"] for each in too_many["overlaps"]} == {first, second}
    nearest = too_many["nearest"]
    assert nearest["mode"] == "exact"
    assert api.post(f"/api/packets/{third}/preview-launch", {"room_id": room_id, **nearest})["allowed"]
    states = {each["operation"]: each for each in api.get(f"/api/packets/{first}")["operation_states"]}
    assert (states["void"]["allowed"], states["void"]["code"], states["void"]["rule"]) == (
        *(False, "too_late"),
        "DY-VOI-2",
    )
    assert states["copy"]["allowed"]
    unknown = {"room_id": "nowhere", "mode": "manual"}
    assert api.refused(f"/api/packets/{third}/preview-launch", unknown)[:2] == (404, "not_found")


@pytest.mark.rule("ALL-CRE-2")
def test_a_split_is_previewed_while_it_is_typed(api: Caller) -> None:
    """Refused terms say between which sums they can be split, others how the shares may fall."""
    creator_id = api.creator(5_000, "douyin")
    asked = {"creator_id": creator_id, "share_count": 2_000, "total_fen": 2_000_000, "max_share_fen": 2_000}
    with api.nothing_changes(creator_id):
        shown = api.post("/api/packets/preview-split", asked)
        wrong = api.post("/api/packets/preview-split", {**asked, "total_fen": 5_000_000})
    assert (shown["allowed"], shown["shares"], shown["mean_fen"]) == (True, 2_000, 1_000)
    assert sum(bar["count"] for bar in shown["bars"]) == 2_000
    assert (wrong["allowed"], wrong["refusal"]["code"], wrong["bars"]) == (False, "infeasible_denomination", [])
    assert (wrong["total_min_fen"], wrong["total_max_fen"]) == (2_000, 4_000_000)
    fixed = api.post("/api/packets/preview-split", {**asked, "max_share_fen": None, "denomination": "fixed"})
    assert (fixed["min_share_fen"], fixed["max_share_fen"], len(fixed["bars"])) == (1_000, 1_000, 1)
    over = api.post("/api/packets/preview-split", {**asked, "share_count": 100_001})
    assert over["refusal"]["rule"] == "ALL-CRE-1"
    assert api.refused("/api/packets/preview-split", {**asked, "total_fen": 0})[:2] == (422, "bad_field")
    assert api.refused("/api/packets/preview-split", {**asked, "platform": "kuaishou"})[:2] == (422, "other_platform")
    assert (
        api.refused("/api/packets", terms(creator_id, platform="douyin", total_fen=1, share_count=2))[1]
        == "infeasible_denomination"
    )
