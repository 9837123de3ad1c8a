"""Money that goes back to creators automatically: expired shares, and reversals when they arrive."""

from typing import Any

from server.core.ids import CreatorId, PacketId, creator_of
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.transfers import refusal, run_sound

PACKETS_MAX = 100  # of one creator looked at in one round; the others wait for the next


class Reversals:
    """The due reversals of all creators. Every step is one script, which any number of processes may run."""

    def __init__(self, store: Store, clock: StoreClock) -> None:
        self._store = store
        self._clock = clock

    async def expiring(self, creator_id: CreatorId) -> list[PacketId]:
        """Return packets with shares that expire now by this process's clock; the script decides."""
        found: Any = await self._store.redis.zrangebyscore(
            keys.expiring(creator_id), "-inf", self._clock.latest_ms, start=0, num=PACKETS_MAX
        )
        return [PacketId(packet_id.decode()) for packet_id in found]

    async def expire(self, packet_id: PacketId) -> int:
        """
        Expire the next shares of a packet whose validity is over, at most 500 (DY-REV-3), and return how many.

        Those that an order holds count too, but stay with it (AMB-26). 0 means that no more are due now. Raises
        Refused: not_found; StoreBroken.
        """
        creator_id = creator_of(packet_id)
        await self._clock.copy_to(creator_id)
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.journal(creator_id), keys.packet(packet_id)),
            *(keys.claims(packet_id), keys.owners(packet_id), keys.assets(packet_id)),
            *(keys.expiring(creator_id), keys.reversals(creator_id)),
        ]
        looked_at: int = await run_sound(self._store, packet_id, "expire", names, [packet_id, creator_id])
        if looked_at < 0:
            raise refusal(b"not_found")
        return looked_at

    async def reverse(self, creator_id: CreatorId) -> int:
        """
        Credit due reversals, at most 500, and return how many (DY-REV-8, DY-ACC-5).

        0 means that no more are due now. Raises StoreBroken.
        """
        await self._clock.copy_to(creator_id)
        names = [key_of(creator_id) for key_of in (keys.clock_of, keys.wallet, keys.journal, keys.reversals)]
        arrived: int = await run_sound(self._store, creator_id, "reverse", names, [creator_id])
        return arrived
