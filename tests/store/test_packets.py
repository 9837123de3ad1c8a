"""Packets: funded whole, launched once, voided in time, swept once."""

import asyncio
from typing import Any

import pytest

from server.core.ids import CreatorId, PacketId
from server.core.packets.packet import PacketState, Schedule, Surface
from server.core.refusal import Refused
from server.store import keys
from server.store.connection import Store
from server.store.packets import STAGING_AGE_MAX_MS, Counts
from server.store.wallet import WalletFunds
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, NOW_MS, SCHEDULE, SEED, WARMUP_AT_MS, Desk, terms_of
from tests.waiting import PATIENCE_S

C1 = CreatorId("c1")


async def refused(code: str, attempt: Any, desk: Desk) -> Refused:
    """Expect a refusal that changes nothing."""
    before = await desk.state()
    with pytest.raises(Refused) as refusal:
        await attempt
    assert code == refusal.value.code
    assert before == await desk.state()
    return refusal.value


@pytest.mark.rule("DY-ACC-2")
@pytest.mark.rule("DY-ACC-4")
async def test_creating_a_packet_debits_its_whole_sum(desk: Desk) -> None:
    """The sum is spent at creation, and the shares wait in the order of the split."""
    await desk.recharge(100)

    packet = await desk.draft([5, 6, 7])

    assert (packet.state, packet.edition, packet.schedule) == (PacketState.DRAFT, 1, None)
    assert terms_of([5, 6, 7]) == packet.terms
    assert WalletFunds(82, 100, 0, 0, 18) == await desk.wallet.funds(C1)
    assert await desk.store.redis.lrange(keys.shares(packet.packet_id), 0, -1) == [b"5", b"6", b"7"]
    assert Counts(0, 0, 3, 18, 0, 0) == await desk.packets.counts(packet.packet_id)
    assert [packet] == await desk.packets.list(C1)
    [entry] = await desk.journal("fund")
    assert ("funds:c1", f"escrow:{packet.packet_id}", "18") == (entry["debit"], entry["credit"], entry["amount_fen"])


async def test_many_shares_come_in_chunks(desk: Desk) -> None:
    """Five thousand shares are all there, in order, and nothing is left of their way in."""
    shares = [1 + n % 7 for n in range(5_001)]
    await desk.recharge(sum(shares))

    packet = await desk.draft(shares)

    held: Any = await desk.store.redis.lrange(keys.shares(packet.packet_id), 0, -1)
    assert shares == [int(share) for share in held]
    names = [keys.staging(packet.packet_id), keys.staged(packet.packet_id), keys.stagings(C1)]
    assert await desk.store.redis.exists(*names) == 0


@pytest.mark.rule("DY-ACC-6")
async def test_a_packet_that_the_funds_do_not_cover_is_refused(desk: Desk) -> None:
    """One fen too little, and nothing has changed, not even on the way in."""
    await desk.recharge(17)

    refusal = await refused("insufficient_funds", desk.draft([5, 6, 7]), desk)

    assert refusal.rule == "DY-ACC-6"


async def test_a_creation_counts_once(desk: Desk) -> None:
    """The same request again, with another packet id, seed and split, returns the packet made first."""
    await desk.recharge(100)
    first = await desk.draft([5, 6, 7], transfer_id="t")
    before = await desk.state()

    again = await desk.draft([7, 6, 5], transfer_id="t", packet_id=PacketId("c1.other"), seed=b"\1" * 32)

    assert first == again
    assert before == await desk.state()


async def test_a_transfer_id_stands_for_one_packet(desk: Desk) -> None:
    """The same id for other terms, or for what was a recharge, is refused."""
    await desk.recharge(100)
    await desk.wallet.recharge(C1, amount_fen=1, channel="bank", transfer_id="r")
    await desk.draft([5, 6, 7], transfer_id="t")

    await refused("transfer_conflict", desk.draft([5, 6, 8], transfer_id="t"), desk)
    await refused("transfer_conflict", desk.draft([5, 6, 7], transfer_id="t", name="storm"), desk)
    await refused("transfer_conflict", desk.draft([5, 6, 7], transfer_id="r"), desk)


