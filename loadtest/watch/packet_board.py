"""The board of packets: how far each is, from what its room was told, what viewers hold, and what the books say."""

from collections.abc import Iterable, Mapping

from loadtest.engines.progress import LivePacket, Progress
from loadtest.record.books import PacketRecord
from loadtest.record.history import FactRecord
from loadtest.watch.cut import ShownCut
from loadtest.watch.picture import PacketPicture
from loadtest.watch.proof import TimeOfDay
from server.core.ids import PacketId
from server.core.packets.packet import PacketState, Phase
from server.core.rooms.feed import FactKind

_NS_PER_MS = 1_000_000
_AFTER: Mapping[str, str] = {
    FactKind.WARMUP: Phase.WARMING,
    FactKind.OPEN: Phase.GRABBING,
    FactKind.REOPENED: Phase.GRABBING,
    FactKind.SOLD_OUT: "sold_out",
    FactKind.CLOSED: Phase.CLAIM_CLOSED,
    FactKind.VOIDED: PacketState.VOIDED,
    FactKind.RESULT: PacketState.SETTLED,
}


def packet_board(
    programme: Mapping[PacketId, LivePacket], progress: Progress, cut: ShownCut | None, now_ms: int
) -> tuple[PacketPicture, ...]:
    """
    Return the packets of the *programme*, or if there is none all of the books in the order in which they open.

    *now_ms* is real time since 1970: a packet of which no room was told anything is as far as its schedule says.
    """
    told: dict[PacketId, list[FactRecord]] = {}
    for fact in progress.facts:
        told.setdefault(fact.packet, []).append(fact)
    known = {} if cut is None else dict(sorted(cut.books.packets.items(), key=lambda item: item[1].grab_at_ms or 0))
    room_ms = 0 if cut is None else TimeOfDay(0, cut.books.clock).room_ms(now_ms)
    board = []
    for packet_id in programme or known:
        live, record = programme.get(packet_id), known.get(packet_id)
        given = 0 if cut is None else cut.given.get(packet_id, 0)
        facts = told.get(packet_id, [])
        last = max(facts, key=lambda fact: fact.seq, default=None)
        board.append(
            PacketPicture(
                packet_id=packet_id,
                name=live.name if live is not None else record.name if record is not None else packet_id,
                share_count=live.share_count if live is not None else record.share_count if record is not None else 0,
                granted=max(progress.granted_of.get(packet_id, 0), given),
                over=0 if cut is None else cut.over.get(packet_id, 0),
                total_fen=None if record is None else record.total_fen,
                state=_AFTER.get(last.type, "") if last is not None else _scheduled(record, room_ms),
                allocator="" if record is None else record.allocator,
                sold_out_ms=_sold_out_ms(facts),
            )
        )
    return tuple(board)


def _sold_out_ms(facts: Iterable[FactRecord]) -> int | None:
    """Return how long the shares lasted, from the first viewer who heard the opening; None while there are some."""
    opened = min((fact.t_first for fact in facts if fact.type == FactKind.OPEN), default=None)
    sold = max((fact.t_first for fact in facts if fact.type == FactKind.SOLD_OUT), default=None)
    return None if opened is None or sold is None else max(0, sold - opened) // _NS_PER_MS


def _scheduled(record: PacketRecord | None, now_ms: int) -> str:
    """Return the phase of a packet by its schedule."""
    if record is None:
        return ""
    warmup, grab, end = record.warmup_at_ms, record.grab_at_ms, record.claim_end_at_ms
    if record.state is not PacketState.LAUNCHED or warmup is None or grab is None or end is None:
        return record.state
    if now_ms >= end:
        return Phase.CLAIM_CLOSED
    if now_ms >= grab:
        return Phase.GRABBING if record.remaining else "sold_out"
    return Phase.WARMING if now_ms >= warmup else Phase.SCHEDULED
