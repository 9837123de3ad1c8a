"""An order's life: the cancel and refund tables row by row, cumulative refunds, and what repeats."""

from dataclasses import replace

import pytest

from server.core.ids import ViewerId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order import (
    REFUNDS_MAX,
    Movement,
    Order,
    OrderState,
    Place,
    Refund,
    StepOutcome,
    cancel,
    due_at_ms,
    finish,
    pay,
    refund,
    refundable_until_ms,
    submit,
)
from server.core.orders.stacking import best_quote
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import PayAfterExpiry, Rulebook
from tests.core.shopping import ANNA, DAY, LI, NOW, a_packet, a_purchase

CREATORS = a_packet("a", 300, use_end_at_ms=NOW + 100)
PLATFORMS = a_packet("p", 200, creator_id=None, use_end_at_ms=NOW + 200)
BEFORE, BETWEEN, AFTER = NOW + 99, NOW + 100, NOW + 200  # both valid, one expired, both expired
HORIZON = DOUYIN.refund_horizon_ms
DELAY = DOUYIN.reversal_delay_ms
FULL = Refund("r", {"l0": 750, "l1": 750})


def submitted(*assets: Asset, goods: tuple[int, ...] = (1_000, 1_000)) -> StepOutcome:
    quote, choice = best_quote(a_purchase(*goods, shipping_fen=60), [], assets, NOW, DOUYIN)
    assert len(choice.used) == len(assets)
    return submit("o1", ANNA, quote, assets, NOW, rulebook=DOUYIN)


def paid(*assets: Asset, goods: tuple[int, ...] = (1_000, 1_000)) -> StepOutcome:
    before = submitted(*assets, goods=goods)
    return pay(before.order, before.assets, NOW + 1, DOUYIN)


def states(outcome: StepOutcome) -> list[AssetState]:
    return [asset.state for asset in outcome.assets]


def to_funder(outcome: StepOutcome) -> list[tuple[str | None, int]]:
    return [(each.asset_id, each.amount_fen) for each in outcome.movements if each.credit is Place.FUNDER]


def refunded(order: StepOutcome, asked: Refund, now_ms: int = BEFORE, rulebook: Rulebook = DOUYIN) -> StepOutcome:
    return refund(order.order, order.assets, asked, now_ms, rulebook)


def refusal(step: object) -> tuple[str, str]:
    assert callable(step)
    with pytest.raises(Refused) as refused:
        step()
    return refused.value.code, refused.value.rule


def test_a_submit_locks_all_packets_or_none() -> None:
    """Each face moves to the lock; one that is not to be had, or not the buyer's, refuses the whole."""
    outcome = submitted(CREATORS, PLATFORMS)
    assert (outcome.order.state, states(outcome)) == (OrderState.SUBMITTED_UNPAID, [AssetState.LOCKED] * 2)
    assert [(each.debit, each.credit, each.amount_fen) for each in outcome.movements] == [
        (Place.ASSETS, Place.LOCKED, 300),
        (Place.ASSETS, Place.LOCKED, 200),
    ]
    quote = outcome.order.quote
    assert refusal(lambda: submit("o2", ANNA, quote, outcome.assets, NOW, rulebook=DOUYIN)) == ("not_available", "")
    stranger = ViewerId("ben")
    assert refusal(lambda: submit("o2", stranger, quote, (CREATORS, PLATFORMS), NOW, rulebook=DOUYIN)) == (
        "not_yours",
        "ALL-ELG-1",
    )


@pytest.mark.rule("DY-CLM-3")
@pytest.mark.rule("KS-USE-3")
def test_a_payment_redeems() -> None:
    """The buyer pays goods and shipping, and every face is redeemed."""
    outcome = paid(CREATORS, PLATFORMS)
    assert (outcome.order.state, states(outcome)) == (OrderState.PAID, [AssetState.REDEEMED] * 2)
    assert outcome.movements[0] == Movement("pay:o1:cash", Place.BUYER, Place.CLEARING, 1_560, None, NOW + 1)
    assert {(each.debit, each.credit) for each in outcome.movements[1:]} == {(Place.LOCKED, Place.REDEEMED)}