async def test_a_packet_id_is_taken_once(desk: Desk) -> None:
    """Another transfer cannot make a packet of an id that is there."""
    await desk.recharge(100)
    await desk.draft([5], packet_id=PacketId("c1.p"), transfer_id="t1")

    await refused("packet_taken", desk.draft([6], packet_id=PacketId("c1.p"), transfer_id="t2"), desk)


@pytest.mark.parametrize(
    ("shares", "code"),
    [([5, 6, 1], "out_of_bounds"), ([5, 6, 7, 5], "too_many"), ([5, 6], "incomplete"), ([5, 6, 6], "incomplete")],
)
async def test_shares_that_are_not_the_packets_make_no_packet(desk: Desk, shares: list[int], code: str) -> None:
    """Count, sum and bounds are checked by the scripts; no money moves."""
    await desk.recharge(100)
    before = await desk.wallet.funds(C1)

    with pytest.raises(Refused) as refusal:
        await desk.draft(shares, terms=terms_of([5, 6, 7]))

    assert code == refusal.value.code
    assert before == await desk.wallet.funds(C1)
    assert await desk.packets.list(C1) == []


async def test_two_creations_of_one_packet_never_mix_their_shares(desk: Desk) -> None:
    """A chunk that belongs to another split is turned away."""
    packet_id = PacketId("c1.p")
    names = [keys.staging(packet_id), keys.staged(packet_id), keys.stagings(C1)]
    await desk.store.run("stage", names, [packet_id, "mine", 4, 1, 9, 0, 5, 6])

    assert await desk.store.run("stage", names, [packet_id, "theirs", 4, 1, 9, 2, 7]) == [b"raced", 2]
    assert await desk.store.run("stage", names, [packet_id, "mine", 4, 1, 9, 1, 7]) == [b"raced", 2]
    assert await desk.store.run("stage", names, [packet_id, "mine", 4, 1, 9, 2, 7, 8]) == [b"staged", 4]


async def test_of_two_creations_at_once_one_makes_the_packet(desk: Desk) -> None:
    """The same request twice at the same time debits once; whoever lost the race asks again and gets the packet."""
    await desk.recharge(36)

    async def create(seed: bytes) -> object:
        changes: dict[str, Any] = {
            "seed": seed,
            "commitment": seed.hex(),
            "packet_id": PacketId("c1.p"),
            "transfer_id": "t",
        }
        return await desk.draft([5, 6, 7], **changes)

    outcomes = await asyncio.gather(*(create(bytes([n]) * 32) for n in range(4)), return_exceptions=True)

    assert all(isinstance(outcome, Refused) or outcome.packet_id == "c1.p" for outcome in outcomes)  # type: ignore[attr-defined]
    packet = await create(bytes(32))
    assert [packet] == await desk.packets.list(C1)
    assert WalletFunds(18, 36, 0, 0, 18) == await desk.wallet.funds(C1)


async def test_abandoned_shares_are_dropped_after_ten_minutes(desk: Desk) -> None:
    """Shares whose packet never came are dropped; younger ones stay."""
    for name in ("old", "young"):
        packet_id = PacketId(f"c1.{name}")
        names = [keys.staging(packet_id), keys.staged(packet_id), keys.stagings(C1)]
        await desk.store.run("stage", names, [packet_id, "c", 2, 1, 9, 0, 5])
    await desk.store.redis.zincrby(keys.stagings(C1), -STAGING_AGE_MAX_MS, "c1.old")

    assert await desk.packets.drop_abandoned(C1) == 1

    assert await desk.store.redis.zrange(keys.stagings(C1), 0, -1) == [b"c1.young"]
    assert await desk.store.redis.exists(keys.staging(PacketId("c1.old")), keys.staged(PacketId("c1.old"))) == 0
    assert await desk.store.redis.exists(keys.staging(PacketId("c1.young"))) == 1


