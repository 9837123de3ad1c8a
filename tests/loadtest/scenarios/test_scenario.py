"""Scenarios are data, checked when read, and a wrong one says where it is wrong."""

import re
from collections import Counter
from datetime import datetime
from itertools import islice
from pathlib import Path

import pytest

from client_sim.behaviour import Behaviour, cast
from client_sim.buyer import Habit
from client_sim.creator import programme
from loadtest.run.director import planned_packets
from loadtest.scenarios.crowd_scenario import BadScenario, scenario_text, shipped_names
from loadtest.scenarios.scenario import Scenario, load_scenario

GOOD = """
name = "mine"

[audience]
viewers = 10

[[creators]]
creator_id = "anna"
recharge_fen = 1000

[[rooms]]
room_id = "r1"
creator_id = "anna"

[[packets]]
name = "one"
room_id = "r1"
share_count = 5
total_fen = 100
launch_at_ms = 0
delay_ms = 1000
"""


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_scenario_is_good(name: str) -> None:
    """Every shipped scenario loads, and its creators can pay for its packets."""
    scenario = load_scenario(name)
    assert scenario.name == name
    hosts = {room.room_id: room.creator_id for room in scenario.rooms}
    for creator in scenario.creators:
        funded = sum(
            packet.sum_for(scenario.audience.viewers)
            for packet in scenario.packets
            if hosts[packet.room_id] == creator.creator_id
        )
        assert funded <= creator.recharge_fen


def test_the_evening_is_the_one_that_was_asked_for() -> None:
    """Two creators on Douyin's rules, one on Kuaishou's and the platform, on 5 August from 19:10, under 90 seconds."""
    scenario = load_scenario("evening")
    assert len(scenario.creators) == len(scenario.rooms) == 4
    assert scenario.speed == 60
    assert scenario.origin == datetime.fromisoformat("2023-08-05T19:10:00+08:00")
    assert scenario.audience.viewers >= 600
    rulebooks = {packet.room_id: packet.platform for packet in scenario.packets}
    on_douyin = dict.fromkeys(("anna-live", "bowen-live", "platform-live"), "douyin")
    assert rulebooks == on_douyin | {"chongai-live": "kuaishou"}
    assert {packet.denomination for packet in scenario.packets} == {"random", "fixed"}
    assert {packet.mode for packet in scenario.packets} == {"relative", "exact", "manual", "scheduled"}
    assert any(packet.void_at_ms is not None and packet.expect_void is None for packet in scenario.packets)
    refused = {packet.expect or packet.expect_void for packet in scenario.packets} - {None}
    assert refused == {"refused:DY-BLK-1", "refused:DY-LAU-9", "refused:DY-VOI-2"}
    warmups = [packet.delay_ms for packet in scenario.packets if packet.delay_ms is not None]
    assert (min(warmups), max(warmups)) == (120_000, 900_000)
    last_end_ms = max(
        (packet.grab_at_ms or packet.launch_at_ms + (packet.delay_ms or 0)) + (packet.claim_window_ms or 0)
        for packet in scenario.packets
    )
    assert last_end_ms / scenario.speed <= 75_000


def test_winners_of_the_evening_buy_and_all_is_final_soon() -> None:
    """Every habit occurs; validities end within 30 room minutes, refunds within 10, reversals within one."""
    scenario = load_scenario("evening")
    assert scenario.shop is not None
    assert scenario.shop.mix.keys() == set(Habit)
    assert set(scenario.sometimes) >= {"order_paid", "packet_expired", "platform_packet_used", "trail_shown"}
    for platform in ("douyin", "kuaishou"):
        assert scenario.rulebooks[platform]["refund_horizon_ms"] == 600_000
        assert scenario.rulebooks[platform]["reversal_delay_ms"] == 60_000
    for packet in scenario.packets:
        if packet.expect is None:
            opens_ms = packet.grab_at_ms or packet.launch_at_ms + (packet.delay_ms or 0)
            last_ms = packet.use_end_at_ms or opens_ms + (packet.claim_window_ms or 0) + (packet.use_for_ms or 10**9)
            assert last_ms - opens_ms - (packet.claim_window_ms or 0) <= 1_800_000


