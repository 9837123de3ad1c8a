"""The rulebooks over HTTP: every limit with its rule, and what pages show, for whoever draws one."""

from collections.abc import Iterator
from dataclasses import fields

import pytest

from loadtest.run.server_process import ServerProcess
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import Rulebook
from tests.api.caller import Caller, terms
from tests.core.rulebooks.test_rulebook_view import NO_LIMITS


def test_every_limit_is_shown_with_its_rule(api: Caller) -> None:
    """One list holds all books, one path each of them; nothing of a book is left out."""
    books = api.get("/api/rulebooks")[:3]  # then come those that this server was given
    assert [book["platform"] for book in books] == ["douyin", "kuaishou", "lab"]
    for book in books:
        assert api.get(f"/api/rulebooks/{book['platform']}") == book
        assert [limit["field"] for limit in book["limits"]] == [
            field.name for field in fields(Rulebook) if field.name not in NO_LIMITS
        ]
        assert all(limit["rules"] and not limit["overridden"] for limit in book["limits"])
    assert api.not_shown("/api/rulebooks/taobao") == (404, "not_found", "")


@pytest.mark.rule("DY-VAL-1")
@pytest.mark.rule("KS-VAL-1")
def test_a_limit_has_value_unit_and_rules(api: Caller) -> None:
    """A limit has its value, unit and rules."""
    shown = {limit["field"]: limit for limit in api.get("/api/rulebooks/douyin")["limits"]}
    assert shown["relative_lead_max_ms"] == {
        "field": "relative_lead_max_ms",
        "value": 900_000,
        "unit": "ms",
        "rules": ["DY-LAU-3"],
        "overridden": False,
    }
    assert shown["creator_needs"]["value"] == ["ecommerce_permission"]
    assert shown["creator_packets_per_order_max"]["value"] is None
    assert (shown["affects_price_baseline"]["value"], shown["affects_price_baseline"]["rules"]) == (
        False,
        ["DY-VAL-1", "KS-VAL-1"],
    )


@pytest.mark.rule("DY-UI-1")
@pytest.mark.rule("DY-UI-2")
@pytest.mark.rule("DY-UI-3")
@pytest.mark.rule("DY-LAU-10")
def test_douyin_shows_its_places_and_its_advice(api: Caller) -> None:
    """The places of entries, the operations of the list and the advice are shown (AMB-11)."""
    book = api.get("/api/rulebooks/douyin")
    places = {(place["what"], place["where"], place["rule"]) for place in book["places"]}
    assert places == {(place.what, place.where, place.rule) for place in DOUYIN.page.places}
    assert {rule for _, _, rule in places} == {"DY-UI-1", "DY-UI-2", "DY-UI-3"}
    assert book["packet_list"] == {"column": "操作", "operations": ["launch", "copy", "void"], "rule": "DY-UI-3"}
    advice = {each["rule"]: each["text"] for each in book["advice"]}
    assert "launch early" in advice["DY-LAU-10"]
    assert "never be voided" in advice["DY-VOI-2"]


@pytest.mark.rule("KS-UI-1")
@pytest.mark.rule("KS-UI-2")
def test_kuaishou_shows_its_places(api: Caller) -> None:
    """One entry, on the desktop, a list that edits and ends, and the way to recharge."""
    book = api.get("/api/rulebooks/kuaishou")
    assert [(place["what"], place["rule"]) for place in book["places"]] == [
        ("entry", "KS-UI-1"),
        ("recharge", "KS-UI-2"),
    ]
    assert "快手小店–营销中心–全部工具–宠爱红包" in book["places"][0]["where"]
    assert book["packet_list"]["operations"] == ["edit", "end"]


