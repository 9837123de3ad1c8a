"""Wire messages: valid input, the errors for invalid input, and output."""

import json
from typing import cast

import pytest

from server.core.ids import PLATFORM, CreatorId, OrderId, PacketId, RequestId, RoomId, ViewerId
from server.core.orders.trail import TrailStep
from server.core.packets.claim import Claim, ClaimStatus, Share
from server.core.packets.packet import Denomination, Packet, PacketState, Schedule, Terms
from server.core.rooms import messages
from server.core.rooms.feed import FactKind
from server.core.rooms.messages import BadMessage, Comment, GrabMessage, Like, Ping, decode

PACKET = PacketId("lin.p1")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"type":"grab","packet_id":"lin.p1","request_id":"q-1"}', GrabMessage(PACKET, RequestId("q-1"))),
        (b'{"type":"ping","client_ms":0}', Ping(0)),
        (b'{"type":"comment","text":"\xe5\xa5\xbd"}', Comment("好")),
        (b'{"type":"like","count":1000}', Like(1_000)),
        (b'{"type":"like","count":1,"mood":"unknown to us"}', Like(1)),
    ],
)
def test_a_message_is_read(raw: bytes, message: object) -> None:
    """Each kind of message has one shape; fields we do not know are left alone."""
    assert decode(raw) == message
    assert decode(memoryview(raw)) == message


@pytest.mark.parametrize(
    ("raw", "code", "named"),
    [
        (b"{", "malformed_json", ""),
        (b"\xff", "malformed_json", ""),
        (b"[]", "not_an_object", ""),
        (b'"grab"', "not_an_object", ""),
        (b"{}", "unknown_type", "type"),
        (b'{"type":7}', "unknown_type", "type"),
        (b'{"type":"receipt"}', "unknown_type", "type"),
        (b'{"type":"grab","packet_id":"lin.p1"}', "missing_field", "request_id"),
        (b'{"type":"grab","packet_id":"","request_id":"q"}', "bad_field", "packet_id"),
        (b'{"type":"grab","packet_id":"lin.p1","request_id":"a;b"}', "bad_field", "request_id"),
        (b'{"type":"grab","packet_id":"lin.p1","request_id":"a\\"b"}', "bad_field", "request_id"),
        (b'{"type":"grab","packet_id":"lin.p1","request_id":7}', "bad_field", "request_id"),
        (b'{"type":"grab","packet_id":"lin.p1","request_id":"%s"}' % (b"x" * 37), "bad_field", "request_id"),
        (b'{"type":"ping"}', "missing_field", "client_ms"),
        (b'{"type":"ping","client_ms":-1}', "bad_field", "client_ms"),
        (b'{"type":"ping","client_ms":1.5}', "bad_field", "client_ms"),
        (b'{"type":"ping","client_ms":9007199254740992}', "bad_field", "client_ms"),
        (b'{"type":"comment","text":""}', "bad_field", "text"),
        (b'{"type":"comment","text":"%s"}' % (b"x" * 101), "bad_field", "text"),
        (b'{"type":"like","count":0}', "bad_field", "count"),
        (b'{"type":"like","count":1001}', "bad_field", "count"),
    ],
)
def test_what_is_no_message_is_told_why(raw: bytes, code: str, named: str) -> None:
    """A bad frame gets a code for programs and a sentence that names the field."""
    with pytest.raises(BadMessage) as bad:
        decode(raw)
    assert bad.value.code == code
    assert named in bad.value.detail


def test_the_longest_grab_fits_a_small_frame() -> None:
    """Ids are short enough for the fast path, whose frames are under 126 bytes."""
    raw = b'{"type":"grab","packet_id":"%s","request_id":"%s"}' % (b"p" * 36, b"q" * 36)
    assert len(raw) < 126
    assert isinstance(decode(raw), GrabMessage)


def test_a_receipt_of_a_share_says_which_and_how_much() -> None:
    """The hand-written JSON holds every field of a granted claim."""
    share = Share(index=4, amount_fen=120, edition=2, request_id=RequestId("q1"))
    claim = Claim(PACKET, ViewerId("v1"), RequestId("q1"), ClaimStatus.GRANTED, 2, share)
    assert json.loads(messages.receipt(claim)) == {
        "type": "receipt",
        "request_id": "q1",
        "packet_id": "lin.p1",
        "status": "granted",
        "amount_fen": 120,
        "index": 4,
        "claim_id": "lin.p1:4",
        "edition": 2,
    }


def test_a_receipt_of_a_refusal_has_the_same_fields_empty() -> None:
    """A reader needs no second shape for those who got nothing."""
    claim = Claim(PACKET, ViewerId("v1"), RequestId("q1"), ClaimStatus.EXHAUSTED, 1)
    assert json.loads(messages.receipt(claim)) == {
        "type": "receipt",
        "request_id": "q1",
        "packet_id": "lin.p1",
        "status": "exhausted",
        "amount_fen": None,
        "index": None,
        "claim_id": None,
        "edition": 1,
    }


def test_only_facts_are_numbered() -> None:
    """A fact carries its number, and what is no fact cannot be sent as one."""
    assert json.loads(messages.fact(FactKind.OPEN, 3, 99, {"packet_id": PACKET})) == {
        "type": "open",
        "seq": 3,
        "server_ms": 99,
        "packet_id": "lin.p1",
    }
    with pytest.raises(AssertionError):
        messages.fact(cast(FactKind, "progress"), 4, 99, {})


