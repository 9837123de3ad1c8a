"""The rulebooks over HTTP: what a platform does not allow is refused with the id of its rule, and changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from loadtest.run.server_process import ServerProcess
from tests.api.caller import Caller, terms

SECOND = 1_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
SIX = int(datetime.fromisoformat("2023-08-05T18:00:00+08:00").timestamp()) * 1000
PRIME_TIME = SIX + 105 * MINUTE  # 19:45, in the blackout


def _frozen(folder: pytest.TempPathFactory, origin_ms: int) -> Iterator[Caller]:
    """Run a server whose room clock stands still, so that a millisecond is a millisecond."""
    options = ["--speed", "0", "--origin-ms", str(origin_ms), "--durability", "relaxed", "--diagnostics"]
    server = ServerProcess(folder.mktemp("frozen"), options)
    try:
        with Caller(server.wait_until_ready()) as caller:
            yield caller
    finally:
        status = server.stop()
    assert status == 0, server.tail()


@pytest.fixture(scope="module")
def at_six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Call a server on which it is 18:00 of 5 August in Shanghai, and stays so."""
    yield from _frozen(tmp_path_factory, SIX)


@pytest.fixture(scope="module")
def at_prime_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Call a server on which it is 19:45 of 5 August in Shanghai, and stays so."""
    yield from _frozen(tmp_path_factory, PRIME_TIME)


def a_draft(api: Caller, creator_id: str, platform: str = "douyin", **changes: object) -> str:
    return api.packet(creator_id, platform=platform, **changes)


def relative(delay_ms: int) -> dict[str, object]:
    return {"mode": "relative", "delay_ms": delay_ms}


def exact(warmup_ms: int, grab_ms: int) -> dict[str, object]:
    return {"mode": "exact", "warmup_at_ms": SIX + warmup_ms, "grab_at_ms": SIX + grab_ms}


def scheduled(grab_ms: int) -> dict[str, object]:
    return {"mode": "scheduled", "grab_at_ms": SIX + grab_ms}


MANUAL: dict[str, object] = {"mode": "manual"}


@pytest.mark.parametrize(
    ("platform", "body", "code", "rule"),
    [
        ("douyin", relative(2 * MINUTE - 1), "out_of_range", "DY-LAU-3"),
        ("douyin", relative(15 * MINUTE + 1), "out_of_range", "DY-LAU-3"),
        ("douyin", MANUAL, "mode_not_offered", "DY-LAU-3"),
        ("douyin", scheduled(9 * MINUTE), "mode_not_offered", "DY-LAU-3"),
        ("douyin", exact(0, 7 * DAY + SECOND), "out_of_range", "DY-LAU-4"),
        ("douyin", exact(0, 9 * MINUTE + 1), "grab_not_whole_second", "DY-LAU-4"),
        ("douyin", exact(0, 2 * MINUTE), "out_of_range", "DY-LAU-5"),
        ("douyin", exact(9 * MINUTE + 1, 9 * MINUTE), "out_of_range", "DY-LAU-7"),
        ("douyin", exact(-1, 9 * MINUTE), "out_of_range", "DY-LAU-7"),
        ("douyin", exact(95 * MINUTE, 125 * MINUTE), "blackout", "DY-BLK-1"),
        ("kuaishou", relative(5 * MINUTE), "mode_not_offered", "KS-LAU-1"),
        ("kuaishou", exact(0, 9 * MINUTE), "mode_not_offered", "KS-LAU-1"),
        ("kuaishou", scheduled(-1), "out_of_range", "KS-LAU-2"),
        ("kuaishou", scheduled(366 * DAY + 1), "out_of_range", "KS-LAU-2"),
    ],
)
def test_a_launch_against_the_rules_is_refused_by_rule(
    at_six: Caller, platform: str, body: dict[str, object], code: str, rule: str
) -> None:
    """A unit beyond each limit; the packet stays a draft that can be launched properly."""
    creator_id = at_six.creator(1000, platform)
    room_id, packet_id = at_six.room(creator_id), a_draft(at_six, creator_id, platform)
    with at_six.nothing_changes(creator_id):
        status, *refusal = at_six.refused(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **body})
    assert refusal == [code, rule]
    assert status == (409 if code == "blackout" else 422)
    proper = {"douyin": relative(2 * MINUTE), "kuaishou": MANUAL}[platform]
    launched = at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **proper})
    assert launched["state"] == "launched"


@pytest.mark.parametrize(
    ("platform", "body", "schedule"),
    [
        pytest.param("douyin", relative(15 * MINUTE), (0, 15), marks=pytest.mark.rule("DY-LAU-3")),
        pytest.param("douyin", exact(5 * MINUTE, 9 * MINUTE), (0, 9), marks=pytest.mark.rule("DY-LAU-6")),
        pytest.param("douyin", exact(6 * MINUTE, 9 * MINUTE), (6, 9), marks=pytest.mark.rule("DY-LAU-6")),
        pytest.param("douyin", exact(9 * MINUTE, 7 * DAY), (9, 7 * 24 * 60), marks=pytest.mark.rule("DY-LAU-4")),
        pytest.param("kuaishou", MANUAL, (0, 0), marks=pytest.mark.rule("KS-LAU-1")),
        pytest.param("kuaishou", scheduled(95 * MINUTE), (95, 95), marks=pytest.mark.rule("KS-LAU-2")),
    ],
)
def test_a_launch_by_the_rules_has_its_schedule(
    at_six: Caller, platform: str, body: dict[str, object], schedule: tuple[int, int]
) -> None:
    """Warm-up and opening are what the rules make of the request, and claims end ten minutes later."""
    creator_id = at_six.creator(1000, platform)
    room_id, packet_id = at_six.room(creator_id), a_draft(at_six, creator_id, platform)
    launched = at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **body})
    warmup_at_ms, grab_at_ms = (SIX + minutes * MINUTE for minutes in schedule)
    shown = tuple(launched[name] for name in ("warmup_at_ms", "grab_at_ms", "claim_end_at_ms", "voidable_until_ms"))
    assert shown == (warmup_at_ms, grab_at_ms, grab_at_ms + 10 * MINUTE, warmup_at_ms - 2 * MINUTE)
    assert launched["warnings"] == []


@pytest.mark.rule("DY-BLK-1")
def test_a_warm_up_in_prime_time_is_refused(at_prime_time: Caller) -> None:
    """A relative launch would warm up now; Kuaishou opens all the same."""
    creator_id, other_id = at_prime_time.creator(1000, "douyin"), at_prime_time.creator(1000, "kuaishou")
    room_id = at_prime_time.room(creator_id)
    douyin, kuaishou = a_draft(at_prime_time, creator_id), a_draft(at_prime_time, other_id, "kuaishou")
    with at_prime_time.nothing_changes(creator_id):
        body = {"room_id": room_id, **relative(5 * MINUTE)}
        refusal = at_prime_time.refused(f"/api/packets/{douyin}/launch", body)
        assert refusal == (409, "blackout", "DY-BLK-1")
    at_prime_time.post(f"/api/packets/{kuaishou}/launch", {"room_id": at_prime_time.room(other_id), **MANUAL})


@pytest.mark.rule("DY-LAU-9")
def test_a_third_packet_at_the_same_time_is_refused(at_six: Caller) -> None:
    """The second one is warned, the third refused, also in another room; a void makes place for it."""
    creator_id = at_six.creator(4000, "douyin")
    rooms = [at_six.room(creator_id), at_six.room(creator_id)]
    first, second, third, after = (a_draft(at_six, creator_id) for _ in range(4))
    body = {"room_id": rooms[0], **exact(8 * MINUTE, 9 * MINUTE)}
    assert at_six.post(f"/api/packets/{first}/launch", body)["warnings"] == []
    [warning] = at_six.post(f"/api/packets/{second}/launch", body)["warnings"]
    assert first in warning
    elsewhere = {**body, "room_id": rooms[1]}
    with at_six.nothing_changes(creator_id):
        assert at_six.refused(f"/api/packets/{third}/launch", elsewhere) == (409, "too_many_at_once", "DY-LAU-9")
    touching = {"room_id": rooms[0], **exact(19 * MINUTE, 20 * MINUTE)}
    assert at_six.post(f"/api/packets/{after}/launch", touching)["warnings"] == []
    at_six.post(f"/api/packets/{first}/void")
    assert len(at_six.post(f"/api/packets/{third}/launch", elsewhere)["warnings"]) == 1


@pytest.mark.rule("DY-LAU-9")
def test_launches_at_once_are_decided_one_after_the_other(at_six: Caller) -> None:
    """Of any number of concurrent launches, two are granted."""
    creator_id = at_six.creator(4000, "douyin")
    room_id = at_six.room(creator_id)
    drafts = [a_draft(at_six, creator_id) for _ in range(4)]

    def launch(packet_id: str) -> tuple[bool, str]:
        with Caller(at_six.url) as caller:
            answer = caller.ask(
                "POST",
                f"/api/packets/{packet_id}/launch",
                raw=f'{{"room_id": "{room_id}", "mode": "relative", "delay_ms": {5 * MINUTE}}}',
            )
            return answer.ok, "" if answer.ok else answer.json()["rule"]

    with ThreadPoolExecutor(4) as together:
        outcomes = sorted(together.map(launch, drafts))
    assert outcomes == [(False, "DY-LAU-9"), (False, "DY-LAU-9"), (True, ""), (True, "")]


@pytest.mark.rule("DY-VOI-4")
@pytest.mark.rule("DY-VOI-2")
@pytest.mark.parametrize("step", ["void", "stop_launch"])
def test_a_void_that_comes_too_late_is_refused(at_six: Caller, step: str) -> None:
    """A packet that warms up at once was never voidable (AMB-11); ``stop_launch`` is the same step (DY-VOI-4)."""
    creator_id = at_six.creator(1000, "douyin")
    room_id, packet_id = at_six.room(creator_id), a_draft(at_six, creator_id)
    at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **relative(15 * MINUTE)})
    with at_six.nothing_changes(creator_id):
        assert at_six.refused(f"/api/packets/{packet_id}/{step}") == (409, "too_late", "DY-VOI-2")


@pytest.mark.rule("DY-VOI-2")
@pytest.mark.rule("DY-VOI-4")
@pytest.mark.rule("DY-REV-8")
@pytest.mark.parametrize("step", ["void", "stop_launch"])
def test_a_void_in_time_gives_all_back(at_six: Caller, step: str) -> None:
    """A packet that warms up in six minutes can be voided, under either name."""
    creator_id = at_six.creator(1000, "douyin")
    room_id, packet_id = at_six.room(creator_id), a_draft(at_six, creator_id)
    at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **exact(6 * MINUTE, 9 * MINUTE)})
    assert at_six.post(f"/api/packets/{packet_id}/{step}")["state"] == "voided"
    funds = at_six.get(f"/api/creators/{creator_id}/funds")
    assert (funds["available_fen"], funds["reversing_fen"]) == (0, 1000)  # for a minute, and the clock stands still


@pytest.mark.rule("ALL-REV-1")
@pytest.mark.rule("DY-VOI-2")
@pytest.mark.parametrize(("grab_ms", "in_time"), [(2 * MINUTE + 1, True), (2 * MINUTE, False)])
def test_kuaishou_voids_until_two_minutes_before_the_opening(at_six: Caller, grab_ms: int, in_time: bool) -> None:
    """By analogy with Douyin, whose warm-up is Kuaishou's opening; a millisecond decides."""
    creator_id = at_six.creator(1000, "kuaishou")
    room_id, packet_id = at_six.room(creator_id), a_draft(at_six, creator_id, "kuaishou")
    at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **scheduled(grab_ms)})
    if in_time:
        assert at_six.post(f"/api/packets/{packet_id}/void")["state"] == "voided"
    else:
        assert at_six.refused(f"/api/packets/{packet_id}/void") == (409, "too_late", "ALL-REV-1")


