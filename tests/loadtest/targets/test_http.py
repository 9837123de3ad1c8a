"""A viewer's HTTP connection: a login, one request in flight, and replies of every kind of good and bad server."""

from io import BytesIO
from typing import Any

import h11
import orjson
import pytest

from client_sim.recorder import Recorder
from loadtest.record.history_writer import HistoryWriter
from loadtest.targets.http import BODY_BYTES_MAX, HttpSession
from server.core.ids import PacketId, RequestId
from tests.loadtest.targets.described import LOGIN, a_viewer, http_session, http_target, told

MS = 1_000_000
GRANTED = b'{"code":"OK","cents":5,"id":"c1"}'


def a_reply(body: bytes = GRANTED, status: str = "200 OK", *, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def asked(written: bytes) -> tuple[h11.Request, bytes]:
    """Read one request as a server does."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(written)
    head, body = server.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := server.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return head, body


def grab(session: HttpSession, request_id: str = "r1") -> bytes:
    return session.frame(session.grab(PacketId("p1"), RequestId(request_id)))


def entered(**fields: Any) -> HttpSession:
    session = http_session(http_target(**fields))
    assert session.start() == b""
    assert told(session.feed(b"")) == [("welcome", None)]
    return session


def test_a_viewer_without_login_is_in_at_once_and_grabs() -> None:
    session = entered()
    head, body = asked(grab(session))
    assert (head.method, head.target) == (b"POST", b"/grab/p1")
    assert dict(head.headers)[b"host"] == b"127.0.0.1:9000"
    assert orjson.loads(body) == {"user": "v0", "id": "r1"}
    (receipt,) = session.feed(a_reply())
    share = {"status": "granted", "amount_fen": 5, "index": None, "claim_id": "c1"}
    assert receipt.body.items() >= {"request_id": "r1", "packet_id": "p1", **share}.items()
    assert session.ending() == (1000, "")


def test_a_login_comes_first_and_only_once() -> None:
    """The login's values go into the grabs, also over the viewer's next connection and from its other device."""
    target = http_target(login=LOGIN, grab={"request": "POST /g", "headers": {"Authorization": "Bearer {token}"}})
    session = http_session(target)
    head, body = asked(session.start())
    assert (head.target, orjson.loads(body), session.entered) == (b"/login", {"user": "v0"}, False)
    assert told(session.feed(a_reply(b'{"data":{"token":"t-0"}}'))) == [("welcome", None)]
    for each in (session, http_session(target)):
        each.start()
        assert each.entered
        assert dict(asked(grab(each))[0].headers)[b"authorization"] == b"Bearer t-0"
    assert http_session(target, number=1).start() != b""


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (a_reply(b"no such user", "403 Forbidden"), 403, "403 Forbidden (login) no such user"),
        (a_reply(b"{}"), 200, "200 OK (login) holds no token"),
        (a_reply(b"<html>"), 200, "200 OK (login) holds no token"),
        (a_reply(b'{"data":{"token":"a\\r\\nX: 1"}}'), 200, "200 OK (login) holds no token"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "no HTTP: "),
    ],
)
def test_a_login_that_fails_says_why(reply: bytes, status: int | None, said: str) -> None:
    session = http_session(http_target(login=LOGIN))
    session.start()
    assert told(session.feed(reply)) == []
    rejection = session.rejection()
    assert (session.entered, session.over, rejection.status) == (False, True, status)
    assert rejection.text.startswith(said)


def test_a_login_that_the_service_has_forgotten_is_made_again() -> None:
    target = http_target(login=LOGIN)
    session = http_session(target)
    session.start()
    session.feed(a_reply(b'{"data":{"token":"t-0"}}'))
    grab(session)
    assert told(session.feed(a_reply(b"{}", "401 Unauthorized"))) == [("no_receipt", "r1")]
    assert session.over
    assert http_session(target).start() != b""


def test_the_connection_is_kept_and_one_request_is_in_flight() -> None:
    """A second grab waits for the first reply: HTTP/1.1 answers in order, and services are not asked in a pipeline."""
    session = entered()
    assert grab(session, "r1") != b""
    assert grab(session, "r2") == grab(session, "r3") == b""
    assert session.replies() == ()
    assert told(session.feed(a_reply())) == [("receipt", "granted")]
    (second,) = session.replies()
    assert orjson.loads(asked(second)[1])["id"] == "r2"
    assert session.replies() == ()
    assert [message.body["request_id"] for message in session.feed(a_reply())] == ["r2"]
    assert len(session.replies()) == 1
    assert session.ending() == (1006, "closed before the reply")


def test_a_reply_may_come_byte_by_byte() -> None:
    session = entered()
    grab(session)
    messages = [message for byte in a_reply() for message in session.feed(bytes([byte]))]
    assert told(messages) == [("receipt", "granted")]


def test_a_reply_may_come_in_chunks_and_after_a_continue() -> None:
    session = entered()
    grab(session)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (GRANTED[:7], GRANTED[7:], b""))
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert told(session.feed(head + chunks)) == [("receipt", "granted")]
    assert not session.over


@pytest.mark.parametrize("fields", [{"reuse": False}, {}])
def test_a_connection_that_either_side_closes_is_over_after_its_reply(fields: dict[str, Any]) -> None:
    session = entered(**fields)
    head, _ = asked(grab(session))
    assert (dict(head.headers).get(b"connection") == b"close") == (fields == {"reuse": False})
    more = "" if fields else "Connection: close\r\n"
    assert told(session.feed(a_reply(more=more))) == [("receipt", "granted")]
    assert session.over
    assert session.ending() == (1000, "")


def test_a_reply_without_a_length_ends_with_the_connection() -> None:
    """HTTP/1.0 servers answer like this."""
    session = entered()
    grab(session)
    assert told(session.feed(b"HTTP/1.0 200 OK\r\n\r\n" + GRANTED)) == []
    assert told(session.finish()) == [("receipt", "granted")]
    assert session.over
    assert told(session.finish()) == []


@pytest.mark.parametrize("part", [a_reply()[:-3], b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_reply_that_is_cut_off_is_no_receipt(part: bytes) -> None:
    session = entered()
    grab(session)
    assert told(session.feed(part)) == []
    assert told(session.finish()) in ([("no_receipt", "r1")], [])
    assert session.over
    assert session.ending()[0] == 1006


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00", b"220 smtp ready\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_http_ends_the_connection(garbage: bytes) -> None:
    session = entered()
    grab(session)
    (message,) = session.feed(garbage)
    assert (message.kind, message.body["request_id"], session.over) == ("no_receipt", "r1", True)
    assert message.body["reason"].startswith("no HTTP: ")
    assert grab(session, "r2") == b""


def test_a_huge_reply_is_not_read_to_its_end() -> None:
    session = entered()
    grab(session)
    session.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    assert told(session.feed(b"x" * BODY_BYTES_MAX)) == []
    assert told(session.feed(b"x")) == [("no_receipt", "r1")]
    assert session.over


def test_an_answer_of_500_is_unknown_and_asked_again_with_the_same_id() -> None:
    """Nobody knows whether the service took note of the grab: a new id would ask for a second share."""
    file = BytesIO()
    recorder = Recorder(HistoryWriter(file))
    viewer = a_viewer(recorder=recorder)
    session = http_session(http_target())
    session.start()
    viewer.opened(session, 0)
    for message in session.feed(b""):
        viewer.receive(message, 0)
    viewer.announce([{"packet_id": "p1", "grab_at_ms": 1, "claim_end_at_ms": None}], 0)
    sent = []
    for _ in range(2):
        now_ns = viewer.next_wakeup_ns()
        assert now_ns is not None
        (effect,) = viewer.wake(now_ns)
        sent.append(orjson.loads(asked(session.frame(effect.payload))[1])["id"])  # type: ignore[union-attr]
        for message in session.feed(a_reply(b"oops", "500 Internal Server Error")):
            viewer.receive(message, now_ns + MS)
    recorder.finish()
    grabs = [line for line in map(orjson.loads, file.getvalue().splitlines()) if line["kind"] == "grab"]
    assert sent[0] == sent[1]
    assert [(line["type"], line["status"]) for line in grabs] == [("info", None)] * 2


def test_a_declared_timeout_is_the_viewers_patience() -> None:
    assert entered(grab={"request": "GET /{viewer}", "timeout_ms": 250}).patience_ns == 250 * MS


def test_an_http_client_goes_without_a_word() -> None:
    session = entered()
    grab(session)
    assert session.close(1000) is False
    assert session.ending() == (1000, "")
    with pytest.raises(NotImplementedError):
        session.ping(1)
