"""Sometimes: what counts as having happened."""

from typing import Any

import pytest

from client_sim.buyer import Deed, Habit
from loadtest.record.books import books_from
from loadtest.record.sales import Sales
from loadtest.verdict.sometimes import NAMES, counted
from server.core.ids import PLATFORM, OrderId
from server.core.orders.order import OrderState
from tests.loadtest.in_memory import history_from
from tests.loadtest.record.test_payouts import INVOICE, WITHDRAWAL, a_book
from tests.loadtest.record.test_sales import ANSWER, SALE
from tests.loadtest.written_run import WrittenRun, a_run


def count(name: str, run: WrittenRun) -> int:
    return counted([name], books_from(run.books), history_from(run.history))[name]


BY_HAND = {"race_for_last_share", "overlap", "retry_after_disconnect", "raced", "packet_expired"}
SOLD = {
    "order_paid": 5,
    "order_cancelled": 1,
    "refunded_fully": 1,
    "refunded_in_part": 1,
    "platform_packet_used": 1,
    "abandoned_order_cancelled": 1,
    "trail_shown": 2,
}
PAID_OUT = {"withdrawal_paid": 1, "withdrawal_failed": 2, "withdrawal_failed_twice": 1, "invoice_issued": 1}
ENDED = ("paid", "failed", "failed", "pending")
EVENINGS = [a_run(seed=seed, packets=3, void_last=True, share_count=shares) for seed in range(2) for shares in (5, 200)]


@pytest.mark.parametrize("name", sorted(set(NAMES) - BY_HAND - SOLD.keys() - PAID_OUT.keys()))
def test_everything_happens_in_a_written_evening(name: str) -> None:
    """An evening with droppers, early and late taps, a sell-out, a sweep and a void has all of it."""
    assert sum(count(name, evening) for evening in EVENINGS) > 0


def test_nothing_happens_in_an_empty_one() -> None:
    """Without a tap and without a packet every count is 0."""
    empty = WrittenRun()
    empty.books = [{"kind": "clock", "origin_ms": 0, "started_ms": 0, "speed": 1}, {"kind": "end", "final": True}]
    empty.history = [{"kind": "end", "grabs": 0, "conns": 0}]
    assert counted(NAMES, books_from(empty.books), history_from(empty.history)) == dict.fromkeys(NAMES, 0)


def test_payouts_are_counted_by_their_state_and_failures_by_their_reports() -> None:
    """The books tell how each ended, the happenings how often that was reported."""
    withdrawals = [{**WITHDRAWAL, "withdrawal_id": f"w{n}", "state": each} for n, each in enumerate(ENDED)]
    books = books_from(a_book(*withdrawals, INVOICE, {**INVOICE, "number": 2, "state": "requested"}))
    told = [{"action": f"report {ENDED[n]}", "payout_id": f"w{n}", "outcome": ENDED[n]} for n in (0, 1, 2, 2)]
    assert counted(PAID_OUT, books, history_from([{"kind": "end", "grabs": 0, "conns": 0}]), told) == PAID_OUT


def some_sales() -> Sales:
    """Return what buyers of every kind were told."""
    cancelled = SALE._replace(state=OrderState.CANCELLED, paid_at_ms=None, kept_fen=0)
    platform = (("platform.p0:1", 5, "redeemed"),)
    sales = [
        SALE,
        SALE._replace(kept_fen=899),
        SALE._replace(state=OrderState.REFUNDED, kept_fen=0),
        SALE._replace(packets=platform),
        SALE._replace(creator_id=PLATFORM, packets=platform),
        cancelled._replace(packets=platform),
        cancelled._replace(habit=Habit.ABANDON),
    ]
    report = ANSWER._replace(deed=Deed.REPORT, shown=True)
    cancel = ANSWER._replace(deed=Deed.CANCEL, state="cancelled")
    answers = [ANSWER, cancel, cancel._replace(repeated=True), cancel._replace(state=None, code="not_cancellable")]
    answers += [report, report, report._replace(order_id=OrderId("anna.o2")), report._replace(shown=False)]
    return Sales(answers, sales)