@pytest.mark.rule("KS-CLM-1")
def test_a_popup_too_soon_becomes_an_asset_widget(at_six: Caller) -> None:
    """Within a minute of another popup of the room there is none, also if that one's window is over."""
    creator_id = at_six.creator(4000, "kuaishou")
    rooms = [at_six.room(creator_id), at_six.room(creator_id)]

    def surface(room_id: str, grab_ms: int) -> object:
        body = {"room_id": room_id, "claim_window_ms": SECOND, **scheduled(grab_ms)}
        packet_id = a_draft(at_six, creator_id, "kuaishou")
        return at_six.post(f"/api/packets/{packet_id}/launch", body)["surface"]

    assert surface(rooms[0], 10 * MINUTE) == "popup"
    assert surface(rooms[0], 11 * MINUTE - 1) == "asset_widget"
    assert surface(rooms[1], 11 * MINUTE - 1) == "popup"
    assert surface(rooms[0], 11 * MINUTE) == "popup"


@pytest.mark.rule("DY-CRE-1")
@pytest.mark.rule("DY-LAU-8")
def test_the_use_validity_ends_the_window(at_six: Caller) -> None:
    """A packet opens before its use validity ends, and closes with it (AMB-8)."""
    creator_id = at_six.creator(2000, "douyin")
    room_id, use_end_at_ms = at_six.room(creator_id), SIX + 12 * MINUTE
    early, late = (a_draft(at_six, creator_id, use_end_at_ms=use_end_at_ms) for _ in range(2))
    body = {"room_id": room_id, **relative(9 * MINUTE)}
    launched = at_six.post(f"/api/packets/{early}/launch", body)
    assert (launched["claim_end_at_ms"], launched["use_end_at_ms"]) == (use_end_at_ms, use_end_at_ms)
    with at_six.nothing_changes(creator_id):
        refusal = at_six.refused(f"/api/packets/{late}/launch", {"room_id": room_id, **relative(12 * MINUTE)})
        assert refusal == (422, "out_of_range", "DY-LAU-8")


