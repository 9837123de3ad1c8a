"""Discounts: each kind has its stage and its funder, and says one thing only."""

import pytest

from server.core.orders.discount import NATURE, RED_PACKETS, Discount, DiscountKind, Funder, Stage


@pytest.mark.rule("KS-SET-1")
def test_every_kind_has_a_stage_and_a_funder() -> None:
    """The streamer bears favor packets and its own coupon packets, the platform its coins; credit is unstated."""
    assert set(NATURE) == set(DiscountKind)
    assert NATURE[DiscountKind.CREATOR_PACKET] == (Stage.FUNDS, Funder.CREATOR)
    assert NATURE[DiscountKind.STREAMER_COUPON_PACKET] == (Stage.SHOP, Funder.CREATOR)
    assert NATURE[DiscountKind.GOLD_COIN] == (Stage.FUNDS, Funder.PLATFORM)
    assert NATURE[DiscountKind.CONSUMPTION_CREDIT] == (Stage.FUNDS, Funder.UNSTATED)
    assert {Funder.MERCHANT, Funder.CREATOR} == {funder for stage, funder in NATURE.values() if stage is Stage.SHOP}


def test_a_streamers_coupon_packet_is_no_red_packet() -> None:
    """The two that look alike stand in different stages (AMB-29)."""
    assert DiscountKind.STREAMER_COUPON_PACKET not in RED_PACKETS
    assert {NATURE[kind][0] for kind in RED_PACKETS} == {Stage.FUNDS}


def test_a_discount_is_an_amount_or_a_share() -> None:
    """Neither both nor none, no threshold for funds, and no flash price, which stands on its line."""
    for wrong in (
        {"kind": DiscountKind.SHOP_COUPON},
        {"kind": DiscountKind.SHOP_COUPON, "amount_fen": 1, "pay_permille": 1},
        {"kind": DiscountKind.GOLD_COIN, "amount_fen": 1, "threshold_fen": 1},
        {"kind": DiscountKind.FLASH_PRICE, "amount_fen": 1},
        {"kind": DiscountKind.FULL_PERCENT_OFF, "pay_permille": 1001},
    ):
        with pytest.raises(AssertionError):
            Discount("d", **wrong)
