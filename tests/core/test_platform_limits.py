"""
The numbers of both platforms at their edges: the last value that is allowed, and the first that is not.

A platform has every number, also of a mode or a fee that it does not offer by itself: whoever switches that on finds it
limited. tests/test_limits_moved.py moves each number by one unit and wants a test to fail.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from server.core.money.channel import Channel
from server.core.orders.pricing import price
from server.core.orders.validity import check_validity, checked_scope
from server.core.packets.launch import LaunchRequest
from server.core.refusal import Refused
from server.core.rulebooks.funding import charge_of
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU
from server.core.rulebooks.rulebook import LaunchMode, Rulebook
from tests.core.launching import DAY, MINUTE, NOW, ROOM, exact, plan, refusal, relative, scheduled
from tests.core.shopping import a_purchase

BOTH = pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU], ids=lambda rulebook: rulebook.platform)


def _offering(rulebook: Rulebook, **changes: object) -> Rulebook:
    """Return the platform's book with every mode of launch switched on."""
    return replace(rulebook, launch_modes=frozenset(LaunchMode), **changes)  # type: ignore[arg-type]


@BOTH
@pytest.mark.rule("DY-LAU-3")
def test_a_relative_launch_has_two_to_fifteen_minutes(rulebook: Rulebook) -> None:
    """Both included."""
    book = _offering(rulebook)
    for delay_ms in (2 * MINUTE, 15 * MINUTE):
        assert plan(relative(delay_ms), rulebook=book).schedule.grab_at_ms == NOW + delay_ms
    for delay_ms in (2 * MINUTE - 1, 15 * MINUTE + 1):
        assert refusal(relative(delay_ms), rulebook=book) == ("out_of_range", "delay_ms", book.rule("DY-LAU-3"))


@BOTH
@pytest.mark.rule("DY-LAU-4")
def test_an_exact_launch_has_whole_seconds_of_seven_days(rulebook: Rulebook) -> None:
    """The last instant counts, a millisecond beyond it is too far, and one beside a second is none."""
    book = _offering(rulebook)
    for grab_ms in (7 * DAY, 7 * DAY - 1_000):
        assert plan(exact(grab_ms, grab_ms), rulebook=book).schedule.grab_at_ms == NOW + grab_ms
    assert refusal(exact(0, 7 * DAY + 1), rulebook=book) == ("out_of_range", "grab_at_ms", book.rule("DY-LAU-4"))
    assert refusal(exact(0, DAY + 1), rulebook=book) == ("grab_not_whole_second", "grab_at_ms", book.rule("DY-LAU-4"))


@BOTH
@pytest.mark.rule("DY-LAU-5")
def test_an_exact_launch_comes_later_than_two_minutes(rulebook: Rulebook) -> None:
    """A millisecond later will do, where milliseconds are told apart."""
    book = _offering(rulebook, exact_grab_step_ms=1)
    assert plan(exact(0, 2 * MINUTE + 1), rulebook=book).schedule.grab_at_ms == NOW + 2 * MINUTE + 1
    assert refusal(exact(0, 2 * MINUTE), rulebook=book) == ("out_of_range", "grab_at_ms", book.rule("DY-LAU-5"))


@BOTH
@pytest.mark.rule("DY-LAU-6")
def test_a_warm_up_within_five_minutes_begins_now(rulebook: Rulebook) -> None:
    """Exactly five is within them."""
    book = _offering(rulebook)
    assert plan(exact(5 * MINUTE, 10 * MINUTE), rulebook=book).schedule.warmup_at_ms == NOW
    later = plan(exact(5 * MINUTE + 1, 10 * MINUTE), rulebook=book).schedule
    assert later.warmup_at_ms == NOW + 5 * MINUTE + 1