@pytest.mark.rule("DY-CAN-1")
@pytest.mark.rule("DY-REV-4")
def test_a_cancelled_order_gives_valid_packets_back() -> None:
    """Both are the viewer's again, and no funder has anything."""
    before = submitted(CREATORS, PLATFORMS)
    outcome = cancel(before.order, before.assets, BEFORE, DOUYIN)
    assert (outcome.order.state, states(outcome)) == (OrderState.CANCELLED, [AssetState.AVAILABLE] * 2)
    assert {(each.debit, each.credit) for each in outcome.movements} == {(Place.LOCKED, Place.ASSETS)}


@pytest.mark.rule("DY-CAN-2")
@pytest.mark.rule("DY-CAN-6")
@pytest.mark.rule("DY-REV-8")
def test_a_packet_that_expired_while_locked_goes_to_its_funder() -> None:
    """Each by its own expiry, with its whole face, a while later; the other is the viewer's (AMB-24, AMB-26)."""
    before = submitted(CREATORS, PLATFORMS)
    outcome = cancel(before.order, before.assets, BETWEEN, DOUYIN)
    assert states(outcome) == [AssetState.EXPIRED_RETURNED, AssetState.AVAILABLE]
    assert outcome.movements[0] == Movement("cancel:o1:a", Place.LOCKED, Place.FUNDER, 300, "a", BETWEEN + DELAY)
    assert states(cancel(before.order, before.assets, AFTER, DOUYIN)) == [AssetState.EXPIRED_RETURNED] * 2


@pytest.mark.rule("DY-USE-7")
def test_a_payment_after_expiry_is_refused_whole() -> None:
    """One expired packet refuses it, a millisecond earlier it is taken, and a rulebook may honour it (AMB-32)."""
    before = submitted(CREATORS, PLATFORMS)
    assert refusal(lambda: pay(before.order, before.assets, BETWEEN, DOUYIN)) == ("expired", "DY-USE-7")
    assert pay(before.order, before.assets, BEFORE, DOUYIN).order.state is OrderState.PAID
    honouring = replace(DOUYIN, pay_after_expiry=PayAfterExpiry.HONOUR)
    assert pay(before.order, before.assets, AFTER, honouring).order.state is OrderState.PAID


@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-REV-5")
@pytest.mark.rule("ALL-REV-1")
def test_a_full_refund_gives_valid_packets_back() -> None:
    """Shipping need not be refunded for it: all goods lines are (AMB-21)."""
    outcome = refunded(paid(CREATORS, PLATFORMS), FULL)
    assert (outcome.order.state, states(outcome)) == (OrderState.REFUNDED, [AssetState.AVAILABLE] * 2)
    assert outcome.movements[0] == Movement("refund:o1:cash:r", Place.CLEARING, Place.BUYER, 1_500, None, BEFORE)
    assert to_funder(outcome) == []


@pytest.mark.rule("DY-CAN-4")
@pytest.mark.rule("DY-CAN-6")
@pytest.mark.rule("DY-REV-6")
@pytest.mark.rule("DY-REV-9")
def test_a_full_refund_returns_expired_packets_to_their_funders() -> None:
    """Judged when the refund succeeds; the face goes back whole, also what of it was not used (AMB-15, AMB-25)."""
    assert to_funder(refunded(paid(CREATORS, PLATFORMS), FULL, BETWEEN)) == [("a", 300)]
    assert to_funder(refunded(paid(CREATORS, PLATFORMS), FULL, AFTER)) == [("a", 300), ("p", 200)]
    partly_used = paid(replace(CREATORS, face_fen=5_000), goods=(1_000,))
    outcome = refunded(partly_used, Refund("r", {"l0": 0}), AFTER)
    assert (partly_used.order.packets[0].used_fen, to_funder(outcome)) == (1_000, [("a", 5_000)])


@pytest.mark.rule("DY-CAN-5")
@pytest.mark.rule("DY-REV-7")
@pytest.mark.parametrize("now_ms", [BEFORE, AFTER])
def test_a_partial_refund_returns_no_packet(now_ms: int) -> None:
    """One line whole, or all but one fen, expired or not: money moves, packets do not (AMB-21)."""
    for by_line in ({"l0": 750}, {"l0": 750, "l1": 749}, {"l1": 1}):
        outcome = refunded(paid(CREATORS, PLATFORMS), Refund("r", by_line), now_ms)
        assert (outcome.order.state, states(outcome)) == (OrderState.PAID, [AssetState.REDEEMED] * 2)
        assert [each.asset_id for each in outcome.movements] == [None]


