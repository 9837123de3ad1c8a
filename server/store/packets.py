"""Packets in the store: created with their shares and funded in one step, launched, voided, swept."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

import orjson

from server.core.ids import CreatorId, PacketId, RoomId, ViewerId, creator_of
from server.core.orders.validity import validity_over
from server.core.packets.capabilities import ALL_CAPABILITIES, Capabilities
from server.core.packets.claim import Share
from server.core.packets.issuance import Edit
from server.core.packets.packet import Packet, PacketState, Schedule, Surface, Terms
from server.core.packets.split import commitment as commitment_of
from server.core.refusal import Refused
from server.core.rooms.messages import packet_on_screen
from server.core.rulebooks.eligibility import recharge_required
from server.core.rulebooks.platforms import RULEBOOKS, rulebook_of
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.packet_record import Counts, Record, counts_from, editions_shown, packet_from, seed_of, share_from
from server.store.paging import place_after
from server.store.rooms import RoomRecord
from server.store.shares_left import shares_left
from server.store.transfers import checked_transfer_id, refusal, rule_of, run_sound

__all__ = ["Counts", "Packets"]

SHARES_CHUNK = 2_000  # one stage script stays well under a millisecond, and under Lua's limit of arguments
STAGING_AGE_MAX_MS = 600_000  # real: no caller takes ten minutes from the first chunk to the last
_PAGE = 500  # records, or claims, read at once
_SCAN = 1_000


class Packets:
    """All packets of all creators. Every change is one script, once per transfer id."""

    def __init__(self, store: Store, clock: StoreClock, rulebooks: Mapping[str, Rulebook] = RULEBOOKS) -> None:
        self._store = store
        self._clock = clock
        self._rulebooks = rulebooks

    async def create(
        self,
        *,
        packet_id: PacketId,
        name: str,
        platform: str,
        terms: Terms,
        allocator: str,
        capabilities: Capabilities = ALL_CAPABILITIES,
        transfer_id: str,
        shares: Sequence[int],
        seed: bytes,
        commitment: str,
        use_start_at_ms: int | None = None,
        use_end_at_ms: int | None = None,
        use_for_ms: int | None = None,
        product_ids: Sequence[str] | None = None,
        reversal_delay_ms: int = 0,
        ends_after_ms: int | None = None,
    ) -> Packet:
        """
        Stage the packet's shares, then create it and debit its whole sum from the available funds (DY-ACC-4).

        A repeated transfer id with the same name, platform, allocator, terms, use validity and product scope returns
        the same packet, whatever the other arguments. Raises Refused: transfer_conflict, recharge_required (no funds
        at all), insufficient_funds (DY-ACC-6), packet_taken, too_much, other_platform (decide again: AMB-43),
        out_of_range if the commit does not come before *ends_after_ms* (AMB-47).
        """
        creator_id = creator_of(packet_id)
        checked_transfer_id(transfer_id)
        await self._clock.copy_to(creator_id)
        known = await self._store.redis.hexists(keys.transfers(creator_id), transfer_id)
        if not known:
            await self._stage(packet_id, terms, shares, commitment)
        outcome, made = await self._store.run(
            "create",
            [
                *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id)),
                *(keys.journal(creator_id), keys.packets(creator_id), keys.packet(packet_id), keys.shares(packet_id)),
                *(keys.staging(packet_id), keys.staged(packet_id), keys.stagings(creator_id)),
            ],
            [
                *(transfer_id, packet_id, creator_id, commitment, seed.hex(), name, platform, allocator),
                *astuple(terms),
                *("" if each is None else each for each in (use_start_at_ms, use_end_at_ms, use_for_ms)),
                *(",".join(product_ids or ()), reversal_delay_ms, capabilities.text()),
                "" if ends_after_ms is None else ends_after_ms,
            ],
        )
        if outcome == b"done":
            return await self.get(packet_id)
        if not known:
            await self._unstage(packet_id, age_ms=0, commitment=commitment)
        if outcome != b"repeated":
            raise _not_created(outcome, rulebook_of(self._rulebooks, platform))
        return await self.get(PacketId(made.decode()))

    async def launch(
        self,
        packet_id: PacketId,
        *,
        room: RoomRecord,
        schedule: Schedule,
        surface: Surface,
        seen: int,
        launch_id: str = "",
        mode: str = "",
        entrances: Sequence[str] | None = None,
        creator_name: str = "",
    ) -> Packet:
        """
        Give a draft its schedule and append that to the room's feed, in one step (DY-LAU-1, DY-LAU-2).

        *seen* is the version of ``launches`` on which the schedule was decided, *launch_id* the later result of
        ``launch_id``; viewers see *entrances* and *creator_name*. Raises Refused: not_found, not_draft, launch_raced
        (decide again), too_late (the opening passed more than a real second ago).
        """
        creator_id, host_id = creator_of(packet_id), room.creator_id
        launched = replace(
            await self.get(packet_id),
            state=PacketState.LAUNCHED,
            room_id=room.room_id,
            host_id=host_id,
            schedule=schedule,
            surface=surface,
            launch_mode=mode or None,
            entrances=None if entrances is None else tuple(entrances),
            creator_name=creator_name,
        )
        body = orjson.dumps({"packet": packet_on_screen(launched)})
        outcome = await self._store.run(
            "launch",
            [
                *(keys.clock_of(creator_id), keys.wallet(host_id), keys.packet(packet_id), keys.due(creator_id)),
                *(keys.feed(host_id, room.room_id), keys.on_air(host_id, room.room_id)),
                keys.expiring(creator_id),
            ],
            [
                *(packet_id, room.room_id, schedule.warmup_at_ms, schedule.grab_at_ms, schedule.claim_end_at_ms),
                *(surface, seen, body, self._store.channel(keys.BELL), launch_id, host_id),
                *(mode, ",".join(entrances or ()), creator_name),
            ],
        )
        if outcome != b"launched":
            raise refusal(outcome, rulebook_of(self._rulebooks, launched.platform), of="launch")
        return await self.get(packet_id)

    async def launch_id(self, packet_id: PacketId) -> str:
        """Return the id of the request that launched a packet, or "" if it was not launched."""
        held = await self._store.redis.hget(keys.packet(packet_id), "launch_id")
        return held.decode() if isinstance(held, bytes) else ""

    async def launches(
        self, creator_id: CreatorId, room: RoomRecord | None = None, *, ended_within_ms: int = 0
    ) -> tuple[int, list[Packet]]:
        """
        Return the launched packets of a creator and in *room* whose window has not ended, and their version.

        Those whose window ended less than *ended_within_ms* room milliseconds ago are included. The version is that of
        launches into all rooms of the room's creator, by default this one.
        """
        host_id = creator_id if room is None else room.creator_id
        version = await self._store.redis.hget(keys.wallet(host_id), "launches")
        packets = await self.list(creator_id)
        if room is not None:
            of_others = [
                each
                for each in await self._named(keys.on_air(room.creator_id, room.room_id))
                if creator_of(each) != creator_id
            ]
            packets += await self._listed(of_others)
        now_ms = self._clock.earliest_ms
        current = [
            packet
            for packet in packets
            if packet.schedule is not None and now_ms < packet.schedule.claim_end_at_ms + ended_within_ms
        ]
        return int(version or 0), current

    async def void(self, packet_id: PacketId, *, transfer_id: str, lead_ms: int | None) -> Counts:
        """
        Void a packet: no more shares are granted, and unclaimed ones go back (DY-VOI-1, DY-REV-1).

        A launched packet can be voided until *lead_ms* room milliseconds before its warm-up (DY-VOI-2), or until its
        claim window closes if that is None; a draft always. Claims stay (DY-VOI-3). Raises Refused:
        not_found, too_late, voided, settled, transfer_conflict; StoreBroken.
        """
        checked_transfer_id(transfer_id)
        lead = "" if lead_ms is None else lead_ms
        outcome = await self._close("void", packet_id, [transfer_id, lead])
        if outcome not in (b"done", b"repeated"):
            by_rule = rule_of(outcome, of="void")  # without one there may be no packet to ask for its platform
            rulebook = rulebook_of(self._rulebooks, (await self.get(packet_id)).platform) if by_rule else None
            raise refusal(outcome, rulebook, of="void")
        return await self.counts(packet_id)

    async def sweep(self, packet_id: PacketId) -> Counts | None:
        """
        Settle a packet whose claim window is over: unclaimed shares go back (DY-REV-2).

        Returns None if nothing is due, or no longer (a voided packet); a repetition returns the same counts.
        Raises Refused: not_found; StoreBroken.
        """
        match outcome := await self._close("sweep", packet_id, []):
            case b"done" | b"repeated":
                return await self.counts(packet_id)
            case b"not_due":
                return None
        raise refusal(outcome)

    async def edit(
        self, packet: Packet, edit: Edit, *, transfer_id: str, shares: Sequence[int] = (), seed: bytes = b""
    ) -> Packet:
        """
        Change a packet's number of shares, and debit or refund the difference (KS-EDT-1, AMB-12).

        *shares* are the added ones, split from *seed*; viewers can claim them two real seconds later. A repeated
        transfer id with the same packet and number changes nothing. Raises Refused: not_found, voided, settled,
        too_late, below_claimed, unchanged, insufficient_funds (DY-ACC-6), too_much, transfer_conflict, edit_raced or
        raced (decide again).
        """
        packet_id, creator_id = packet.packet_id, packet.creator_id
        checked_transfer_id(transfer_id)
        await self._clock.copy_to(creator_id)
        known = await self.transferred(creator_id, transfer_id)
        added, promised, room_id = edit.added, "", packet.room_id or RoomId("")
        if added is not None:
            promised = commitment_of(added, seed)
            if not known:
                await self._stage(packet_id, added, shares, promised)
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id)),
            *(keys.journal(creator_id), keys.packet(packet_id), keys.shares(packet_id), keys.added(packet_id)),
            *(keys.staging(packet_id), keys.staged(packet_id), keys.stagings(creator_id)),
            *(keys.feed(packet.host_id or creator_id, room_id), keys.reversals(creator_id)),
        ]
        asked = [
            *(transfer_id, packet_id, creator_id, edit.share_count, edit.edition, room_id),
            self._store.channel(keys.BELL),
            *(0 if added is None else added.total_fen, promised, seed.hex()),
        ]
        outcome = await run_sound(self._store, packet_id, "edit", names, asked)
        if outcome not in (b"done", b"repeated"):
            if added is not None and not known:
                await self._unstage(packet_id, age_ms=0, commitment=promised)
            raise refusal(outcome, rulebook_of(self._rulebooks, packet.platform), of="edit")
        return await self.get(packet_id)

    async def end(self, packet: Packet, *, transfer_id: str) -> Counts:
        """
        End a packet now, as if its claim window closed: unclaimed shares go back (KS-END-1, AMB-13).

        Claims stay. Raises Refused: not_found, voided, settled, too_late (the window is over),
        transfer_conflict, raced (launched meanwhile); StoreBroken.
        """
        checked_transfer_id(transfer_id)
        room_id = packet.room_id or RoomId("")
        feed = keys.feed(packet.host_id or packet.creator_id, room_id)
        bell = self._store.channel(keys.BELL)
        outcome = await self._close("end", packet.packet_id, [transfer_id, room_id, bell], feed)
        if outcome not in (b"done", b"repeated"):
            raise refusal(outcome, rulebook_of(self._rulebooks, packet.platform), of="end")
        return await self.counts(packet.packet_id)

    async def transferred(self, creator_id: CreatorId, transfer_id: str) -> bool:
        """Return whether a transfer of this id was carried out."""
        return bool(await self._store.redis.hexists(keys.transfers(creator_id), transfer_id))

    async def due(self, creator_id: CreatorId) -> list[PacketId]:
        """Return the packets due for a sweep by this process's clock; the script decides."""
        found: Any = await self._store.redis.zrangebyscore(keys.due(creator_id), "-inf", self._clock.latest_ms)
        return [PacketId(packet_id.decode()) for packet_id in found]

    async def drop_abandoned(self, creator_id: CreatorId) -> int:
        """Drop staged shares of packets not created within ten real minutes; return the number of packets."""
        found: Any = await self._store.redis.zrange(keys.stagings(creator_id), 0, _PAGE - 1)
        dropped = 0
        for packet_id in found:
            dropped += await self._unstage(PacketId(packet_id.decode()), age_ms=STAGING_AGE_MAX_MS, commitment="")
        return dropped

    async def get(self, packet_id: PacketId) -> Packet:
        """Return the packet. Raises Refused if there is none."""
        return packet_from(await self._record(packet_id))

    async def counts(self, packet_id: PacketId) -> Counts:
        """Return the packet's counters, all of one instant. Raises Refused if there is no such packet."""
        async with self._store.redis.pipeline(transaction=True) as together:
            together.hgetall(keys.packet(packet_id))
            together.llen(keys.shares(packet_id))
            together.llen(keys.added(packet_id))
            record, in_list, in_added = await together.execute()
        if not record:
            raise refusal(b"not_found")
        return counts_from(record, in_list + in_added)

    async def remaining(self, packet_ids: "Sequence[PacketId]") -> dict[PacketId, int]:
        """Return how many shares are left of each packet that there is."""
        return await shares_left(self._store, packet_ids)

    async def list(self, creator_id: CreatorId) -> "list[Packet]":
        """Return all packets of a creator, oldest first."""
        return [*await self._listed(await self._named(keys.packets(creator_id)))]

    async def ids_after(self, creator_id: CreatorId, after: PacketId | None, count: int) -> "Sequence[PacketId]":
        """Return up to *count* packets, newest first, *after* one. Raises Refused ``bad_field`` if that is unknown."""
        name = keys.packets(creator_id)
        first = await place_after(self._store, name, after)
        found: Any = await self._store.redis.zrange(name, first, first + count - 1, desc=True)
        return [PacketId(packet_id.decode()) for packet_id in found]

    async def total(self, creator_id: CreatorId) -> int:
        """Return how many packets a creator has."""
        return int(await self._store.redis.zcard(keys.packets(creator_id)))

    async def latest(self, creator_id: CreatorId, count: int) -> "Sequence[Packet]":
        """Return up to *count* packets of a creator, the last created ones, the latest first."""
        return await self._listed(await self.ids_after(creator_id, None, count))

    async def _named(self, name: str) -> Sequence[PacketId]:
        found: Any = await self._store.redis.zrange(name, 0, -1)
        return [PacketId(packet_id.decode()) for packet_id in found]

    async def _listed(self, packet_ids: Sequence[PacketId]) -> Sequence[Packet]:
        packets: list[Packet] = []
        for first in range(0, len(packet_ids), _PAGE):
            async with self._store.redis.pipeline(transaction=False) as together:
                for packet_id in packet_ids[first : first + _PAGE]:
                    together.hgetall(keys.packet(packet_id))
                # one may have been retired since
                packets.extend(packet_from(record) for record in await together.execute() if record)
        return packets

    async def claims(self, packet_id: PacketId) -> dict[ViewerId, Share]:
        """Return every claim of a packet; complete only if no more can be made."""
        return {viewer_id: share async for viewer_id, share in claims_of(self._store, packet_id)}

    async def revealed(self, packet_id: PacketId) -> Sequence[dict[str, Any]]:
        """Return the packet's editions as ``result`` reveals them; their seeds are None while it may be grabbed."""
        record = await self._record(packet_id)
        return editions_shown(record, revealed=seed_of(record, self._clock.earliest_ms) is not None)

    async def seed(self, packet_id: PacketId) -> bytes | None:
        """Return the seed of the packet's shares, or None while some of them may still be grabbed."""
        return seed_of(await self._record(packet_id), self._clock.earliest_ms)

    async def _record(self, packet_id: PacketId) -> Record:
        record: Any = await self._store.redis.hgetall(keys.packet(packet_id))
        if not record:
            raise refusal(b"not_found")
        found: Record = record
        return found

    async def _close(self, script: str, packet_id: PacketId, more: Sequence[str | int], *besides: str) -> bytes:
        creator_id = creator_of(packet_id)
        names = [
            *(keys.clock_of(creator_id), keys.wallet(creator_id), keys.transfers(creator_id), keys.journal(creator_id)),
            *(keys.due(creator_id), keys.packet(packet_id), keys.shares(packet_id), keys.returned(packet_id)),
            *(keys.added(packet_id), keys.reversals(creator_id), *besides),
        ]
        await self._clock.copy_to(creator_id)
        outcome: bytes = await run_sound(self._store, packet_id, script, names, [packet_id, creator_id, *more])
        return outcome

    async def _stage(self, packet_id: PacketId, terms: Terms, shares: Sequence[int], commitment: str) -> None:
        names = [keys.staging(packet_id), keys.staged(packet_id), keys.stagings(creator_of(packet_id))]
        bounds = [terms.share_count, terms.min_share_fen, terms.max_share_fen]
        for offset in range(0, len(shares), SHARES_CHUNK):
            chunk = shares[offset : offset + SHARES_CHUNK]
            outcome, _ = await self._store.run("stage", names, [packet_id, commitment, *bounds, offset, *chunk])
            if outcome != b"staged":
                raise refusal(outcome)

    async def _unstage(self, packet_id: PacketId, *, age_ms: int, commitment: str) -> int:
        names = [keys.stagings(creator_of(packet_id)), keys.staging(packet_id), keys.staged(packet_id)]
        dropped: int = await self._store.run("unstage", names, [packet_id, age_ms, commitment])
        return dropped


async def claims_of(store: Store, packet_id: PacketId) -> AsyncIterator[tuple[ViewerId, Share]]:
    """Yield every claim of a packet, in no order; one may be repeated while the store rehashes its table."""
    async for viewer_id, value in store.redis.hscan_iter(keys.claims(packet_id), count=_SCAN):
        yield ViewerId(viewer_id.decode()), share_from(value)


def _not_created(outcome: bytes, rulebook: Rulebook) -> Refused:
    match outcome:
        case b"recharge_required":
            return recharge_required(rulebook.rule(rulebook.recharge_rule))
        case b"validity_over":
            return validity_over(rulebook)
    return refusal(outcome, rulebook)
