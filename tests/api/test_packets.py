"""Packets over HTTP: funded once, launched once, voided once; whatever is refused leaves everything as it was."""

import orjson
import pytest

from server.core.money.money import FEN_MAX
from tests.api.caller import Caller, terms
from tests.waiting import until

TEN_MINUTES_MS = 600_000


@pytest.mark.rule("DY-ACC-4")
@pytest.mark.rule("DY-ACC-8")
@pytest.mark.rule("DY-CRE-1")
def test_a_packet_is_funded_and_shown(api: Caller) -> None:
    """Its whole sum leaves the funds at once (DY-ACC-4), and what is shown is what was asked for."""
    creator_id = api.creator(1500)
    made = api.post("/api/packets", terms(creator_id))

    shown = {name: made[name] for name in ("creator_id", "name", "state", "phase", "room_id", "grab_at_ms", "edition")}
    assert shown == {
        "creator_id": creator_id,
        "name": "rain",
        "state": "draft",
        "phase": "draft",
        "room_id": None,
        "grab_at_ms": None,
        "edition": 1,
    }
    assert (made["share_count"], made["remaining"], made["remaining_fen"], made["given"]) == (10, 10, 1000, 0)
    assert (made["min_share_fen"], made["max_share_fen"]) == (1, 1000)
    assert len(made["commitment"]) == 64
    assert api.get(f"/api/packets/{made['packet_id']}") == made
    assert api.get(f"/api/packets?creator_id={creator_id}") == [made]
    funds = api.get(f"/api/creators/{creator_id}/funds")
    assert (funds["available_fen"], funds["spent_fen"]) == (500, 1000)


@pytest.mark.rule("DY-CRE-2")
def test_a_fixed_packet_has_one_face_value(api: Caller) -> None:
    """The sum over the count is what everybody gets."""
    made = api.post("/api/packets", terms(api.creator(1000), denomination="fixed"))
    assert (made["min_share_fen"], made["max_share_fen"]) == (100, 100)


@pytest.mark.parametrize(
    ("changes", "code", "rule"),
    [
        ({"name": ""}, "bad_field", "ALL-CRE-1"),
        ({"name": "x" * 21}, "bad_field", "ALL-CRE-1"),
        ({"name": 5}, "bad_field", ""),
        ({"platform": "taobao"}, "bad_field", ""),
        ({"allocator": "mine"}, "bad_field", ""),
        ({"denomination": "golden"}, "bad_field", ""),
        ({"share_count": 0}, "bad_field", ""),
        ({"share_count": "10"}, "bad_field", ""),
        ({"share_count": 1_000_001, "total_fen": 10_000_000}, "out_of_range", "ALL-CRE-1"),
        ({"total_fen": 0}, "bad_field", ""),
        ({"total_fen": 10.5}, "bad_field", ""),
        ({"total_fen": FEN_MAX + 1}, "bad_field", ""),
        ({"min_share_fen": 0}, "bad_field", ""),
        ({"min_share_fen": 50, "max_share_fen": 40}, "out_of_range", "ALL-CRE-1"),
        ({"max_share_fen": 10**9 + 1}, "out_of_range", "ALL-CRE-1"),
        ({"total_fen": 9}, "infeasible_denomination", "ALL-CRE-2"),
        ({"max_share_fen": 99}, "infeasible_denomination", "ALL-CRE-2"),
        ({"min_share_fen": 101}, "infeasible_denomination", "ALL-CRE-2"),
        ({"denomination": "fixed", "total_fen": 999}, "infeasible_denomination", "ALL-CRE-2"),
        ({"creator_id": "a.b"}, "bad_id", ""),
        ({"seed": "00"}, "bad_field", ""),
    ],
)
def test_a_wrong_packet_costs_nothing(api: Caller, changes: dict[str, object], code: str, rule: str) -> None:
    """Each slip is 422 with the rule that refuses, and neither funds nor list have changed."""
    creator_id = api.creator(5000)
    with api.nothing_changes(creator_id):
        assert api.refused("/api/packets", terms(creator_id, **changes)) == (422, code, rule)


