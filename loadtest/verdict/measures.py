"""Measures: the numbers of a run, by the names of the metrics, from books and history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from client_sim.behaviour import ABSENT
from loadtest.record.books import Books, ClaimRecord, PacketRecord
from loadtest.record.history import GrabRecord, History
from loadtest.verdict.metrics import Measures, MeasureValues, PacketResult
from loadtest.verdict.samples import FactKey, Samples, percentiles
from server.core.ids import PacketId, ViewerId
from server.core.packets.claim import ClaimStatus
from server.core.rooms.feed import FactKind

NS_PER_S = 1_000_000_000
WINDOW_IS_OPEN = frozenset({ClaimStatus.GRANTED, ClaimStatus.EXHAUSTED})
"""Statuses that are answered only while the window is open."""

UNKNOWN = "unknown"
"""The status of a grab whose outcome is unknown."""


def measure(books: Books, history: History) -> Measures:
    """Return the numbers of a run from its final books and its history."""
    claims = claims_of(books)
    told = _told(history.grabs)
    sold_out = _told_sold_out(history)
    results = [_result(packet, claims.get(packet.packet_id, []), sold_out) for packet in books.packets.values()]
    return Measures(
        **crowd_measures(history),
        granted=sum(len(shares) for shares in told.values()),
        granted_fen=sum(sum(shares.values()) for shares in told.values()),
        issued_fen=sum(result.granted_fen for result in results),
        over_issued_fen=sum(
            over_issued_fen(packet, claims.get(packet_id, [])) for packet_id, packet in books.packets.items()
        ),
        under_issued_fen=sum(
            max(0, books.packets[result.packet_id].total_fen - result.granted_fen)
            for result in results
            if result.sold_out
        ),
        duplicate_claims=_duplicates(books, claims, told),
        lost_acks=_lost(claims, told),
        packets=results,
    )


def crowd_measures(history: History) -> MeasureValues:
    """Return the metrics that follow from the history alone, for any target."""
    samples = Samples(history)
    mean, peak = _rates(history.grabs)
    return {
        "grabs": sum(1 for grab in history.grabs if grab.t_reply is not None),
        **{name: percentiles(samples.values_ns(name)) for name in samples.names},
        "room_viewers": _room_viewers(samples.hearers),
        "grabs_per_second": mean,
        "grabs_per_second_peak": peak,
        "statuses": _statuses(history.grabs),
    }


def offered_and_lost(statuses: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """Return how many grabs the ``statuses`` of a result count, and how many of absent viewers got no answer."""
    lost = (by_status.get(UNKNOWN, 0) for behaviour, by_status in statuses.items() if behaviour in ABSENT)
    return sum(sum(by_status.values()) for by_status in statuses.values()), sum(lost)


Owner = tuple[PacketId, ViewerId]
Told = dict[Owner, dict[int, int]]
"""The shares in a viewer's receipts: index to amount in fen."""


def claims_of(books: Books) -> dict[PacketId, list[ClaimRecord]]:
    """Return the claims per packet: the final lines, or the journal's in books that are not final."""
    if books.final:
        return books.claims
    claims: defaultdict[PacketId, list[ClaimRecord]] = defaultdict(list)
    for entry in books.journal:
        for viewer_id, index, amount_fen, request_id in entry.claims or ():
            claim = ClaimRecord(entry.packet_id, viewer_id, index, amount_fen, entry.edition or 0, request_id)
            claims[entry.packet_id].append(claim)
    return claims


def over_issued_fen(packet: PacketRecord, claims: list[ClaimRecord]) -> int:
    """Return the amount given of one packet beyond its total, in fen (``over_issued_fen``)."""
    superfluous_fen = sum(claim.amount_fen for claim in superfluous(packet, claims))
    return max(0, superfluous_fen, sum(claim.amount_fen for claim in claims) - packet.total_fen)


def superfluous(packet: PacketRecord, claims: Iterable[ClaimRecord]) -> list[ClaimRecord]:
    """Return the claims of shares that somebody has already or that the packet never had, in their order."""
    taken: set[int] = set()
    beyond = []
    for claim in claims:
        if claim.index in taken or claim.index >= packet.share_count:
            beyond.append(claim)
        taken.add(claim.index)
    return beyond