@pytest.mark.rule("DY-REV-9")
def test_partial_refunds_add_up_to_a_full_one() -> None:
    """The last of three makes it full, and expiry is judged then (AMB-23, AMB-38)."""
    outcome = refunded(paid(CREATORS, PLATFORMS), Refund("r1", {"l0": 700}))
    outcome = refunded(outcome, Refund("r2", {"l1": 750}), BETWEEN)
    assert outcome.order.state is OrderState.PAID
    outcome = refunded(outcome, Refund("r3", {"l0": 50}), AFTER)
    assert outcome.order.state is OrderState.REFUNDED
    assert to_funder(outcome) == [("a", 300), ("p", 200)]


@pytest.mark.rule("DY-CAN-4")
@pytest.mark.rule("DY-REV-9")
def test_shipping_may_be_refunded_after_the_goods_and_packets_go_back_once() -> None:
    """
    Until everything paid is back the extras may follow, from the merchant; the packets' fate is decided already.

    That holds although they have expired meanwhile (AMB-48); goods cannot be refunded a second time.
    """
    back = refunded(paid(CREATORS, PLATFORMS), FULL)
    assert (back.order.kept_fen, back.movements[1].credit) == (60, Place.MERCHANT)
    part = refunded(back, Refund("s", {}, extras_fen=20), AFTER)
    assert (part.order.state, part.order.kept_fen, states(part)) == (OrderState.REFUNDED, 40, states(back))
    assert [(each.key, each.debit, each.credit, each.amount_fen) for each in part.movements] == [
        ("refund:o1:kept:s", Place.MERCHANT, Place.CLEARING, 20),
        ("refund:o1:cash:s", Place.CLEARING, Place.BUYER, 20),
    ]
    assert refunded(part, Refund("s", {}, extras_fen=20)) == replace(part, movements=())
    for goods in (
        Refund("t", {"l0": 1}),
        Refund("t", {"l0": 0}),
        Refund("t", {"l0": 1}, extras_fen=1),
        Refund("t", {}),
    ):
        assert refusal(lambda goods=goods: refunded(part, goods)) == ("not_refundable", "")
    for fen in (-1, 41):
        assert refusal(lambda fen=fen: refunded(part, Refund("t", {}, extras_fen=fen))) == ("out_of_range", "")
    late = NOW + 1 + HORIZON
    assert refusal(lambda: refunded(part, Refund("t", {}, extras_fen=1), late)) == ("not_refundable", "")
    whole = refunded(part, Refund("t", {"l0": 0, "l1": 0}, extras_fen=40), AFTER)
    assert (whole.order.kept_fen, states(whole), to_funder(whole)) == (0, states(back), [])
    assert refusal(lambda: refunded(whole, Refund("u", {}, extras_fen=1))) == ("not_refundable", "")


def test_a_line_paid_with_packets_alone_is_refunded_when_named() -> None:
    """Refunded equals paid from the start, at 0 fen; it counts from the refund that names it (AMB-22)."""
    free = paid(a_packet("a", 2_000, use_end_at_ms=AFTER))
    assert free.order.paid_by_line == {"l0": 0, "l1": 0}
    outcome = refunded(free, Refund("r1", {"l0": 0}))
    assert outcome.order.state is OrderState.PAID
    outcome = refunded(outcome, Refund("r2", {"l1": 0}, extras_fen=60))
    assert (outcome.order.state, states(outcome)) == (OrderState.REFUNDED, [AssetState.AVAILABLE])


def test_a_packet_may_go_back_with_its_lines() -> None:
    """If the rulebook allows it, a packet used only on the refunded line returns; the other stays (AMB-21)."""
    scoped = replace(CREATORS, product_ids=frozenset({"product-l0"}))
    by_item = replace(DOUYIN, item_level_reversal=True)
    before = paid(scoped, PLATFORMS)
    paid_fen = before.order.paid_by_line["l0"]
    assert states(refunded(before, Refund("r", {"l0": paid_fen}))) == [AssetState.REDEEMED] * 2
    outcome = refunded(before, Refund("r", {"l0": paid_fen}), rulebook=by_item)
    assert (outcome.order.state, states(outcome)) == (
        OrderState.PAID,
        [AssetState.AVAILABLE, AssetState.REDEEMED],
    )


