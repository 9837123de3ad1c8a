"""Handshakes: accepted requests and rejections."""

import json

import pytest

from server.core.ids import RoomId, ViewerId
from server.gateway.handshake import EchoRequest, Handshake, JoinRequest, Rejection
from tests.gateway.house import House, request


def read(target: str, *headers: str) -> JoinRequest | EchoRequest | Rejection:
    return Handshake().read(request(target, *headers))


def test_a_first_visit_names_room_and_viewer() -> None:
    """A plain request asks for a room under a name, and for nothing to be resumed."""
    assert read("/ws/rooms/r1?viewer=v1") == JoinRequest(RoomId("r1"), ViewerId("v1"), "", 0)


def test_a_return_names_what_was_heard_last() -> None:
    """Epoch and number of the last fact received come along."""
    assert read("/ws/rooms/r%2D1?viewer=v1&epoch=ab&seq=17") == JoinRequest(RoomId("r-1"), ViewerId("v1"), "ab", 17)


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/ws/rooms/r1?viewer=", 400, "bad_id"),
        ("/ws/rooms/r1?viewer=a%20b", 400, "bad_id"),
        ("/ws/rooms/r1?viewer=" + "v" * 37, 400, "bad_id"),
        ("/ws/rooms/?viewer=v1", 400, "bad_id"),
        ("/ws/rooms/a/b?viewer=v1", 400, "bad_id"),
        ("/ws/room?viewer=v1", 404, "not_found"),
        ("/?viewer=v1", 404, "not_found"),
        ("/ws/rooms/r1?viewer=v1&seq=-1", 400, "bad_seq"),
        ("/ws/rooms/r1?viewer=v1&seq=1e3", 400, "bad_seq"),
        ("/ws/rooms/r1?viewer=v1&seq=" + "9" * 16, 400, "bad_seq"),
        ("/ws/rooms/r1?viewer=v1" + "&x=1" * 9, 400, "bad_query"),
    ],
)
def test_a_request_that_cannot_be_granted_says_why(target: str, status: int, code: str) -> None:
    """Each wrong request has a status for machines, a word for programs and a sentence for people."""
    rejection = read(target)
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (status, code)
    head, _, body = rejection.response().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(body) == {"code": code, "detail": rejection.detail}


@pytest.mark.parametrize(
    ("target", "headers", "status", "says"),
    [
        ("/ws/rooms/r1?viewer=v1", ["Cookie: " + "c" * 8_192], 431, "cookies"),
        ("/ws/rooms/r1?viewer=v1", [f"X-{number}: 1" for number in range(200)], 431, "100 headers"),
        ("/ws/rooms/r1?viewer=v1&x=" + "x" * 8_192, [], 414, "request line"),
    ],
)
def test_what_is_too_large_is_named(target: str, headers: list[str], status: int, says: str) -> None:
    """A cookie of over 8 KiB, as other pages of a host leave them, is not called an invalid handshake."""
    rejection = read(target, *headers)
    assert isinstance(rejection, Rejection)
    assert rejection.status == status
    assert says in rejection.detail


def test_our_subprotocol_is_chosen() -> None:
    """Among others that are offered ours is picked and named in the answer."""
    handshake = Handshake()
    asked = handshake.read(request("/ws/rooms/r1?viewer=v1", "Sec-WebSocket-Protocol: chat, redrain.v1"))
    assert isinstance(asked, JoinRequest)
    accepted = handshake.accept()
    assert isinstance(accepted, bytes)
    assert b"Sec-WebSocket-Protocol: redrain.v1\r\n" in accepted


def test_no_subprotocol_is_fine_and_a_wrong_one_is_not() -> None:
    """A viewer that offers no subprotocol is admitted; one that offers only others learns which to offer."""
    handshake = Handshake()
    handshake.read(request("/ws/rooms/r1?viewer=v1"))
    accepted = handshake.accept()
    assert isinstance(accepted, bytes)
    assert b"Sec-WebSocket-Protocol" not in accepted

    rejection = read("/ws/rooms/r1?viewer=v1", "Sec-WebSocket-Protocol: redrain.v0")
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (400, "wrong_subprotocol")
    assert "redrain.v1" in rejection.detail


def test_no_compression_is_agreed() -> None:
    """An offered extension is declined: frames are equal for all."""
    handshake = Handshake()
    handshake.read(request("/ws/rooms/r1?viewer=v1", "Sec-WebSocket-Extensions: permessage-deflate"))
    accepted = handshake.accept()
    assert isinstance(accepted, bytes)
    assert b"Extensions" not in accepted


def test_a_broken_handshake_is_answered_in_our_words() -> None:
    """A handshake that the library refuses is answered in JSON too."""
    handshake = Handshake()
    handshake.read(request("/ws/rooms/r1?viewer=v1").replace(b"Key: AAAA", b"Key: "))
    rejection = handshake.accept()
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (400, "bad_handshake")


def test_another_version_is_told_which_one_is_spoken() -> None:
    """RFC 6455, 4.4: the answer is 426 and names the version."""
    rejection = Handshake().read(request("/ws/rooms/r1?viewer=v1").replace(b"Version: 13", b"Version: 12"))
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (426, "upgrade_needed")
    assert b"\r\nsec-websocket-version: 13\r\n" in rejection.response()


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/ws/rooms/nowhere?viewer=v1", 404, "not_found"),
        ("/ws/rooms/r1", 400, "bad_id"),
        ("/ws/rooms/r1?viewer=", 400, "bad_id"),
        ("/ws/rooms/r1?viewer=v1&seq=x", 400, "bad_seq"),
        ("/ws/rooms/r1?viewer=v1&seq=%D9%A3", 400, "bad_seq"),
        ("/ws/rooms/r1?viewer=%EF%BC%91", 400, "bad_id"),
        ("/ws/rooms/r1?viewer=%ED%A0%80", 400, "bad_id"),
    ],
)
async def test_a_rejection_is_an_http_response(house: House, target: str, status: int, code: str) -> None:
    """Over a socket a rejection comes as an HTTP error with JSON, and the connection ends."""
    reader, writer = await house.connect()
    writer.write(request(target))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert json.loads(body)["code"] == code
    assert house.gateway.metrics.refused == 1
