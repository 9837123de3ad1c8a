"""Edit of the issuance and end over HTTP, and what the room hears of them."""

from typing import Any

import orjson
import pytest
from websockets.sync.client import connect

from loadtest.record.books import books_from
from loadtest.verdict.verify import verify_packet
from server.core.ids import PacketId
from tests.api.caller import TIMEOUT_S, Caller

LONG_MS = 600_000


def heard(socket: Any, wanted: str) -> dict[str, Any]:
    """Return the next message of a type."""
    while True:
        message: dict[str, Any] = orjson.loads(socket.recv(TIMEOUT_S))
        if message["type"] == wanted:
            return message


@pytest.mark.rule("KS-EDT-1")
@pytest.mark.rule("KS-END-1")
def test_an_active_packet_is_raised_trimmed_and_ended(api: Caller) -> None:
    """The room hears that it was reopened, closed by its end, and every seed; what was committed to verifies."""
    creator_id, room_id, packet_id = api.on_air(LONG_MS)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 500})
    address = f"{api.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer=watcher"
    with connect(address, compression=None, proxy=None) as socket:
        receipt = api.grab(room_id, packet_id, "ann")
        assert (receipt["status"], receipt["edition"]) == ("granted", 1)
        raised = api.post(f"/api/packets/{packet_id}/issuance", {"share_count": 15}, key="k1")
        assert (raised["edition"], raised["share_count"], raised["total_fen"]) == (2, 15, 1500)
        reopened = heard(socket, "reopened")
        assert (reopened["edition"], reopened["share_count"], reopened["at_ms"]) == (2, 15, raised["claimable_at_ms"])
        assert reopened["commitment"] == raised["editions"][1]["commitment"]

        with api.nothing_changes(creator_id):
            assert api.post(f"/api/packets/{packet_id}/issuance", {"share_count": 15}, key="k1")["edition"] == 2
            assert api.refused(f"/api/packets/{packet_id}/issuance", {"share_count": 16}, key="k1")[1] == (
                "transfer_conflict"
            )
            assert api.refused(f"/api/packets/{packet_id}/issuance", {"share_count": 16}) == (
                409,
                "insufficient_funds",
                "DY-ACC-6",
            )
        trimmed = api.post(f"/api/packets/{packet_id}/issuance", {"share_count": 12})
        assert (trimmed["edition"], trimmed["share_count"], trimmed["given"]) == (3, 12, 1)

        ended = api.post(f"/api/packets/{packet_id}/end", key="k2")
        assert (ended["phase"], ended["returned"], ended["remaining"]) == ("settled", 11, 0)
        assert api.post(f"/api/packets/{packet_id}/end", key="k2") == ended
        assert heard(socket, "closed")["reason"] == "ended"
        result = heard(socket, "result")
    assert [len(each["seed"] or "") for each in result["editions"]] == [64, 64, 0]
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 1500 - receipt["amount_fen"]
    assert api.grab(room_id, packet_id, "late")["status"] == "too_late"
    again = api.grab(room_id, packet_id, "ann")
    assert (again["amount_fen"], again["claim_id"]) == (receipt["amount_fen"], receipt["claim_id"])
    assert api.refused(f"/api/packets/{packet_id}/issuance", {"share_count": 20}) == (409, "settled", "KS-EDT-1")

    answer = api.ask("GET", "/api/books?final=true")
    books = books_from([orjson.loads(line) for line in answer.content.splitlines()])
    name = PacketId(packet_id)
    assert verify_packet(books.packets[name], books.claims.get(name, []), books.left[name]).problems == ()


def test_fewer_than_claimed_is_refused(api: Caller) -> None:
    """With two shares claimed the packet can have two, not one."""
    _, room_id, packet_id = api.on_air(LONG_MS)
    for viewer in ("ann", "bob"):
        api.grab(room_id, packet_id, viewer)
    path = f"/api/packets/{packet_id}/issuance"
    assert api.refused(path, {"share_count": 1}) == (409, "below_claimed", "KS-EDT-1")
    assert api.post(path, {"share_count": 2})["remaining"] == 0


@pytest.mark.rule("KS-EDT-1")
@pytest.mark.rule("KS-END-1")
def test_douyin_neither_edits_nor_ends(api: Caller) -> None:
    """Each is refused by the rule that states it for the other platform."""
    creator_id = api.creator(2000, "douyin")
    packet_id = api.packet(creator_id, platform="douyin")
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{packet_id}/issuance", {"share_count": 11}) == (
            422,
            "not_editable",
            "KS-EDT-1",
        )
        assert api.refused(f"/api/packets/{packet_id}/end") == (422, "not_endable", "KS-END-1")


@pytest.mark.parametrize("body", [{}, {"share_count": 0}, {"share_count": "5"}, {"share_count": 5, "name": "x"}])
def test_only_the_issuance_can_be_changed(api: Caller, body: dict[str, object]) -> None:
    """Any other field, or a number that is none, is refused."""
    creator_id = api.creator(1000)
    packet_id = api.packet(creator_id)
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/packets/{packet_id}/issuance", body) == (422, "bad_field", "")