@pytest.mark.rule("DY-LAU-8")
@pytest.mark.rule("KS-LAU-1")
def test_a_scheduled_opening_comes_before_the_validity_ends(at_six: Caller) -> None:
    """Created in time, launched for the instant of its end, it is refused; a millisecond before, it is not (AMB-47)."""
    creator_id = at_six.creator(1000, "kuaishou")
    packet_id = a_draft(at_six, creator_id, "kuaishou", use_end_at_ms=SIX + 60 * MINUTE)
    path, room = f"/api/packets/{packet_id}/launch", {"room_id": at_six.room(creator_id)}
    with at_six.nothing_changes(creator_id):
        assert at_six.refused(path, {**room, **scheduled(60 * MINUTE)}) == (422, "out_of_range", "KS-CRE-1")
    in_time = {**room, **scheduled(60 * MINUTE - 1)}
    assert at_six.post(path, in_time)["claim_end_at_ms"] == SIX + 60 * MINUTE


@pytest.mark.rule("DY-ELG-1")
@pytest.mark.rule("DY-LAU-3")
@pytest.mark.rule("DY-BLK-1")
def test_a_packet_that_names_no_platform_has_its_creators(at_prime_time: Caller) -> None:
    """Leaving the platform out lifts no rule, and naming another is refused (AMB-43)."""
    creator_id = at_prime_time.creator(2000, "douyin")
    body = {**terms(creator_id), "use_for_ms": DAY}
    packet = at_prime_time.post("/api/packets", body)
    assert packet["platform"] == "douyin"
    launch = {"room_id": at_prime_time.room(creator_id), **relative(5 * MINUTE)}
    with at_prime_time.nothing_changes(creator_id):
        path = f"/api/packets/{packet['packet_id']}/launch"
        assert at_prime_time.refused(path, launch) == (409, "blackout", "DY-BLK-1")
        for other in ("lab", "kuaishou"):
            assert at_prime_time.refused("/api/packets", {**body, "platform": other}) == (422, "other_platform", "")
        assert at_prime_time.refused("/api/packets", {**body, "platform": "taobao"}) == (422, "bad_field", "")
    at_prime_time.ask("PUT", f"/api/creators/{creator_id}/permissions", raw='{"permissions": []}')
    assert at_prime_time.refused("/api/packets", body) == (409, "not_eligible", "DY-ELG-1")


