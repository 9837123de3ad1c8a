"""Recharges: amount, fee and payment are consistent to the fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.money.channel import Channel, Charge, FeeMode, charge
from server.core.money.money import FEN_MAX
from server.core.refusal import Refused, RuleId

WECHAT = Channel("wechat", fee_bp=100)
BANK = Channel("bank")
RULE = RuleId("KS-ACC-4")


@pytest.mark.rule("KS-ACC-4")
@pytest.mark.parametrize(
    ("amount_fen", "fee_fen"),
    [(1, 1), (49, 1), (50, 1), (149, 1), (150, 2), (151, 2), (249, 2), (250, 3), (10_000, 100), (10_049, 100),
     (10_050, 101)],
)  # fmt: skip
def test_the_fee_is_rounded_half_up_and_never_nothing(amount_fen: int, fee_fen: int) -> None:
    """One percent, the half fen up, one fen at least."""
    assert charge(amount_fen, WECHAT, fee_mode=FeeMode.ON_TOP, fee_min_fen=1, rule=RULE) == Charge(amount_fen, fee_fen)


@pytest.mark.rule("KS-ACC-2")
@given(amount_fen=st.integers(1, FEN_MAX), fee_mode=st.sampled_from(FeeMode))
def test_a_channel_without_fee_takes_none(amount_fen: int, fee_mode: FeeMode) -> None:
    """The least fee is the least of a fee, not one for all."""
    came_to = charge(amount_fen, BANK, fee_mode=fee_mode, fee_min_fen=1, rule=RULE)
    assert (came_to.paid_fen, came_to.credited_fen, came_to.fee_fen) == (amount_fen, amount_fen, 0)


@pytest.mark.rule("KS-ACC-4")
@given(amount_fen=st.integers(2, FEN_MAX), fee_bp=st.integers(1, 5_000))
def test_both_modes_take_the_same_fee_from_the_other_side(amount_fen: int, fee_bp: int) -> None:
    """On top, the wallet gets the amount; deducted, the payer pays it; nothing is lost between."""
    channel = Channel("any", fee_bp)
    on_top = charge(amount_fen, channel, fee_mode=FeeMode.ON_TOP, fee_min_fen=1, rule=RULE)
    deducted = charge(amount_fen, channel, fee_mode=FeeMode.DEDUCTED, fee_min_fen=1, rule=RULE)
    assert on_top.credited_fen == deducted.paid_fen == amount_fen
    assert on_top.fee_fen == deducted.fee_fen == on_top.paid_fen - amount_fen == amount_fen - deducted.credited_fen > 0


@pytest.mark.parametrize("amount_fen", [0, -1, FEN_MAX + 1])
def test_an_amount_that_is_none_is_refused(amount_fen: int) -> None:
    """Nothing, a debt, and more than can be counted."""
    with pytest.raises(Refused) as refused:
        charge(amount_fen, BANK, fee_mode=FeeMode.ON_TOP, fee_min_fen=1, rule=RULE)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "amount_fen")


@pytest.mark.rule("KS-ACC-4")
def test_a_fee_that_leaves_nothing_is_refused() -> None:
    """A single fen less a fee of one is no recharge; of two fen one arrives."""
    with pytest.raises(Refused) as refused:
        charge(1, WECHAT, fee_mode=FeeMode.DEDUCTED, fee_min_fen=1, rule=RULE)
    assert (refused.value.code, refused.value.rule) == ("out_of_range", "KS-ACC-4")
    assert charge(2, WECHAT, fee_mode=FeeMode.DEDUCTED, fee_min_fen=1, rule=RULE) == Charge(credited_fen=1, fee_fen=1)
