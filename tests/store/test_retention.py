"""Retention: what is old is in the archive and no longer in the store, what is not is untouched, and all adds up."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from loadtest.record.archive import read_archive
from loadtest.record.books import books_from
from loadtest.verdict.audit import audit
from server.core.ids import ClaimId, CreatorId, PacketId, packet_of_claim
from server.core.money.account import kind_of
from server.core.orders.order import OrderState
from server.core.packets.issuance import plan_edit
from server.core.packets.split import split
from server.core.refusal import Refused
from server.core.rulebooks.platforms import KUAISHOU, LAB
from server.store import books, keys, retention
from server.store.allocators.default import DefaultAllocator
from server.store.books import export
from server.store.connection import Store, StoreUnavailable
from server.store.coupon_budgets import CouponBudgets
from server.store.retention import CLAIMS_PER_TURN, ENTRIES_PER_STEP, STEPS_PER_TURN
from server.store.reversals import Reversals
from server.store.transfers import StoreBroken
from server.store.withdrawals import Withdrawal
from tests.commands.ground import Payouts, Purse
from tests.core.money.ledger_model import CLEARING
from tests.store.aged import archive_of, books_of, grow_old, multiply, open_rain, retention_of, settled_rain, violations
from tests.store.desk import CLAIM_END_AT_MS, ROOM, SEED, Desk, crowd
from tests.store.shop import HORIZON_MS, LI, START_MS, Shop

C1 = CreatorId("c1")


async def test_what_is_recent_is_not_touched(desk: Desk, tmp_path: Path) -> None:
    """A packet that has just been settled stays, to the last key."""
    await settled_rain(desk, "ann")
    before = await desk.state()

    assert await retention_of(desk, tmp_path).turn() == 0

    assert before == await desk.state()
    assert not archive_of(tmp_path).exists()


async def test_what_is_old_leaves_the_store_and_all_adds_up(desk: Desk, tmp_path: Path) -> None:
    """Settled and voided packets go; balances stay, the audit passes before and after, on the opening alone too."""
    old = await settled_rain(desk, "ann", "bob")
    voided = await desk.draft([1], transfer_id="voided")
    await desk.packets.void(voided.packet_id, transfer_id="v", lead_ms=None)
    await grow_old(desk)
    recent = await settled_rain(desk, "cid")
    funds = await desk.wallet.funds(C1)
    assert await violations(desk) == []

    assert await retention_of(desk, tmp_path).turn() == 2

    assert funds == await desk.wallet.funds(C1)
    found = await books_of(desk)
    assert audit(found, None) == []
    assert [recent] == list(found.packets)
    assert [entry.movement for entry in found.journal] == ["recharge", "fund", "claim", "sweep", "expire"]
    assert (await desk.store.redis.keys(f"*{old}")) == []
    assert await desk.store.redis.zrange(keys.on_air(C1, desk.room.room_id), 0, -1) == [recent.encode()]
    opening = found.openings[C1]
    assert opening.wallet.recharged_fen == 100
    assert opening.accounts == {"psp:bank": -100, "funds:c1": 100}

    await grow_old(desk)
    assert await retention_of(desk, tmp_path).turn() == 1
    found = await books_of(desk)
    assert (found.packets, list(found.journal)) == ({}, [])
    assert audit(found, None) == []
    assert funds == await desk.wallet.funds(C1)


async def test_archive_and_store_together_are_the_whole_books(desk: Desk, tmp_path: Path) -> None:
    """Dropped data are in the archive line by line, and audit clean together with the remaining data."""
    for viewer in ("ann", "bob"):
        await settled_rain(desk, viewer)
    await grow_old(desk)
    await settled_rain(desk, "cid")
    whole = await books_of(desk)

    await retention_of(desk, tmp_path).turn()

    archived, rest = read_archive(archive_of(tmp_path)), await books_of(desk)
    assert archived.packets
    assert rest.packets
    assert whole.packets == archived.packets | rest.packets
    assert dict(whole.claims) == {**archived.claims, **rest.claims}
    assert whole.left == archived.left | rest.left
    assert list(whole.journal) == [*archived.journal, *rest.journal]


async def test_a_packet_that_stays_holds_the_journal_but_no_other_packet(desk: Desk, tmp_path: Path) -> None:
    """An old draft keeps the entries after its own; what ended goes all the same, and the audit passes."""
    first = await settled_rain(desk, "ann")
    await desk.recharge(1)
    draft = await desk.draft([1])
    last = await settled_rain(desk, "bob")
    await grow_old(desk)

    assert await retention_of(desk, tmp_path).turn() == 2

    found = await books_of(desk)
    assert [draft.packet_id] == list(found.packets)
    assert found.journal[0].packet_id == draft.packet_id
    assert found.openings[C1].retired == tuple(sorted((first, last)))
    assert audit(found, None) == []
    archived = read_archive(archive_of(tmp_path))
    assert {first, last} == set(archived.packets)

    await desk.packets.void(draft.packet_id, transfer_id="v", lead_ms=None)
    await grow_old(desk)
    assert await retention_of(desk, tmp_path).turn() == 1
    found = await books_of(desk)
    assert (list(found.journal), found.openings[C1].retired) == ([], ())
    assert audit(found, None) == []


@pytest.mark.parametrize("turns_between", [False, True])
async def test_every_movement_is_carried_over(desk: Desk, tmp_path: Path, *, turns_between: bool) -> None:
    """Fees, edits both ways, an end, coupons, withdrawals paid, failed and pending: balances are those of before."""
    retiring = retention_of(desk, tmp_path)
    await desk.wallet.recharge(C1, amount_fen=10_000, channel="wechat", platform="kuaishou", transfer_id="fee")
    wallet = Purse(desk.store, desk.clock, {"kuaishou": replace(KUAISHOU, withdraw_channels=("bank",))})
    budgets = CouponBudgets(desk.store, desk.clock)
    kept, given_back = [await budgets.fund(C1, LAB, amount_fen=n, transfer_id=f"b{n}") for n in (40, 30)]
    withdrawals = Payouts(desk.store, desk.clock, wallet)
    asked = [await withdrawals.request(C1, amount_fen=100 * n, transfer_id=f"w{n}") for n in (1, 2, 3)]
    ended: list[tuple[Any, Withdrawal]] = []
    for act in (withdrawals.paid, withdrawals.failed, None):
        if turns_between:
            await grow_old(desk)
            await retiring.turn()
        if act is not None:
            one = asked.pop(0)
            ended.append((act, await act(C1, one.withdrawal_id)))
    await budgets.give_back(C1, given_back.budget_id)
    packet_id = await desk.open_packet([5, 6, 7], use_end_at_ms=CLAIM_END_AT_MS)
    await desk.run_claim(packet_id, ["ann", "q"])
    for count in (5, 4):
        packet = await desk.packets.get(packet_id)
        edit = plan_edit(packet, count, LAB)
        shares = [] if edit.added is None else split(edit.added, SEED)
        await desk.packets.edit(packet, edit, transfer_id=f"edit:{count}", shares=shares, seed=SEED)
    await desk.packets.end(await desk.packets.get(packet_id), transfer_id="end")
    await settled_rain(desk, "bob")
    await Reversals(desk.store, desk.clock).expire(packet_id)
    kinds = {"recharge", "fund", "edit", "claim", "trim", "end", "expire", "coupon_return"}
    assert kinds <= {entry["kind"] for entry in await desk.journal()}
    funds = await desk.wallet.funds(C1)
    assert [one for one in await violations(desk) if one.invariant == "A10"] == []
    await grow_old(desk)

    assert await retiring.turn() == 2

    found = await books_of(desk)
    assert (list(found.journal), found.packets, audit(found, None)) == ([], {}, [])
    opening = found.openings[C1]
    assert opening.wallet._asdict() == asdict(funds) == asdict(await desk.wallet.funds(C1))
    pending = asked.pop()
    assert opening.withdrawals == {pending.withdrawal_id: 300}
    assert opening.accounts["fees:wechat"] == 100
    assert (opening.accounts["withdrawing:c1"], opening.accounts["payout:bank"]) == (300, 100)
    assert opening.accounts[f"coupons:{kept.budget_id}"] == 40
    assert set(opening.accounts) - {f"coupons:{kept.budget_id}"} == {
        *("psp:wechat", "psp:bank", "fees:wechat", "funds:c1", "withdrawing:c1", "payout:bank")
    }
    assert await desk.store.redis.keys(f"*{packet_id}*") == []

    before = await desk.state()
    for act, withdrawal in ended:  # its transfer is forgotten, its record is not
        assert withdrawal == await act(C1, withdrawal.withdrawal_id)
    assert before == await desk.state()
    await withdrawals.paid(C1, pending.withdrawal_id)
    assert await violations(desk) == []
    await grow_old(desk)
    await retiring.turn()
    assert (await books_of(desk)).openings[C1].withdrawals == {}
    assert await violations(desk) == []


async def test_a_claim_that_can_still_be_used_holds_its_packet_for_a_while(desk: Desk, tmp_path: Path) -> None:
    """It is passed over, not forgotten: when its validity is over it goes, and until then the audit has all of it."""
    retiring = retention_of(desk, tmp_path)
    held = (await settled_rain(desk, "ann"), await settled_rain(desk, "ann", expired=False))[1]
    await settled_rain(desk, "ann")
    await grow_old(desk)

    assert [await retiring.turn() for _ in range(2)] == [2, 0]
    found = await books_of(desk)
    assert (list(found.packets), audit(found, None)) == ([held], [])
    assert found.journal[0].packet_id == held

    await Reversals(desk.store, desk.clock).expire(held)
    await grow_old(desk)
    assert [await retiring.turn() for _ in range(2)] == [1, 0]
    found = await books_of(desk)
    assert (found.packets, list(found.journal), found.openings[C1].retired) == ({}, [], ())
    assert audit(found, None) == []


async def test_a_packet_goes_when_the_orders_it_paid_for_are_final(store: Store, tmp_path: Path) -> None:
    """Locked and redeemed shares hold it, final ones do not, however long it may still be used; the order stays."""
    shop = await Shop.open(store)
    desk, asset = shop.desks[LI], await shop.asset(500, use_end_at_ms=START_MS + 2 * HORIZON_MS)
    packet_id, retiring = packet_of_claim(ClaimId(asset)), retention_of(desk, tmp_path)
    order = await shop.submit(asset)
    await shop.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)
    dropped = []
    for step in (None, shop.orders.pay(order.order_id, "p"), shop.refund(order.order_id, l0=1)):
        if step is not None:
            await step
        await grow_old(desk)
        dropped.append(await retiring.turn())
    paid_at_ms = (await shop.orders.get(order.order_id)).order.paid_at_ms
    assert paid_at_ms is not None
    await shop.at(paid_at_ms + HORIZON_MS)
    await shop.orders.finish(order.order_id)
    await grow_old(desk)
    assert await store.redis.zscore(keys.expiring(LI), packet_id) is not None

    assert [*dropped, await retiring.turn()] == [0, 0, 0, 1]

    assert await store.redis.keys(f"*{packet_id}*") == []
    assert await store.redis.zcard(keys.expiring(LI)) == 0
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.FINAL
    found = await books_of(desk)
    assert (list(found.packets), list(found.journal)) == ([], [])
    accounts = found.openings[LI].accounts
    assert (sum(accounts.values()), accounts["merchant:shop"] > 0) == (0, True)
    assert not any(kind_of(name) in CLEARING or name.endswith(":retired") for name in accounts)


async def test_a_crash_between_archive_and_drop_archives_twice_and_drops_once(desk: Desk, tmp_path: Path) -> None:
    """After a crash between archive and drop, the step is repeated; readers see each line once, none torn."""
    packet_id = await settled_rain(desk, "ann")
    await grow_old(desk)
    whole = await books_of(desk)
    await desk.store.redis.rpush(keys.opening(C1), "poison")
    retiring = retention_of(desk, tmp_path)
    with pytest.raises(StoreBroken, match="c1: WRONGTYPE"):
        await retiring.turn()
    assert await retiring.turn() == 0  # it is left alone
    await desk.store.redis.delete(keys.opening(C1))
    assert packet_id in (await books_of(desk)).packets
    with archive_of(tmp_path).open("ab") as file:
        file.write(b'{"kind":"clock","origin_ms":1}\n{"kind":"pack')

    assert await retention_of(desk, tmp_path).turn() == 1
    assert await retention_of(desk, tmp_path).turn() == 0

    assert archive_of(tmp_path).read_text().count('"kind":"archived"') == 2
    archived = read_archive(archive_of(tmp_path))
    assert (archived.packets, archived.claims, archived.journal) == (whole.packets, whole.claims, whole.journal)


async def test_a_store_that_has_been_retired_says_so(desk: Desk, tmp_path: Path) -> None:
    """A retired packet is refused with the hint that it may have been retired; its transfer ids are free again."""
    packet_id = await settled_rain(desk)
    await grow_old(desk)
    await retention_of(desk, tmp_path).turn()

    with pytest.raises(Refused, match="was retired") as refused:
        await desk.packets.get(packet_id)
    assert refused.value.code == "not_found"
    assert await desk.packets.list(C1) == []
    assert await desk.store.redis.exists(keys.transfers(C1)) == 0


async def test_claims_go_on_while_old_packets_go(desk: Desk, tmp_path: Path) -> None:
    """Grabs of an open packet of the same creator are all answered, and every cut meanwhile adds up."""
    for n in range(30):
        await settled_rain(desk, f"old{n}")
    await grow_old(desk)
    await desk.recharge(1_000)
    packet_id = await desk.open_packet([5] * 200)
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)
    retiring = retention_of(desk, tmp_path)

    async def grab() -> int:
        answers: list[Any] = []
        for n in range(20):
            answers += await allocator.claim(packet_id, ROOM, crowd(10, f"w{n}-"))
        return sum(answer.share is not None for answer in answers)

    running = asyncio.create_task(grab())
    dropped = 0
    while not running.done() or dropped < 30:
        dropped += await retiring.turn()
        found = books_from([line async for line in export(desk.store, desk.clock, final=False)])
        assert [one for one in audit(found, None) if one.invariant == "A10"] == []
    await allocator.caught_up()

    assert (await running, dropped) == (200, 30)
    assert list((await books_of(desk)).packets) == [packet_id]


async def test_thousands_of_packets_go_in_bounded_turns(desk: Desk, tmp_path: Path) -> None:
    """3,000 packets are dropped by and by; no turn looks at more entries than it may."""
    count = 3_000
    await desk.recharge(1)
    first = await desk.draft([1])
    await desk.packets.void(first.packet_id, transfer_id="v", lead_ms=None)
    await multiply(desk, first.packet_id, count - 1)
    await grow_old(desk)
    funds = await desk.wallet.funds(C1)
    retiring = retention_of(desk, tmp_path)

    turns: list[int] = []
    while await desk.store.redis.exists(keys.packets(C1)) or await desk.store.redis.xlen(keys.journal(C1)):
        turns.append(await retiring.turn())
        found = books_from([line async for line in export(desk.store, desk.clock, final=False)])
        assert [one for one in audit(found, None) if one.invariant == "A10"] == []

    assert sum(turns) == count
    assert max(turns) <= STEPS_PER_TURN * ENTRIES_PER_STEP
    assert len(turns) == -(-(2 * count + 1) // (STEPS_PER_TURN * ENTRIES_PER_STEP))
    assert funds == await desk.wallet.funds(C1)
    assert await desk.store.redis.exists(keys.transfers(C1)) == 0
    archived = read_archive(archive_of(tmp_path))
    assert (len(archived.packets), len(archived.journal)) == (count, 2 * count + 1)


async def test_claims_bound_a_turn(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packet with which a turn has archived enough claims is its last one."""
    assert CLAIMS_PER_TURN > 0
    monkeypatch.setattr(retention, "CLAIMS_PER_TURN", 3)
    for _ in range(4):
        await settled_rain(desk, "ann", "bob")
    await grow_old(desk)
    retiring = retention_of(desk, tmp_path)

    assert [await retiring.turn() for _ in range(3)] == [2, 2, 0]
    assert await violations(desk) == []


