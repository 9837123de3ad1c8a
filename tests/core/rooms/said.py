"""One example of every message that goes to viewers, made by the encoders that the gateway calls."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from server.core.ids import CreatorId, OrderId, PacketId, RequestId, RoomId, ViewerId
from server.core.orders.trail import TrailStep
from server.core.packets.claim import Claim, ClaimStatus, Share
from server.core.packets.lifecycle import PacketLifecycle, Propose, result_body
from server.core.packets.packet import Denomination, Edition, Packet, PacketState, Phase, Schedule, Surface, Terms
from server.core.packets.split import commitment
from server.core.rooms import messages

ID = PacketId("anna.7c9e2f")
VIEWER = ViewerId("v17")
SEED = bytes(range(32))
OPENS_MS = 1_691_233_920_000
TERMS = Terms(Denomination.RANDOM, 200, 20_000, 1, 400)
PACKET = Packet(
    packet_id=ID,
    creator_id=CreatorId("anna"),
    name="first rain",
    platform="douyin",
    terms=TERMS,
    state=PacketState.LAUNCHED,
    edition=1,
    commitment=commitment(TERMS, SEED),
    room_id=RoomId("anna-live"),
    schedule=Schedule(OPENS_MS - 120_000, OPENS_MS, OPENS_MS + 600_000),
    editions=(Edition(1, 0, 200, 20_000, commitment(TERMS, SEED)),),
    use_for_ms=86_400_000,
    product_ids=("cup", "tea"),
    entrances=("live_room", "short_video", "showcase"),
    creator_name="Anna",
)
MORE = Edition(2, 200, 100, 10_000, commitment(replace(TERMS, share_count=100, total_fen=10_000), SEED))
EDITED = replace(
    PACKET,
    edition=2,
    terms=replace(TERMS, share_count=300, total_fen=30_000),
    editions=(*PACKET.editions, MORE),
    claimable_at_ms=OPENS_MS + 12_000,
)
SHARE = Share(index=4, amount_fen=120, edition=1, request_id=RequestId("q-1"))
ON_SCREEN = {**messages.packet_on_screen(PACKET), "phase": Phase.GRABBING, "remaining": 57, "sold_out": False}
REVEALED = {**messages.editions_on_screen(PACKET)[0], "seed": SEED.hex()}


def _facts() -> Iterator[bytes]:
    """Yield what a room says of a packet that is sold out, gets more shares and is ended, and of one that is voided."""
    aired, voided = PacketLifecycle.of(PACKET, 1), PacketLifecycle.of(PACKET, 1)
    yield _fact(aired, 11, OPENS_MS - 120_000)
    yield _fact(aired, 12, OPENS_MS)
    aired.counted(0, OPENS_MS + 9_240)
    yield _fact(aired, 13, OPENS_MS + 9_300)
    aired.looked_up(EDITED, OPENS_MS + 12_000)
    yield _fact(aired, 14, OPENS_MS + 12_060)
    aired.looked_up(replace(EDITED, ended_at_ms=OPENS_MS + 300_000), OPENS_MS + 300_000)
    yield _fact(aired, 15, OPENS_MS + 300_060)
    aired.settled(result_body(ID, {VIEWER: SHARE}, SEED, [REVEALED]), OPENS_MS + 300_100)
    yield _fact(aired, 16, OPENS_MS + 300_120)
    _fact(voided, 17, OPENS_MS - 120_000)
    voided.looked_up(replace(PACKET, state=PacketState.VOIDED), OPENS_MS - 60_000)
    yield _fact(voided, 18, OPENS_MS - 59_940)


def _fact(packet: PacketLifecycle, seq: int, now_ms: int) -> bytes:
    """Return the fact that a packet's lifecycle proposes at *now_ms*, and tell it that it was read back."""
    (cue,) = [effect.cue for effect in packet.wake(now_ms) if isinstance(effect, Propose)]
    packet.published(cue.kind, now_ms)
    return messages.fact(cue.kind, seq, now_ms, cue.body)


ENCODED: list[tuple[Any, bytes]] = [
    (
        messages.welcome,
        messages.welcome(
            room_id=RoomId("anna-live"),
            title="Tea at eight",
            creator_id=CreatorId("anna"),
            creator_name="Anna",
            viewer_id=VIEWER,
            epoch="f3a1",
            seq=12,
            resync=False,
            server_ms=OPENS_MS + 2_150,
            speed=60,
            audience=1_204,
            packets=[ON_SCREEN],
            resume="eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        ),
    ),
    *((messages.fact, text) for text in _facts()),
    (messages.surface, messages.surface(Surface.POPUP, ID)),
    (messages.surface, messages.surface(Surface.ASSET_WIDGET, ID)),
    (messages.countdown, messages.countdown(ID, 10_000)),
    (messages.progress, messages.progress(ID, 57)),
    (messages.comments, messages.comments([(VIEWER, "好运连连")])),
    (messages.audience, messages.audience(1_204, 88)),
    (messages.assets, messages.assets(3)),
    (
        messages.trail,
        messages.trail(OrderId("anna.4b1f0c2d9e"), TrailStep.ACCEPTED, OPENS_MS + 900_000),
    ),
    (messages.pong, messages.pong(1_724, OPENS_MS + 2_150)),
    (messages.error, messages.error("bad_field", "count: must be a whole number from 1 to 1000")),
    (
        messages.receipt,
        messages.receipt(Claim(ID, VIEWER, RequestId("q-1"), ClaimStatus.GRANTED, 1, SHARE)),
    ),
]
SAID: dict[str, dict[str, Any]] = {body["type"]: body for body in (json.loads(text) for _, text in ENCODED)}