@pytest.mark.rule("DY-LAU-2")
@pytest.mark.rule("DY-LAU-1")
async def test_a_draft_is_launched_once(desk: Desk) -> None:
    """A launch sets room, surface and schedule, is due and on air, and cannot be repeated."""
    await desk.recharge(5)
    packet = await desk.draft([5])

    launched = await desk.launch(packet.packet_id)

    assert launched == await desk.packets.get(packet.packet_id)
    assert (PacketState.LAUNCHED, SCHEDULE, desk.room.room_id) == (launched.state, launched.schedule, launched.room_id)
    due = await desk.store.redis.zrange(keys.due(C1), 0, -1, withscores=True)
    assert [[b"c1.p1", float(CLAIM_END_AT_MS)]] == [list(pair) for pair in due]
    on_air = await desk.store.redis.zrange(keys.on_air(C1, desk.room.room_id), 0, -1, withscores=True)
    assert [[b"c1.p1", float(WARMUP_AT_MS)]] == [list(pair) for pair in on_air]
    refusal = await refused("not_draft", desk.launch(packet.packet_id), desk)
    assert refusal.rule == "DY-LAU-1"


async def test_a_launch_stands_in_the_rooms_feed_and_rings(store: Store) -> None:
    """Other processes learn of it from the feed, with all that a viewer may know, and hear the bell."""
    desk = await Desk.open(store)
    await desk.recharge(5)
    packet = await desk.draft([5])
    bell: Any = store.redis.pubsub(ignore_subscribe_messages=True)
    await bell.subscribe(keys.BELL)
    await bell.get_message(timeout=PATIENCE_S)  # of the subscription

    await desk.launch(packet.packet_id)

    rung = await bell.get_message(timeout=PATIENCE_S)
    await bell.aclose()
    assert rung is not None
    assert desk.room.room_id.encode() == rung["data"]
    feed: Any = await store.redis.xrange(keys.feed(C1, desk.room.room_id))
    [[_, entry]] = feed
    assert (entry[b"kind"], entry[b"packet_id"], entry[b"seq"]) == (b"launched", b"c1.p1", b"0")
    assert b'"grab_at_ms":%d' % GRAB_AT_MS in entry[b"body"]
    assert SEED.hex().encode() not in entry[b"body"]


async def test_a_launch_decided_on_an_older_view_is_refused(desk: Desk) -> None:
    """Of two launches decided at the same time the second must look again (two may overlap, three may not)."""
    await desk.recharge(20)
    drafts = [await desk.draft([5]), await desk.draft([6])]
    seen, _ = await desk.packets.launches(C1)

    async def launch(packet_id: PacketId) -> object:
        return await desk.packets.launch(packet_id, room=desk.room, schedule=SCHEDULE, surface=Surface.POPUP, seen=seen)

    outcomes = await asyncio.gather(*(launch(draft.packet_id) for draft in drafts), return_exceptions=True)

    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["launch_raced"]
    assert seen + 1 == (await desk.packets.launches(C1))[0]


async def test_a_launch_whose_opening_has_passed_is_refused(desk: Desk) -> None:
    """The script has the last word on time: the opening itself is not too late, a millisecond after is."""
    await desk.recharge(20)
    late, in_time = await desk.draft([5]), await desk.draft([6])
    await desk.at(GRAB_AT_MS + 1)
    await refused("too_late", desk.launch(late.packet_id), desk)
    await desk.at(GRAB_AT_MS)

    assert (await desk.launch(in_time.packet_id)).state == PacketState.LAUNCHED


async def test_a_launch_needs_a_packet(desk: Desk) -> None:
    """An unknown one cannot be launched."""
    await refused("not_found", desk.launch(PacketId("c1.none")), desk)