def test_a_refund_stays_within_what_was_paid() -> None:
    """By line and for the extras, to the fen; an unknown line and an empty refund are refused."""
    before = paid(CREATORS, PLATFORMS)
    for asked in (
        Refund("r", {"l0": 751}),
        Refund("r", {"l0": -1}),
        Refund("r", {"x": 0}),
        Refund("r", {}),
        Refund("r", {}, extras_fen=61),
    ):
        assert refusal(lambda asked=asked: refunded(before, asked)) == ("out_of_range", "")
    once = refunded(before, Refund("r", {"l0": 700}, extras_fen=60))
    assert refusal(lambda: refunded(once, Refund("s", {"l0": 51}))) == ("out_of_range", "")
    assert refusal(lambda: refunded(once, Refund("s", {}, extras_fen=1))) == ("out_of_range", "")
    for i in range(REFUNDS_MAX - 1):
        once = refunded(once, Refund(f"s{i}", {"l1": 1}))
    assert refusal(lambda: refunded(once, Refund("t", {"l1": 1}))) == ("too_many", "")


@pytest.mark.rule("DY-REV-8")
def test_what_is_asked_again_moves_nothing() -> None:
    """Pay, cancel, refund and finish; a refund's id stands for one refund only."""
    before = submitted(CREATORS)
    done = cancel(before.order, before.assets, BEFORE, DOUYIN)
    assert cancel(done.order, done.assets, AFTER, DOUYIN) == replace(done, movements=())
    assert refusal(lambda: pay(done.order, done.assets, BEFORE, DOUYIN)) == ("not_payable", "")
    bought = paid(CREATORS, PLATFORMS)
    assert pay(bought.order, bought.assets, AFTER, DOUYIN) == replace(bought, movements=())
    assert refusal(lambda: cancel(bought.order, bought.assets, AFTER, DOUYIN)) == ("not_cancellable", "")
    back = refunded(bought, FULL)
    assert refusal(lambda: pay(back.order, back.assets, BEFORE, DOUYIN)) == ("not_payable", "")  # AMB-58
    assert refunded(back, FULL, AFTER) == replace(back, movements=())
    assert refusal(lambda: refunded(back, Refund("r", {"l0": 1}))) == ("refund_conflict", "")
    assert refusal(lambda: refunded(back, Refund("s", {"l0": 0}))) == ("not_refundable", "")


def test_an_order_is_final_when_its_refund_window_closes() -> None:
    """The horizon counts from the payment; what was used is the merchant's, the residual its funder's (AMB-15)."""
    bought = paid(a_packet("a", 5_000, use_end_at_ms=NOW + 100 * DAY, creator_id=LI), goods=(1_000,))
    end_ms = NOW + 1 + HORIZON
    order: Order = bought.order
    assert refusal(lambda: finish(order, bought.assets, end_ms - 1, DOUYIN)) == ("not_final_yet", "")
    assert refusal(lambda: refunded(bought, Refund("r", {"l0": 0}), end_ms)) == ("not_refundable", "")
    assert refunded(bought, Refund("r", {"l0": 0}), end_ms - 1).order.state is OrderState.REFUNDED
    outcome = finish(order, bought.assets, end_ms, DOUYIN)
    assert [(each.credit, each.amount_fen, each.due_at_ms) for each in outcome.movements] == [
        (Place.MERCHANT, 60, end_ms),
        (Place.MERCHANT, 1_000, end_ms),
        (Place.FUNDER, 4_000, end_ms + DELAY),
    ]
    assert states(outcome) == [AssetState.REDEEMED]
    assert finish(outcome.order, outcome.assets, end_ms, DOUYIN).movements == ()
    assert refusal(lambda: refunded(outcome, Refund("r", {"l0": 0}), end_ms)) == ("not_refundable", "")
    unpaid = submitted(CREATORS)
    assert refusal(lambda: finish(unpaid.order, unpaid.assets, end_ms, DOUYIN)) == ("not_paid", "")


def test_an_order_is_due_when_it_ends_by_itself() -> None:
    """Unpaid by its cancel, paid by the end of its refund window; once it is over nothing is due."""
    unpaid, bought = submitted(CREATORS).order, paid(CREATORS).order
    assert bought.paid_at_ms is not None
    assert due_at_ms(unpaid, NOW, DOUYIN) == NOW + DOUYIN.order_unpaid_max_ms
    assert due_at_ms(bought, NOW, DOUYIN) == refundable_until_ms(bought, DOUYIN) == bought.paid_at_ms + HORIZON
    assert refundable_until_ms(unpaid, DOUYIN) is None
    for over in (OrderState.CANCELLED, OrderState.REFUNDED, OrderState.FINAL):
        assert due_at_ms(replace(bought, state=over), NOW, DOUYIN) is None
