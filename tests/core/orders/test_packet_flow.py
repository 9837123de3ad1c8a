"""The deduction of a set of packets, grown one by one, is its least cut; a search goes line by line."""

from random import Random

import pytest

from server.core.orders.packet_choice import Candidate
from server.core.orders.packet_flow import Contender, Reach, order_by_line
from tests.core.orders.packet_draws import a_draw, deduction_by_force

ENOUGH_FEN = 10**9


def contender(packet: Candidate, reach: Reach) -> Contender:
    mask = reach.masks[packet.lines]
    return Contender(packet.asset_id, packet.face_fen, mask, packet.own, 0, reach.outside(packet.face_fen, mask))


@pytest.mark.parametrize("cuts_max", [1, 64])
def test_a_growing_set_deducts_its_least_cut(cuts_max: int) -> None:
    """With all cuts kept or with two; what it does not deduct it wastes, and nothing is left on its tight lines."""
    rng = Random(cuts_max)
    kept_all = set()
    for _ in range(150):
        packets, left_by_line = a_draw(rng, count=rng.randint(1, 6), lines=rng.randint(1, 6))
        reach = Reach([each.lines for each in packets], left_by_line, cuts_max)
        kept_all.add(reach.complete)
        reached = reach.empty()
        tight_fen = reach.price_fen(reach.tight(reached))
        for count, packet in enumerate(packets, 1):
            reached = reach.grown(reached, contender(packet, reach), ENOUGH_FEN)
            deduction_fen = deduction_by_force(packets[:count], left_by_line)
            assert (reached.deduction_fen, reached.waste_fen) == (deduction_fen, reached.face_fen - deduction_fen)
            assert reached.face_fen == sum(each.face_fen for each in packets[:count])
            assert min(reached.values) >= deduction_fen
            tight_fen = reach.price_fen(reach.tight(reached))
            assert tight_fen <= deduction_fen
        assert reach.price_fen(reach.every) == sum(
            fen for i, fen in enumerate(left_by_line) if any(i in each.lines for each in packets)
        )
    assert kept_all == ({True} if cuts_max == 64 else {True, False})


def test_more_cuts_are_kept_only_where_some_are_missing() -> None:
    """The first of those given, up to a number; the empty and the whole one stay."""
    scopes = [frozenset({i}) for i in range(4)]
    whole, part = Reach(scopes, [1] * 4, 16), Reach(scopes, [1] * 4, 8)
    assert (len(whole.cuts), whole.complete, part.cuts, part.complete) == (16, True, [0, 15], False)
    whole.cut_by([1, 2, 4], 4)
    part.cut_by([1, 2, 4], 4)
    assert (len(whole.cuts), part.cuts) == (16, [0, 1, 2, 15])


def test_the_line_of_fewest_packets_comes_first() -> None:
    """Then those that share a packet with no line before; the largest first on the same lines."""
    packets = [
        Contender(name, fen, mask, own=False, tie=0)
        for name, fen, mask in (("a", 1, 0b01), ("b", 3, 0b01), ("c", 2, 0b01), ("d", 1, 0b10), ("e", 9, 0b11))
    ]
    assert "".join(each.asset_id for each in order_by_line(packets, [1, 2])) == "debca"