@BOTH
@pytest.mark.rule("KS-LAU-2")
def test_a_scheduled_launch_has_a_leap_year(rulebook: Rulebook) -> None:
    """Escrow waits no longer than 366 days."""
    book = _offering(rulebook)
    assert plan(scheduled(366 * DAY), rulebook=book).schedule.grab_at_ms == NOW + 366 * DAY
    assert refusal(scheduled(366 * DAY + 1), rulebook=book) == ("out_of_range", "grab_at_ms", "KS-LAU-2")


@BOTH
@pytest.mark.rule("ALL-CRE-1")
def test_a_claim_window_has_seven_days_and_ten_minutes_unless_chosen(rulebook: Rulebook) -> None:
    """A window of no length is none, and one of a week the longest."""

    def by_hand(window_ms: int | None) -> LaunchRequest:
        return LaunchRequest(ROOM, LaunchMode.MANUAL, claim_window_ms=window_ms)

    book = _offering(rulebook, blackouts=KUAISHOU.blackouts)
    for window_ms, length_ms in ((None, 10 * MINUTE), (1, 1), (7 * DAY, 7 * DAY)):
        assert plan(by_hand(window_ms), rulebook=book).schedule.claim_end_at_ms == NOW + length_ms
    assert refusal(by_hand(7 * DAY + 1), rulebook=book) == ("out_of_range", "claim_window_ms", "ALL-CRE-1")


@BOTH
@pytest.mark.rule("KS-ACC-4")
def test_a_fee_is_at_least_a_fen(rulebook: Rulebook) -> None:
    """A channel that charges a fee charges at least one fen."""
    assert charge_of(replace(rulebook, channels=(Channel("scan", 1), Channel("bank"))), 1, "scan").fee_fen == 1
    assert charge_of(replace(rulebook, channels=(Channel("scan", 1), Channel("bank"))), 1, "bank").fee_fen == 0


@BOTH
@pytest.mark.rule("DY-STK-2")
def test_an_order_has_a_hundred_lines(rulebook: Rulebook) -> None:
    """One more is refused before anything is computed."""
    assert price(a_purchase(*[1] * 100), [], rulebook).payable_fen == 100
    assert _code(lambda: price(a_purchase(*[1] * 101), [], rulebook)) == "too_many_lines"


@BOTH
@pytest.mark.rule("DY-STK-2")
@pytest.mark.rule("DY-REV-5")
@pytest.mark.rule("DY-REV-8")
def test_what_no_edge_shows_is_as_resolved(rulebook: Rulebook) -> None:
    """Ten packets, the best of twenty; fifteen days until an order is final; a minute until money is back."""
    assert (rulebook.packets_per_order_max, rulebook.packet_candidates_max) == (10, 20)
    assert (rulebook.refund_horizon_ms, rulebook.reversal_delay_ms) == (15 * DAY, MINUTE)


def _code(step: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        step()
    return refused.value.code


@BOTH
@pytest.mark.rule("DY-CAN-1")
def test_an_order_waits_half_an_hour_for_its_payment(rulebook: Rulebook) -> None:
    """To the millisecond."""
    assert rulebook.unpaid_until_ms(NOW) == NOW + 30 * MINUTE


@BOTH
@pytest.mark.rule("DY-CRE-3")
def test_a_relative_validity_is_a_year_at_most(rulebook: Rulebook) -> None:
    """366 days will do, a millisecond more is too long."""
    check_validity(use_start_at_ms=None, use_end_at_ms=None, use_for_ms=366 * DAY, rulebook=rulebook)
    with pytest.raises(Refused) as refused:
        check_validity(use_start_at_ms=None, use_end_at_ms=None, use_for_ms=366 * DAY + 1, rulebook=rulebook)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "use_for_ms")


@BOTH
@pytest.mark.rule("KS-CRE-2")
def test_a_scope_has_a_hundred_goods_at_most(rulebook: Rulebook) -> None:
    """The hundred-and-first is too many."""
    goods = [f"p{n}" for n in range(101)]
    assert checked_scope(goods[:100], rulebook) == tuple(sorted(goods[:100]))
    with pytest.raises(Refused) as refused:
        checked_scope(goods, rulebook)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "product_ids")
