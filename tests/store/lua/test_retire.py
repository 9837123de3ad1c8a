"""retire.lua by itself: whatever is not as it should be, nothing is written."""

from typing import Any

import pytest
from redis.exceptions import ResponseError

from server.core.ids import PacketId
from server.store import keys
from tests.store.aged import settled_rain
from tests.store.desk import Desk


def names_of(desk: Desk, *packet_ids: PacketId) -> list[str]:
    creator_id = desk.creator_id
    names = [keys.clock_of(creator_id), keys.packets(creator_id), keys.transfers(creator_id), keys.journal(creator_id)]
    names += [keys.opening(creator_id), keys.retired(creator_id)]
    for packet_id in packet_ids:
        names += [keys.packet(packet_id), keys.shares(packet_id), keys.claims(packet_id), keys.returned(packet_id)]
        names += [keys.added(packet_id), keys.on_air(creator_id, desk.room.room_id)]
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
    args: list[str | int] = ["drop", (await last_entry(desk))[0], 100, packet_id]
    assert await desk.store.run("retire", names_of(desk, packet_id), args) == [b"done", 1, 4]
    after = await desk.state()

    assert await desk.store.run("retire", names_of(desk, packet_id), args) == [b"done", 0, 0]
    assert after == await desk.state()
    assert not [key for key in after if packet_id.encode() in key]


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
    *("clock", "packets", "transfers", "opening", "retired"),
    *("packet:P", "shares:P", "claims:P", "returned:P", "added:P", "onair:room-c1"),
]


@pytest.mark.parametrize("key", POISONED)
async def test_a_key_of_the_wrong_type_changes_nothing(desk: Desk, key: str) -> None:
    """Whatever key is of another type, the script fails before its first write."""
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
