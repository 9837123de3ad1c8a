"""The director: a programme against a real server, what must be refused refused by its rule, and all money back."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from websockets.sync.client import connect

from loadtest.run.director import Director, Happening, planned_packets
from loadtest.run.server_process import ServerProcess
from loadtest.scenarios.scenario import Scenario, load_scenario
from loadtest.targets.requester import SetUpFailed

ORIGIN = "2023-06-05T18:00:00+08:00"  # no day of blackouts
ORIGIN_MS = 1_685_959_200_000
SPEED = 600
MINUTE = 60_000
FUNDS_FEN = 10_000
USE = {"use_for_ms": 60 * MINUTE}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server on which ten minutes pass in a second, from six o'clock on 5 June."""
    options = ["--speed", str(SPEED), "--origin-ms", str(ORIGIN_MS), "--durability", "relaxed"]
    server = ServerProcess(tmp_path_factory.mktemp("server"), options)
    try:
        yield server.wait_until_ready()
    finally:
        status = server.stop()
    assert status == 0, server.tail()


def a_scenario(creator_id: str, *packets: dict[str, Any], **changes: Any) -> Scenario:
    """Return a scenario of one room; a packet has ten shares and a thousand fen."""
    terms = {"room_id": creator_id, "platform": "douyin", "share_count": 10, "total_fen": 1_000}
    channel = "bank" if any(packet.get("platform") == "kuaishou" for packet in packets) else None
    whole: dict[str, Any] = {
        "name": "mine",
        "speed": SPEED,
        "audience": {"viewers": 1},
        "creators": [{"creator_id": creator_id, "recharge_fen": FUNDS_FEN, "channel": channel}],
        "rooms": [{"room_id": creator_id, "creator_id": creator_id}],
        "packets": [
            {"name": f"packet {n}", **terms, **({} if "use_end_at_ms" in packet else USE), **packet}
            for n, packet in enumerate(packets)
        ],
        **changes,
    }
    return Scenario.model_validate(whole)


def relative(at_ms: int, **changes: Any) -> dict[str, Any]:
    return {"mode": "relative", "launch_at_ms": at_ms, "delay_ms": 2 * MINUTE, "claim_window_ms": 8 * MINUTE, **changes}


def performed(url: str, scenario: Scenario) -> Director:
    director = Director(url, scenario, 1, lambda _: None)
    director.set_up()
    director.perform(lambda: False)
    return director