def test_two_packets_of_the_evening_overlap_in_one_room() -> None:
    """Two of Anna's are on at the same time, and the one that is refused would be the third."""
    spans = {}
    for packet in load_scenario("evening").packets:
        if packet.room_id == "anna-live" and packet.expect != "refused:DY-BLK-1":
            start_ms = packet.launch_at_ms if packet.warmup_at_ms is None else packet.warmup_at_ms
            end_ms = (packet.grab_at_ms or start_ms + (packet.delay_ms or 0)) + (packet.claim_window_ms or 600_000)
            spans[packet.name] = (start_ms, end_ms, packet.expect)
    third_ms = next(start_ms for start_ms, _, expect in spans.values() if expect == "refused:DY-LAU-9")
    on = [name for name, (start_ms, end_ms, expect) in spans.items() if start_ms <= third_ms < end_ms and not expect]
    assert len(on) == 2


def test_two_popups_of_the_evening_are_too_near_each_other() -> None:
    """Kuaishou's second one within a minute of room time becomes an asset widget."""
    opens = [packet.grab_at_ms for packet in load_scenario("evening").packets if packet.mode == "scheduled"]
    first, second = sorted(each for each in opens if each is not None)
    assert second - first < 60_000


def test_it_rains_in_one_room() -> None:
    """Twenty packets, two seconds apart, all over within a minute."""
    scenario = load_scenario("rain")
    assert len(scenario.rooms) == 1
    assert [packet.launch_at_ms for packet in scenario.packets] == list(range(0, 40_000, 2_000))
    assert {packet.platform for packet in scenario.packets} == {"lab"}


def test_many_rooms_are_many() -> None:
    """Forty rooms of ten creators, every room with one or two packets, four hundred viewers."""
    scenario = load_scenario("many-rooms")
    assert (len(scenario.rooms), len(scenario.creators), scenario.audience.viewers) == (40, 10, 400)
    of_room = Counter(packet.room_id for packet in scenario.packets)
    assert set(of_room) == {room.room_id for room in scenario.rooms}
    assert set(of_room.values()) == {1, 2}


@pytest.mark.parametrize(
    ("change", "field", "line"),
    [
        (("viewers = 10", "viewers = 0"), "audience.viewers", 5),
        (("viewers = 10", "viewers = 10\nspectators = 3"), "audience.spectators", 6),
        (('room_id = "r1"\nshare', 'room_id = "r2"\nshare'), "packets.0.room_id", 17),
        (("share_count = 5", "share_count = 5\nshares_per_viewer = 1"), "packets.0", 15),
        (("delay_ms = 1000", ""), "packets.0", 15),
        (("total_fen = 100", 'total_fen = "much"'), "packets.0.total_fen", 19),
        (("share_count = 5", 'share_count = 5\nplatform = "taobao"'), "packets.0.platform", 19),
        (("share_count = 5", 'share_count = 5\nexpect = "DY-LAU-9"'), "packets.0.expect", 19),
        (("share_count = 5", 'share_count = 5\nexpect_void = "refused:DY-VOI-2"'), "packets.0", 15),
        (("share_count = 5", 'share_count = 5\nexpect = "refused:DY-LAU-9"\nvoid_at_ms = 5'), "packets.0", 15),
        (("share_count = 5", 'share_count = 5\nmode = "scheduled"'), "packets.0", 15),
        (("total_fen = 100", "total_fen = 100\nedits = [{ at_ms = 5 }]"), "packets.0.edits.0", 15),
        (
            ("total_fen = 100", "total_fen = 100\nedits = [{ at_ms = 5, share_count = 1, factor = 2 }]"),
            "packets.0.edits.0",
            15,
        ),
        (("total_fen = 100", "total_fen = 100\nedits = [{ at_ms = 5, factor = 0 }]"), "packets.0.edits.0.factor", 15),
        (("total_fen = 100", "total_fen = 100\nedits = [{ at_ms = 5, factor = inf }]"), "packets.0.edits.0.factor", 15),
        (("total_fen = 100", "total_fen = 100\nedits = [{ at_ms = 5, shares = 9 }]"), "packets.0.edits.0.shares", 15),
        (("total_fen = 100", "total_fen = 100\nend_at_ms = 0"), "packets.0", 15),
        (("total_fen = 100", "total_fen = 100\nend_at_ms = -1"), "packets.0.end_at_ms", 20),
        (("total_fen = 100", "total_fen = 100\nend_at_ms = 5\nvoid_at_ms = 6"), "packets.0", 15),
        (("total_fen = 100", 'total_fen = 100\nexpect_end = "refused:KS-END-1"'), "packets.0", 15),
        (("total_fen = 100", 'total_fen = 100\nend_at_ms = 5\nexpect = "refused:DY-LAU-9"'), "packets.0", 15),
        (('name = "mine"', 'name = "mine"\norigin = 2023-08-05T19:10:00'), "origin", 3),
        (('name = "mine"', 'name = "mine"\norigin = 9999-08-05T19:10:00Z'), "origin", 3),
        (('name = "mine"', 'name = "mine"\norigin = 1970-01-01T00:00:00Z'), "origin", 3),
        (("[audience]", "[rulebooks.douyin]\noverlap_max = 0\n\n[audience]"), "rulebooks.douyin.overlap_max", 5),
        (("[audience]", "[rulebooks.taobao]\n\n[audience]"), "rulebooks.taobao", 4),
        (('name = "mine"', 'name = "mine"\norigin = 2023-08-05T19:10:00Z\nloop_ms = 5'), "loop_ms", 4),
    ],
)
def test_a_bad_field_is_named_with_its_line(tmp_path: Path, change: tuple[str, str], field: str, line: int) -> None:
    """A person learns which field of which line breaks which rule."""
    path = _written(tmp_path, GOOD.replace(*change))
    with pytest.raises(BadScenario) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}:{line}: {field}: ")


