"""How many shares are left of many packets, which a live room asks again and again while they are on air."""

from collections.abc import Sequence
from itertools import groupby

from server.core.ids import PacketId, creator_of
from server.store import keys
from server.store.connection import Store
from server.store.packet_record import REMAINING_FROM, remaining_from


async def shares_left(store: Store, packet_ids: Sequence[PacketId]) -> dict[PacketId, int]:
    """
    Return how many shares are left of each packet that there is, by one script call for each creator.

    Raises StoreUnavailable.
    """
    left: dict[PacketId, int] = {}
    for _, of_creator in groupby(sorted(packet_ids, key=creator_of), key=creator_of):
        asked = [*of_creator]
        names = [name(packet_id) for packet_id in asked for name in (keys.packet, keys.shares, keys.added)]
        for packet_id, found in zip(asked, await store.run("remaining", names, []), strict=True):
            if found:
                in_lists, *fields = found
                record = {name: value for name, value in zip(REMAINING_FROM, fields, strict=True) if value is not None}
                left[packet_id] = remaining_from(record, in_lists)
    return left
