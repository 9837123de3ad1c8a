"""The books: one cut per creator, explained by its journal, and nothing that is still secret."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.verdict.audit.money import check_money
from loadtest.verdict.audit.violation import Findings
from server.core.ids import CreatorId
from server.core.packets.packet import Schedule
from server.core.rulebooks.platforms import KUAISHOU
from server.store import books
from server.store.allocators.default import DefaultAllocator
from server.store.books import export
from server.store.connection import Store
from tests.commands.ground import Payouts, Purse
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, NOW_MS, ROOM, SEED, Desk, crowd

PAYS_OUT = replace(KUAISHOU, withdraw_channels=("alipay",))


async def lines_of(desk: Desk, *, final: bool = False) -> list[dict[str, Any]]:
    return [line async for line in export(desk.store, desk.clock, final=final)]


async def test_a_cut_shows_wallet_packets_and_journal(desk: Desk) -> None:
    """Every line has its kind and fields, and the audit's reader takes them."""
    packet_id = await desk.open_packet([5, 6, 7])
    await desk.run_claim(packet_id, ["ann", "q1", "bob", "q2"])

    lines = await lines_of(desk)

    assert [line["kind"] for line in lines] == ["clock", "creator", "packet", "journal", "journal", "journal", "end"]
    read = books_from(lines)
    creator, packet = read.creators[CreatorId("c1")], read.packets[packet_id]
    assert (creator.cut_ms, tuple(creator.wallet)) == (GRAB_AT_MS, (0, 18, 0, 0, 18, 0))
    assert (
        packet.given,
        packet.given_fen,
        packet.remaining,
        packet.remaining_fen,
        packet.returned,
        packet.returned_fen,
    ) == (2, 11, 1, 7, 0, 0)
    assert [entry.movement for entry in read.journal] == ["recharge", "fund", "claim"]
    assert creator.journal_last_id == read.journal[-1].entry_id
    assert [tuple(claim) for claim in read.journal[-1].claims or ()] == [("ann", 0, 5, "q1"), ("bob", 1, 6, "q2")]
    assert not read.final


async def test_the_final_books_hold_claims_and_what_went_back(desk: Desk) -> None:
    """At the end the claims equal the journal's, and given and returned shares are the split."""
    packet_id = await desk.open_packet([5, 6, 7])
    await desk.run_claim(packet_id, ["ann", "q1"])
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)

    read = books_from(await lines_of(desk, final=True))

    [claim] = read.claims[packet_id]
    assert (
        claim.viewer_id,
        claim.index,
        claim.amount_fen,
        claim.edition,
        claim.request_id,
    ) == ("ann", 0, 5, 1, "q1")
    assert read.left[packet_id] == (6, 7)
    assert SEED.hex() == read.packets[packet_id].seed
    assert read.final


@pytest.mark.parametrize("final", [False, True])
async def test_what_may_still_be_grabbed_is_not_in_the_books(desk: Desk, *, final: bool) -> None:
    """Neither seed nor shares of a draft or of an open packet are exported."""
    open_id = await desk.open_packet([501, 502, 503])
    await desk.recharge(5)
    draft = await desk.draft([5])

    lines = await lines_of(desk, final=final)

    packets = {line["packet_id"]: line for line in lines if line["kind"] == "packet"}
    assert {open_id: None, draft.packet_id: None} == {name: line["seed"] for name, line in packets.items()}
    assert [line for line in lines if line["kind"] == "left"] == []
    assert 502 not in list(_leaves([line for line in lines if line["kind"] != "packet"]))


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every value that holds no others."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inside is None:
        yield value
        return
    for each in inside:
        yield from _leaves(each)


