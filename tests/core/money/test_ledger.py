"""The ledger: money moves along its table, once, and never out of nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import CreatorId, PacketId
from server.core.money.account import FundProduct
from server.core.refusal import Refused
from tests.core.money.ledger_model import DELAYABLE, WITHDRAWALS, Entry, Funds, Ledger, Transfer, TransferKind

LIN = CreatorId("lin")
PACKET = PacketId("lin.p1")


def recharge(transfer_id: str, amount_fen: int, creator_id: CreatorId = LIN) -> Transfer:
    return Transfer(TransferKind.RECHARGE, transfer_id, creator_id, amount_fen, channel="bank")


def move(kind: TransferKind, transfer_id: str, amount_fen: int) -> Transfer:
    return Transfer(kind, transfer_id, LIN, amount_fen, packet_id=PACKET)


def withdrawal(kind: TransferKind, transfer_id: str, amount_fen: int, withdrawal_id: str = "w") -> Transfer:
    return Transfer(kind, transfer_id, LIN, amount_fen, channel="alipay", withdrawal_id=withdrawal_id)


@pytest.mark.parametrize(
    ("transfer", "debit", "credit"),
    [
        (recharge("t", 10), "psp:bank", "funds:lin"),
        (move(TransferKind.FUND, "t", 10), "funds:lin", "escrow:lin.p1"),
        (move(TransferKind.CLAIM, "t", 10), "escrow:lin.p1", "assets:lin.p1"),
        (move(TransferKind.SWEEP, "t", 10), "escrow:lin.p1", "funds:lin"),
        (move(TransferKind.VOID, "t", 10), "escrow:lin.p1", "funds:lin"),
        (withdrawal(TransferKind.WITHDRAW, "t", 10, "new"), "funds:lin", "withdrawing:lin"),
        (withdrawal(TransferKind.WITHDRAW_PAID, "t", 10), "withdrawing:lin", "payout:alipay"),
        (withdrawal(TransferKind.WITHDRAW_FAILED, "t", 10), "withdrawing:lin", "funds:lin"),
    ],
)
def test_each_kind_moves_money_along_its_row(transfer: Transfer, debit: str, credit: str) -> None:
    """Each movement debits one account, credits another, and is in the journal."""
    ledger = Ledger()
    ledger.post(recharge("before", 100))
    ledger.post(move(TransferKind.FUND, "also before", 50))
    ledger.post(withdrawal(TransferKind.WITHDRAW, "and before", 10))
    held = ledger.balances()

    entry = ledger.post(transfer)

    balance_fen = ledger.balance("funds:lin") if "funds:lin" in (debit, credit) else None
    assert entry == Entry(
        transfer.kind, "t", transfer.packet_id, debit, credit, 10, balance_fen, withdrawal_id=transfer.withdrawal_id
    )
    assert ledger.journal[-1] == entry
    assert ledger.balance(debit) == held.get(debit, 0) - 10
    assert ledger.balance(credit) == held.get(credit, 0) + 10
    ledger.check()


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-ACC-4")
@pytest.mark.rule("DY-ACC-5")
def test_funds_follow_the_formula() -> None:
    """100,000 recharged, 30,000 spent on a packet at once, 12,000 claimed and 18,000 swept leave 88,000."""
    ledger = Ledger()
    ledger.post(recharge("r", 100_000))
    ledger.post(move(TransferKind.FUND, "f", 30_000))
    assert ledger.funds(LIN).available_fen == 70_000

    ledger.post(move(TransferKind.CLAIM, "c", 12_000))
    assert ledger.funds(LIN).available_fen == 70_000

    ledger.post(move(TransferKind.SWEEP, "s", 18_000))
    assert ledger.funds(LIN) == Funds(recharged_fen=100_000, returned_fen=18_000, spent_fen=30_000)
    assert ledger.funds(LIN).available_fen == ledger.balance("funds:lin") == 88_000
    assert ledger.balance("escrow:lin.p1") == 0
    ledger.check()


@pytest.mark.rule("DY-ACC-1")
def test_withdrawn_and_spent_lessen_the_funds() -> None:
    """The rule's own vector: 100,000 + 25,000 - 20,000 - 30,000 = 75,000."""
    funds = Funds(recharged_fen=100_000, returned_fen=25_000, withdrawn_fen=20_000, spent_fen=30_000)
    assert funds.available_fen == 75_000


@pytest.mark.rule("KS-ACC-4")
def test_a_fee_goes_to_the_channel_and_not_to_the_creator() -> None:
    """10,000 by WeChat with 100 on top: the world gave 10,100, the funds have 10,000, and one entry says so."""
    ledger = Ledger()
    entry = ledger.post(replace(recharge("r", 10_000), channel="wechat", fee_fen=100))

    assert (entry.amount_fen, entry.fee_fen, entry.balance_fen) == (10_000, 100, 10_000)
    assert ledger.balances() == {"psp:wechat": -10_100, "funds:lin": 10_000, "fees:wechat": 100}
    assert ledger.funds(LIN) == Funds(recharged_fen=10_000)
    ledger.check()