@pytest.mark.parametrize("text", ["name = ", "[[packets]\n", GOOD.replace('name = "mine"', "")])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is not TOML, or lacks what it must have, is a BadScenario and nothing else."""
    with pytest.raises(BadScenario):
        load_scenario(_written(tmp_path, text))


def test_an_unknown_name_lists_what_there_is() -> None:
    """An unknown scenario name is answered with the shipped ones."""
    with pytest.raises(BadScenario, match="evening"):
        load_scenario("evenign")


def test_the_audience_has_the_viewers_asked_for() -> None:
    """Seats are connections, viewers are people: a viewer with two devices has two seats and counts once."""
    scenario = load_scenario("evening").before(viewers=100)
    seats = list(scenario.seats())
    assert len({seat.viewer_id for seat in seats}) == 100
    two = [seat for seat in seats if seat.behaviour is Behaviour.TWO_DEVICES]
    assert len(two) == 2 * len({seat.viewer_id for seat in two}) > 0


def test_shares_follow_the_viewers(tmp_path: Path) -> None:
    """A stampede before twice the audience has twice the shares; a fixed count stays."""
    stampede = load_scenario("stampede").packets[0]
    assert (stampede.shares_for(1000), stampede.shares_for(2000)) == (100, 200)
    assert stampede.sum_for(2000) == 200 * 188
    mine = load_scenario(_written(tmp_path, GOOD))
    assert mine.packets[0].shares_for(7) == 5


def test_a_scenario_brings_limits_of_its_own(tmp_path: Path) -> None:
    """Overridden limits stay the same with another audience; most scenarios override nothing."""
    table = '[rulebooks.kuaishou]\nrefund_horizon_ms = 600_000\noverlap_max = "none"\n\n[audience]'
    scenario = load_scenario(_written(tmp_path, GOOD.replace("[audience]", table))).before(viewers=3)
    assert scenario.rulebooks == {"kuaishou": {"refund_horizon_ms": 600_000, "overlap_max": "none"}}
    assert load_scenario("smoke").rulebooks == {}


def test_a_scenario_brings_a_platform_of_its_own(tmp_path: Path) -> None:
    """Creators and packets may belong to it, its rules may be expected, and who buys there holds its base's app."""
    table = '[rulebooks.acme]\nbase = "kuaishou"\noverlap_max = 1\n'
    table += '[shop]\nproducts = [{product_id = "p", price_fen = 2}]\n'
    text = GOOD.replace("[audience]", f"{table}\n[audience]").replace(
        "recharge_fen = 1000", 'recharge_fen = 1000\nplatform = "acme"'
    )
    text = text.replace("total_fen = 100", 'total_fen = 100\nplatform = "acme"\nexpect = "refused:ACME-DY-LAU-9"')
    scenario = load_scenario(_written(tmp_path, text)).before(viewers=3)
    assert (scenario.creators[0].platform, scenario.packets[0].platform) == ("acme", "acme")
    assert (scenario.books["acme"].base, scenario.books["acme"].overlap_max) == ("kuaishou", 1)
    assert scenario.shop is not None
    assert [scenario.shop.client_on(platform) for platform in ("acme", "lab")] == ["kuaishou", "other"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("recharge_fen = 1000", 'recharge_fen = 1000\nplatform = "jd"', "creators.0.platform: must be one of douyin"),
        ("total_fen = 100", 'total_fen = 100\nplatform = "acme"', "packets.0.platform: must be one of douyin"),
        ("[audience]", "[rulebooks.acme]\noverlap_max = 1\n[audience]", "rulebooks.acme: no such platform"),
        ("[audience]", '[rulebooks.acme]\nbase = "jd"\n[audience]', "rulebooks.acme.base: must be one of douyin"),
    ],
)
def test_a_platform_that_nobody_makes_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The sentence names the place and the platforms there are."""
    with pytest.raises(BadScenario, match=said):
        load_scenario(_written(tmp_path, GOOD.replace(old, new)))


def _edited(*edits: str, more: str = "") -> str:
    return GOOD.replace("total_fen = 100", f"total_fen = 100\nedits = [{', '.join(edits)}]\n{more}")


def test_a_packet_is_edited_and_ended_by_its_creator(tmp_path: Path) -> None:
    """Edits say how many shares it is to have, as such or times those of its creation; then it is ended."""
    edits = ("{ at_ms = 900, share_count = 9 }", "{ at_ms = 1200, factor = 0.5 }")
    scenario = load_scenario(_written(tmp_path, _edited(*edits, more="end_at_ms = 1500")))
    steps = programme(planned_packets(scenario, 10))
    told = [(step.at_ms, step.action, step.edit and step.edit.share_count) for step in steps]
    assert told == [(0, "launch", None), (900, "edit", 9), (1200, "edit", 2), (1500, "end", None)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_edited("{ at_ms = 9, factor = 2 }", "{ at_ms = 9, factor = 3 }"), "each later than the one before"),
        (_edited("{ at_ms = 9, factor = 2 }", "{ at_ms = 8, factor = 3 }"), "each later than the one before"),
        (_edited("{ at_ms = 9, factor = 2 }", more="end_at_ms = 9"), "edits come before end_at_ms"),
        (_edited("{ at_ms = 9, factor = 2 }", more="void_at_ms = 8"), "edits come before void_at_ms"),
        (_edited("{ at_ms = 9, factor = 2 }", more='expect = "refused:DY-LAU-9"'), "leave edits and end_at_ms out"),
    ],
)
def test_edits_are_in_an_order_that_can_be_carried_out(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is planned for a packet that is over, and one edit follows another."""
    with pytest.raises(BadScenario, match=said):
        load_scenario(_written(tmp_path, text))


