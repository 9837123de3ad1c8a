"""
Launches against a check of our own, written from sections 4 to 6 of the rules and sharing no code with launch.py.

Every rule is judged for itself, by counting where the rules count; what refuses is the first one broken in the order
in which launch.py promises to look.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from random import Random

import pytest

from server.core.ids import RoomId
from server.core.packets.launch import Launch, LaunchRequest, plan_launch
from server.core.packets.packet import Packet, PacketState, Schedule, Surface
from server.core.refusal import Refused
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import LaunchMode
from tests.core.launching import DRAFT, launched

LAUNCHES = 5_000
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
SHANGHAI = timezone(timedelta(hours=8))
ROOMS = [RoomId("r1"), RoomId("r2")]
OFTEN = [
    *("DY-LAU-1", "DY-LAU-3", "DY-LAU-4", "DY-LAU-5", "DY-LAU-7", "DY-LAU-8", "DY-LAU-9", "DY-BLK-1"),
    *("KS-LAU-1", "ALL-CRE-1", "granted popup", "granted asset_widget", "warned", "alone"),
]


@dataclass(frozen=True)
class Asked:
    """One random launch: who asks for what, when, and what else is on."""

    platform: str
    request: LaunchRequest
    packet: Packet
    now_ms: int
    others: list[Packet]


def broken_rules(asked: Asked) -> list[str]:
    """Return the rules that a launch breaks, in the order in which they are looked at; empty if it is allowed."""
    broken = []
    if asked.packet.state != "draft":
        broken.append("DY-LAU-1")
    if asked.platform == "douyin" and asked.request.mode not in ("relative", "exact"):
        return [*broken, "DY-LAU-3"]
    if asked.platform == "kuaishou" and asked.request.mode not in ("manual", "scheduled"):
        return [*broken, "KS-LAU-1"]
    window = asked.request.claim_window_ms
    if window is not None and (window < 1 or window > 7 * DAY):
        broken.append("ALL-CRE-1")
    broken += broken_times(asked)
    warmup, grab, end = period(asked)
    if asked.packet.use_end_at_ms is not None and not grab < asked.packet.use_end_at_ms:
        broken.append("DY-LAU-8")
    if asked.platform == "douyin" and most_at_once(asked.others, warmup, end) > 2:
        broken.append("DY-LAU-9")
    if asked.platform == "douyin" and in_blackout(warmup):
        broken.append("DY-BLK-1")
    return broken


def broken_times(asked: Asked) -> list[str]:
    request, now = asked.request, asked.now_ms
    if request.mode == "manual":
        return []
    if request.mode == "relative":
        assert request.delay_ms is not None
        minutes = request.delay_ms / MINUTE
        return [] if 2 <= minutes <= 15 else ["DY-LAU-3"]
    assert request.grab_at_ms is not None
    if request.mode == "scheduled":
        return [] if now <= request.grab_at_ms else ["DY-LAU-7"]
    assert request.warmup_at_ms is not None
    broken = []
    if request.grab_at_ms > now + 7 * DAY or str(request.grab_at_ms)[-3:] != "000":
        broken.append("DY-LAU-4")
    if not request.grab_at_ms > now + 2 * MINUTE:
        broken.append("DY-LAU-5")
    if not (now <= request.warmup_at_ms and request.warmup_at_ms <= request.grab_at_ms):
        broken.append("DY-LAU-7")
    return broken


def period(asked: Asked) -> tuple[int, int, int]:
    """Return warm-up, opening and end of claims, as if all were allowed."""
    request, now = asked.request, asked.now_ms
    match request.mode:
        case LaunchMode.MANUAL:
            warmup = grab = now
        case LaunchMode.RELATIVE:
            warmup, grab = now, now + (request.delay_ms or 0)
        case LaunchMode.SCHEDULED:
            warmup = grab = request.grab_at_ms or 0
        case LaunchMode.EXACT:
            warmup, grab = request.warmup_at_ms or 0, request.grab_at_ms or 0
            if warmup - now <= 5 * MINUTE:
                warmup = now
    end = grab + (10 * MINUTE if request.claim_window_ms is None else request.claim_window_ms)
    if asked.packet.use_end_at_ms is not None and asked.packet.use_end_at_ms < end:
        end = asked.packet.use_end_at_ms
    return warmup, grab, end


def most_at_once(others: list[Packet], warmup: int, end: int) -> int:
    """Count, through every instant at which something begins or ends, how many are on; this packet is one of them."""
    on = [
        (other.schedule.warmup_at_ms, other.schedule.claim_end_at_ms)
        for other in others
        if other.schedule is not None and other.state != "voided" and other.platform == "douyin"
    ]
    instants = {instant for span in on for instant in span} | {warmup}
    return 1 + max(
        sum(start <= instant < stop for start, stop in on)
        for instant in instants
        if instant == warmup or warmup <= instant < end
    )


def in_blackout(instant_ms: int) -> bool:
    moment = datetime.fromtimestamp(instant_ms / 1000, SHANGHAI)
    if moment.month != 8 or moment.day > 18:
        return False
    return f"{moment:%H:%M}" >= "19:30" and f"{moment:%H:%M}" < "23:00" and moment.minute >= 30


def surface(asked: Asked) -> str:
    _, grab, _ = period(asked)
    for other in asked.others:
        assert other.schedule is not None
        popped = other.state != "voided" and other.surface == "popup" and other.room_id == asked.request.room_id
        if asked.platform == "kuaishou" and popped and abs(grab - other.schedule.grab_at_ms) < MINUTE:
            return "asset_widget"
    return "popup"


def near(rng: Random, *edges_ms: int) -> int:
    """Return an edge, or a little or a lot beside one."""
    beside = rng.choice([0, 0, 1, -1, SECOND, -SECOND, rng.randint(-90, 90) * SECOND, rng.randint(-MINUTE, MINUTE)])
    return rng.choice(edges_ms) + beside


def a_moment(rng: Random) -> int:
    """Return an instant on an evening around the promotion, often near the edge of a slot."""
    day = rng.choice([31, 32, 36, 36, 36, 49, 50])  # of July, so that 32 is the 1st of August
    hour = rng.randint(18, 23)
    moment = datetime(2023, 7, 1, hour, rng.choice([0, 30]), tzinfo=SHANGHAI) + timedelta(days=day - 1)
    return near(rng, int(moment.timestamp()) * 1000)


def a_request(rng: Random, now_ms: int, platform: str) -> LaunchRequest:
    own = {"douyin": ["relative", "exact", "exact"], "kuaishou": ["manual", "scheduled"]}[platform]
    mode = LaunchMode(rng.choice(own) if rng.random() < 0.95 else rng.choice(list(LaunchMode)))
    window_ms = rng.choice([None, None, None, 5 * MINUTE, MINUTE, near(rng, 0, 7 * DAY)])
    times: dict[str, int] = {}
    if mode is LaunchMode.RELATIVE:
        times["delay_ms"] = rng.choice([near(rng, 2 * MINUTE, 15 * MINUTE), rng.randint(2, 15) * MINUTE])
    if mode in (LaunchMode.EXACT, LaunchMode.SCHEDULED):
        grab_at_ms = now_ms + rng.choice([near(rng, 0, 2 * MINUTE), near(rng, 7 * DAY), rng.randint(3, 200) * MINUTE])
        times["grab_at_ms"] = grab_at_ms if rng.random() < 0.15 else grab_at_ms // SECOND * SECOND
    if mode is LaunchMode.EXACT:
        grab_at_ms = times["grab_at_ms"]
        ahead = [
            near(rng, now_ms, grab_at_ms),
            now_ms + near(rng, 5 * MINUTE),
            rng.randint(now_ms, now_ms + 200 * MINUTE),
        ]
        times["warmup_at_ms"] = min(rng.choice(ahead), grab_at_ms if rng.random() < 0.8 else 10**15)
    return LaunchRequest(rng.choice(ROOMS), mode, claim_window_ms=window_ms, **times)


def another(rng: Random, around_ms: int) -> Packet:
    """Return a launched packet with its times around an instant."""
    warmup_at_ms = near(rng, around_ms, around_ms - 15 * MINUTE, around_ms + 10 * MINUTE)
    grab_at_ms = warmup_at_ms + rng.choice([0, 0, MINUTE // 2, MINUTE, 5 * MINUTE])
    return launched(
        0,
        1,
        schedule=Schedule(warmup_at_ms, grab_at_ms, grab_at_ms + rng.choice([MINUTE, 10 * MINUTE, 15 * MINUTE])),
        platform=rng.choice(["douyin", "douyin", "douyin", "kuaishou"]),
        state=rng.choice([PacketState.LAUNCHED, PacketState.LAUNCHED, PacketState.SETTLED, PacketState.VOIDED]),
        surface=rng.choice([Surface.POPUP, Surface.POPUP, Surface.ASSET_WIDGET]),
        room_id=rng.choice(ROOMS),
    )


def a_launch(rng: Random) -> Asked:
    platform, now_ms = rng.choice(["douyin", "douyin", "kuaishou"]), a_moment(rng)
    request = a_request(rng, now_ms, platform)
    asked = Asked(platform, request, replace(DRAFT, platform=platform), now_ms, [])
    warmup, grab, end = period(asked)
    state = rng.choice(list(PacketState)) if rng.random() < 0.05 else PacketState.DRAFT
    use_end_at_ms = near(rng, grab, end) if rng.random() < 0.2 else None
    packet = replace(asked.packet, state=state, use_end_at_ms=use_end_at_ms)
    others = [another(rng, rng.choice([warmup, grab, end])) for _ in range(rng.randint(0, 5))]
    return replace(asked, packet=packet, others=others)


@pytest.mark.rule("DY-LAU-1")
@pytest.mark.rule("DY-LAU-3")
@pytest.mark.rule("DY-LAU-4")
@pytest.mark.rule("DY-LAU-5")
@pytest.mark.rule("DY-LAU-6")
@pytest.mark.rule("DY-LAU-7")
@pytest.mark.rule("DY-LAU-8")
@pytest.mark.rule("DY-LAU-9")
@pytest.mark.rule("DY-BLK-1")
@pytest.mark.rule("KS-LAU-1")
@pytest.mark.rule("KS-LAU-2")
@pytest.mark.rule("KS-CLM-1")
def test_random_launches_agree_with_the_text() -> None:
    """Five thousand launches are granted or refused, by the same rule, as the text says; each rule refuses many."""
    rng = Random(20230805)
    seen: Counter[str] = Counter()
    for number in range(LAUNCHES):
        asked = a_launch(rng)
        broken, planned = broken_rules(asked), outcome(asked)
        if isinstance(planned, Refused):
            assert [RULEBOOKS[asked.platform].rule(rule) for rule in broken[:1]] == [planned.rule], f"{number}: {asked}"
            seen[broken[0]] += 1
            continue
        assert broken == [], f"{number}: {asked}"
        assert planned.schedule == Schedule(*period(asked)), f"{number}: {asked}"
        assert planned.surface == surface(asked), f"{number}: {asked}"
        seen.update([f"granted {planned.surface}", "warned" if planned.warnings else "alone"])
    assert {what: seen[what] for what in OFTEN if seen[what] < 40} == {}


def outcome(asked: Asked) -> Launch | Refused:
    """Return what launch.py makes of it."""
    rulebook = RULEBOOKS[asked.platform]
    try:
        return plan_launch(
            asked.request, packet=asked.packet, rulebook=rulebook, now_ms=asked.now_ms, others=asked.others
        )
    except Refused as refused:
        return refused
