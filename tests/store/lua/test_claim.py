"""claim.lua as the store runs it: batches, repeats, the window's edges."""

from typing import Any

import pytest
from redis.exceptions import ResponseError

from server.core.ids import PacketId, RoomId
from server.store import keys
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, Desk


def pairs(size: int) -> list[str]:
    return [text for n in range(size) for text in (f"v{n}", f"q{n}")]


async def codes(desk: Desk, packet_id: PacketId, *args: str) -> str:
    reply: Any = await desk.run_claim(packet_id, args)
    text: str = reply[3].decode()
    return text


@pytest.mark.rule("ALL-CLM-1")
@pytest.mark.rule("ALL-CLM-3")
async def test_a_viewer_three_times_in_a_batch_gets_one_share(desk: Desk) -> None:
    """The first grab wins, the same tap again hears the same, another tap repeats."""
    packet_id = await desk.open_packet([5, 6, 7])

    reply = await desk.run_claim(packet_id, ["ann", "q1", "ann", "q1", "ann", "q2"])

    assert reply == [1, GRAB_AT_MS, 2, b"ggr", b"0:5:1:q1", b"0:5:1:q1", b"0:5:1:q1"]
    assert await desk.store.redis.hgetall(keys.claims(packet_id)) == {b"ann": b"0:5:1:q1"}


@pytest.mark.rule("ALL-CLM-3")
async def test_500_grabs_in_a_batch_are_one_journal_entry(desk: Desk) -> None:
    """All 500 get shares in order, and one entry of the journal lists them."""
    packet_id = await desk.open_packet(list(range(1, 502)))

    reply = await desk.run_claim(packet_id, pairs(500))

    assert reply[:4] == [1, GRAB_AT_MS, 1, b"g" * 500]
    assert [f"{n}:{n + 1}:1:q{n}".encode() for n in range(500)] == reply[4:]
    [entry] = await desk.journal("claim")
    assert sum(range(1, 501)) == int(entry["amount_fen"])
    assert [f"v{n},{n},{n + 1},q{n}" for n in range(500)] == entry["claims"].split(";")
    assert (f"escrow:{packet_id}", f"assets:{packet_id}") == (entry["debit"], entry["credit"])
    assert ("1", str(GRAB_AT_MS), packet_id) == (entry["edition"], entry["at_ms"], entry["packet_id"])


@pytest.mark.rule("ALL-CLM-2")
@pytest.mark.parametrize("settled", [False, True])
async def test_grabs_from_another_room_are_of_no_packet(desk: Desk, *, settled: bool) -> None:
    """A packet is not there for another room's grabs, its winner's too, and nothing is written (AMB-46)."""
    packet_id = await desk.open_packet([5, 6])
    await desk.run_claim(packet_id, ["ann", "q1"])
    if settled:
        await desk.at(CLAIM_END_AT_MS)
        await desk.packets.sweep(packet_id)
    before = await desk.state()

    reply = await desk.run_claim(packet_id, ["ann", "q1", "ann", "q2", "cat", "q"], RoomId("room-of-another"))

    assert reply == [0, 0, 0, b"nnn"]
    assert before == await desk.state()


@pytest.mark.parametrize("args", [pairs(501), ["ann"], ["ann", "q", "bob"], []])
async def test_a_batch_of_another_size_changes_nothing(desk: Desk, args: list[str]) -> None:
    """501 grabs, half a grab or none are an error, and the store is as before."""
    packet_id = await desk.open_packet([5] * 600)
    before = await desk.state()

    with pytest.raises(ResponseError, match=r"number of grabs|BROKEN id"):
        await desk.run_claim(packet_id, args)

    assert before == await desk.state()


async def test_an_unknown_packet_is_not_found(desk: Desk) -> None:
    """Every grab for a packet that does not exist hears so, in edition 0."""
    assert await desk.run_claim(PacketId("c1.none"), ["ann", "q", "bob", "q"]) == [0, 0, 0, b"nn"]


@pytest.mark.rule("ALL-CLM-1")
@pytest.mark.rule("DY-CLM-2")
@pytest.mark.parametrize(
    ("room_ms", "expected"),
    [
        (GRAB_AT_MS - 1, "e"),
        (GRAB_AT_MS, "g"),
        (GRAB_AT_MS + 1, "g"),
        (CLAIM_END_AT_MS - 1, "g"),
        (CLAIM_END_AT_MS, "l"),
        (CLAIM_END_AT_MS + 1, "l"),
    ],
)
async def test_the_window_is_half_open(desk: Desk, room_ms: int, expected: str) -> None:
    """A grab wins from the first millisecond of the window to the last, and not one millisecond around it."""
    packet_id = await desk.open_packet([5])
    await desk.at(room_ms)

    assert expected == await codes(desk, packet_id, "ann", "q")
    assert (1 if expected == "g" else 0) == await desk.store.redis.hlen(keys.claims(packet_id))


@pytest.mark.rule("ALL-CLM-1")
async def test_a_draft_is_too_early(desk: Desk) -> None:
    """Nobody gets a share of a packet that was not launched."""
    await desk.recharge(5)
    packet = await desk.draft([5])

    assert await codes(desk, packet.packet_id, "ann", "q") == "e"