async def test_launches_lists_what_may_still_overlap(desk: Desk) -> None:
    """Launched packets count until their window has ended, also voided ones; drafts never."""
    await desk.recharge(20)
    draft, voided, launched = await desk.draft([5]), await desk.draft([6]), await desk.draft([7])
    for packet in (voided, launched):
        await desk.launch(packet.packet_id)
    await desk.packets.void(voided.packet_id, transfer_id="v", lead_ms=None)

    await desk.at(CLAIM_END_AT_MS - 1)
    version, current = await desk.packets.launches(C1)
    assert (2, {voided.packet_id, launched.packet_id}) == (version, {packet.packet_id for packet in current})
    assert draft.packet_id not in {packet.packet_id for packet in current}
    await desk.at(CLAIM_END_AT_MS)
    assert await desk.packets.launches(C1) == (2, [])
    for ago_ms, found in ((0, 2), (999, 2), (1_000, 0)):
        await desk.at(CLAIM_END_AT_MS + ago_ms)
        assert len((await desk.packets.launches(C1, ended_within_ms=1_000))[1]) == found


@pytest.mark.rule("DY-ACC-5")
@pytest.mark.rule("DY-VOI-1")
@pytest.mark.rule("DY-REV-1")
@pytest.mark.rule("DY-VOI-3")
async def test_a_void_returns_what_nobody_has_claimed(desk: Desk) -> None:
    """The rest goes back once; what was claimed stays claimed."""
    packet_id = await desk.open_packet([5, 6, 7])
    await desk.run_claim(packet_id, ["ann", "q"])

    counts = await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)

    assert Counts(1, 5, 0, 0, 2, 13) == counts
    assert WalletFunds(13, 18, 13, 0, 18) == await desk.wallet.funds(C1)
    assert await desk.store.redis.lrange(keys.returned(packet_id), 0, -1) == [b"6", b"7"]
    assert {viewer: share.amount_fen for viewer, share in (await desk.packets.claims(packet_id)).items()} == {"ann": 5}
    before = await desk.state()
    assert counts == await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)
    assert before == await desk.state()
    refusal = await refused("voided", desk.packets.void(packet_id, transfer_id="v2", lead_ms=None), desk)
    assert refusal.rule == "DY-VOI-1"
    assert await desk.packets.due(C1) == []
    await desk.at(CLAIM_END_AT_MS)
    assert await desk.packets.sweep(packet_id) is None


@pytest.mark.rule("DY-VOI-2")
@pytest.mark.parametrize(
    ("lead_ms", "last_ms"), [(None, CLAIM_END_AT_MS - 1), (0, WARMUP_AT_MS - 1), (20_000, WARMUP_AT_MS - 20_001)]
)
async def test_a_void_must_come_in_time(desk: Desk, lead_ms: int | None, last_ms: int) -> None:
    """The last millisecond is in time, the next one is too late."""
    await desk.recharge(5)
    packet = await desk.draft([5])
    await desk.launch(packet.packet_id)
    await desk.at(last_ms + 1)
    refusal = await refused("too_late", desk.packets.void(packet.packet_id, transfer_id="v", lead_ms=lead_ms), desk)
    assert refusal.rule == "DY-VOI-2"
    await desk.at(last_ms)

    await desk.packets.void(packet.packet_id, transfer_id="v", lead_ms=lead_ms)

    assert (await desk.packets.get(packet.packet_id)).state == PacketState.VOIDED


@pytest.mark.rule("DY-VOI-2")
async def test_a_draft_can_always_be_voided(desk: Desk) -> None:
    """A packet that was never launched gives its whole sum back."""
    await desk.recharge(18)
    packet = await desk.draft([5, 6, 7])

    assert Counts(0, 0, 0, 0, 3, 18) == await desk.packets.void(packet.packet_id, transfer_id="v", lead_ms=10**9)
    assert WalletFunds(18, 18, 18, 0, 18) == await desk.wallet.funds(C1)
    await refused("not_draft", desk.launch(packet.packet_id), desk)