@pytest.mark.rule("DY-BLK-1")
@pytest.mark.rule("DY-LAU-9")
def test_the_platform_goes_into_any_room_of_its_platform(at_prime_time: Caller) -> None:
    """In the blackout, three at once, and without a place of the creator's two; never elsewhere (AMB-45)."""
    host = at_prime_time.creator(3000, "douyin")
    room_id, elsewhere = at_prime_time.room(host), at_prime_time.room(at_prime_time.creator(1000, "kuaishou"))
    for platform in ("douyin", "lab"):  # it has no platform of its own (AMB-43)
        at_prime_time.post("/api/creators/platform/recharge", {"amount_fen": 4000, "platform": platform})
    assert at_prime_time.get("/api/creators/platform/funds")["platform"] is None
    assert at_prime_time.refused("/api/packets", terms("platform")) == (422, "missing_field", "")
    launch = {"room_id": room_id, **relative(5 * MINUTE)}
    for _ in range(3):
        packet_id = a_draft(at_prime_time, "platform")
        for wrong in (elsewhere, at_prime_time.room(at_prime_time.creator())):
            path = f"/api/packets/{packet_id}/launch"
            assert at_prime_time.refused(path, {**launch, "room_id": wrong}) == (422, "other_platform", "")
        launched = at_prime_time.post(path, launch)
        assert (launched["state"], launched["room_id"], launched["warnings"]) == ("launched", room_id, [])
    later = {"room_id": room_id, **exact(121 * MINUTE, 125 * MINUTE)}
    for warnings in (0, 1):
        path = f"/api/packets/{a_draft(at_prime_time, host)}/launch"
        assert len(at_prime_time.post(path, later)["warnings"]) == warnings


