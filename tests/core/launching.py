"""Inputs for tests of launches: a draft, requests from one evening on, and the plan or the refusal."""

from dataclasses import replace
from datetime import datetime

import pytest

from server.core.ids import CreatorId, PacketId, RoomId
from server.core.packets.launch import Launch, LaunchRequest, plan_launch
from server.core.packets.packet import Denomination, Packet, PacketState, Schedule, Terms
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import LaunchMode, Rulebook

SECOND = 1_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
NOW = int(datetime.fromisoformat("2023-08-05T18:00:00+08:00").timestamp()) * 1000
ROOM = RoomId("r1")
DRAFT = Packet(
    packet_id=PacketId("lin.p1"),
    creator_id=CreatorId("lin"),
    name="rain",
    platform="douyin",
    terms=Terms(Denomination.RANDOM, 10, 1_000, 1, 200),
    state=PacketState.DRAFT,
    edition=1,
    commitment="",
)
MANUAL = LaunchRequest(ROOM, LaunchMode.MANUAL)


def launched(warmup_at_ms: int, claim_end_at_ms: int, **changes: object) -> Packet:
    """Return another packet of the creator that is on from one minute after NOW to another."""
    schedule = Schedule(NOW + warmup_at_ms, NOW + warmup_at_ms, NOW + claim_end_at_ms)
    other = replace(DRAFT, packet_id=PacketId("lin.p0"), state=PacketState.LAUNCHED, room_id=ROOM, schedule=schedule)
    return replace(other, **changes)  # type: ignore[arg-type]


def plan(
    request: LaunchRequest, *others: Packet, rulebook: Rulebook = DOUYIN, packet: Packet = DRAFT, now_ms: int = NOW
) -> Launch:
    return plan_launch(request, packet=packet, rulebook=rulebook, now_ms=now_ms, others=others)


def relative(delay_ms: int, claim_window_ms: int | None = None) -> LaunchRequest:
    return LaunchRequest(ROOM, LaunchMode.RELATIVE, delay_ms=delay_ms, claim_window_ms=claim_window_ms)


def exact(warmup_at_ms: int, grab_at_ms: int, claim_window_ms: int | None = None) -> LaunchRequest:
    """Ask for instants that are given from NOW on."""
    return LaunchRequest(
        ROOM,
        LaunchMode.EXACT,
        warmup_at_ms=NOW + warmup_at_ms,
        grab_at_ms=NOW + grab_at_ms,
        claim_window_ms=claim_window_ms,
    )


def scheduled(grab_at_ms: int) -> LaunchRequest:
    return LaunchRequest(ROOM, LaunchMode.SCHEDULED, grab_at_ms=NOW + grab_at_ms)


def refusal(
    request: LaunchRequest, *others: Packet, rulebook: Rulebook = DOUYIN, packet: Packet = DRAFT, now_ms: int = NOW
) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        plan(request, *others, rulebook=rulebook, packet=packet, now_ms=now_ms)
    return refused.value.code, refused.value.field, refused.value.rule