def shown(url: str, path: str) -> Any:
    answer = requests.get(f"{url}/api/{path}", timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def grab(url: str, room_id: str, viewer: str) -> None:
    """Come into a room, wait for its packet to open, and grab a share of it."""
    with connect(f"{url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer={viewer}") as ws:
        while True:
            body = json.loads(ws.recv(timeout=30))
            on = [each["packet_id"] for each in body.get("packets", []) if each["phase"] == "grabbing"]
            opened = [body["packet_id"]] if body["type"] == "open" else on
            if opened:
                ws.send(json.dumps({"type": "grab", "packet_id": opened[0], "request_id": "r1"}))
            if body["type"] == "receipt":
                assert body["status"] == "granted", body
                return


def steps(happenings: list[Happening]) -> list[tuple[str, str, str]]:
    return [(each.packet_name, each.action, each.outcome) for each in happenings]


def test_a_packet_says_when_and_on_what_it_is_used(url: str) -> None:
    """Spans go as they are, instants count from the evening's beginning, and who says nothing gets neither."""
    until = {"use_start_at_ms": 5 * MINUTE, "use_end_at_ms": 90 * MINUTE, "product_ids": ("tea", "pin")}
    scenario = a_scenario("uma", relative(0, use_for_ms=20 * MINUTE), relative(0, **until))
    director = Director(url, scenario, 1, lambda _: None)
    director.set_up()
    before_ms = shown(url, "clock")["room_ms"]
    director.perform(lambda: False)
    spans, instants = (shown(url, f"packets/{director.packet_ids[number]}") for number in range(2))
    assert (spans["use_for_ms"], spans["use_end_at_ms"], spans["product_ids"]) == (20 * MINUTE, None, None)
    assert instants["use_end_at_ms"] - instants["use_start_at_ms"] == 85 * MINUTE
    assert before_ms <= instants["use_start_at_ms"] - 5 * MINUTE <= instants["grab_at_ms"] - 2 * MINUTE
    assert instants["product_ids"] == ["pin", "tea"]


def test_what_is_expected_to_be_refused_is_noted_and_its_money_comes_back(url: str) -> None:
    """A third packet is refused and voided in the end, when the others have settled."""
    lasting = relative(0, claim_window_ms=60 * MINUTE)
    director = performed(url, a_scenario("anna", lasting, lasting, relative(MINUTE, expect="refused:DY-LAU-9")))
    assert steps(director.happenings) == [
        ("packet 0", "launch", "launched"),
        ("packet 1", "launch", "launched"),
        ("packet 2", "launch", "refused DY-LAU-9"),
    ]
    states = [shown(url, f"packets/{packet_id}")["state"] for packet_id in director.packet_ids.values()]
    assert states == ["settled", "settled", "voided"]
    funds = shown(url, "creators/anna/funds")
    assert funds["available_fen"] + funds["reversing_fen"] == FUNDS_FEN
    assert director.happenings[2].packet_id == director.packet_ids[2]
    assert director.happenings[2].at_ms == MINUTE


def test_a_void_that_is_refused_leaves_the_packet_to_its_window(url: str) -> None:
    """It comes too late, is noted, and the packet settles."""
    director = performed(url, a_scenario("ben", relative(0, void_at_ms=MINUTE, expect_void="refused:DY-VOI-2")))
    outcomes = [("packet 0", "launch", "launched"), ("packet 0", "void", "refused DY-VOI-2")]
    assert steps(director.happenings) == outcomes
    assert shown(url, f"packets/{director.packet_ids[0]}")["state"] == "settled"


@pytest.mark.parametrize(
    ("creator_id", "packet", "words"),
    [
        ("bea", relative(0, delay_ms=MINUTE), "DY-LAU-3"),
        ("cyn", relative(0, delay_ms=MINUTE, expect="refused:DY-LAU-9"), "expected a refusal by DY-LAU-9"),
        ("dot", relative(0, expect="refused:DY-LAU-9"), "carried out; expected a refusal by DY-LAU-9"),
        ("eve", relative(0, void_at_ms=1), "DY-VOI-2"),
        ("fay", relative(0, total_fen=FUNDS_FEN + 10), "DY-ACC-6"),
    ],
)
def test_what_was_not_expected_ends_the_programme(
    url: str, creator_id: str, packet: dict[str, Any], words: str
) -> None:
    """An unexpected refusal, the wrong rule, and a step that should have been refused are all told."""
    with pytest.raises(SetUpFailed, match=words):
        performed(url, a_scenario(creator_id, packet))


def test_in_company_what_is_refused_is_noted_and_the_programme_goes_on(url: str) -> None:
    """Somebody else may have used the creator's packets or time; what was not launched gives its money back."""
    unexpected = [
        relative(0, delay_ms=MINUTE),
        relative(0, void_at_ms=1),
        relative(0, platform="douyin", edits=[{"at_ms": 2, "share_count": 20}]),
    ]
    scenario = a_scenario("vic", *unexpected)
    director = Director(url, scenario, 1, lambda _: None, alone=False)
    director.set_up()
    director.perform(lambda: False)
    outcomes = [outcome for _, _, outcome in steps(director.happenings)]
    assert outcomes == ["refused DY-LAU-3", "launched", "launched", "refused DY-VOI-2", "refused KS-EDT-1"]
    states = [shown(url, f"packets/{packet_id}")["state"] for packet_id in director.packet_ids.values()]
    assert states == ["voided", "settled", "settled"]


def test_a_programme_that_is_called_off_leaves_nothing_on_air(url: str) -> None:
    """A packet that warms up is voided in the platform's name; one that is over stays so."""
    director = Director(url, a_scenario("wes", relative(0, delay_ms=15 * MINUTE)), 1, lambda _: None)
    director.set_up()
    director.perform(lambda: bool(director.happenings))
    director.call_off()
    director.call_off_and_wait(lambda: False)
    assert shown(url, f"packets/{director.packet_ids[0]}")["state"] == "voided"


def test_a_creator_edits_and_ends_its_packet(url: str) -> None:
    """Up by edits, down by another, then ended: three editions, and every fen is back."""
    edits = [{"at_ms": 1, "factor": 3}, {"at_ms": 2, "share_count": 12}]
    lasting = {"platform": "lab", "claim_window_ms": 600 * MINUTE}
    director = performed(url, a_scenario("pia", relative(0, **lasting, edits=edits, end_at_ms=5 * MINUTE)))
    assert [outcome for _, _, outcome in steps(director.happenings)] == ["launched", "edited", "edited", "ended"]
    packet = shown(url, f"packets/{director.packet_ids[0]}")
    assert (packet["state"], packet["edition"], packet["share_count"]) == ("settled", 3, 12)
    assert [edition["share_count"] for edition in packet["editions"]] == [10, 20, 0]
    assert packet["ended_at_ms"] < packet["claim_end_at_ms"]
    assert shown(url, "creators/pia/funds")["available_fen"] == FUNDS_FEN


def test_what_a_platform_does_not_let_its_creators_do_can_be_expected(url: str) -> None:
    """Douyin edits nothing and ends nothing; both refusals are noted by their rules."""
    refused = {"edits": [{"at_ms": 1, "factor": 2, "expect": "refused:KS-EDT-1"}], "expect_end": "refused:KS-END-1"}
    director = performed(url, a_scenario("quy", relative(0, **refused, end_at_ms=MINUTE)))
    outcomes = [outcome for _, _, outcome in steps(director.happenings)]
    assert outcomes == ["launched", "refused KS-EDT-1", "refused KS-END-1"]


def test_a_code_without_a_rule_is_not_what_was_expected(url: str) -> None:
    """An edit to as many shares as there are is a slip in the scenario, and ends the programme."""
    with pytest.raises(SetUpFailed, match=r"edit of packet 0.*unchanged.*expected success"):
        performed(url, a_scenario("rob", relative(0, platform="lab", edits=[{"at_ms": 1, "share_count": 10}])))


def test_an_edit_below_what_is_claimed_is_noted_and_the_programme_goes_on(url: str) -> None:
    """How many are claimed by then nobody can plan: the refusal is an outcome, and the end comes as planned."""
    edits = [{"at_ms": 60 * MINUTE, "share_count": 1}]
    changes = {"platform": "lab", "edits": edits, "end_at_ms": 61 * MINUTE, "claim_window_ms": 600 * MINUTE}
    director = Director(url, a_scenario("sue", relative(0, **changes)), 1, lambda _: None)
    director.set_up()
    performing = threading.Thread(target=director.perform, args=(lambda: False,))
    performing.start()
    try:
        for viewer in ("v1", "v2"):
            grab(url, "sue", viewer)
    finally:
        performing.join()
    outcomes = [outcome for _, _, outcome in steps(director.happenings)]
    assert outcomes == ["launched", "refused below_claimed", "ended"]
    assert director.happenings[1].rule == "KS-EDT-1"
    assert shown(url, f"packets/{director.packet_ids[0]}")["given"] == 2


def test_kuaishous_modes_are_performed(url: str) -> None:
    """By hand and by schedule; the second popup within a minute becomes an asset widget."""
    terms = {"platform": "kuaishou", "launch_at_ms": 0, "claim_window_ms": MINUTE}
    by_schedule = {**terms, "mode": "scheduled", "grab_at_ms": 40 * MINUTE}
    again = {**by_schedule, "grab_at_ms": 40 * MINUTE + 30_000}
    director = performed(url, a_scenario("gin", {**terms, "mode": "manual"}, by_schedule, again))
    packets = [shown(url, f"packets/{packet_id}") for packet_id in director.packet_ids.values()]
    assert [packet["surface"] for packet in packets] == ["popup", "popup", "asset_widget"]
    assert packets[2]["grab_at_ms"] - packets[1]["grab_at_ms"] == 30_000
    assert all(packet["warmup_at_ms"] == packet["grab_at_ms"] for packet in packets)


def test_a_programme_with_an_origin_is_a_timetable(url: str) -> None:
    """Its hours count from the origin, however late the curtain rises."""
    now_ms = shown(url, "clock")["room_ms"] - ORIGIN_MS
    grab_at_ms = now_ms // 1_000 * 1_000 + 60 * MINUTE
    terms = {"platform": "kuaishou", "claim_window_ms": MINUTE, "mode": "scheduled"}
    scenario = a_scenario("hal", {**terms, "launch_at_ms": 0, "grab_at_ms": grab_at_ms}, origin=ORIGIN)
    director = performed(url, scenario)
    assert shown(url, f"packets/{director.packet_ids[0]}")["grab_at_ms"] == ORIGIN_MS + grab_at_ms


@pytest.mark.parametrize("changes", [{"origin": "2023-06-05T18:00:01+08:00"}, {"origin": ORIGIN, "speed": 60}])
def test_a_timetable_needs_its_own_clock(url: str, changes: dict[str, Any]) -> None:
    """On a server with another origin or speed its hours mean nothing; a person is told how to start one."""
    with pytest.raises(SetUpFailed, match="--origin-ms"):
        performed(url, a_scenario("ida", relative(0), **changes))


def test_a_programme_can_be_stopped(url: str) -> None:
    """A stop ends the programme at once, although a step is due in a year of room time."""
    director = Director(url, a_scenario("joe", relative(0), relative(10**11)), 1, lambda _: None)
    director.set_up()
    director.perform(lambda: bool(director.happenings))
    assert steps(director.happenings) == [("packet 0", "launch", "launched")]


def test_a_programme_with_a_loop_begins_again(url: str) -> None:
    """Each lap has packets of its own, until somebody says stop."""
    director = Director(url, a_scenario("kim", relative(0, platform="lab"), loop_ms=MINUTE), 1, lambda _: None)
    director.set_up()
    director.perform(lambda: len(director.happenings) >= 3)
    assert len({each.packet_id for each in director.happenings}) == 3


def test_somebody_elses_room_fails_the_set_up(url: str) -> None:
    """A room that is taken is no room for this programme; the text says what was asked and what the answer was."""
    mine = a_scenario("lea", relative(0))
    Director(url, mine, 1, lambda _: None).set_up()
    theirs = a_scenario("mia", relative(0, room_id="lea"), rooms=[{"room_id": "lea", "creator_id": "mia"}])
    with pytest.raises(SetUpFailed, match=r"POST /api/rooms: 409 .*room_taken"):
        Director(url, theirs, 1, lambda _: None).set_up()


def test_what_happens_is_said(url: str) -> None:
    """Each step is printed with the packet's name."""
    said: list[str] = []
    director = Director(url, a_scenario("nan", relative(0, name="rain", platform="lab")), 1, said.append)
    director.set_up()
    director.perform(lambda: False)
    assert said == ["1 creators, 1 rooms", "rain: launched"]


def test_packets_follow_the_audience() -> None:
    """Counts and sums are worked out for the viewers there are, and everything else is as written."""
    follows = {"share_count": None, "total_fen": None, "shares_per_viewer": 0.5, "mean_share_fen": 20}
    first, second = planned_packets(a_scenario("ola", relative(0, **follows), relative(5)), 30)
    assert (first.number, first.share_count, first.total_fen, first.creator_id) == (0, 15, 300, "ola")
    assert (second.number, second.share_count, second.total_fen, second.launch_at_ms) == (1, 10, 1_000, 5)


def test_a_step_that_the_store_is_away_for_is_asked_again(tmp_path: Path) -> None:
    """With the same key, until it is back: everything is done, and once."""
    server = ServerProcess(tmp_path, ["--durability", "relaxed"])
    try:
        url = server.wait_until_ready()
        store = psutil.Process(json.loads((tmp_path / "home/store/store.lock").read_text())["pid"])
        supervising = store.parent()
        assert supervising is not None
        supervising.suspend()
        store.kill()
        back = threading.Timer(1.0, supervising.resume)
        back.start()
        Director(url, a_scenario("away", relative(0)), 1, lambda _: None).set_up()
        assert back.finished.is_set()
        funds = requests.get(f"{url}/api/creators/away/funds", timeout=30)
        assert funds.json()["available_fen"] == FUNDS_FEN
    finally:
        server.stop()


def test_a_line_that_breaks_is_not_the_end_of_a_server() -> None:
    """A worker that dies takes its lines with it; the same request, with its key, goes to another one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        keys = []

        def serve_one_in_two() -> None:
            for answer in (
                b"",
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            ) * 2:
                line, _ = listener.accept()
                with line:
                    head = line.recv(65_536)
                    keys.append(
                        next(each for each in head.split(b"\r\n") if each.lower().startswith(b"idempotency-key"))
                    )
                    line.sendall(answer)

        thread = threading.Thread(target=serve_one_in_two)
        thread.start()
        host = f"http://127.0.0.1:{listener.getsockname()[1]}"
        Director(host, load_scenario("smoke"), 1, lambda _: None).set_up()
        thread.join()
    assert len(keys) == 4
    assert (keys[0], keys[2]) == (keys[1], keys[3])
