"""One viewer's session, with time passed in."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import ClaimStatus, Grab
from server.core.rooms.messages import Comment, Like
from server.core.rooms.session import Close, RejectGrab, SendError, SendPong, Session, SessionLimits, Take

PACKET = PacketId("c1.p1")
GRAB = b'{"type":"grab","packet_id":"c1.p1","request_id":"q1"}'


def a_session(**limits: int) -> Session:
    return Session(ViewerId("v1"), SessionLimits(**limits))


@pytest.mark.parametrize(
    "payload",
    [
        GRAB,
        b'{"request_id": "q1", "packet_id": "c1.p1", "type": "grab"}',
        b'{"type":"grab","packet_id":"c1.p1","request_id":"q1","more":null}',
        b'{"type":"grab","packet_id":"c1.\\u0070\\u0031","request_id":"q1"}',
    ],
)
def test_a_grab_is_taken_however_it_is_written(payload: bytes) -> None:
    """The short cut for the usual spelling and the parser for all others agree."""
    assert a_session().receive(payload, 0) == Take(PACKET, Grab(ViewerId("v1"), RequestId("q1")))


@given(st.text(alphabet='aZ09_.~-"\\é,:', max_size=38), st.text(alphabet="aZ09_.~-;", max_size=38))
def test_the_short_cut_takes_only_what_the_parser_takes(packet_id: str, request_id: str) -> None:
    """For any ids, a grab spelt as usual and the same grab spelt with blanks have the same outcome."""
    grab = {"type": "grab", "packet_id": packet_id, "request_id": request_id}
    usual, blank = orjson.dumps(grab), orjson.dumps(grab, option=orjson.OPT_INDENT_2)
    assert a_session().receive(usual, 0) == a_session().receive(blank, 0)


def test_a_ping_asks_for_the_time() -> None:
    """A ping is answered with the room's time and the viewer's own."""
    assert a_session().receive(b'{"type":"ping","client_ms":5}', 0) == SendPong(5)


COMMENT = b'{"type":"comment","text":"hi"}'


def test_comments_and_likes_are_passed_on() -> None:
    """Comments and likes are passed on unchanged."""
    assert a_session().receive(COMMENT, 0) == Comment("hi")
    assert a_session().receive(b'{"type":"like","count":3}', 0) == Like(3)


def test_comments_have_a_limit_of_their_own() -> None:
    """Past it a comment or like is refused with a sentence, grabs go on, and time allows the next comment."""
    session = a_session(chatter_max=2, period_ms=60_000)
    assert [type(session.receive(COMMENT, 0)) for _ in range(2)] == [Comment, Comment]
    for payload in (COMMENT, b'{"type":"like","count":3}'):
        refused = session.receive(payload, 0)
        assert isinstance(refused, SendError)
        assert orjson.loads(refused.text) == {
            "type": "error",
            "code": "rate_limited",
            "detail": "at most 2 comments and likes in 60000 ms",
        }
    assert type(session.receive(GRAB, 0)) is Take
    assert type(session.receive(COMMENT, 30_000)) is Comment


def test_a_comment_too_long_is_corrected() -> None:
    """A hundred characters are a comment, of whatever script; one more is told what is wrong with it."""
    assert a_session().receive(orjson.dumps({"type": "comment", "text": "好" * 100}), 0) == Comment("好" * 100)
    corrected = a_session().receive(orjson.dumps({"type": "comment", "text": "好" * 101}), 0)
    assert isinstance(corrected, SendError)
    assert orjson.loads(corrected.text)["code"] == "bad_field"


def test_grabs_in_flight_are_limited() -> None:
    """Past the limit a grab is refused at once; a receipt makes room for the next."""
    session = a_session(grabs_in_flight_max=2)
    assert [type(session.receive(GRAB, 0)) for _ in range(3)] == [Take, Take, RejectGrab]
    session.answered(1)
    assert [type(session.receive(GRAB, 0)) for _ in range(2)] == [Take, RejectGrab]


def test_a_session_knows_whether_a_receipt_is_on_its_way() -> None:
    """From the first grab taken to the last receipt written, a session waits."""
    session = a_session()
    waited = [session.waiting]
    session.receive(GRAB, 0)
    session.receive(GRAB, 0)
    waited.append(session.waiting)
    for _ in range(2):
        session.answered(1)
        waited.append(session.waiting)
    assert waited == [False, True, True, False]


def test_a_grab_turned_away_says_why() -> None:
    """The refusal of a grab is a receipt with a status, so that the viewer may tap again."""
    turned_away = a_session(grabs_in_flight_max=0).receive(GRAB, 0)
    assert isinstance(turned_away, RejectGrab)
    assert turned_away.claim.status is ClaimStatus.RATE_LIMITED
    assert turned_away.claim.request_id == "q1"


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.integers(1, 20), st.integers(1, 1_000))
def test_no_period_holds_more_than_a_bucket_and_its_refill(gaps: list[int], most: int, period_ms: int) -> None:
    """In any stretch of time at most a full bucket and what flowed in during it is allowed."""
    session = a_session(messages_max=most, period_ms=period_ms)
    now_ms, allowed = 0, []
    for gap in gaps:
        now_ms += gap
        if session.spend(now_ms):
            allowed.append(now_ms)
    for i, first in enumerate(allowed):
        for count, last in enumerate(allowed[i:], 1):
            assert count <= most + (last - first) * most / period_ms
    assert len(allowed) >= min(most, len(gaps))


def test_the_bucket_fills_again() -> None:
    """After a whole period of silence all messages are allowed again."""
    session = a_session(messages_max=3, period_ms=60_000)
    assert [session.spend(1_000) for _ in range(4)] == [True, True, True, False]
    assert not session.spend(20_999)
    assert session.spend(21_000)
    assert [session.spend(200_000) for _ in range(4)] == [True, True, True, False]


def test_too_many_messages_are_refused_and_then_end_it() -> None:
    """Past the bucket grabs and pings are refused in their own way, and past the refusals the connection ends."""
    session = a_session(messages_max=1, excess_max=3)
    assert type(session.receive(GRAB, 0)) is Take
    assert type(session.receive(GRAB, 0)) is RejectGrab
    ping = session.receive(b'{"type":"ping","client_ms":5}', 0)
    assert isinstance(ping, SendError)
    assert orjson.loads(ping.text)["code"] == "rate_limited"
    assert session.receive(GRAB, 0) == Close(1008, "too many messages")


def test_the_tenth_mistake_ends_it() -> None:
    """Nine malformed messages are corrected, the tenth is corrected and closes with 1008."""
    session = a_session()
    for _ in range(9):
        assert isinstance(session.receive(b"{", 0), SendError)
    last = session.receive(b"[]", 0)
    assert isinstance(last, Close)
    assert last.code == 1008
    assert orjson.loads(last.text)["code"] == "not_an_object"


def test_a_text_that_is_no_utf8_ends_it() -> None:
    """Bytes that are no text break the protocol, not only the message."""
    assert a_session().receive(b'{"type":"\xff"}', 0) == Close(1007, "a text message must be UTF-8")
