"""Fairness (A11), reported and never gating: which viewers got shares, and whether early ones got larger shares."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadtest.record.books import Books
from loadtest.record.history import ConnId, GrabRecord, History
from loadtest.verdict.measures import claims_of
from server.core.ids import PacketId
from server.core.packets.packet import Denomination

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Fairness:
    """
    Rates are shares held per (packet, viewer) that grabbed, from 0 to 1, by what might have made a difference.

    Connection order and reaction time are cut into quarters, the earliest or quickest first; there are none where no
    viewer's is known. ``share_size_ks`` is the
    Kolmogorov-Smirnov distance between the sizes of the shares that the earlier and the later half of the winners
    got, over all random packets, and ``share_size_ks_limit`` what chance alone exceeds once in a hundred runs.
    """

    by_connection_order: list[float]
    by_reaction: list[float]
    by_room: dict[str, float]
    by_process: dict[str, float]
    share_size_ks: float
    share_size_ks_limit: float


def fairness(books: Books, history: History) -> Fairness:
    """Return how evenly success was spread over the audience."""
    tries = _tries(history.grabs)
    opened = {(each.process, each.conn, each.packet): each.t for each in history.arrivals}
    rooms = {packet_id: packet.room_id for packet_id, packet in books.packets.items()}
    order = {
        (conn.process, conn.conn): at for at, conn in enumerate(sorted(history.conns, key=lambda conn: conn.t_open))
    }
    earlier, later = _sizes(books)
    return Fairness(
        by_connection_order=_by_quarter(tries, lambda grab: order.get((grab.process, grab.conn))),
        by_reaction=_by_quarter(tries, lambda grab: _reaction(grab, opened)),
        by_room=_by(tries, lambda grab: rooms.get(grab.packet)),
        by_process=_by(tries, lambda grab: str(grab.process)),
        share_size_ks=ks_distance(earlier, later),
        share_size_ks_limit=ks_limit(len(earlier), len(later)),
    )


def ks_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the largest distance between two empirical distributions, from 0 to 1 (two-sample Kolmogorov-Smirnov)."""
    if not one or not other:
        return 0.0
    steps = sorted([(value, 1 / len(one)) for value in one] + [(value, -1 / len(other)) for value in other])
    distance = height = 0.0
    for at, (value, step) in enumerate(steps):
        height += step
        if at + 1 == len(steps) or steps[at + 1][0] != value:
            distance = max(distance, abs(height))
    return distance


def ks_limit(one: int, other: int) -> float:
    """Return the distance that samples of these sizes from one distribution exceed once in a hundred times."""
    return 1.0 if one == 0 or other == 0 else float(min(1.0, 1.628 * ((one + other) / (one * other)) ** 0.5))


Try = tuple[GrabRecord, bool]


def _tries(grabs: Iterable[GrabRecord]) -> list[Try]:
    """Return the first grab of each viewer for each packet, and whether the viewer came to hold a share of it."""
    first: dict[tuple[PacketId, str], GrabRecord] = {}
    held: set[tuple[PacketId, str]] = set()
    for grab in grabs:
        key = (grab.packet, grab.viewer)
        if grab.t_sent < first.setdefault(key, grab).t_sent:
            first[key] = grab
        if grab.type == "ok":
            held.add(key)
    return [(grab, key in held) for key, grab in first.items()]


def _reaction(grab: GrabRecord, opened: dict[tuple[int, ConnId, PacketId], int]) -> int | None:
    at = opened.get((grab.process, grab.conn, grab.packet))
    return None if at is None else grab.t_sent - at


def _by(tries: Iterable[Try], key_of: Callable[[GrabRecord], str | None]) -> dict[str, float]:
    groups: defaultdict[str, list[bool]] = defaultdict(list)
    for grab, held in tries:
        key = key_of(grab)
        if key is not None:
            groups[key].append(held)
    return {key: _rate(held) for key, held in sorted(groups.items())}


def _by_quarter(tries: Iterable[Try], key_of: Callable[[GrabRecord], int | None]) -> list[float]:
    placed = [(place, held) for grab, held in tries if (place := key_of(grab)) is not None]
    if not placed:
        return []
    placed.sort(key=lambda one: one[0])
    cuts = [len(placed) * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
    return [_rate([held for _, held in placed[start:end]]) for start, end in pairwise(cuts)]


def _rate(held: Sequence[bool]) -> float:
    return sum(held) / len(held) if held else 0.0


def _sizes(books: Books) -> tuple[list[float], list[float]]:
    """Return the sizes of the shares of the earlier and the later winners, in means of their packet."""
    earlier: list[float] = []
    later: list[float] = []
    for packet_id, packet in books.packets.items():
        if packet.denomination is not Denomination.RANDOM:
            continue
        ordered = sorted(claims_of(books, packet_id), key=lambda claim: claim.index)
        mean_fen = packet.total_fen / packet.share_count
        for place, claim in enumerate(ordered):
            half = earlier if 2 * place < len(ordered) else later
            half.append(claim.amount_fen / mean_fen)
    return earlier, later