def test_a_packet_whose_void_is_refused_may_be_ended(tmp_path: Path) -> None:
    """A void that a rule must refuse does not end the packet."""
    more = 'void_at_ms = 5\nexpect_void = "refused:DY-VOI-2"\nend_at_ms = 50'
    (packet,) = load_scenario(_written(tmp_path, _edited("{ at_ms = 9, factor = 2 }", more=more))).packets
    assert packet.end_at_ms == 50


def test_a_programme_is_in_order_of_time() -> None:
    """Creators do one thing after the other; a void comes after its launch."""
    scenario: Scenario = load_scenario("evening")
    steps = programme(planned_packets(scenario, 600))
    assert [step.at_ms for step in steps] == sorted(step.at_ms for step in steps)
    assert len(steps) == len(scenario.packets) + 2
    refused = {step.packet.name: step.expected_rule for step in steps if step.expected_rule}
    assert sorted(refused.values()) == ["DY-BLK-1", "DY-LAU-9", "DY-VOI-2"]
    for step in steps:
        assert step.action == "launch" or step.at_ms > step.packet.launch_at_ms


def test_a_fault_names_a_packet_of_the_programme(tmp_path: Path) -> None:
    """A slip in the name would be a fault that never strikes."""
    text = scenario_text("store-dies").replace('packet = "stampede"', 'packet = "stampeed"')
    with pytest.raises(BadScenario, match=r"faults\.0\.at_phase: no packet is called stampeed"):
        load_scenario(_written(tmp_path, text))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('sometimes = ["sold_out_sen"]', "sometimes.0"),
        ('thresholds = { grab_latency = ["p(99) < 50"] }', "thresholds.grab_latency"),
        ('thresholds = { grab_latency_ms = ["p99 < 50"] }', "thresholds.grab_latency_ms"),
    ],
)
def test_a_demand_that_cannot_be_judged_is_refused(line: str, said: str, tmp_path: Path) -> None:
    """An unknown happening, an unknown metric and bad grammar name their field before anything starts."""
    path = tmp_path / "mine.toml"
    path.write_text(f"{line}\n{scenario_text('stampede').replace('sometimes', '# ')}", "utf-8")
    with pytest.raises(BadScenario, match=re.escape(said)):
        load_scenario(str(path))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"repeat_seen"', '"nope"', "sometimes.1: nope is unknown"),
        ("eager = 0.5", "eager = -1", "audience.mix.eager: Input should be greater than or equal to 0"),
        ("eager = 0.5", "eager = nan", "audience.mix.eager: Input should be a finite number"),
        (
            "speed = 10",
            "thresholds.granted = ['p(95) << 5']",
            "thresholds.granted: 'p(95) << 5': expected what granted",
        ),
        ("seed = 1", f"seed = {10**30}", "seed: must be at most"),
    ],
)
def test_an_error_has_its_line_and_its_reason(old: str, new: str, said: str, tmp_path: Path) -> None:
    """An item of a list has the line of the list, and a number is told its bound."""
    text = scenario_text("smoke").replace(old, new, 1)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if new.splitlines()[-1] in each)
    with pytest.raises(BadScenario, match=re.escape(f"mine.toml:{line}: {said}")):
        load_scenario(_written(tmp_path, text))


