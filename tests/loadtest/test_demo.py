"""The demo's programme, by the rules of the core: a round has everything, and only what is to be refused is refused."""

import re
import socket
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pytest

from client_sim.buyer import Deed, Habit, Won
from client_sim.creator import CreatorStep, PlannedPacket, programme
from loadtest.demo.errands import SHOP, WARES, errand_of
from loadtest.demo.lan import is_own, lan_address
from loadtest.demo.lines import LANGUAGES, TEXTS, launched, line, named, seconds, yuan
from loadtest.demo.onlooker import Onlooker
from loadtest.demo.programme import HOSTS, ORIGIN_MS, ROOMS, RoundSeen, lacking, programme_of, programme_text
from loadtest.run.director import Director, Happening, planned_packets
from loadtest.targets.access import NOBODY
from server.core.ids import CreatorId, PacketId, RoomId, ViewerId
from server.core.packets.launch import LaunchRequest, plan_launch
from server.core.packets.packet import Denomination, Packet, PacketState, Surface, Terms
from server.core.packets.split import check_terms
from server.core.refusal import Refused
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import LaunchMode

SPEED = 60
MINUTE_MS = 60_000
BETWEEN_MAX_MS = 40_000 * SPEED  # so long one looks at a room in which nothing opens
ROUND_MAX_MS = 110_000 * SPEED  # `--once` has two real minutes, set-up and end included
PAUSE_MS = 3_000 * SPEED  # from the end of a round to the start of the next one


def _planned(viewers: int = 300) -> list[PlannedPacket]:
    return planned_packets(programme_of(programme_text(), viewers=viewers, speed=SPEED), viewers)


class Evening:
    """Rounds of the programme as the core decides them, at room instants after the start of the evening."""

    def __init__(self) -> None:
        self.packets: dict[tuple[int, str], Packet] = {}
        self.refused: dict[str, str] = {}

    def carry_out(self, number: int, step: CreatorStep, start_ms: int) -> None:
        plan, now_ms = step.packet, start_ms + step.at_ms
        of, rulebook = (number, plan.name), RULEBOOKS[plan.platform]
        if step.action == "launch":
            request = LaunchRequest(
                room_id=RoomId(plan.room_id),
                mode=LaunchMode(plan.mode),
                delay_ms=plan.delay_ms,
                warmup_at_ms=None if plan.warmup_at_ms is None else start_ms + plan.warmup_at_ms,
                grab_at_ms=None if plan.grab_at_ms is None else start_ms + plan.grab_at_ms,
                claim_window_ms=plan.claim_window_ms,
            )
            draft = _draft(plan, number)
            try:
                launch = plan_launch(
                    request, packet=draft, rulebook=rulebook, now_ms=now_ms, others=list(self.packets.values())
                )
            except Refused as refused:
                self.refused[plan.name] = refused.rule
                return
            self.packets[of] = replace(
                draft, state=PacketState.LAUNCHED, schedule=launch.schedule, surface=launch.surface,
                room_id=request.room_id,
            )  # fmt: skip
        elif step.action == "void":
            packet = self.packets[of]
            assert packet.schedule is not None
            lead_ms = rulebook.void_lead_ms
            if plan.void_by == "creator" and lead_ms is not None:
                assert now_ms <= packet.schedule.warmup_at_ms - lead_ms, plan.name
            else:
                assert packet.schedule.warmup_at_ms < now_ms < packet.schedule.grab_at_ms, "viewers wait for it"
            self.packets[of] = replace(packet, state=PacketState.VOIDED)
        elif step.action == "edit":
            packet = self.packets[of]
            assert packet.schedule is not None
            assert rulebook.issuance_editable
            assert packet.schedule.grab_at_ms < now_ms < packet.schedule.claim_end_at_ms


def _draft(plan: PlannedPacket, number: int) -> Packet:
    return Packet(
        packet_id=PacketId(f"{plan.creator_id}.{number}-{plan.number}"),
        creator_id=CreatorId(plan.creator_id),
        name=plan.name,
        platform=plan.platform,
        terms=_terms(plan),
        state=PacketState.DRAFT,
        edition=1,
        commitment="",
        use_for_ms=plan.use_for_ms,
    )


