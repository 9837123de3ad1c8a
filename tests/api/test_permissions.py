"""Eligibility over HTTP: what a creator is granted decides at creation and at launch, and refuses by rule."""

import json

import pytest

from tests.api.caller import Caller, terms

EVERY = ["distribution_enabled", "ecommerce_permission", "feature_granted"]


def _permit(api: Caller, creator_id: str, *permissions: str) -> list[str]:
    body = json.dumps({"permissions": permissions})
    answer = api.ask("PUT", f"/api/creators/{creator_id}/permissions", raw=body)
    assert answer.status_code == 200, answer.text
    granted: list[str] = answer.json()["permissions"]
    assert api.get(f"/api/creators/{creator_id}/permissions") == {"creator_id": creator_id, "permissions": granted}
    return granted


@pytest.mark.rule("DY-ELG-1")
@pytest.mark.rule("KS-ELG-1")
@pytest.mark.parametrize(
    ("platform", "granted", "rule"),
    [
        ("douyin", [], "DY-ELG-1"),
        ("douyin", ["distribution_enabled", "feature_granted"], "DY-ELG-1"),
        ("kuaishou", ["ecommerce_permission"], "KS-ELG-1"),
        ("kuaishou", ["distribution_enabled"], "KS-ELG-1"),
        ("kuaishou", ["feature_granted"], "KS-ELG-1"),
    ],
)
def test_who_is_not_granted_enough_neither_creates_nor_launches(
    api: Caller, platform: str, granted: list[str], rule: str
) -> None:
    """Both steps look at what holds then: a draft of better days stays one until the permission is back (AMB-1)."""
    creator_id = api.creator(5000, platform)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id, platform=platform)
    mode = {"mode": "relative", "delay_ms": 180_000} if platform == "douyin" else {"mode": "manual"}
    launch = {"room_id": room_id, **mode}
    assert _permit(api, creator_id, *granted) == granted
    with api.nothing_changes(creator_id):
        assert api.refused("/api/packets", terms(creator_id, platform=platform)) == (409, "not_eligible", rule)
        assert api.refused(f"/api/packets/{packet_id}/launch", launch) == (409, "not_eligible", rule)
        unnamed = {**terms(creator_id, platform=platform), "platform": None}
        assert api.refused("/api/packets", unnamed) == (409, "not_eligible", rule)
    in_lab = api.creator(1000)
    _permit(api, in_lab, *granted)
    assert api.post("/api/packets", terms(in_lab, platform="lab"))["state"] == "draft"  # LAB asks for nothing

    _permit(api, creator_id, *EVERY)
    assert api.post("/api/packets", terms(creator_id, platform=platform))["state"] == "draft"
    assert api.post(f"/api/packets/{packet_id}/launch", launch)["state"] == "launched"


def test_a_creator_of_whom_nothing_was_said_has_every_permission(api: Caller) -> None:
    """A simulator's creators may play until somebody says otherwise; what is said twice is said once."""
    creator_id = api.creator()
    assert api.get(f"/api/creators/{creator_id}/permissions")["permissions"] == EVERY
    for _ in range(2):
        assert _permit(api, creator_id, "feature_granted", "feature_granted") == ["feature_granted"]


@pytest.mark.parametrize("body", ['{"permissions": ["golden"]}', "{}", '{"permissions": [], "all": true}'])
def test_a_wrong_permission_is_refused(api: Caller, body: str) -> None:
    """An unknown word takes nothing away."""
    path = f"/api/creators/{api.creator()}/permissions"
    answer = api.ask("PUT", path, raw=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")
    assert api.get(path)["permissions"] == EVERY


@pytest.mark.rule("DY-ELG-2")
@pytest.mark.rule("KS-ACC-1")
@pytest.mark.parametrize(("platform", "rule"), [("douyin", "DY-ELG-2"), ("kuaishou", "KS-ACC-1")])
def test_an_empty_wallet_must_be_recharged_first(api: Caller, platform: str, rule: str) -> None:
    """Without a fen the advice is to recharge; with one too few the sum is refused; repeats stay answered."""
    creator_id, channel = api.creator(), "bank" if platform == "kuaishou" else None
    body = terms(creator_id, platform=platform)
    with api.nothing_changes(creator_id):
        assert api.refused("/api/packets", body) == (409, "recharge_required", rule)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 999, "platform": platform, "channel": channel})
    too_little = {"douyin": "DY-ACC-6", "kuaishou": "KS-ACC-1"}[platform]
    assert api.refused("/api/packets", body) == (409, "insufficient_funds", too_little)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1, "channel": channel})
    made = api.post("/api/packets", body, key="first")
    assert api.post("/api/packets", body, key="first") == made  # although the wallet is empty now
    assert api.refused("/api/packets", body, key="second") == (409, "recharge_required", rule)


@pytest.mark.rule("KS-CRE-1")
@pytest.mark.rule("KS-VAL-1")
def test_a_kuaishou_activity_is_created_whole_and_launched_its_way(api: Caller) -> None:
    """Name, face values, issuance and use validity are what was asked for, then the way and the time of its launch."""
    creator_id = api.creator(5000, "kuaishou")
    room_id = api.room(creator_id)
    made = api.post(
        "/api/packets", terms(creator_id, platform="kuaishou", name="宠爱", min_share_fen=50, max_share_fen=200)
    )
    names = ("name", "platform", "denomination", "share_count", "total_fen", "min_share_fen", "max_share_fen")
    assert [made[name] for name in names] == ["宠爱", "kuaishou", "random", 10, 1000, 50, 200]
    assert made["affects_price_baseline"] is False
    assert made["operations"] == ["launch", "copy", "void", "edit", "end"]
    launched = api.post(f"/api/packets/{made['packet_id']}/launch", {"room_id": room_id, "mode": "manual"})
    assert launched["grab_at_ms"] == launched["warmup_at_ms"]
    assert launched["operations"] == ["copy", "edit", "end"]


@pytest.mark.rule("DY-VAL-1")
@pytest.mark.rule("DY-UI-3")
def test_a_douyin_packet_says_what_may_be_done_with_it(api: Caller) -> None:
    """A draft is launched, copied or voided; once it warms up only a copy is left; no lowest price counts it."""
    creator_id = api.creator(5000, "douyin")
    made = api.post("/api/packets", terms(creator_id, platform="douyin"))
    assert (made["operations"], made["affects_price_baseline"]) == (["launch", "copy", "void"], False)
    launch = {"room_id": api.room(creator_id), "mode": "relative", "delay_ms": 900_000}
    assert api.post(f"/api/packets/{made['packet_id']}/launch", launch)["operations"] == ["copy"]