@pytest.mark.parametrize("missing", ["creator_id", "name", "share_count", "total_fen"])
def test_a_packet_needs_its_fields(api: Caller, missing: str) -> None:
    """A field left out is named."""
    creator_id = api.creator(5000)
    body = terms(creator_id)
    del body[missing]
    with api.nothing_changes(creator_id):
        answer = api.ask("POST", "/api/packets", raw=orjson.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")
    assert missing in answer.json()["detail"]


@pytest.mark.rule("DY-ACC-6")
def test_a_packet_beyond_the_funds_is_refused(api: Caller) -> None:
    """One fen too little is too little, and the fen that are there stay."""
    creator_id = api.creator(999)
    with api.nothing_changes(creator_id):
        assert api.refused("/api/packets", terms(creator_id)) == (409, "insufficient_funds", "DY-ACC-6")


def test_the_same_key_makes_one_packet(api: Caller) -> None:
    """A retry gets the same packet and costs nothing; other terms under that key are a conflict."""
    creator_id = api.creator(5000)
    first = api.post("/api/packets", terms(creator_id), key="k1")
    with api.nothing_changes(creator_id):
        assert api.post("/api/packets", terms(creator_id), key="k1") == first
        refusal = api.refused("/api/packets", terms(creator_id, total_fen=1001), key="k1")
        assert refusal == (409, "transfer_conflict", "")
        assert api.refused("/api/packets", terms(creator_id, name="snow"), key="k1") == refusal
    assert api.get(f"/api/creators/{creator_id}/funds")["spent_fen"] == 1000
    assert api.post("/api/packets", terms(creator_id), key="k2")["packet_id"] != first["packet_id"]


def test_a_refused_key_may_be_used_again(api: Caller) -> None:
    """Once there is money, the very same request is carried out."""
    creator_id = api.creator(999)
    assert api.refused("/api/packets", terms(creator_id), key="k1")[1] == "insufficient_funds"
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1})
    assert api.post("/api/packets", terms(creator_id), key="k1")["state"] == "draft"


@pytest.mark.parametrize("packet_id", ["nothing", "anna.none", "a.b.c", ".x", "x.", "%E7%BA%A2.a", "a%20b.c"])
def test_an_unknown_packet_is_404(api: Caller, packet_id: str) -> None:
    """A packet that is not there cannot be shown, launched or voided."""
    room_id = api.room(api.creator())
    missing = (404, "not_found", "")
    assert api.not_shown(f"/api/packets/{packet_id}") == missing
    assert api.refused(f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "manual"}) == missing
    assert api.refused(f"/api/packets/{packet_id}/void") == missing


def test_a_list_is_of_one_creator(api: Caller) -> None:
    """A list needs a creator; a creator without packets has an empty one."""
    assert api.get(f"/api/packets?creator_id={api.creator()}") == []
    assert api.not_shown("/api/packets") == (422, "bad_field", "")
    assert api.not_shown("/api/packets?creator_id=a.b") == (422, "bad_id", "")


def test_a_launched_packet_has_its_schedule(api: Caller) -> None:
    """A packet launched by hand opens at once, for as long as it was said."""
    _, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    shown = api.get(f"/api/packets/{packet_id}")
    assert (shown["state"], shown["phase"], shown["room_id"]) == ("launched", "grabbing", room_id)
    assert shown["warmup_at_ms"] == shown["grab_at_ms"]
    assert shown["claim_end_at_ms"] - shown["grab_at_ms"] == TEN_MINUTES_MS


def test_a_launch_asked_for_again_is_the_same_launch(api: Caller) -> None:
    """A retry with the same key and body returns the schedule; another body is another launch."""
    creator_id = api.creator(1000)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id)
    path, body = f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "relative", "delay_ms": 600_000}
    first = api.post(path, body, key="my launch")
    with api.nothing_changes(creator_id):
        assert api.post(path, body, key="my launch") == first
        assert api.refused(path, {**body, "delay_ms": 700_000}, key="my launch") == (409, "not_draft", "DY-LAU-1")
        assert api.refused(path, body, key="another") == (409, "not_draft", "DY-LAU-1")


@pytest.mark.rule("DY-LAU-2")
@pytest.mark.rule("DY-LAU-1")
def test_a_packet_is_launched_once(api: Caller) -> None:
    """The second launch is refused and the schedule stays (DY-LAU-2)."""
    creator_id, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    body = {"room_id": room_id, "mode": "manual"}
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{packet_id}/launch", body) == (409, "not_draft", "DY-LAU-1")


@pytest.mark.parametrize(
    ("changes", "status", "code", "rule"),
    [
        ({"room_id": "nowhere"}, 404, "not_found", ""),
        ({"room_id": 5}, 422, "bad_field", ""),
        ({"mode": "someday"}, 422, "bad_field", ""),
        ({"mode": None}, 422, "bad_field", ""),
        ({"mode": "relative"}, 422, "missing_field", ""),
        ({"mode": "exact", "warmup_at_ms": 5}, 422, "missing_field", ""),
        ({"delay_ms": 5}, 422, "unexpected_field", ""),
        ({"mode": "relative", "delay_ms": "5"}, 422, "bad_field", ""),
        ({"mode": "relative", "delay_ms": -1}, 422, "out_of_range", "DY-LAU-3"),
        ({"mode": "relative", "delay_ms": 10**30}, 422, "out_of_range", "DY-LAU-3"),
        ({"claim_window_ms": 0}, 422, "bad_field", ""),
        ({"claim_window_ms": 10**30}, 422, "out_of_range", "ALL-CRE-1"),
        ({"surface": "popup"}, 422, "bad_field", ""),
    ],
)
def test_a_wrong_launch_leaves_a_draft(
    api: Caller, changes: dict[str, object], status: int, code: str, rule: str
) -> None:
    """Each slip is refused, and the packet can still be launched properly."""
    creator_id = api.creator(1000)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id)
    body = {"room_id": room_id, "mode": "manual", **changes}
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{packet_id}/launch", body) == (status, code, rule)
    assert api.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "manual"})["state"] == "launched"