def test_every_shipped_storm_says_what_must_have_happened() -> None:
    """None of them can pass without a sell-out or a fault's aftermath; the endless one for Locust is never judged."""
    without = [name for name in shipped_names() if not load_scenario(name).sometimes]
    assert set(without) <= {"locust"}


def test_packets_and_creators_agree_on_a_platform(tmp_path: Path) -> None:
    """A creator's is the one that its packets name, and its packets take it; two are one too many (AMB-43)."""
    named = GOOD.replace("total_fen = 100", 'total_fen = 100\nplatform = "douyin"')
    scenario = load_scenario(_written(tmp_path, named))
    assert (scenario.creators[0].platform, scenario.packets[0].platform) == ("douyin", "douyin")
    by_creator = GOOD.replace("recharge_fen = 1000", 'recharge_fen = 1000\nplatform = "kuaishou"')
    assert load_scenario(_written(tmp_path, by_creator)).packets[0].platform == "kuaishou"
    assert load_scenario(_written(tmp_path, GOOD)).creators[0].platform == "lab"
    both = named.replace("recharge_fen = 1000", 'recharge_fen = 1000\nplatform = "kuaishou"')
    with pytest.raises(BadScenario, match=r"packets.0.platform: \w+ belongs to kuaishou"):
        load_scenario(_written(tmp_path, both))


def test_the_platform_launches_into_a_creators_room(tmp_path: Path) -> None:
    """Its packet is for the platform of the room; nobody else has a packet in another's room (AMB-45)."""
    theirs = GOOD.replace("total_fen = 100", 'total_fen = 100\ncreator_id = "platform"')
    with pytest.raises(BadScenario, match=r"packets.0.creator_id: must be a creator called platform"):
        load_scenario(_written(tmp_path, theirs))
    whole = f'{theirs}\n[[creators]]\ncreator_id = "platform"\nrecharge_fen = 1000\n'
    whole = whole.replace("recharge_fen = 1000", 'recharge_fen = 1000\nplatform = "kuaishou"', 1)
    (packet,) = load_scenario(_written(tmp_path, whole)).packets
    assert (packet.creator_id, packet.platform) == ("platform", "kuaishou")


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_audience_has_a_few_edge_tappers(name: str) -> None:
    """At least three among its viewers, so that the ends of windows are tapped in every run (A7, A13)."""
    scenario = load_scenario(name)
    seats = cast(scenario.room_ids, scenario.audience.mix, scenario.seed)
    audience = islice((seat for seat in seats if seat.device == 0), scenario.audience.viewers)
    assert sum(1 for seat in audience if seat.behaviour is Behaviour.EDGE_TAPPER) >= 3