@pytest.fixture(scope="module")
def strict_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Call a server whose deployment overrides two books."""
    tables = {
        "douyin": {"overlap_max": "none", "name_length_max": 4, "relative_lead_min_ms": 1_000},
        "lab": {"channels": [{"name": "wechat", "fee_bp": 250}], "launch_modes": ["manual"]},
        "acme": {
            "base": "douyin",
            "overlap_max": 1,
            "max_share_fen": 500,
            "withdraw_channels": ["bank"],
            "order_lines_max": 7,
            "void_lead_ms": 86_400_000,
        },
    }
    server = ServerProcess(tmp_path_factory.mktemp("strict"), ["--durability", "none", "--speed", "10"], tables)
    try:
        with Caller(server.wait_until_ready()) as caller:
            yield caller
    finally:
        status = server.stop()
    assert status == 0, server.tail()


def test_a_deployment_judges_by_its_own_limits(strict_api: Caller) -> None:
    """Funds, creation and launch all follow the overridden books, which say of themselves that they are."""
    creator_id = strict_api.creator()
    path = f"/api/creators/{creator_id}/recharge"
    assert strict_api.refused(path, {"amount_fen": 10_000, "channel": "bank"})[1] == "channel_not_offered"
    assert strict_api.post(path, {"amount_fen": 10_000})["fee_fen"] == 250
    of_lab, creator_id = creator_id, strict_api.creator(10_000, "douyin")
    assert strict_api.refused("/api/packets", terms(creator_id, platform="douyin", name="rainy"))[2] == "ALL-CRE-1"
    room_id, launch = strict_api.room(creator_id), {"mode": "relative", "delay_ms": 1_000}
    for _ in range(3):  # DY-LAU-9 would refuse the third
        packet_id = strict_api.packet(creator_id, platform="douyin")
        body = {**launch, "room_id": room_id}
        assert strict_api.post(f"/api/packets/{packet_id}/launch", body)["state"] == "launched"
    body = {**launch, "room_id": strict_api.room(of_lab)}
    assert strict_api.refused(f"/api/packets/{strict_api.packet(of_lab)}/launch", body)[1] == "mode_not_offered"
    changed = {
        (book["platform"], limit["field"])
        for book in strict_api.get("/api/rulebooks")
        for limit in book["limits"]
        if limit["overridden"] and book["platform"] != "acme"
    }
    assert changed == {
        ("douyin", "overlap_max"),
        ("douyin", "name_length_max"),
        ("douyin", "relative_lead_min_ms"),
        ("lab", "channels"),
        ("lab", "launch_modes"),
    }


def test_a_platform_by_data_is_one_like_any_other(strict_api: Caller) -> None:
    """Creators belong to it, its packets are launched, used and voided by its limits, and its own rules refuse."""
    book = strict_api.get("/api/rulebooks/acme")
    limits = {limit["field"]: limit for limit in book["limits"]}
    own = {"overlap_max", "max_share_fen", "withdraw_channels", "order_lines_max", "void_lead_ms"}
    inherited = {"name_length_max", "relative_lead_min_ms"}  # of the base, as it is on this server
    assert {name for name, limit in limits.items() if limit["overridden"]} == own | inherited
    rules = [rule for limit in limits.values() for rule in limit["rules"]]
    rules += [each["rule"] for each in [*book["places"], *book["advice"], book["packet_list"]]]
    assert all(rule.startswith("ACME-") for rule in rules)

    creator_id = strict_api.creator()
    path = f"/api/creators/{creator_id}"
    terms_of = {"platform": "acme", "name": "rain", "max_share_fen": 500}
    refused = strict_api.refused
    assert refused(f"{path}/recharge", {"amount_fen": 1, "channel": "card", "platform": "acme"})[2] == "ACME-AMB-27"
    assert refused("/api/packets", terms(creator_id, **terms_of))[2] == "ACME-ELG-2"
    strict_api.post(f"{path}/recharge", {"amount_fen": 1_000_000, "platform": "acme"})
    assert strict_api.get(f"{path}/funds")["platform"] == "acme"
    assert refused(f"{path}/recharge", {"amount_fen": 1, "platform": "douyin"})[1] == "other_platform"
    assert refused(f"{path}/withdrawals", {"amount_fen": 1, "channel": "alipay"})[2] == "ACME-ACC-7"
    assert refused(f"{path}/withdrawals", {"amount_fen": 10**9})[2] == "ACME-ACC-7"
    assert refused("/api/packets", terms(creator_id, **{**terms_of, "max_share_fen": 501}))[2] == "ACME-ALL-CRE-1"
    assert strict_api.ask("PUT", f"{path}/permissions", raw='{"permissions": []}').ok
    assert refused("/api/packets", terms(creator_id, **terms_of))[2] == "ACME-ELG-1"
    assert strict_api.ask("PUT", f"{path}/permissions", raw='{"permissions": ["ecommerce_permission"]}').ok

    first, second = (strict_api.post("/api/packets", terms(creator_id, **terms_of))["packet_id"] for _ in range(2))
    launch = {"room_id": strict_api.room(creator_id), "mode": "relative", "delay_ms": 60_000}
    assert strict_api.post(f"/api/packets/{first}/launch", launch)["platform"] == "acme"
    assert refused(f"/api/packets/{first}/launch", launch)[2] == "ACME-LAU-1"
    assert refused(f"/api/packets/{second}/launch", launch)[2] == "ACME-LAU-9"
    assert refused(f"/api/packets/{second}/launch", {**launch, "delay_ms": 1})[2] == "ACME-LAU-3"
    assert refused(f"/api/packets/{first}/void", {})[2] == "ACME-VOI-2"
    assert refused(f"/api/packets/{second}/issuance", {"share_count": 3})[2] == "ACME-KS-EDT-1"
    assert refused(f"/api/packets/{second}/end", {})[2] == "ACME-KS-END-1"
    strict_api.post(f"/api/packets/{second}/void", {})
    assert refused(f"/api/packets/{second}/void", {})[2] == "ACME-VOI-1"