@pytest.mark.parametrize(("name", "times"), SOLD.items())
def test_what_happens_in_a_shop_is_counted_by_order(name: str, times: int) -> None:
    """Each order counts once, a refusal and what was only tried do not; without a shop there is nothing."""
    books, history = a_run().read()
    assert counted([name], books, history, sales=some_sales()) == {name: times}
    assert counted([name], books, history) == {name: 0}


def test_expired_shares_are_counted_from_the_books() -> None:
    """Those that nobody used in time, over all packets; books of before there was a validity have none."""
    run = a_run(packets=2)
    assert count("packet_expired", run) == 0
    for packet, expired in zip(run.of("packet"), (3, 4), strict=True):
        packet["expired"] = expired
    assert count("packet_expired", run) == 7


def grab(viewer: str, sent: int, reply: int, status: str, index: int | None = None) -> dict[str, Any]:
    share = {} if index is None else {"index": index, "amount_fen": 1, "claim_id": "x", "edition": 1}
    return {
        "kind": "grab", "i": 0, "conn": f"{viewer}.0", "viewer": viewer, "packet": "c1.p0", "request_id": viewer,
        "behaviour": "eager", "t_intended": sent, "t_sent": sent, "t_reply": reply,
        "type": "fail" if index is None else "ok", "status": status, **share,
    }  # fmt: skip


@pytest.mark.parametrize(("sent", "raced"), [(19, 1), (20, 0), (5, 1)])
def test_a_race_needs_two_taps_on_their_way_at_once(sent: int, raced: int) -> None:
    """The loser's tap was sent before the winner of the last share had its reply."""
    run = a_run(packets=1, share_count=2)
    grabs = [grab("v1", 1, 5, "granted", 0), grab("v2", 10, 20, "granted", 1), grab("v3", sent, 30, "exhausted")]
    run.history = [*grabs, {"kind": "end", "grabs": 3, "conns": 0}]
    assert count("race_for_last_share", run) == raced


@pytest.mark.parametrize(("second_opens_ms", "pairs"), [(500, 1), (1_000, 0)])
def test_an_overlap_is_two_open_windows_in_one_room(second_opens_ms: int, pairs: int) -> None:
    """A window that begins where the other ends does not overlap it."""
    run = a_run(packets=2)
    for packet, opens_ms in zip(run.of("packet"), (0, second_opens_ms), strict=True):
        packet |= {"grab_at_ms": opens_ms, "claim_end_at_ms": opens_ms + 1_000}
    assert count("overlap", run) == pairs


def test_a_creators_step_among_the_taps_has_raced() -> None:
    """An edit that was refused stands in no book: it counts if it is told of, and if shares were given around it."""
    run = a_run(packets=1)
    first = run.of("journal", movement="claim")[0]
    edit = {"action": "edit", "outcome": "refused below_claimed", "packet_id": "c1.p0", "room_ms": first["at_ms"]}
    books, history = run.read()
    assert counted(["raced"], books, history, [edit]) == {"raced": 1}
    assert counted(["raced"], books, history) == {"raced": 0}


@pytest.mark.parametrize(("conn", "reply", "retried"), [("v1.1", 30, 1), ("v1.0", 30, 0), ("v1.1", None, 0)])
def test_a_retry_is_answered_over_another_connection(conn: str, reply: int | None, retried: int) -> None:
    """The same tap again over the same connection, or without an answer, is none."""
    run = a_run(packets=1)
    again = {**grab("v1", 20, 30, "exhausted"), "conn": conn}
    if reply is None:
        again |= {"t_reply": None, "type": "info", "status": None}
    lost = {**grab("v1", 1, 0, "exhausted"), "t_reply": None, "type": "info", "status": None}
    run.history = [lost, again, {"kind": "end", "grabs": 2, "conns": 0}]
    assert count("retry_after_disconnect", run) == retried