@pytest.mark.rule("DY-ACC-3")
def test_packets_and_coupons_share_one_pool() -> None:
    """Money recharged on the coupons' page funds a packet; each entry names its product."""
    ledger = Ledger()
    ledger.post(replace(recharge("r", 600), product=FundProduct.CREATOR_COUPON))
    ledger.post(move(TransferKind.FUND, "f", 600))
    assert [entry.product for entry in ledger.journal] == ["creator_coupon", "red_packet"]
    assert ledger.funds(LIN).available_fen == 0


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.parametrize(
    ("end", "withdrawn_fen"), [(TransferKind.WITHDRAW_PAID, 400), (TransferKind.WITHDRAW_FAILED, 0)]
)
def test_a_withdrawal_ends_once(end: TransferKind, withdrawn_fen: int) -> None:
    """Money asked for is set aside at once; then it is gone, or back, and nothing moves it again."""
    ledger = Ledger()
    ledger.post(recharge("r", 1_000))
    ledger.post(withdrawal(TransferKind.WITHDRAW, "w", 400))
    assert (ledger.funds(LIN).withdrawn_fen, ledger.balance("withdrawing:lin")) == (400, 400)

    ledger.post(withdrawal(end, "e", 400))

    assert ledger.funds(LIN) == Funds(recharged_fen=1_000, withdrawn_fen=withdrawn_fen)
    assert ledger.balance("withdrawing:lin") == 0
    for again in (TransferKind.WITHDRAW_PAID, TransferKind.WITHDRAW_FAILED):
        with pytest.raises(Refused) as refused:
            ledger.post(withdrawal(again, "again", 400))
        assert refused.value.code == "not_pending"
    ledger.check()


def test_a_withdrawal_ends_as_what_it_began() -> None:
    """Nobody is paid another amount than was asked for, or what was never asked for."""
    ledger = Ledger()
    ledger.post(recharge("r", 1_000))
    ledger.post(withdrawal(TransferKind.WITHDRAW, "w", 400))
    for wrong, code in (
        (withdrawal(TransferKind.WITHDRAW_PAID, "p", 399), "out_of_range"),
        (withdrawal(TransferKind.WITHDRAW_FAILED, "f", 400, "other"), "not_found"),
    ):
        with pytest.raises(Refused) as refused:
            ledger.post(wrong)
        assert refused.value.code == code
    assert ledger.balance("withdrawing:lin") == 400


@pytest.mark.rule("DY-ACC-7")
def test_no_more_is_withdrawn_than_is_available() -> None:
    """One fen more than the available funds is refused; all of them may go."""
    ledger = Ledger()
    ledger.post(recharge("r", 400))
    with pytest.raises(Refused) as refused:
        ledger.post(withdrawal(TransferKind.WITHDRAW, "w", 401))
    assert refused.value.code == "insufficient_funds"
    ledger.post(withdrawal(TransferKind.WITHDRAW, "w", 400))
    assert ledger.funds(LIN).available_fen == 0


@pytest.mark.rule("DY-VOI-1")
def test_a_void_returns_the_escrow() -> None:
    """Unclaimed money goes back to the creator and counts as returned."""
    ledger = Ledger()
    ledger.post(recharge("r", 1_000))
    ledger.post(move(TransferKind.FUND, "f", 600))
    ledger.post(move(TransferKind.VOID, "v", 600))
    assert ledger.funds(LIN) == Funds(recharged_fen=1_000, returned_fen=600, spent_fen=600)


@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-ACC-5")
def test_a_delayed_return_is_under_way_until_it_arrives() -> None:
    """It counts as returned with the reversal, not before, and no more arrives than is under way."""
    ledger = Ledger()
    ledger.post(recharge("r", 1_000))
    ledger.post(move(TransferKind.FUND, "f", 600))
    ledger.post(replace(move(TransferKind.SWEEP, "s", 600), delayed=True))
    assert (ledger.balance("reversing:lin"), ledger.funds(LIN).returned_fen) == (600, 0)
    with pytest.raises(Refused):
        ledger.post(Transfer(TransferKind.REVERSE, "too much", LIN, 601))
    entry = ledger.post(Transfer(TransferKind.REVERSE, "v", LIN, 600))
    assert entry.balance_fen == 1_000
    assert (ledger.balance("reversing:lin"), ledger.funds(LIN).returned_fen) == (0, 600)
    ledger.check()