async def test_one_process_of_a_folder_works_at_a_time(desk: Desk, tmp_path: Path) -> None:
    """Several workers retire each packet once, and archive it once."""
    for _ in range(5):
        await settled_rain(desk, "ann")
    await grow_old(desk)

    done = await asyncio.gather(*(retention_of(desk, tmp_path).turn() for _ in range(3)))

    assert sum(done) == 5
    assert archive_of(tmp_path).read_text().count('"kind":"packet"') == 5


async def test_an_export_that_is_overtaken_is_no_books(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader so slow that the journal is retired under its hands is told, and gets no end line."""
    await settled_rain(desk, "ann")
    await grow_old(desk)
    monkeypatch.setattr(books, "JOURNAL_PAGE", 1)
    lines = export(desk.store, desk.clock, final=False)
    kinds = [(await anext(lines))["kind"] for _ in range(4)]
    assert kinds == ["clock", "creator", "packet", "journal"]
    await retention_of(desk, tmp_path).turn()

    with pytest.raises(StoreUnavailable, match="retired meanwhile"):
        [line async for line in lines]


async def test_an_export_with_claims_that_are_gone_is_no_books(desk: Desk, tmp_path: Path) -> None:
    """Claims that went between the cut and their turn are not passed over in silence."""
    await settled_rain(desk, "ann")
    await grow_old(desk)
    lines = export(desk.store, desk.clock, final=True)
    while (await anext(lines))["kind"] != "journal":
        pass
    await retention_of(desk, tmp_path).turn()

    with pytest.raises(StoreUnavailable, match="retired meanwhile"):
        [line async for line in lines]


async def test_a_broken_creator_stops_no_other(desk: Desk, tmp_path: Path) -> None:
    """The others' packets go, and the fault is told when the turn is over."""
    other = await Desk.open(desk.store, "c2")
    for one in (desk, other):
        await settled_rain(one, "ann")
        await grow_old(one)
    [broken] = [packet.packet_id for packet in await desk.packets.list(C1)]
    await desk.store.redis.hset(keys.packet(PacketId(broken)), "given", "many")

    with pytest.raises(StoreBroken, match="c1: "):
        await retention_of(desk, tmp_path).turn()

    assert await other.packets.list(CreatorId("c2")) == []
    assert len(await desk.journal()) == 5
    assert await open_rain(other) is not None
