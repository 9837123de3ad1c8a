"""Shares that expire and money on its way back: in time, once, and to the right place."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.exceptions import ResponseError

from loadtest.record.books import books_from
from loadtest.verdict.audit.money import check_money
from loadtest.verdict.audit.violation import Findings
from server.core.ids import PacketId
from server.core.refusal import Refused
from server.store import keys
from server.store.books import export
from server.store.reversals import Reversals
from server.store.transfers import StoreBroken
from server.store.wallet import WalletFunds
from server.sweeper import Sweeper
from tests.commands.ground import context_of
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, NOW_MS, Desk

END = CLAIM_END_AT_MS + 600_000
MINUTE = 60_000


@pytest.fixture
def reversals(desk: Desk) -> Reversals:
    return Reversals(desk.store, desk.clock)


async def a_packet(desk: Desk, shares: Sequence[int], **use: Any) -> PacketId:
    """Fund and launch a packet and go to its opening."""
    await desk.at(NOW_MS)
    await desk.recharge(sum(shares))
    packet = await desk.draft(shares, **use)
    await desk.launch(packet.packet_id)
    await desk.at(GRAB_AT_MS)
    return packet.packet_id


async def claimed(desk: Desk, packet_id: PacketId, *viewers: str) -> None:
    reply = await desk.run_claim(packet_id, [text for viewer in viewers for text in (viewer, "q")])
    assert reply[3] == b"g" * len(viewers)


async def hold(desk: Desk, packet_id: PacketId, index: int, state: str) -> None:
    """Let an order hold a share, as the scripts of orders do."""
    await desk.store.redis.hset(keys.assets(packet_id), str(index), state)


async def assets(desk: Desk, packet_id: PacketId) -> dict[int, str]:
    found: Any = await desk.store.redis.hgetall(keys.assets(packet_id))
    return {int(index): state.decode() for index, state in found.items()}


async def next_ms(desk: Desk, packet_id: PacketId) -> int | None:
    score = await desk.store.redis.zscore(keys.expiring(desk.creator_id), packet_id)
    return None if score is None else int(score)


async def explained(desk: Desk) -> None:
    """The audit finds nothing wrong with the money."""
    findings = Findings()
    check_money(findings, books_from([line async for line in export(desk.store, desk.clock, final=True)]))
    assert findings.violations() == []


@pytest.mark.rule("DY-REV-3")
async def test_what_is_not_used_in_time_goes_back(desk: Desk, reversals: Reversals) -> None:
    """At the end of the validity and not before; once, with one entry of the journal."""
    packet_id = await a_packet(desk, [5, 6, 7], use_end_at_ms=END)
    await claimed(desk, packet_id, "ann", "bob")
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)
    await desk.at(END - 1)
    assert (await reversals.expiring(desk.creator_id), await reversals.expire(packet_id)) == ([], 0)
    await desk.at(END)
    assert await reversals.expiring(desk.creator_id) == [packet_id]

    assert await reversals.expire(packet_id) == 2

    assert await assets(desk, packet_id) == {0: "expired", 1: "expired"}
    counts = await desk.packets.counts(packet_id)
    assert (counts.given, counts.expired, counts.expired_fen) == (2, 2, 11)
    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(18, 18, 18, 0, 18)
    [entry] = await desk.journal("expire")
    assert (entry["debit"], entry["credit"], entry["amount_fen"]) == (f"assets:{packet_id}", "funds:c1", "11")
    assert (entry["transfer_id"], entry["balance_fen"]) == (f"expire:{packet_id}:0", "18")
    before = await desk.state()
    assert (await reversals.expiring(desk.creator_id), await reversals.expire(packet_id)) == ([], 0)
    assert before == await desk.state()
    await explained(desk)


@pytest.mark.rule("DY-REV-3")
@pytest.mark.rule("DY-CRE-3")
async def test_a_relative_validity_runs_from_each_claim(desk: Desk, reversals: Reversals) -> None:
    """Each share expires in its own time, also while others are still claimed (AMB-5)."""
    packet_id = await a_packet(desk, [5, 6, 7], use_for_ms=MINUTE)
    await claimed(desk, packet_id, "ann")
    await desk.at(GRAB_AT_MS + 9)
    await claimed(desk, packet_id, "bob")
    await desk.at(GRAB_AT_MS + MINUTE - 1)
    assert await reversals.expire(packet_id) == 0
    await desk.at(GRAB_AT_MS + MINUTE)
    assert await reversals.expire(packet_id) == 1
    assert await next_ms(desk, packet_id) == GRAB_AT_MS + 9 + MINUTE
    await desk.at(GRAB_AT_MS + MINUTE + 9)
    assert await reversals.expire(packet_id) == 1
    assert await next_ms(desk, packet_id) == GRAB_AT_MS + 9 + 2 * MINUTE  # somebody may still claim
    await claimed(desk, packet_id, "cat")
    await desk.at(CLAIM_END_AT_MS + MINUTE)
    assert await reversals.expire(packet_id) == 1

    assert await next_ms(desk, packet_id) is None
    assert await assets(desk, packet_id) == dict.fromkeys(range(3), "expired")
    assert [entry["transfer_id"] for entry in await desk.journal("expire")] == [
        f"expire:{packet_id}:{pointer}" for pointer in range(3)
    ]
    await explained(desk)


@pytest.mark.rule("DY-REV-3")
async def test_what_an_order_holds_is_passed_over(desk: Desk, reversals: Reversals) -> None:
    """Locked and redeemed shares stay with their order (AMB-26); where it holds all, nothing moves."""
    packet_id = await a_packet(desk, [5, 6, 7], use_end_at_ms=END)
    await claimed(desk, packet_id, "ann", "bob", "cat")
    await hold(desk, packet_id, 0, "locked:c1.o1")
    await hold(desk, packet_id, 2, "redeemed:c1.o2")
    held = await a_packet(desk, [9], use_end_at_ms=END)
    await claimed(desk, held, "ann")
    await hold(desk, held, 0, "locked:c1.o1")
    await desk.at(END)

    assert (await reversals.expire(packet_id), await reversals.expire(held)) == (3, 1)

    assert await assets(desk, packet_id) == {0: "locked:c1.o1", 1: "expired", 2: "redeemed:c1.o2"}
    assert await assets(desk, held) == {0: "locked:c1.o1"}
    assert [entry["amount_fen"] for entry in await desk.journal("expire")] == ["6"]
    assert (await next_ms(desk, packet_id), await next_ms(desk, held)) == (None, None)


@pytest.mark.rule("DY-REV-3")
async def test_a_call_looks_at_500_shares(desk: Desk, reversals: Reversals) -> None:
    """1,100 claims take three calls and three entries, and a fourth call finds nothing."""
    packet_id = await a_packet(desk, [2] * 1_100, use_end_at_ms=END)
    for first in (0, 500, 1_000):
        await claimed(desk, packet_id, *(f"v{n}" for n in range(first, min(first + 500, 1_100))))
    await desk.at(END)

    assert [await reversals.expire(packet_id) for _ in range(4)] == [500, 500, 100, 0]

    assert [entry["amount_fen"] for entry in await desk.journal("expire")] == ["1000", "1000", "200"]
    await explained(desk)


@pytest.mark.rule("DY-REV-3")
async def test_what_cannot_expire_does_not(desk: Desk, reversals: Reversals) -> None:
    """A packet without an end of validity, a draft, one nobody claimed; and an unknown one is not found."""
    for_ever, unclaimed = await a_packet(desk, [5]), await a_packet(desk, [6], use_for_ms=1)
    await claimed(desk, for_ever, "ann")
    await desk.recharge(5)
    draft = await desk.draft([5], use_for_ms=1)
    await desk.at(END)

    for packet_id in (for_ever, unclaimed, draft.packet_id):
        assert await reversals.expire(packet_id) == 0
    assert await reversals.expiring(desk.creator_id) == []
    assert await desk.journal("expire") == []
    with pytest.raises(Refused):
        await reversals.expire(PacketId("c1.none"))


@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-ACC-5")
@pytest.mark.parametrize("way", ["sweep", "void", "end", "trim", "expire"])
async def test_what_goes_back_is_on_its_way_for_the_delay(desk: Desk, reversals: Reversals, way: str) -> None:
    """It is neither available nor returned until then; then it arrives, once."""
    packet_id = await a_packet(desk, [5, 6, 7], use_end_at_ms=END, reversal_delay_ms=MINUTE)
    await claimed(desk, packet_id, "ann", "bob")
    packet = await desk.packets.get(packet_id)
    match way:
        case "sweep":
            await desk.at(CLAIM_END_AT_MS)
            await desk.packets.sweep(packet_id)
        case "void":
            await desk.packets.void(packet_id, transfer_id="x", lead_ms=None)
        case "end":
            await desk.packets.end(packet, transfer_id="x")
        case "trim":
            await trim(desk, packet_id, 2)
        case "expire":
            await trim(desk, packet_id, 2)
            await desk.at(GRAB_AT_MS + MINUTE)
            await reversals.reverse(desk.creator_id)
            await desk.at(END)
            await reversals.expire(packet_id)
    fen, earlier = (11, 7) if way == "expire" else (7, 0)
    now_ms = desk.clock.record.origin_ms
    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(earlier, 18, earlier, 0, 18, fen)
    [entry] = await desk.journal(way)
    assert (entry["credit"], entry["amount_fen"], "balance_fen" in entry) == ("reversing:c1", str(fen), False)
    await explained(desk)

    await desk.at(now_ms + MINUTE - 1)
    assert await reversals.reverse(desk.creator_id) == 0
    await desk.at(now_ms + MINUTE)
    assert [await reversals.reverse(desk.creator_id) for _ in range(2)] == [1, 0]

    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(earlier + fen, 18, earlier + fen, 0, 18, 0)
    entry = (await desk.journal("reverse"))[-1]
    assert (entry["debit"], entry["credit"], entry["amount_fen"]) == ("reversing:c1", "funds:c1", str(fen))
    key = {"trim": f"trim:{packet_id}:2", "expire": f"expire:{packet_id}:0"}.get(way, f"{way}:{packet_id}")
    assert (entry["reversals"], entry["transfer_id"]) == (f"{key}|{packet_id}|{fen}", f"reverse:{key}")
    assert (entry["packet_id"], entry["balance_fen"]) == ("", str(earlier + fen))
    await explained(desk)


async def trim(desk: Desk, packet_id: PacketId, share_count: int) -> None:
    packet = await desk.packets.get(packet_id)
    names = ["clock", "wallet", "transfers", "journal", f"packet:{packet_id}", f"shares:{packet_id}"]
    names += [f"added:{packet_id}", f"staging:{packet_id}", f"staged:{packet_id}", "stagings", "feed:room-c1"]
    args: list[str | bytes | int] = ["trim", packet_id, "c1", share_count, packet.edition, desk.room.room_id]
    outcome = await desk.store.run(
        "edit", [f"{{c1}}:{name}" for name in [*names, "reversals"]], [*args, keys.BELL, 0, "", ""]
    )
    assert outcome == b"done"


@pytest.mark.rule("DY-REV-8")
async def test_nothing_left_is_not_on_its_way(desk: Desk, reversals: Reversals) -> None:
    """The sweep of a packet that sold out has its entry, and no reversal follows."""
    packet_id = await a_packet(desk, [5], reversal_delay_ms=MINUTE)
    await claimed(desk, packet_id, "ann")
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)

    assert [(entry["credit"], entry["amount_fen"]) for entry in await desk.journal("sweep")] == [("reversing:c1", "0")]
    await desk.at(END)
    assert await reversals.reverse(desk.creator_id) == 0
    await explained(desk)


@pytest.mark.rule("DY-REV-8")
async def test_a_call_credits_500_reversals(desk: Desk, reversals: Reversals) -> None:
    """They arrive in the order in which they are due; the others with the next call."""
    members = {f"cancel:o{n}|c1.p|1": NOW_MS - 1_000 + n for n in range(700)}
    await desk.recharge(700)
    await desk.store.redis.zadd(keys.reversals(desk.creator_id), members)
    await desk.store.redis.hset(keys.wallet(desk.creator_id), "reversing_fen", "700")

    assert [await reversals.reverse(desk.creator_id) for _ in range(3)] == [500, 200, 0]

    entries = await desk.journal("reverse")
    assert [entry["amount_fen"] for entry in entries] == ["500", "200"]
    assert ";".join(entry["reversals"] for entry in entries).split(";") == list(members)


@pytest.mark.rule("DY-REV-8")
async def test_200_parallel_calls_do_each_step_once(desk: Desk, reversals: Reversals) -> None:
    """Every share goes back once, and every reversal arrives once, for any number of callers."""
    packet_id = await a_packet(desk, [3] * 600, use_end_at_ms=END, reversal_delay_ms=MINUTE)
    for first in (0, 300):
        await claimed(desk, packet_id, *(f"v{n}" for n in range(first, first + 300)))
    await desk.at(END)

    looked_at = await asyncio.gather(*(reversals.expire(packet_id) for _ in range(200)))
    await desk.at(END + MINUTE)
    arrived = await asyncio.gather(*(reversals.reverse(desk.creator_id) for _ in range(200)))

    assert sorted(looked_at)[-3:] == [0, 100, 500]
    assert (sum(looked_at), sum(arrived)) == (600, 2)
    assert (await desk.packets.counts(packet_id)).expired_fen == 1_800
    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(1_800, 1_800, 1_800, 0, 1_800, 0)
    await explained(desk)


@pytest.mark.rule("DY-REV-8")
async def test_two_sweepers_at_once_are_harmless(desk: Desk) -> None:
    """Each of two lets everything expire and brings everything back; together they do it once."""
    for _ in range(5):
        packet_id = await a_packet(desk, [4] * 60, use_end_at_ms=END, reversal_delay_ms=MINUTE)
        await claimed(desk, packet_id, *(f"v{n}" for n in range(50)))
    sweepers = [Sweeper(context_of(desk.store, desk.clock)) for _ in range(2)]

    for now_ms in (CLAIM_END_AT_MS, CLAIM_END_AT_MS + MINUTE, END, END + MINUTE):
        await desk.at(now_ms)
        await asyncio.gather(*(sweeper.look() for sweeper in sweepers))

    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(1_200, 1_200, 1_200, 0, 1_200, 0)
    assert (len(await desk.journal("sweep")), len(await desk.journal("expire"))) == (5, 5)
    await explained(desk)


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-REV-3")
async def test_the_vector_of_section_3_with_expiry(desk: Desk, reversals: Reversals) -> None:
    """100,000 in, 30,000 spent, 18,000 swept and 7,000 expired back, 20,000 out: 75,000 are available."""
    await desk.recharge(100_000)
    packet = await desk.draft([5_000, 7_000, 18_000], use_end_at_ms=END)
    await desk.launch(packet.packet_id)
    await desk.at(GRAB_AT_MS)
    await claimed(desk, packet.packet_id, "ann", "bob")
    await hold(desk, packet.packet_id, 0, "redeemed:c1.o1")
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet.packet_id)
    await desk.at(END)
    await reversals.expire(packet.packet_id)
    await desk.withdrawals.request(desk.creator_id, amount_fen=20_000, channel="alipay", transfer_id="w")

    assert await desk.wallet.funds(desk.creator_id) == WalletFunds(75_000, 100_000, 25_000, 20_000, 30_000)
    await explained(desk)


@pytest.mark.parametrize(
    ("key", "poison"),
    [
        ("claims:P", {"ann": "1:5:1:q"}),
        ("claims:P", {"ann": "many"}),
        ("packet:P", {"given": "3"}),
        ("packet:P", {"expired_upto": "-1"}),
        ("packet:P", {"expired_fen": "many"}),
        ("packet:P", {"use_end_at_ms": "soon"}),
        ("packet:P", {"reversal_delay_ms": "soon"}),
        ("wallet", {"reversing_fen": "many"}),
        ("clock", {"speed": "fast"}),
    ],
)
async def test_a_broken_record_changes_nothing(
    desk: Desk, reversals: Reversals, key: str, poison: dict[str, str]
) -> None:
    """An expiry that finds what no script wrote fails before its first write (F05)."""
    packet_id = await a_packet(desk, [5, 6], use_end_at_ms=END)
    await claimed(desk, packet_id, "ann", "bob")
    await desk.at(END)
    mapping: Any = poison
    await desk.store.redis.hset(f"{{c1}}:{key.replace('P', packet_id)}", mapping=mapping)
    before = await desk.state()

    names = [
        "clock",
        "wallet",
        "journal",
        *(f"{kind}:{packet_id}" for kind in ("packet", "claims", "owners", "assets")),
    ]
    with pytest.raises(ResponseError, match="BROKEN"):
        await desk.store.run(
            "expire", [f"{{c1}}:{name}" for name in [*names, "expiring", "reversals"]], [packet_id, "c1"]
        )

    assert before == await desk.state()


@pytest.mark.parametrize("member", ["k|c1.p|many", "k", "k|c1.p|2"])
async def test_a_broken_reversal_changes_nothing(desk: Desk, reversals: Reversals, member: str) -> None:
    """One that is none, or more than is on its way, is an error and not money."""
    await desk.recharge(5)
    await desk.store.redis.zadd(keys.reversals(desk.creator_id), {member: 1})
    await desk.store.redis.hset(keys.wallet(desk.creator_id), "reversing_fen", "1")
    before = await desk.state()

    with pytest.raises(StoreBroken):
        await reversals.reverse(desk.creator_id)

    assert before == await desk.state()