@pytest.mark.rule("KS-CLM-1")
def test_the_platform_keeps_the_popup_gap_of_the_room(at_six: Caller) -> None:
    """Of two popups within a minute the second is an asset widget, whoever comes first (AMB-45)."""
    host = at_six.creator(4000, "kuaishou")
    at_six.post("/api/creators/platform/recharge", {"amount_fen": 4000})
    for first, second in ((host, "platform"), ("platform", host)):
        room_id, surfaces = at_six.room(host), []
        for creator_id in (first, second):
            packet_id = a_draft(at_six, creator_id, "kuaishou")
            surfaces.append(at_six.post(f"/api/packets/{packet_id}/launch", {"room_id": room_id, **MANUAL})["surface"])
        assert surfaces == ["popup", "asset_widget"]


@pytest.mark.rule("DY-CPY-1")
@pytest.mark.parametrize(
    "changes",
    [
        {"platform": "douyin", "min_share_fen": 5, "max_share_fen": 400, "use_end_at_ms": SIX + DAY},
        {"platform": "douyin", "use_start_at_ms": SIX, "use_end_at_ms": SIX + DAY, "product_ids": ["p1", "p2"]},
        {"platform": "kuaishou", "denomination": "fixed", "use_for_ms": DAY},
    ],
)
def test_a_copy_is_a_creation_without_name_and_launch(at_six: Caller, changes: dict[str, object]) -> None:
    """With a name of its own it makes an equal packet; what was launched copies as a draft does."""
    creator_id = at_six.creator(2000, str(changes["platform"]))
    room_id = at_six.room(creator_id)
    original = at_six.post("/api/packets", terms(creator_id, **changes))
    prefilled = at_six.post(f"/api/packets/{original['packet_id']}/copy")
    mode = relative(5 * MINUTE) if changes["platform"] == "douyin" else MANUAL
    at_six.post(f"/api/packets/{original['packet_id']}/launch", {"room_id": room_id, **mode})
    assert at_six.post(f"/api/packets/{original['packet_id']}/copy") == prefilled
    launch_information = {"name", "room_id", "mode", "delay_ms", "warmup_at_ms", "grab_at_ms", "claim_window_ms"}
    assert not launch_information & set(prefilled)
    copied = at_six.post("/api/packets", {**prefilled, "name": "again"})
    differs = {name for name in original if original[name] != copied[name]}
    assert differs == {"packet_id", "name", "commitment", "editions"}


