"""The books over HTTP: whole, for any auditor, and silent about what may still be grabbed."""

from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import commitment, split
from tests.api.caller import Caller
from tests.waiting import until


def test_books_of_an_open_packet_keep_its_secrets(api: Caller) -> None:
    """While the window is open neither seed nor shares leave the server, in final books either."""
    creator_id, room_id, packet_id = api.on_air(600_000)
    api.grab(room_id, packet_id, "vera")
    for final in (False, True):
        books = api.books(creator_id, final=final)
        (packet,) = books["packet"]
        assert (packet["state"], packet["given"], packet["remaining"]) == ("launched", 1, 9)
        assert packet["seed"] is None
        assert "left" not in books
        assert "shares" not in packet
        assert [entry["movement"] for entry in books["journal"]] == ["recharge", "fund", "claim"]


def test_books_of_a_draft_keep_its_secrets(api: Caller) -> None:
    """A packet that was not launched yet may still be."""
    creator_id = api.creator(1000)
    api.packet(creator_id)
    (packet,) = api.books(creator_id, final=True)["packet"]
    assert packet["seed"] is None


def test_final_books_balance_after_settlement(api: Caller) -> None:
    """Claims and what went back are the packet, share by share as its seed says, and the funds add up."""
    creator_id, room_id, packet_id = api.on_air(60_000)
    receipts = [api.grab(room_id, packet_id, viewer) for viewer in ("vera", "wim", "xena")]
    until(lambda: bool(api.get(f"/api/packets/{packet_id}")["state"] == "settled"))
    books = api.books(creator_id, final=True)

    (packet,), (left,), (creator,) = books["packet"], books["left"], books["creator"]
    amounts = [claim["amount_fen"] for claim in books["claim"]]
    assert amounts == [receipt["amount_fen"] for receipt in receipts]
    assert [claim["viewer_id"] for claim in books["claim"]] == ["vera", "wim", "xena"]
    assert len(amounts + left["amounts"]) == 10
    assert (packet["given_fen"], packet["returned_fen"]) == (sum(amounts), sum(left["amounts"]))
    assert sum(amounts + left["amounts"]) == 1000
    assert packet["remaining"] == packet["remaining_fen"] == 0

    bounds = Terms(Denomination.RANDOM, 10, 1000, packet["min_share_fen"], packet["max_share_fen"])
    seed = bytes.fromhex(packet["seed"])
    assert commitment(bounds, seed) == packet["commitment"]
    assert split(bounds, seed) == amounts + left["amounts"]

    wallet = creator["wallet"]
    assert (wallet["recharged_fen"], wallet["spent_fen"]) == (1000, 1000)
    assert wallet["returned_fen"] == wallet["available_fen"] == sum(left["amounts"])
    balances = {"escrow": 0, "funds": 0, "assets": 0, "psp": 0}
    for entry in books["journal"]:
        balances[entry["debit"].partition(":")[0]] -= entry["amount_fen"]
        balances[entry["credit"].partition(":")[0]] += entry["amount_fen"]
    assert balances == {"escrow": 0, "funds": sum(left["amounts"]), "assets": sum(amounts), "psp": -1000}


def test_books_in_between_have_no_claims(api: Caller) -> None:
    """A cut during a run is small: it has the journal, not the claims or what is left."""
    creator_id, _, packet_id = api.on_air(1_000)
    until(lambda: bool(api.get(f"/api/packets/{packet_id}")["state"] == "settled"))
    assert set(api.books(creator_id, final=False)) == {"creator", "packet", "journal"}


def test_more_books_than_one_batch_come_whole(api: Caller) -> None:
    """Several hundred lines are streamed in several writes, and none is lost."""
    creator_id = api.creator()
    for number in range(600):
        api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1}, key=f"k{number}")
    books = api.books(creator_id, final=False)
    assert len({entry["entry_id"] for entry in books["journal"]}) == 600
    assert books["creator"][0]["wallet"]["available_fen"] == 600


def test_final_is_yes_or_no(api: Caller) -> None:
    """Anything else is refused before a line is written."""
    assert api.not_shown("/api/books?final=perhaps") == (422, "bad_field", "")
