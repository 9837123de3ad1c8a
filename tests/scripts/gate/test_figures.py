"""Figures of blocks: sums over all of them, and two halves that a drift treats alike."""

import pytest

from scripts.gate.figures import Block, measured


def test_blocks_are_summed() -> None:
    """CPU and time over all grabs; half of the receipts wait no longer than the median."""
    blocks = [Block([(10.0, 300), (20.0, 200)], 0.02, 10_000.0), Block([(40.0, 500)], 0.04, 30_000.0)] * 20
    leg = measured(blocks, knows_cpu=True).leg
    assert leg.grabs == 20_000
    assert leg.grabs_per_second == pytest.approx(20_000 / 1.2)
    assert (leg.latency_p50_ms, leg.latency_p99_ms, leg.cpu_us_per_grab) == (40.0, 40.0, 40.0)
    assert measured(blocks, knows_cpu=False).leg.cpu_us_per_grab is None


def test_halves_are_of_whole_turns() -> None:
    """A server that costs more with each block costs both halves nearly the same: two blocks go to each in turn."""
    blocks = [Block([(10.0, 500)], 0.01, 500.0 * (20 + at % 2)) for at in range(40)]
    figures = measured(blocks, knows_cpu=True)
    assert figures.one_half.cpu_us_per_grab == figures.other_half.cpu_us_per_grab == 20.5
    assert figures.one_half.grabs == 10_000


def test_one_block_is_both_halves() -> None:
    """A service so slow that it had time for no more."""
    figures = measured([Block([(10.0, 5)], 0.01, 50.0)], knows_cpu=True)
    assert figures.one_half == figures.other_half == figures.leg