@pytest.mark.rule("DY-ACC-6")
@pytest.mark.parametrize(
    ("kind", "amount_fen"),
    [(TransferKind.FUND, 51), (TransferKind.CLAIM, 51), (TransferKind.SWEEP, 51), (TransferKind.VOID, 51)],
)
def test_an_account_never_gives_what_it_does_not_hold(kind: TransferKind, amount_fen: int) -> None:
    """One fen too much is refused and changes nothing; the last fen may go."""
    ledger = Ledger()
    ledger.post(recharge("r", 100))
    ledger.post(move(TransferKind.FUND, "f", 50))
    before = ledger.balances()

    with pytest.raises(Refused) as refused:
        ledger.post(move(kind, "t", amount_fen))

    assert (refused.value.code, refused.value.rule) == ("insufficient_funds", "DY-ACC-6")
    assert ledger.balances() == before
    assert len(ledger.journal) == 2
    ledger.post(move(kind, "t", amount_fen - 1))
    ledger.check()


def test_a_transfer_is_carried_out_once() -> None:
    """The same transfer again is answered with the same entry."""
    ledger = Ledger()
    first = ledger.post(recharge("r", 100))
    assert ledger.post(recharge("r", 100)) is first
    assert ledger.balance("funds:lin") == 100
    assert ledger.journal == [first]


@pytest.mark.parametrize("other", [recharge("r", 101), replace(recharge("r", 100), channel="card")])
def test_an_id_stands_for_one_transfer(other: Transfer) -> None:
    """The same id with another body is a conflict, not a second movement."""
    ledger = Ledger()
    ledger.post(recharge("r", 100))
    with pytest.raises(Refused) as refused:
        ledger.post(other)
    assert (refused.value.code, refused.value.field) == ("transfer_conflict", "transfer_id")
    assert ledger.balance("funds:lin") == 100


def test_creators_choose_their_ids_apart() -> None:
    """An id used by one creator is free for another."""
    ledger = Ledger()
    ledger.post(recharge("r", 100))
    ledger.post(recharge("r", 200, CreatorId("mei")))
    assert ledger.balance("funds:mei") == 200
    ledger.check()


@pytest.mark.parametrize(
    "transfer",
    [recharge("t", 0), recharge("t", -1), recharge("t", 2**53), move(TransferKind.SWEEP, "t", -1)],
)
def test_an_amount_is_positive_and_exact_in_the_store(transfer: Transfer) -> None:
    """Nothing, a debt, and more than the store's numbers hold are no amounts."""
    with pytest.raises(Refused) as refused:
        Ledger().post(transfer)
    assert (refused.value.code, refused.value.field) == ("out_of_range", "amount_fen")


def test_a_sweep_may_find_nothing() -> None:
    """The end of a packet that was fully claimed is journalled all the same."""
    ledger = Ledger()
    ledger.post(move(TransferKind.SWEEP, "s", 0))
    assert [entry.amount_fen for entry in ledger.journal] == [0]
    ledger.check()


def test_a_transfer_names_a_packet_of_its_creator() -> None:
    """Nobody's packet but the creator's own is funded from the creator's funds."""
    with pytest.raises(AssertionError):
        Transfer(TransferKind.FUND, "t", CreatorId("mei"), 1, packet_id=PACKET)


@pytest.mark.parametrize("account", ["funds:lin", "escrow:lin.p1", "psp:bank"])
def test_the_check_finds_money_out_of_nothing(account: str) -> None:
    """A single fen that appears anywhere is found."""
    ledger = Ledger()
    ledger.post(recharge("r", 100))
    ledger.post(move(TransferKind.FUND, "f", 50))
    ledger.check()
    ledger._balances[account] += 1
    with pytest.raises(AssertionError):
        ledger.check()


def test_the_check_finds_an_account_overdrawn() -> None:
    """Balances that sum to zero are not enough if one of ours is below it."""
    ledger = Ledger()
    ledger._balances.update({"escrow:lin.p1": -5, "assets:lin.p1": 5})
    with pytest.raises(AssertionError):
        ledger.check()


@given(st.lists(st.tuples(st.sampled_from(TransferKind), st.integers(0, 20), st.integers(0, 300)), max_size=40))
def test_the_ledger_balances_whatever_is_asked(steps: list[tuple[TransferKind, int, int]]) -> None:
    """Any mixture of transfers, repeats and conflicts is either carried out or refused, and the books still balance."""
    ledger = Ledger()
    for kind, number, amount_fen in steps:
        held = ledger.balances()
        transfer_id = f"t{number}"
        if kind is TransferKind.RECHARGE:
            transfer = replace(recharge(transfer_id, amount_fen), fee_fen=number)
        elif kind in WITHDRAWALS:
            transfer = withdrawal(kind, transfer_id, amount_fen, transfer_id if kind is TransferKind.WITHDRAW else "t1")
        elif kind is TransferKind.REVERSE:
            transfer = Transfer(kind, transfer_id, LIN, amount_fen)
        else:
            transfer = replace(move(kind, transfer_id, amount_fen), delayed=kind in DELAYABLE and number % 2 == 0)
        try:
            ledger.post(transfer)
        except Refused:
            assert ledger.balances() == held
        ledger.check()