async def test_a_long_journal_comes_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry once, in order, whatever the size of the page."""
    for _ in range(7):
        await desk.recharge(1)
    for page in (1, 3, 7, 8):
        monkeypatch.setattr(books, "JOURNAL_PAGE", page)
        lines = [line for line in await lines_of(desk) if line["kind"] == "journal"]
        assert [f"recharge:{n}" for n in range(7)] == [line["transfer_id"] for line in lines]


async def test_every_creator_has_its_own_cut(store: Store) -> None:
    """Creators come one after the other, each with its packets and its journal."""
    desks = [await Desk.open(store, name) for name in ("c2", "c1")]
    for desk in desks:
        await desk.open_packet([5, 6])

    lines = await lines_of(desks[0])

    assert [line["creator_id"] for line in lines if line["kind"] == "creator"] == ["c1", "c2"]
    assert [line["creator_id"] for line in lines if line["kind"] in ("creator", "packet", "journal")] == [
        "c1",
        "c1",
        "c1",
        "c1",
        "c2",
        "c2",
        "c2",
        "c2",
    ]


async def test_a_cut_in_the_middle_of_a_storm_balances(desk: Desk) -> None:
    """While grabs and new packets run, each cut's wallet and packets follow from its own journal."""
    await desk.recharge(10_000)
    packet_id = await desk.open_packet([5] * 400)
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)

    async def storm() -> None:
        for n in range(40):
            await allocator.claim(packet_id, ROOM, crowd(10, f"w{n}-"))
            if n % 5 == 0:
                made = await desk.draft([1, 2])
                await desk.launch(made.packet_id, Schedule(NOW_MS, GRAB_AT_MS, CLAIM_END_AT_MS))

    running = asyncio.create_task(storm())
    cuts = 0
    while not running.done():
        check_cut(await lines_of(desk))
        cuts += 1
    await running
    await allocator.caught_up()

    assert cuts > 1


def check_cut(lines: list[dict[str, Any]]) -> None:
    read = books_from(lines)
    balances: dict[str, int] = {}
    for entry in read.journal:
        balances[entry.debit] = balances.get(entry.debit, 0) - entry.amount_fen
        balances[entry.credit] = balances.get(entry.credit, 0) + entry.amount_fen
    assert balances["funds:c1"] == read.creators[CreatorId("c1")].wallet.available_fen
    escrows = {name: balance for name, balance in balances.items() if name.startswith("escrow:")}
    assert escrows == {f"escrow:{name}": packet.remaining_fen for name, packet in read.packets.items()}
    for name, packet in read.packets.items():
        assert balances.get(f"assets:{name}", 0) == packet.given_fen
        assert packet.share_count == packet.given + packet.remaining


async def test_a_store_without_creators_has_short_books(desk: Desk) -> None:
    """Clock and end are there in any case."""
    await desk.store.redis.delete("redrain:creators")

    assert [line["kind"] for line in await lines_of(desk)] == ["clock", "end"]


async def test_fees_balances_and_withdrawals_stand_in_the_books_and_are_explained(desk: Desk) -> None:
    """A recharge with a fee and both ends of a withdrawal are exported with all that moved, and A10 finds no fault."""
    await desk.wallet.recharge(
        desk.creator_id, amount_fen=10_000, channel="wechat", platform="kuaishou", transfer_id="r1"
    )
    withdrawals = Payouts(desk.store, desk.clock, Purse(desk.store, desk.clock, {"kuaishou": PAYS_OUT}))
    for number, end in enumerate((withdrawals.paid, withdrawals.failed)):
        asked = await withdrawals.request(desk.creator_id, amount_fen=300, transfer_id=f"w{number}")
        await end(desk.creator_id, asked.withdrawal_id)

    read = books_from(await lines_of(desk))
    findings = Findings()
    check_money(findings, read)

    assert [(entry.movement, entry.amount_fen, entry.fee_fen, entry.balance_fen) for entry in read.journal] == [
        ("recharge", 10_000, 100, 10_000),
        ("withdraw", 300, None, 9_700),
        ("withdraw_paid", 300, None, None),
        ("withdraw", 300, None, 9_400),
        ("withdraw_failed", 300, None, 9_700),
    ]
    assert len({entry.withdrawal_id for entry in read.journal}) == 3
    assert findings.violations() == []
