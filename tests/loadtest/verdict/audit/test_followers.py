"""The platform's packets in a creator's order: one that hears too late that it was given back goes to the platform."""

from random import Random
from typing import Any

import pytest

from loadtest.record.books import Books
from loadtest.verdict.audit.followers import went_back_at_ms, with_late_followers
from loadtest.verdict.audit.orders import check_orders
from loadtest.verdict.audit.prices import used_packets
from loadtest.verdict.audit.violation import Findings
from tests.loadtest.verdict.reckoning.sold import NOW_MS, USE_FOR_MS, SoldOrders, sold


def given_back_late(fate: str, *, late_ms: int) -> tuple[SoldOrders, str]:
    """Return an order that gave a packet of the platform's back in time, which heard of it so much later."""
    for seed in range(2_000):
        books = sold(Random(f"late {seed}"), fate=fate, platform="lab")
        (order,) = books.orders
        the_platforms = [use for use in order["packets"] if use[0].startswith("platform.")]
        back = [use[0] for use in the_platforms if use[3] == "available"]
        if len(the_platforms) == len(back) == 1:
            break
    packet_id = back[0].rpartition(":")[0]
    follow = next(entry for entry in reversed(books.journal) if entry["movement"] == "follow")
    for posting in follow["postings"]:
        if posting[1] == f"assets:{packet_id}":
            posting[1] = "reversing:platform"
    follow["at_ms"] = NOW_MS + late_ms
    return books, back[0]


def faults(books: Books) -> list[str]:
    findings = Findings()
    check_orders(findings, books)
    return [violation.detail for violation in findings.violations() if "reversing" in violation.detail]


@pytest.mark.rule("DY-CAN-6")
@pytest.mark.parametrize("fate", ["cancelled", "full"])
def test_a_packet_that_hears_too_late_is_the_platforms(fate: str) -> None:
    """The order says that the viewer has it again; the platform's journal says what came of it."""
    sold_orders, asset_id = given_back_late(fate, late_ms=2 * USE_FOR_MS)
    books = sold_orders.read()
    assert went_back_at_ms(asset_id.rpartition(":")[0], books.journal) == NOW_MS + 2 * USE_FOR_MS
    known = with_late_followers(books, used_packets(books))
    (order,) = known.orders.values()
    assert [str(use.state) for use in order.packets if use.asset_id == asset_id] == ["expired_returned"]
    assert faults(known) == []


def test_a_packet_that_hears_in_time_is_its_viewers() -> None:
    """Then the platform has taken what is not its own."""
    sold_orders, _ = given_back_late("cancelled", late_ms=USE_FOR_MS - 100)
    books = sold_orders.read()
    known = with_late_followers(books, used_packets(books))
    assert known is books
    assert any("should give reversing:platform 0 fen" in fault for fault in faults(known)), faults(known)


@pytest.mark.parametrize("fate", ["final", "paid", "cancelled"])
def test_what_followed_in_time_is_left_as_it_is(fate: Any) -> None:
    """Of all orders of a crowd."""
    books = sold(Random(f"in time {fate}"), count=20, fate=fate).read()
    assert with_late_followers(books, used_packets(books)) is books
    assert went_back_at_ms("platform.nothing", books.journal) is None