def _terms(plan: PlannedPacket) -> Terms:
    most_fen = min(plan.max_share_fen or plan.total_fen, RULEBOOKS[plan.platform].max_share_fen)
    bounds = (plan.min_share_fen, most_fen)
    if plan.denomination == "fixed":
        bounds = (plan.total_fen // plan.share_count,) * 2
    return Terms(Denomination(plan.denomination), plan.share_count, plan.total_fen, *bounds)


@pytest.fixture(scope="module")
def evening() -> Evening:
    """Let the core decide four rounds, one right after the other."""
    evening, start_ms = Evening(), ORIGIN_MS
    for number in range(4):
        for step in programme(_planned()):
            evening.carry_out(number, step, start_ms)
        start_ms = _end_ms(evening, number) + PAUSE_MS
    return evening


def _end_ms(evening: Evening, number: int) -> int:
    schedules = [packet.schedule for (of, _), packet in evening.packets.items() if of == number]
    return max(schedule.claim_end_at_ms for schedule in schedules if schedule is not None)


def test_only_what_is_to_be_refused_is_refused(evening: Evening) -> None:
    """In every round, by the rulebooks, with what is left of the round before."""
    assert evening.refused == {plan.name: plan.expect for plan in _planned() if plan.expect}
    assert set(evening.refused.values()) == {"DY-LAU-9"}


def test_a_round_is_short(evening: Evening) -> None:
    """Everything is shown twice within five real minutes, and a single round ends within two."""
    assert _end_ms(evening, 0) - ORIGIN_MS <= ROUND_MAX_MS


def test_no_room_is_quiet_for_long(evening: Evening) -> None:
    """From one packet that opens in a room to the next there are at most 40 real seconds, also between rounds."""
    opens: dict[RoomId, list[int]] = defaultdict(list)
    for packet in evening.packets.values():
        assert packet.room_id is not None
        assert packet.schedule is not None
        if packet.state is not PacketState.VOIDED:
            opens[packet.room_id].append(packet.schedule.grab_at_ms)
    assert set(opens) == set(ROOMS)
    for room, instants in opens.items():
        gaps = [later - earlier for earlier, later in pairwise(sorted(instants))]
        assert max(gaps) <= BETWEEN_MAX_MS, room


def test_a_person_can_read_a_warm_up_and_tap_in_time(evening: Evening) -> None:
    """Rain is announced twelve real seconds before it falls, and every packet is open for eight."""
    for (_, name), packet in evening.packets.items():
        assert packet.schedule is not None
        warm_ms = packet.schedule.grab_at_ms - packet.schedule.warmup_at_ms
        open_ms = packet.schedule.claim_end_at_ms - packet.schedule.grab_at_ms
        rain = packet.platform == "douyin" and packet.state is not PacketState.VOIDED
        assert not rain or warm_ms >= 12_000 * SPEED, name
        assert open_ms >= 8_000 * SPEED, name


def test_a_round_has_everything(evening: Evening) -> None:
    """Warm-up, popup, asset widget, void by the host and by the platform, refusal, edit: each is planned."""
    first = [packet for (number, _), packet in evening.packets.items() if number == 0]
    shown = {packet.surface for packet in first if packet.platform == "kuaishou"}
    assert shown == {Surface.POPUP, Surface.ASSET_WIDGET}
    planned = _planned()
    assert {plan.void_by for plan in planned if plan.void_at_ms is not None} == {"creator", "platform"}
    assert any(plan.edits for plan in planned)
    assert any(plan.expect for plan in planned)
    assert {plan.room_id for plan in planned} == set(ROOMS)
    assert {plan.mode for plan in planned} == {"relative", "exact", "scheduled", "manual"}


@pytest.mark.parametrize("viewers", [30, 60, 300, 5_000])
def test_some_sell_out_and_some_do_not(viewers: int) -> None:
    """The first rain is for about half of a room, later ones for all who tap, a guest among them; all can be split."""
    planned = {plan.name: plan for plan in _planned(viewers)}
    in_room = viewers / len(ROOMS)
    assert 0.3 * in_room <= planned["开场红包雨"].share_count <= 0.7 * in_room
    assert planned["返场红包雨"].share_count > in_room
    for plan in planned.values():
        check_terms(_terms(plan), RULEBOOKS[plan.platform])


def test_fewer_rooms_are_the_first_ones() -> None:
    """Each room's part of the programme stands alone."""
    for rooms in range(1, len(ROOMS) + 1):
        scenario = programme_of(programme_text(rooms), viewers=30, speed=SPEED)
        assert [room.room_id for room in scenario.rooms] == list(ROOMS[:rooms])
        assert {creator.creator_id for creator in scenario.creators} <= set(HOSTS)


@pytest.mark.parametrize("creator_id", sorted(WARES))
def test_a_winner_orders_pays_and_is_refunded_within_the_round(creator_id: str) -> None:
    """With all six steps of a trail between, from the host's table, and before the next round."""
    won = Won(ViewerId("v1"), f"{creator_id}.1:0", CreatorId(creator_id), RoomId("tea"), "douyin")
    its = errand_of(won, 0)
    assert [act.at_ms for act in its.acts] == sorted(act.at_ms for act in its.acts)
    assert its.acts[-1].at_ms <= 25 * MINUTE_MS
    deeds = [act.deed for act in its.acts]
    assert deeds == [Deed.ORDER, Deed.PAY, *[Deed.REPORT] * 6, Deed.REFUND]
    assert {line.product_id for line in its.basket} <= {ware.product_id for ware in SHOP.products}
    assert {errand_of(replace(won, creator_id=CreatorId(each)), 0).habit for each in WARES} == {
        Habit.REFUND_FULLY, Habit.REFUND_IN_PART,
    }  # fmt: skip


def test_both_languages_say_the_same() -> None:
    """Each kind of line has both texts, with the same places to fill."""
    assert set(TEXTS) == set(LANGUAGES)
    places = {
        kind: {language: {name for _, name, _, _ in Formatter().parse(TEXTS[language][kind]) if name}
               for language in LANGUAGES}
        for kind in TEXTS["en"]
    }  # fmt: skip
    assert set(TEXTS["zh"]) == set(TEXTS["en"])
    assert {kind: each for kind, each in places.items() if each["en"] != each["zh"]} == {}


def test_a_line_says_when_where_and_what() -> None:
    title = "小满茶铺 Xiaoman Tea"
    filled = {"seconds": "12 s", "shares": 51, "sum": yuan(16_320)}
    said = line("en", ORIGIN_MS + 10 * MINUTE_MS, title, "rain", **filled)
    assert said == "20:10 Xiaoman Tea: red-packet rain in 12 s: 51 shares, ¥163.20"
    assert line("zh", ORIGIN_MS, title, "rain", **filled).startswith("20:00 小满茶铺: ")
    assert named("only one", "zh") == "only"
    assert (seconds(120_000, 60, "en"), seconds(750_000, 60, "zh")) == ("2.0 s", "12 秒")


def test_every_launch_has_its_line() -> None:
    for plan in _planned():
        kind, until_ms = launched(plan)
        assert kind in TEXTS["en"]
        assert until_ms >= 0


def test_a_round_without_evidence_lacks_everything() -> None:
    """Nothing passes for shown because nobody looked."""
    missing = lacking(_planned(), RoundSeen())
    for what in ("sells out", "popup", "asset widget", "refused by DY-LAU-9", "voided", "edited", "best luck",
                 "several discounts", "in part", "in full", "all its steps"):  # fmt: skip
        assert any(what in each for each in missing), what


def test_a_refusal_by_another_rule_is_not_the_one() -> None:
    plan = next(plan for plan in _planned() if plan.expect)
    happening = Happening(0, "launch", plan.name, "", "refused", 0, "DY-BLK-1")
    assert any(re.search("refused by", each) for each in lacking([plan], RoundSeen(happenings=[happening])))
    right = happening.__class__(0, "launch", plan.name, "", "refused", 0, plan.expect)
    assert not any(re.search("refused by", each) for each in lacking([plan], RoundSeen(happenings=[right])))


def test_only_an_address_of_this_machine_is_its_own() -> None:
    """Loopback is one; a documentation address, every address at once and no address are none."""
    assert is_own("127.0.0.1")
    assert is_own("127.0.0.2")
    for other in ("192.0.2.1", "0.0.0.0", "::", "", "here", "999.1.1.1"):  # noqa: S104 - refused
        assert not is_own(other), other
    found = lan_address()
    assert found is None or (is_own(found) and socket.inet_aton(found)[0] != 127)


def test_what_a_guest_at_the_console_prevents_is_said(tmp_path: Path) -> None:
    """A launch that was to be refused is told as planned, another as in somebody's way, and both only once."""
    scenario = programme_of(programme_text(), viewers=30, speed=SPEED)
    director, said = Director("http://127.0.0.1:9", scenario, 30, lambda _: None), list[str]()
    onlooker = Onlooker(
        "http://127.0.0.1:9", scenario, director, access=NOBODY, folder=tmp_path, simulated=(), language="en",
        say=said.append,
    )  # fmt: skip
    for name, action, outcome, rule in (
        ("三连红包", "launch", "refused DY-LAU-9", "DY-LAU-9"),
        ("返场红包雨", "launch", "refused DY-LAU-9", "DY-LAU-9"),
        ("返场红包雨", "launch", "refused not_draft", ""),
        ("夜场红包", "void", "refused not_draft", ""),
        ("开场红包雨", "launch", "launched", ""),
    ):
        director.happenings.append(Happening(0, action, name, "", outcome, 0, rule))
    looks = iter((False, True, True))
    onlooker.run(lambda: next(looks))
    assert [each.partition(": ")[2] for each in said] == [
        "a third packet at the same time is refused (DY-LAU-9)",
        "“返场红包雨” cannot be launched (DY-LAU-9): somebody else has used the time or the packet",
        "red-packet rain in 13 s: 5 shares, ¥16.00",
    ]
