"""retire.lua by itself: whatever is not as it should be, nothing is written."""

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from redis.exceptions import ResponseError

from server.core.ids import PacketId
from server.core.money.account import AccountKind
from server.core.money.posting import POSTINGS, OrderKind
from server.store import keys
from tests.core.money.ledger_model import MOVEMENTS, TransferKind
from tests.store.aged import settled_rain
from tests.store.desk import Desk


def names_of(desk: Desk, *packet_ids: PacketId) -> list[str]:
    creator_id = desk.creator_id
    names = [keys.expiring(creator_id), keys.packets(creator_id), keys.transfers(creator_id), keys.journal(creator_id)]
    names += [keys.opening(creator_id), keys.retired(creator_id)]
    for packet_id in packet_ids:
        names += [keys.packet(packet_id), keys.shares(packet_id), keys.claims(packet_id), keys.returned(packet_id)]
        names += [keys.added(packet_id), keys.owners(packet_id), keys.assets(packet_id), keys.effects_of(packet_id)]
        names += [keys.on_air(creator_id, desk.room.room_id)]
    return names


async def last_entry(desk: Desk) -> tuple[str, dict[str, str]]:
    redis: Any = desk.store.redis
    [(entry_id, fields)] = await redis.xrevrange(keys.journal(desk.creator_id), count=1)
    return entry_id.decode(), {name.decode(): value.decode() for name, value in fields.items()}


async def retire(desk: Desk, *packet_ids: PacketId, entries_max: int = 100) -> Any:
    return await desk.store.run(
        "retire", names_of(desk, *packet_ids), ["drop", (await last_entry(desk))[0], entries_max, *packet_ids]
    )


async def test_it_drops_once(desk: Desk) -> None:
    """Asked again with the same arguments it finds nothing, and the opening stays as it is."""
    packet_id = await settled_rain(desk, "ann")
    await desk.store.redis.rpush(keys.added(packet_id), "5")
    await desk.store.redis.hset(keys.assets(packet_id), "0", "expired")
    await desk.store.redis.hset(keys.effects_of(packet_id), "gmv_fen", "1")
    args: list[str | int] = ["drop", (await last_entry(desk))[0], 100, packet_id]
    assert await desk.store.run("retire", names_of(desk, packet_id), args) == [b"done", 1, 5]
    after = await desk.state()

    assert await desk.store.run("retire", names_of(desk, packet_id), args) == [b"done", 0, 0]
    assert after == await desk.state()
    assert not [key for key in after if packet_id.encode() in key]


async def test_a_packet_is_known_as_retired_until_the_last_of_its_entries_is_gone(desk: Desk) -> None:
    """Entries of one millisecond are told apart: as long as one may be its own, it is named."""
    packet_id = await settled_rain(desk, "ann")
    redis, journal, retired = desk.store.redis, keys.journal(desk.creator_id), keys.retired(desk.creator_id)
    entries: Any = await redis.xrange(journal)
    await redis.delete(journal)
    for number, (_, fields) in enumerate(entries):
        await redis.xadd(journal, fields, id=f"5-{number + 1}")
    assert await desk.store.run("retire", names_of(desk, packet_id), ["drop", "5-4", 100, packet_id]) == [b"done", 1, 4]
    assert await redis.zrange(retired, 0, -1) == [packet_id.encode()]
    assert await desk.store.run("retire", names_of(desk), ["drop", "5-4", 100]) == [b"done", 0, 0]
    await desk.recharge(1)

    assert await desk.store.run("retire", names_of(desk), ["drop", "5-5", 100]) == [b"done", 0, 1]

    assert await redis.exists(retired) == 0
    assert await redis.xlen(journal) == 1


async def test_what_is_not_over_or_not_named_stays(desk: Desk) -> None:
    """A packet that can still move, and the entries of one that stays, are not dropped."""
    settled = await settled_rain(desk, "ann")
    open_id = await desk.open_packet([5, 6])
    before = await desk.state()

    assert await retire(desk, settled, open_id) == [b"not_over", 0, 0, open_id.encode()]
    assert await retire(desk, settled) == [b"not_retired", 0, 0]
    with pytest.raises(ResponseError, match="BROKEN entries_max"):
        await retire(desk, settled, entries_max=5)
    with pytest.raises(ResponseError, match="BROKEN arguments"):
        await desk.store.run("retire", names_of(desk), ["drop", "", 1, settled])
    assert before == await desk.state()