def test_a_packet_goes_into_a_room_of_its_creator_only(api: Caller) -> None:
    """Nobody's audience is handed another creator's packet."""
    creator_id, other = api.creator(1000), api.creator()
    room_id, packet_id = api.room(other), api.packet(creator_id)
    with api.nothing_changes(creator_id), api.nothing_changes(other):
        refusal = api.refused(f"/api/packets/{packet_id}/launch", {"room_id": room_id, "mode": "manual"})
    assert refusal == (422, "other_creator", "")


@pytest.mark.rule("DY-REV-1")
@pytest.mark.rule("DY-VOI-1")
@pytest.mark.parametrize("launched", [False, True])
def test_a_voided_packet_gives_its_money_back_once(api: Caller, launched: bool) -> None:
    """Unclaimed shares return (DY-REV-1); void is permanent, and a retry changes nothing."""
    if launched:
        creator_id, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    else:
        creator_id = api.creator(1000)
        room_id, packet_id = api.room(creator_id), api.packet(creator_id)
    voided = api.post(f"/api/packets/{packet_id}/void", key="v1")
    assert (voided["state"], voided["remaining"], voided["returned_fen"]) == ("voided", 0, 1000)
    funds = api.get(f"/api/creators/{creator_id}/funds")
    assert (funds["available_fen"], funds["returned_fen"], funds["spent_fen"]) == (1000, 1000, 1000)
    if launched:  # the room is told in its own time
        until(lambda: bool(api.get(f"/api/rooms/{room_id}")["seq"] >= 1))

    packets = api.get(f"/api/packets?creator_id={creator_id}")
    assert api.post(f"/api/packets/{packet_id}/void", key="v1") == voided
    assert api.refused(f"/api/packets/{packet_id}/void", key="v2") == (409, "voided", "DY-VOI-1")
    launch = {"room_id": room_id, "mode": "manual"}
    assert api.refused(f"/api/packets/{packet_id}/launch", launch) == (409, "not_draft", "DY-LAU-1")
    assert api.get(f"/api/packets?creator_id={creator_id}") == packets
    assert api.get(f"/api/creators/{creator_id}/funds") == funds


@pytest.mark.rule("DY-REV-2")
@pytest.mark.rule("DY-VOI-1")
def test_a_settled_packet_cannot_be_voided(api: Caller) -> None:
    """After the sweep (DY-REV-2) there is nothing to take back."""
    creator_id, _, packet_id = api.on_air(2_000)
    until(lambda: bool(api.get(f"/api/packets/{packet_id}")["state"] == "settled"))
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{packet_id}/void") == (409, "settled", "DY-VOI-1")
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 1000


def test_one_key_cannot_void_two_packets(api: Caller) -> None:
    """A key that stands for one void does not stand for another."""
    creator_id = api.creator(2000)
    first, second = api.packet(creator_id), api.packet(creator_id)
    api.post(f"/api/packets/{first}/void", key="v1")
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{second}/void", key="v1") == (409, "transfer_conflict", "")


def test_an_allocator_for_a_lab_needs_diagnostics(api: Caller, plain_api: Caller) -> None:
    """A flawed allocator can be chosen where that was asked for, and nowhere else."""
    creator_id = plain_api.creator(1000)
    with plain_api.nothing_changes(creator_id):
        assert plain_api.refused("/api/packets", terms(creator_id, allocator="naive")) == (422, "bad_field", "")
    assert api.post("/api/packets", terms(api.creator(1000), allocator="naive"))["allocator"] == "naive"


def test_who_was_given_a_share_counts(api: Caller) -> None:
    """A viewer's grab moves one share from what remains to what was given."""
    _, room_id, packet_id = api.on_air(TEN_MINUTES_MS)
    receipt = api.grab(room_id, packet_id, "vera")
    assert receipt["status"] == "granted"
    shown = api.get(f"/api/packets/{packet_id}")
    assert (shown["given"], shown["remaining"], shown["given_fen"]) == (1, 9, receipt["amount_fen"])