@pytest.mark.rule("DY-VOI-1")
async def test_voiding_what_is_not_there_or_settled_is_refused(desk: Desk) -> None:
    """Unknown and settled packets cannot be voided, nor with another transfer's id."""
    packet_id = await desk.open_packet([5])
    await refused("not_found", desk.packets.void(PacketId("c1.none"), transfer_id="v", lead_ms=None), desk)
    await refused("transfer_conflict", desk.packets.void(packet_id, transfer_id="recharge:0", lead_ms=None), desk)
    await desk.at(CLAIM_END_AT_MS)
    await desk.packets.sweep(packet_id)
    await refused("settled", desk.packets.void(packet_id, transfer_id="v", lead_ms=None), desk)


@pytest.mark.rule("DY-ACC-5")
@pytest.mark.rule("DY-REV-2")
async def test_a_sweep_returns_the_rest_once_the_window_is_over(desk: Desk) -> None:
    """Not a millisecond before, and once."""
    packet_id = await desk.open_packet([5, 6, 7])
    await desk.run_claim(packet_id, ["ann", "q"])
    await desk.at(CLAIM_END_AT_MS - 1)
    before = await desk.state()
    assert await desk.packets.sweep(packet_id) is None
    assert before == await desk.state()
    await desk.at(CLAIM_END_AT_MS)
    assert [packet_id] == await desk.packets.due(C1)

    counts = await desk.packets.sweep(packet_id)

    assert Counts(1, 5, 0, 0, 2, 13) == counts
    assert WalletFunds(13, 18, 13, 0, 18) == await desk.wallet.funds(C1)
    assert await desk.store.redis.lrange(keys.returned(packet_id), 0, -1) == [b"6", b"7"]
    assert await desk.packets.due(C1) == []
    [entry] = await desk.journal("sweep")
    assert (f"sweep:{packet_id}", "13") == (entry["transfer_id"], entry["amount_fen"])
    before = await desk.state()
    assert counts == await desk.packets.sweep(packet_id)
    assert before == await desk.state()


@pytest.mark.rule("DY-REV-2")
async def test_a_sold_out_packet_is_swept_of_nothing(desk: Desk) -> None:
    """It is settled all the same, and the journal says so with no fen."""
    packet_id = await desk.open_packet([5])
    await desk.run_claim(packet_id, ["ann", "q"])
    await desk.at(CLAIM_END_AT_MS)

    assert Counts(1, 5, 0, 0, 0, 0) == await desk.packets.sweep(packet_id)
    assert [entry["amount_fen"] for entry in await desk.journal("sweep")] == ["0"]
    assert (await desk.packets.get(packet_id)).state == PacketState.SETTLED


async def test_sweeping_or_reading_what_is_not_there_is_refused(desk: Desk) -> None:
    """An unknown packet has no record, no counters, no seed and nothing to sweep."""
    unknown = PacketId("c1.none")
    for attempt in (desk.packets.sweep, desk.packets.get, desk.packets.counts, desk.packets.seed):
        await refused("not_found", attempt(unknown), desk)


async def test_the_seed_is_shown_when_nothing_can_be_grabbed_any_more(desk: Desk) -> None:
    """Draft and open packets keep theirs; the end of the window or a void shows it."""
    await desk.recharge(20)
    draft, launched = await desk.draft([5]), await desk.draft([6])
    await desk.launch(launched.packet_id, Schedule(NOW_MS, NOW_MS, CLAIM_END_AT_MS))

    assert await desk.packets.seed(draft.packet_id) is None
    assert await desk.packets.seed(launched.packet_id) is None
    await desk.packets.void(draft.packet_id, transfer_id="v", lead_ms=None)
    await desk.at(CLAIM_END_AT_MS - 1)
    assert await desk.packets.seed(launched.packet_id) is None
    await desk.at(CLAIM_END_AT_MS)
    assert SEED == await desk.packets.seed(draft.packet_id) == await desk.packets.seed(launched.packet_id)