async def owners(desk: Desk, packet_id: PacketId) -> list[str]:
    found: Any = await desk.store.redis.lrange(keys.owners(packet_id), 0, -1)
    return [owner.decode() for owner in found]


async def test_the_owners_stand_in_the_order_of_the_claims(desk: Desk) -> None:
    """Element i owns share i, since the instant of its claim; whoever repeats or loses is not listed again."""
    packet_id = await desk.open_packet([5, 6, 7])
    assert await codes(desk, packet_id, "ann", "q1", "bob", "q1", "ann", "q2") == "ggr"
    await desk.at(GRAB_AT_MS + 9)
    assert await codes(desk, packet_id, "bob", "q1", "cat", "q", "dan", "q") == "ggx"

    assert await owners(desk, packet_id) == [f"ann:{GRAB_AT_MS}", f"bob:{GRAB_AT_MS}", f"cat:{GRAB_AT_MS + 9}"]


@pytest.mark.rule("ALL-CLM-1")
async def test_losers_write_nothing(desk: Desk) -> None:
    """After the last share a grab is exhausted and leaves no trace."""
    packet_id = await desk.open_packet([5])
    assert await codes(desk, packet_id, "ann", "q", "bob", "q") == "gx"
    before = await desk.state()

    assert await codes(desk, packet_id, "bob", "q", "cat", "q") + await late(desk, packet_id) == "xxl"

    assert before == await desk.state()


async def late(desk: Desk, packet_id: PacketId) -> str:
    await desk.store_at(CLAIM_END_AT_MS)
    answer = await codes(desk, packet_id, "bob", "q")
    await desk.store_at(GRAB_AT_MS)
    return answer


@pytest.mark.rule("ALL-CLM-2")
@pytest.mark.rule("DY-VOI-3")
@pytest.mark.parametrize("ending", ["sold_out", "ended", "swept", "voided"])
async def test_a_winner_keeps_its_share_whatever_happens(desk: Desk, ending: str) -> None:
    """A repeat is answered before state and window are looked at."""
    packet_id = await desk.open_packet([5, 6])
    await codes(desk, packet_id, "ann", "q1")
    match ending:
        case "sold_out":
            await codes(desk, packet_id, "bob", "q")
        case "ended":
            await desk.at(CLAIM_END_AT_MS)
        case "swept":
            await desk.at(CLAIM_END_AT_MS)
            assert await desk.packets.sweep(packet_id) is not None
        case "voided":
            await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)

    reply = await desk.run_claim(packet_id, ["ann", "q1", "ann", "q2", "cat", "q"])

    refused = {"sold_out": b"x", "ended": b"l", "swept": b"l", "voided": b"v"}[ending]
    assert [b"gr" + refused, b"0:5:1:q1", b"0:5:1:q1"] == reply[3:]


@pytest.mark.rule("ALL-CLM-3")
async def test_a_packet_sells_out_exactly(desk: Desk) -> None:
    """Claims, counters and journal of a sold-out packet agree to the fen."""
    packet_id = await desk.open_packet([5, 6, 7])

    assert await codes(desk, packet_id, *pairs(5)) == "ggg" + "xx"

    record = await desk.store.redis.hgetall(keys.packet(packet_id))
    assert (record[b"given"], record[b"given_fen"]) == (b"3", b"18")
    assert await desk.store.redis.llen(keys.shares(packet_id)) == 0
    assert sum(int(entry["amount_fen"]) for entry in await desk.journal("claim")) == 18


async def test_an_id_that_would_forge_a_line_of_the_journal_wins_nothing(desk: Desk) -> None:
    """A separator inside an id is an error before anything is written."""
    packet_id = await desk.open_packet([5, 6])
    before = await desk.state()

    for args in (["ann,0,5,q;bob", "q"], ["ann,q;bob", "q"], ["ann", "q;bob,q"], ["ann", "q:1"], ["", "q;"]):
        with pytest.raises(ResponseError, match="BROKEN id"):
            await desk.run_claim(packet_id, args)

    assert before == await desk.state()


async def test_a_store_that_forgot_its_scripts_answers_all_the_same(desk: Desk) -> None:
    """After SCRIPT FLUSH the next call brings the script along and runs it once."""
    packet_id = await desk.open_packet([5, 6])
    assert await codes(desk, packet_id, "ann", "q") == "g"
    await desk.store.redis.script_flush()

    assert await codes(desk, packet_id, "bob", "q") == "g"
    assert await desk.store.redis.hlen(keys.claims(packet_id)) == 2


async def test_amounts_as_large_as_the_store_can_hold_stay_exact(desk: Desk) -> None:
    """Sums near 2**53 are written digit by digit, not as a rounded double."""
    large = 2**52 + 1
    packet_id = await desk.open_packet([large, 2**52 - 2])

    await codes(desk, packet_id, "ann", "q1")

    assert str(large).encode() == await desk.store.redis.hget(keys.packet(packet_id), "given_fen")
    assert [str(large)] == [entry["amount_fen"] for entry in await desk.journal("claim")]
