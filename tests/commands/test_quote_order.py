"""Quoting a purchase: what is quoted is what is submitted, and nothing is locked."""

import pytest

from server.core.ids import PLATFORM
from server.core.refusal import Refused
from tests.store.shop import (
    ANNA,
    Shop,
    a_purchase,
)


async def test_only_what_is_left_to_us_is_chosen(shop: Shop) -> None:
    """Without named packets the best are used; with none named, none; the quote says the same beforehand."""
    asset, platform = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    quote, choice = await shop.orders.quote(ANNA, a_purchase(10_000), (), "douyin")
    assert quote.payable_fen == 7_800
    assert {used.asset_id for used, _ in choice.used} == {asset, platform}
    bare = await shop.submit(key="bare")
    assert bare.order.quote.payable_fen == 10_000
    best = await shop.submit(asset_ids=None, expected_payable_fen=7_800)
    assert {use.asset_id for use in best.order.packets} == {asset, platform}
    with pytest.raises(Refused) as refused:
        await shop.submit(key="late", asset_ids=None, expected_payable_fen=7_800)
    assert refused.value.code == "price_changed"