POISONED = [
    *("expiring", "packets", "transfers", "opening", "retired"),
    *(
        "packet:P",
        "shares:P",
        "claims:P",
        "returned:P",
        "added:P",
        "owners:P",
        "assets:P",
        "effects:P",
        "onair:room-c1",
    ),
]


@pytest.mark.parametrize("key", POISONED)
async def test_a_key_of_the_wrong_type_changes_nothing(desk: Desk, key: str) -> None:
    """If any key has another type, the script fails before its first write."""
    packet_id = await settled_rain(desk, "ann")
    poisoned = f"{{c1}}:{key.replace('P', packet_id)}"
    await desk.store.redis.delete(poisoned)
    await desk.store.redis.set(poisoned, "poison")
    before = await desk.state()

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await retire(desk, packet_id)

    assert before == await desk.state()


@pytest.mark.parametrize("field", ["recharged_fen", "spent_fen", "account:funds:c1"])
@pytest.mark.parametrize("poison", ["", "many", "1.5", str(2**53), "nan"])
async def test_an_opening_that_is_no_number_changes_nothing(desk: Desk, field: str, poison: str) -> None:
    """The opening is money: whole numbers that a double holds."""
    packet_id = await settled_rain(desk, "ann")
    await desk.store.redis.hset(keys.opening(desk.creator_id), field, poison)
    before = await desk.state()

    with pytest.raises(ResponseError, match="BROKEN opening"):
        await retire(desk, packet_id)

    assert before == await desk.state()


@pytest.mark.parametrize(
    ("counters", "goes"),
    [
        (lambda _: {}, False),
        (lambda given_fen: {"expired_fen": given_fen}, True),
        (lambda given_fen: {"final_fen": given_fen}, True),
        (lambda given_fen: {"expired_fen": 1, "final_fen": given_fen - 1}, True),
        (lambda given_fen: {"expired_fen": given_fen - 1}, False),
        (lambda given_fen: {"final_fen": given_fen - 1}, False),
        (lambda given_fen: {"expired_fen": given_fen, "locked": 1}, False),
        (lambda given_fen: {"final_fen": given_fen, "redeemed": 1}, False),
    ],
)
async def test_money_that_can_still_move_holds_its_packet(
    desk: Desk, counters: Callable[[int], dict[str, int]], *, goes: bool
) -> None:
    """A share that is neither expired nor of a final order keeps its packet in the store; an unclaimed one does not."""
    packet_id = await settled_rain(desk, "ann", expired=False)
    unclaimed = await settled_rain(desk, expired=False)
    given_fen = (await desk.packets.counts(packet_id)).given_fen
    for name, value in counters(given_fen).items():
        await desk.store.redis.hset(keys.packet(packet_id), name, str(value))
    before = await desk.state()

    names, entry_id = names_of(desk, packet_id, unclaimed), (await last_entry(desk))[0]
    looked = await desk.store.run("retire", names, ["look", entry_id, 100, packet_id, unclaimed])
    moving = [] if goes else [packet_id.encode()]
    assert looked == [b"looked", 0, 0, *moving]
    assert before == await desk.state()

    outcome = await retire(desk, packet_id, unclaimed)

    assert outcome == ([b"done", 2, 7] if goes else [b"not_over", 0, 0, *moving])
    assert goes or before == await desk.state()


def test_every_kind_of_movement_is_known() -> None:
    """A kind that the ledger has and the script does not know would stop all retirement of its creator."""
    text = (files("server.store") / "lua" / "retire.lua").read_text()
    [table] = re.findall(r"local COUNTED_AS = \{(.*?)\n\}", text, re.DOTALL)
    counted_as = {name: balance for _, name, balance in re.findall(r"(\['|\b)(\w+)(?:'\])? = '(\w*)'", table)}

    coupons = {"coupon_fund": "spent_fen", "coupon_return": "returned_fen"}  # of which the ledger knows nothing
    assert counted_as.items() >= coupons.items()
    assert set(counted_as) == {*TransferKind, *OrderKind, *coupons}
    for kind in TransferKind:
        assert (counted_as[kind] != "") == (AccountKind.FUNDS in MOVEMENTS[kind]), kind
    for step, pairs in POSTINGS.items():
        assert (counted_as[step] != "") == any(AccountKind.FUNDS in pair for pair in pairs), step