@pytest.mark.rule("DY-CRE-3")
@pytest.mark.rule("KS-CRE-2")
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"platform": "douyin", "use_for_ms": None}, (422, "missing_field", "DY-CRE-1")),
        ({"platform": "kuaishou", "use_for_ms": None}, (422, "missing_field", "KS-CRE-1")),
        ({"platform": "douyin", "use_end_at_ms": 1}, (422, "out_of_range", "DY-CRE-1")),
        ({"platform": "kuaishou", "use_end_at_ms": SIX}, (422, "out_of_range", "KS-CRE-1")),
        ({"use_for_ms": 1, "use_end_at_ms": SIX}, (422, "unexpected_field", "DY-CRE-3")),
        ({"use_start_at_ms": SIX}, (422, "missing_field", "DY-CRE-3")),
        ({"use_for_ms": 0}, (422, "out_of_range", "DY-CRE-3")),
        ({"product_ids": []}, (422, "out_of_range", "KS-CRE-2")),
        ({"product_ids": ["a b"]}, (422, "bad_id", "")),
        ({"platform": "kuaishou", "goods": ["ordinary", "virtual"]}, (422, "not_configurable", "KS-ELG-2")),
    ],
)
def test_a_use_validity_and_a_scope_are_checked(
    at_six: Caller, changes: dict[str, object], refusal: tuple[int, str, str]
) -> None:
    """A packet that the core refuses is not created, and nothing is debited."""
    creator_id = at_six.creator(2000, str(changes.get("platform", "lab")))
    with at_six.nothing_changes(creator_id):
        assert at_six.refused("/api/packets", terms(creator_id, **changes)) == refusal


def test_what_is_not_there_cannot_be_copied(at_six: Caller) -> None:
    """An unknown packet is 404."""
    assert at_six.refused("/api/packets/anna.none/copy") == (404, "not_found", "")


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("platform", ["douyin", "kuaishou"])
@pytest.mark.parametrize(
    "changes",
    [
        {"name": "红" * 21},
        {"share_count": 100_001, "total_fen": 200_000},
        {"max_share_fen": 20_001},
        {"denomination": "fixed", "share_count": 1, "total_fen": 20_001},
    ],
)
def test_creation_has_the_same_limits_on_both_platforms(
    at_six: Caller, platform: str, changes: dict[str, object]
) -> None:
    """A character, a share or a fen too many is refused by rule and costs nothing."""
    creator_id = at_six.creator(200_000, platform)
    with at_six.nothing_changes(creator_id):
        status, _, rule = at_six.refused("/api/packets", terms(creator_id, platform=platform, **changes))
    assert (status, rule) == (422, "ALL-CRE-1")


@pytest.mark.rule("ALL-CRE-1")
@pytest.mark.parametrize("platform", ["douyin", "kuaishou"])
def test_the_limits_of_a_creation_are_inclusive(at_six: Caller, platform: str) -> None:
    """Twenty characters, a hundred thousand shares, two hundred yuan."""
    creator_id = at_six.creator(200_000, platform)
    many = terms(creator_id, platform=platform, name="红" * 20, share_count=100_000, total_fen=100_000)
    assert at_six.post("/api/packets", many)["state"] == "draft"
    dear = terms(creator_id, platform=platform, denomination="fixed", share_count=1, total_fen=20_000)
    assert at_six.post("/api/packets", dear)["max_share_fen"] == 20_000
