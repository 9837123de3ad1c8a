"""Draws of packets and lines, and what brute force says of them: the least cut, tried in all its ways."""

from collections.abc import Sequence
from itertools import chain, combinations
from random import Random

from server.core.orders.packet_choice import Candidate


def a_draw(rng: Random, *, count: int, lines: int) -> tuple[list[Candidate], list[int]]:
    """Make packets with faces and overlapping scopes that leave something to decide, and the prices of the lines."""
    low, high = rng.choice([(1, 5), (1, 15), (5, 9), (100, 200)])
    scopes = [frozenset(rng.sample(range(lines), rng.randint(1, lines))) for _ in range(rng.randint(1, 9))]
    packets = [
        Candidate(f"a{i:02}", rng.randint(low, high), rng.randint(1, 4), rng.choice(scopes), rng.random() < 0.5)
        for i in range(count)
    ]
    return packets, [rng.randint(0, rng.choice([3, high, 3 * high])) for _ in range(lines)]


def deduction_by_force(packets: Sequence[Candidate], left_by_line: Sequence[int]) -> int:
    """Return the least cut: some packets pay with their faces, and the lines of all others are paid in full."""
    cuts = []
    for paying in chain.from_iterable(combinations(packets, count) for count in range(len(packets) + 1)):
        lines = frozenset[int]().union(*(each.lines for each in packets if each not in paying))
        cuts.append(sum(each.face_fen for each in paying) + sum(left_by_line[i] for i in lines))
    return min(cuts)


def best_by_force(
    packets: Sequence[Candidate], left_by_line: Sequence[int], count_max: int, own_max: int | None
) -> tuple[int, list[str]]:
    """Return the deduction and the ids of the best set, of all sets."""
    faces, prices, wastes = [0], [frozenset[int]()], [0]  # of each set, by the bits of its packets
    for i, packet in enumerate(packets):
        faces += [fen + packet.face_fen for fen in faces]
        prices += [lines | packet.lines for lines in prices]
        for members in range(1 << i, 2 << i):
            own = faces[members] - sum(left_by_line[line] for line in prices[members])
            less_one = (wastes[members ^ 1 << bit] for bit in range(i + 1) if members >> bit & 1)
            wastes.append(max(own, *less_one))
    ranked = []
    least = 0
    for members, waste in enumerate(wastes):
        chosen = [packet for bit, packet in enumerate(packets) if members >> bit & 1]
        allowed = len(chosen) <= count_max and (own_max is None or sum(each.own for each in chosen) <= own_max)
        if allowed and waste - faces[members] <= least:
            least = waste - faces[members]
            ends = sorted(each.use_end_at_ms for each in chosen)
            ranked.append((least, waste, len(chosen), ends, sorted(each.asset_id for each in chosen)))
    best = min(ranked)
    return -best[0], best[4]