def _room_viewers(hearers: Mapping[FactKey, int]) -> dict[str, int]:
    rooms: dict[str, int] = {}
    for (room, _, _), count in hearers.items():
        rooms[room] = max(rooms.get(room, 0), count)
    return dict(sorted(rooms.items()))


def _result(packet: PacketRecord, claims: list[ClaimRecord], sold_out: set[PacketId]) -> PacketResult:
    return PacketResult(
        packet_id=packet.packet_id,
        allocator=packet.allocator,
        share_count=packet.share_count,
        granted=len(claims),
        granted_fen=sum(claim.amount_fen for claim in claims),
        sold_out=packet.packet_id in sold_out,
        returned_fen=packet.returned_fen,
    )


def _told(grabs: Iterable[GrabRecord]) -> Told:
    told: Told = {}
    for grab in grabs:
        if grab.type == "ok" and grab.index is not None and grab.amount_fen is not None:
            told.setdefault((grab.packet, grab.viewer), {})[grab.index] = grab.amount_fen
    return told


def _told_sold_out(history: History) -> set[PacketId]:
    by_fact = {fact.packet for fact in history.facts if fact.type == FactKind.SOLD_OUT}
    return by_fact | {grab.packet for grab in history.grabs if grab.status == ClaimStatus.EXHAUSTED}


def _duplicates(books: Books, claims: dict[PacketId, list[ClaimRecord]], told: Told) -> int:
    first: dict[Owner, int] = {}
    others: set[tuple[Owner, int]] = set()
    extra_lines = 0

    def note(owner: Owner, index: int) -> None:
        if first.setdefault(owner, index) != index:
            others.add((owner, index))

    for packet_id, of_packet in claims.items():
        extra_lines += len(of_packet) - len({(claim.viewer_id, claim.index) for claim in of_packet})
        for claim in of_packet:
            note((packet_id, claim.viewer_id), claim.index)
    for entry in books.journal:
        for given in entry.claims or ():
            note((entry.packet_id, given.viewer_id), given.index)
    for owner, shares in told.items():
        for index in shares:
            note(owner, index)
    return len(others) + extra_lines


def _lost(claims: Mapping[PacketId, Iterable[ClaimRecord]], told: Told) -> int:
    owned = {(packet_id, claim.viewer_id) for packet_id, of_packet in claims.items() for claim in of_packet}
    return sum(1 for owner in told if owner not in owned)


def _rates(grabs: list[GrabRecord]) -> tuple[float, int]:
    """Return the mean rate while windows were being answered, and the most replies in any one second."""
    replies = sorted(grab.t_reply for grab in grabs if grab.t_reply is not None)
    peak = _peak(replies)
    spans = _answered_spans(grabs)
    covered_ns = _covered(sorted(spans.values()))
    if not covered_ns:
        return float(peak), peak  # a single receipt has no duration
    within = 0
    for grab in grabs:
        first, last = spans.get(grab.packet, (1, 0))
        within += grab.t_reply is not None and first <= grab.t_reply <= last
    return within * NS_PER_S / covered_ns, peak


def answered_ns(grabs: Iterable[GrabRecord]) -> int:
    """Return how long some window was being answered."""
    return _covered(sorted(_answered_spans(grabs).values()))


def _answered_spans(grabs: Iterable[GrabRecord]) -> dict[PacketId, tuple[int, int]]:
    spans: dict[PacketId, tuple[int, int]] = {}
    for grab in grabs:
        if grab.status in WINDOW_IS_OPEN and grab.t_reply is not None:
            first, last = spans.get(grab.packet, (grab.t_reply, grab.t_reply))
            spans[grab.packet] = (min(first, grab.t_reply), max(last, grab.t_reply))
    return spans


def _peak(replies: list[int]) -> int:
    peak = oldest = 0
    for newest, t_reply in enumerate(replies):
        while replies[oldest] <= t_reply - NS_PER_S:
            oldest += 1
        peak = max(peak, newest - oldest + 1)
    return peak


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return how long at least one of *spans* (sorted) lasted."""
    covered = 0
    reached = 0
    for first, last in spans:
        covered += max(0, last - max(first, reached))
        reached = max(reached, last)
    return covered


def _statuses(grabs: Iterable[GrabRecord]) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for grab in grabs:
        counts[grab.behaviour][grab.status or UNKNOWN] += 1
    return {behaviour: dict(sorted(by_status.items())) for behaviour, by_status in sorted(counts.items())}
