"""Measures: the numbers of a run, by the names of the metrics, from books and history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from client_sim.behaviour import ABSENT
from loadtest.record.books import Books, ClaimRecord, PacketRecord
from loadtest.record.history import GrabRecord, History
from loadtest.record.journal import JournalRecord
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
    """Return the numbers of a run from its final books and its history, packet by packet."""
    results: dict[PacketId, PacketResult] = {}
    sums: Counter[str] = Counter()
    sold_out = {fact.packet for fact in history.facts if fact.type == FactKind.SOLD_OUT}
    for packet_id in dict.fromkeys([*books.packets, *books.claims, *books.journal.steps, *history.grabs.by]):
        claims, grabs = claims_of(books, packet_id), history.grabs.by.get(packet_id, [])
        told = _told(grabs)
        if any(grab.status == ClaimStatus.EXHAUSTED for grab in grabs):
            sold_out.add(packet_id)
        sums["granted"] += sum(len(shares) for shares in told.values())
        sums["granted_fen"] += sum(sum(shares.values()) for shares in told.values())
        sums["duplicate_claims"] += _duplicates(claims, books.journal.steps.each(packet_id), told)
        sums["lost_acks"] += len(told.keys() - {claim.viewer_id for claim in claims})
        if (packet := books.packets.get(packet_id)) is not None:
            result = _result(packet, claims, sold_out)
            results[packet_id] = result
            sums["issued_fen"] += result.granted_fen
            sums["over_issued_fen"] += over_issued_fen(packet, claims)
            sums["under_issued_fen"] += max(0, packet.total_fen - result.granted_fen) * result.sold_out
    names = "granted granted_fen issued_fen over_issued_fen under_issued_fen duplicate_claims lost_acks"
    measured: MeasureValues = {name: sums[name] for name in names.split()}
    return Measures(**crowd_measures(history), **measured, packets=list(results.values()))


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


Told = dict[ViewerId, dict[int, int]]
"""The shares of one packet in its viewers' receipts: index to amount in fen."""


def claims_of(books: Books, packet_id: PacketId) -> list[ClaimRecord]:
    """Return the claims of a packet: the final lines, or the journal's in books that are not final."""
    if books.final:
        return books.claims.get(packet_id, [])
    return [
        ClaimRecord(packet_id, viewer_id, index, amount_fen, entry.edition or 0, request_id)
        for entry in books.journal.steps.each(packet_id)
        for viewer_id, index, amount_fen, request_id in entry.claims or ()
    ]


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
            told.setdefault(grab.viewer, {})[grab.index] = grab.amount_fen
    return told


def _duplicates(claims: Sequence[ClaimRecord], entries: Iterable[JournalRecord], told: Told) -> int:
    """Return how many shares of a packet somebody holds beside a first one, by either book or by receipts."""
    first: dict[ViewerId, int] = {}
    others: set[tuple[ViewerId, int]] = set()

    def note(owner: ViewerId, index: int) -> None:
        if first.setdefault(owner, index) != index:
            others.add((owner, index))

    for claim in claims:
        note(claim.viewer_id, claim.index)
    for entry in entries:
        for given in entry.claims or ():
            note(given.viewer_id, given.index)
    for owner, shares in told.items():
        for index in shares:
            note(owner, index)
    return len(others) + len(claims) - len({(claim.viewer_id, claim.index) for claim in claims})


def _rates(grabs: Iterable[GrabRecord]) -> tuple[float, int]:
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