def test_a_packet_on_screen_tells_its_times_and_no_secret() -> None:
    """Viewers learn what they need for the countdown and the check afterwards, not what the shares are."""
    packet = Packet(
        packet_id=PACKET,
        creator_id=CreatorId("lin"),
        name="rain",
        platform="lab",
        terms=Terms(Denomination.RANDOM, 10, 1_000, 1, 200),
        state=PacketState.LAUNCHED,
        edition=1,
        commitment="c0ffee",
        room_id=RoomId("r1"),
        schedule=Schedule(1_000, 2_000, 3_000),
    )
    assert messages.packet_on_screen(packet) == {
        "packet_id": "lin.p1",
        "name": "rain",
        "creator_id": "lin",
        "platform": "lab",
        "share_count": 10,
        "total_fen": 1_000,
        "warmup_at_ms": 1_000,
        "grab_at_ms": 2_000,
        "claim_end_at_ms": 3_000,
        "surface": "popup",
        "edition": 1,
        "commitment": "c0ffee",
        "editions": [],
        "creator_name": "lin",
        "denomination": "random",
        "min_share_fen": 1,
        "max_share_fen": 200,
        "use_start_at_ms": None,
        "use_end_at_ms": None,
        "use_for_ms": None,
        "goods": "creator",
        "product_ids": None,
        "product_count": None,
        "entrances": None,
    }


def test_a_packet_on_screen_names_a_few_of_its_products() -> None:
    """The frame goes to the whole room: it names twenty products, and says how many there are."""
    products = tuple(f"p{number:03}" for number in range(100))
    packet = Packet(
        packet_id=PACKET,
        creator_id=CreatorId("lin"),
        name="rain",
        platform="lab",
        terms=Terms(Denomination.FIXED, 10, 1_000, 100, 100),
        state=PacketState.LAUNCHED,
        edition=1,
        commitment="",
        schedule=Schedule(1_000, 2_000, 3_000),
        product_ids=products,
    )
    shown = messages.packet_on_screen(packet)
    assert (shown["goods"], shown["product_ids"], shown["product_count"]) == ("products", products[:20], 100)


def test_the_platforms_packet_is_for_all_goods() -> None:
    """No entrance binds it, and no creator's shop."""
    packet = Packet(
        packet_id=PacketId("platform.p1"),
        creator_id=PLATFORM,
        name="rain",
        platform="lab",
        terms=Terms(Denomination.FIXED, 10, 1_000, 100, 100),
        state=PacketState.LAUNCHED,
        edition=1,
        commitment="",
        schedule=Schedule(1_000, 2_000, 3_000),
    )
    shown = messages.packet_on_screen(packet)
    assert (shown["goods"], shown["entrances"], shown["creator_name"]) == ("all", None, "platform")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (messages.pong(5, 1_000), {"type": "pong", "client_ms": 5, "server_ms": 1_000}),
        (messages.surface("popup", PACKET), {"type": "popup", "packet_id": "lin.p1"}),
        (messages.countdown(PACKET, 3_000), {"type": "countdown", "packet_id": "lin.p1", "left_ms": 3_000}),
        (messages.progress(PACKET, 7), {"type": "progress", "packet_id": "lin.p1", "remaining": 7}),
        (messages.surface("asset_widget", PACKET), {"type": "asset_widget", "packet_id": "lin.p1"}),
        (messages.audience(10_000, 7), {"type": "audience", "viewers": 10_000, "likes": 7}),
        (messages.assets(3), {"type": "assets", "count": 3}),
        (
            messages.comments([(ViewerId("v1"), '"好" <b>'), (ViewerId("v2"), "hi")]),
            {
                "type": "comments",
                "comments": [{"viewer_id": "v1", "text": '"好" <b>'}, {"viewer_id": "v2", "text": "hi"}],
            },
        ),
        (
            messages.trail(OrderId("o1"), TrailStep.ACCEPTED, 1_000),
            {
                "type": "trail",
                "order_id": "o1",
                "event": "accepted",
                "label": "已接单",
                "text": "商家已接单",
                "occurred_at_ms": 1_000,
            },
        ),
        (messages.error("bad_field", "count"), {"type": "error", "code": "bad_field", "detail": "count"}),
    ],
)
def test_the_small_messages_have_their_one_shape(frame: bytes, expected: dict[str, object]) -> None:
    """Each small message has exactly the fields of the protocol's table."""
    assert json.loads(frame) == expected


def test_a_welcome_says_where_a_viewer_has_come_in() -> None:
    """The first message names the protocol, the place in the feed and the clock."""
    frame = messages.welcome(
        room_id=RoomId("r1"),
        viewer_id=ViewerId("v1"),
        epoch="e",
        seq=9,
        resync=True,
        server_ms=99,
        speed=60,
        audience=3,
        packets=[],
    )
    welcome = json.loads(frame)
    assert (welcome["type"], welcome["protocol"]) == ("welcome", "redrain.v1")
    assert (welcome["epoch"], welcome["seq"], welcome["resync"]) == ("e", 9, True)
    assert (welcome["server_ms"], welcome["speed"]) == (99, 60)