def postings_entry(postings: str, kind: str = "expire") -> Any:
    return {"kind": kind, "transfer_id": "t", "packet_id": "", "postings": postings}


async def test_postings_are_carried_over(desk: Desk) -> None:
    """An entry with several movements moves them all; those of dropped packets are one account of each kind."""
    packet_id = await settled_rain(desk, "ann", expired=False)
    recharged, fen = 100, int((await desk.journal("claim"))[0]["amount_fen"])
    await desk.store.redis.hset(keys.packet(packet_id), "final_fen", str(fen))
    postings = f"assets:{packet_id},funds:c1,1;assets:{packet_id},merchant:m1,2;psp:bank,merchant:m1,3"
    await desk.store.redis.xadd(keys.journal(desk.creator_id), postings_entry("", "cancel"))
    await desk.store.redis.xadd(keys.journal(desk.creator_id), postings_entry(postings))

    assert await retire(desk, packet_id) == [b"done", 1, 6]

    opening: Any = await desk.store.redis.hgetall(keys.opening(desk.creator_id))
    accounts = {name.decode()[8:]: int(value) for name, value in opening.items() if name.startswith(b"account:")}
    assert accounts == {
        "psp:bank": -recharged - 3,
        "funds:c1": recharged - fen + 1,
        "assets:retired": fen - 3,
        "merchant:m1": 5,
    }
    assert int(opening[b"returned_fen"]) == recharged - fen + 1


async def test_an_entry_whose_postings_name_a_packet_that_stays_is_not_dropped(desk: Desk) -> None:
    """An entry of several packets goes with the last of them."""
    packet_id, other = await settled_rain(desk, "ann"), PacketId("c1.other")
    entry = postings_entry(f"assets:{packet_id},merchant:m1,2;escrow:{other},merchant:m1,0")
    await desk.store.redis.xadd(keys.journal(desk.creator_id), entry)
    through, _ = await last_entry(desk)
    await desk.draft([1], packet_id=other)
    before = await desk.state()

    outcome = await desk.store.run("retire", names_of(desk, packet_id), ["drop", through, 100, packet_id])

    assert outcome == [b"not_retired", 0, 0]
    assert before == await desk.state()


BROKEN_POSTINGS = [",,", "psp:bank", "psp:bank,funds:c1", "psp:bank,funds:c1,x", "psp:bank,funds:c1,1;", "psp,funds,1"]


@pytest.mark.parametrize("postings", [*BROKEN_POSTINGS, "psp:bank,funds:c1,-1", "a:b,c:d,1;;a:b,c:d,1"])
async def test_postings_that_are_broken_change_nothing(desk: Desk, postings: str) -> None:
    """Nothing of a text that is no list of postings is added up."""
    packet_id = await settled_rain(desk, "ann")
    await desk.store.redis.xadd(keys.journal(desk.creator_id), postings_entry(postings))
    before = await desk.state()

    with pytest.raises(ResponseError, match="BROKEN journal"):
        await retire(desk, packet_id)

    assert before == await desk.state()


async def test_a_kind_that_leaves_the_funds_alone_may_not_touch_them(desk: Desk) -> None:
    """A movement that no balance explains would make the opening differ from the wallet for ever."""
    packet_id = await settled_rain(desk, "ann")
    entry = postings_entry("psp:bank,funds:c1,1", "finish")
    await desk.store.redis.xadd(keys.journal(desk.creator_id), entry)

    with pytest.raises(ResponseError, match="BROKEN journal"):
        await retire(desk, packet_id)


@pytest.mark.parametrize(
    "change", [{"kind": "gift"}, {"amount_fen": "many"}, {"amount_fen": ""}, {"debit": None}, {"packet_id": None}]
)
async def test_a_journal_that_is_broken_changes_nothing(desk: Desk, change: dict[str, str | None]) -> None:
    """An entry that no script writes is not added up."""
    packet_id = await settled_rain(desk, "ann")
    _, fields = await last_entry(desk)
    entry: Any = {name: value for name, value in (fields | change).items() if value is not None}
    await desk.store.redis.xadd(keys.journal(desk.creator_id), entry)
    before = await desk.state()

    with pytest.raises(ResponseError, match="BROKEN journal"):
        await retire(desk, packet_id)

    assert before == await desk.state()
