"""A purchase: what its lines cost before anybody gives anything."""

import pytest

from server.core.orders.purchase import App, Line, Purchase


@pytest.mark.rule("KS-PRC-1")
def test_a_flash_price_counts_for_every_piece() -> None:
    """Three pieces at 80 instead of 100 are 60 less."""
    line = Line("l", "p", 100, quantity=3, flash_price_fen=80)
    assert (line.list_fen, line.item_discount_fen) == (300, 60)


def test_a_flash_price_never_adds() -> None:
    """One above the list price, or none, takes nothing off."""
    assert Line("l", "p", 100, flash_price_fen=120).item_discount_fen == 0
    assert Line("l", "p", 100).item_discount_fen == 0


def test_a_line_stands_once_in_a_purchase() -> None:
    """Lines are told apart by their ids, and there is at least one."""
    for lines in ((), (Line("l", "p", 100), Line("l", "q", 100))):
        with pytest.raises(AssertionError):
            Purchase(lines, App.DOUYIN)
