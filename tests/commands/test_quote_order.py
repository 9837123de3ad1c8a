"""Quoting a purchase: what is quoted is what is submitted, and nothing is locked."""

import asyncio
from collections.abc import Generator

import pytest

from server.commands.quote_order import in_turn
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


async def test_others_run_between_the_slices_of_one_search_at_a_time() -> None:
    """Two searches of three slices: the second waits for the first, and a third party has a turn after each slice."""
    ran: list[str] = []

    def search(name: str) -> Generator[None, None, str]:
        for _ in range(3):
            ran.append(name)
            yield
        return name

    async def bystander() -> None:
        for _ in range(8):
            ran.append(".")
            await asyncio.sleep(0)

    turn = asyncio.Lock()
    *found, _ = await asyncio.gather(in_turn(turn, search("a")), in_turn(turn, search("b")), bystander())
    assert found == ["a", "b"]
    slices = "".join(ran)
    assert slices.replace(".", "") == "aaabbb"
    assert "aa" not in slices
    assert "bb" not in slices
