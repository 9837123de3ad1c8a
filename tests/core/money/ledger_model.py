"""
The ledger: a double-entry model in plain memory of the store's journal.

Each movement takes an amount from the account it debits and adds it to the account it credits, so that all balances
always sum to zero. Only accounts outside the system may be negative: ``psp`` by exactly the money that came in.

A recharge with a fee is still one movement: the channel gives ``amount_fen`` to the creator's funds and ``fee_fen`` to
its fees, so that the payer has paid both together (KS-ACC-4).
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from server.core.ids import CreatorId, OrderId, PacketId, creator_of
from server.core.money.account import AccountKind, FundProduct, kind_of
from server.core.money.money import FEN_MAX
from server.core.money.posting import OrderKind, Posting, StepPart
from server.core.refusal import Refused, RuleId
from server.core.rulebooks.eligibility import recharge_required

OUTSIDE = frozenset({AccountKind.PSP, AccountKind.BUYER, AccountKind.SUBSIDY, AccountKind.MERCHANT})
"""
The world outside, whose accounts may be negative.

A merchant's is among them because of a journal alone: what platform packets pay it stands in the platform's, while
commission and fee are taken from it in the creator's.
"""

CLEARING = frozenset(
    {
        AccountKind.WITHDRAWING,
        AccountKind.LOCKED,
        AccountKind.REDEEMED,
        AccountKind.REVERSING,
        AccountKind.CLEARING,
    }
)
"""Accounts that hold money temporarily: they are zero once everything has ended."""


class TransferKind(StrEnum):
    """The kinds of money movements."""

    RECHARGE = "recharge"
    FUND = "fund"
    CLAIM = "claim"
    SWEEP = "sweep"
    VOID = "void"
    WITHDRAW = "withdraw"
    WITHDRAW_PAID = "withdraw_paid"
    WITHDRAW_FAILED = "withdraw_failed"
    EDIT = "edit"
    TRIM = "trim"
    END = "end"
    EXPIRE = "expire"
    REVERSE = "reverse"


MOVEMENTS: dict[TransferKind, tuple[AccountKind, AccountKind]] = {
    TransferKind.RECHARGE: (AccountKind.PSP, AccountKind.FUNDS),
    TransferKind.FUND: (AccountKind.FUNDS, AccountKind.ESCROW),
    TransferKind.CLAIM: (AccountKind.ESCROW, AccountKind.ASSETS),
    TransferKind.SWEEP: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.VOID: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.WITHDRAW: (AccountKind.FUNDS, AccountKind.WITHDRAWING),
    TransferKind.WITHDRAW_PAID: (AccountKind.WITHDRAWING, AccountKind.PAYOUT),
    TransferKind.WITHDRAW_FAILED: (AccountKind.WITHDRAWING, AccountKind.FUNDS),
    TransferKind.EDIT: (AccountKind.FUNDS, AccountKind.ESCROW),
    TransferKind.TRIM: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.END: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.EXPIRE: (AccountKind.ASSETS, AccountKind.FUNDS),
    TransferKind.REVERSE: (AccountKind.REVERSING, AccountKind.FUNDS),
}
"""
The transition table of money: the accounts that each kind of transfer debits and credits.

The steps of an order, which move several amounts at once, have theirs in ``posting``.
"""

DELAYABLE = frozenset({TransferKind.SWEEP, TransferKind.VOID, TransferKind.END, TransferKind.TRIM, TransferKind.EXPIRE})
"""Transfers back to a creator, which may stay in ``reversing`` for a while (DY-REV-8)."""

WITHDRAWALS = frozenset({TransferKind.WITHDRAW, TransferKind.WITHDRAW_PAID, TransferKind.WITHDRAW_FAILED})
_CHANNELLED = WITHDRAWALS | {TransferKind.RECHARGE}
_PACKETLESS = _CHANNELLED | {TransferKind.REVERSE}


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    A requested movement of money, identified by its id.

    ``channel`` is the channel of a recharge or of a withdrawal, in all three of its movements. Every other kind except
    a reversal names a packet of the creator's instead. ``fee_fen`` goes to the channel on top of the amount. A
    ``delayed`` transfer goes to ``reversing`` first.
    """

    kind: TransferKind
    transfer_id: str
    creator_id: CreatorId
    amount_fen: int
    packet_id: PacketId | None = None
    channel: str = ""
    fee_fen: int = 0
    withdrawal_id: str = ""
    product: FundProduct = FundProduct.RED_PACKET
    delayed: bool = False

    def __post_init__(self) -> None:
        assert (self.packet_id is None) == (self.kind in _PACKETLESS)
        assert not self.delayed or self.kind in DELAYABLE
        assert (self.channel != "") == (self.kind in _CHANNELLED)
        assert (self.withdrawal_id != "") == (self.kind in WITHDRAWALS)
        assert self.fee_fen >= 0
        assert self.fee_fen == 0 or self.kind is TransferKind.RECHARGE
        assert self.packet_id is None or creator_of(self.packet_id) == self.creator_id

    def account(self, kind: AccountKind) -> str:
        """Return the name of this transfer's account of a kind, such as ``escrow:<packet>``."""
        match kind:
            case AccountKind.PSP | AccountKind.FEES | AccountKind.PAYOUT:
                return f"{kind}:{self.channel}"
            case AccountKind.FUNDS | AccountKind.WITHDRAWING | AccountKind.REVERSING:
                return f"{kind}:{self.creator_id}"
            case AccountKind.ESCROW | AccountKind.ASSETS:
                return f"{kind}:{self.packet_id}"
            case _:
                raise AssertionError(f"no transfer of one amount touches {kind}")

    @property
    def accounts(self) -> tuple[str, str]:
        """Return the debited and the credited account."""
        debit, credit = MOVEMENTS[self.kind]
        return self.account(debit), self.account(AccountKind.REVERSING if self.delayed else credit)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One line of the journal: a transfer or an order's step. ``packet_id`` is None where no packet is involved.

    ``balance_fen`` is the creator's funds afterwards, if the movement changed them (KS-ACC-5). A step of an order
    has ``postings`` instead of debit and credit, and its sum for an amount.
    """

    kind: TransferKind | OrderKind
    transfer_id: str
    packet_id: PacketId | None
    debit: str
    credit: str
    amount_fen: int
    balance_fen: int | None = None
    fee_fen: int = 0
    withdrawal_id: str = ""
    product: FundProduct = FundProduct.RED_PACKET
    order_id: OrderId | None = None
    postings: tuple[Posting, ...] = ()


@dataclass(frozen=True, slots=True)
class Funds:
    """A creator's red-packet funds since the beginning, in fen. A failed withdrawal does not count."""

    recharged_fen: int = 0
    returned_fen: int = 0
    withdrawn_fen: int = 0
    spent_fen: int = 0

    @property
    def available_fen(self) -> int:
        """Return the amount that the creator may still put into packets (DY-ACC-1, DY-ACC-2)."""
        return self.recharged_fen + self.returned_fen - self.withdrawn_fen - self.spent_fen


@dataclass(slots=True)
class Ledger:
    """The journal of all movements, oldest first, and the balances that follow from it."""

    journal: list[Entry] = field(default_factory=list)
    _balances: dict[str, int] = field(default_factory=dict)
    _posted: dict[tuple[CreatorId, str], tuple[Transfer | StepPart, Entry]] = field(default_factory=dict)
    _withdrawals: dict[tuple[CreatorId, str], Transfer] = field(default_factory=dict)

    def post(self, transfer: Transfer) -> Entry:
        """
        Move money and return the journal's entry; a repeated transfer returns the same entry and moves nothing.

        Transfer ids are a creator's own. Raises Refused: ``transfer_conflict`` if the id stands for another transfer,
        ``out_of_range`` for an invalid amount, ``insufficient_funds`` if an account does not hold it (DY-ACC-6),
        ``recharge_required`` if a packet is to be funded from an empty account (DY-ELG-2),
        ``not_found`` or ``not_pending`` for the end of a withdrawal that is not pending.
        """
        known = self._posted.get((transfer.creator_id, transfer.transfer_id))
        if known is not None:
            if known[0] != transfer:
                raise Refused("transfer_conflict", "stands for another transfer already", field="transfer_id")
            return known[1]
        _check_amount(transfer)
        self._check_withdrawal(transfer)
        entry = self._entry(transfer)
        self._check_held(entry)

        self._add(entry.debit, -entry.amount_fen - entry.fee_fen)
        self._add(entry.credit, entry.amount_fen)
        if entry.fee_fen:
            self._add(transfer.account(AccountKind.FEES), entry.fee_fen)
        funds = transfer.account(AccountKind.FUNDS)
        if funds in (entry.debit, entry.credit):
            entry = replace(entry, balance_fen=self.balance(funds))
        if transfer.kind in WITHDRAWALS:
            self._withdrawals[transfer.creator_id, transfer.withdrawal_id] = transfer
        self._posted[transfer.creator_id, transfer.transfer_id] = (transfer, entry)
        self.journal.append(entry)
        return entry

    def post_part(self, part: StepPart) -> Entry:
        """
        Carry out an order's step as far as it moves one creator's money; a repeated part moves nothing.

        Raises Refused ``transfer_conflict`` and ``insufficient_funds`` as ``post`` does, and AssertionError for a
        posting that its kind does not allow.
        """
        known = self._posted.get((part.creator_id, part.transfer_id))
        if known is not None:
            if known[0] != part:
                raise Refused("transfer_conflict", "stands for another transfer already", field="transfer_id")
            return known[1]
        part.check()
        after = dict(self._balances)
        for posting in part.postings:
            after[posting.debit] = after.get(posting.debit, 0) - posting.amount_fen
            after[posting.credit] = after.get(posting.credit, 0) + posting.amount_fen
        for posting in part.postings:
            if after[posting.debit] < 0 and not may_be_negative(posting.debit):
                raise Refused("insufficient_funds", f"{posting.debit} does not hold it", field="amount_fen")
        self._balances = after
        amount_fen = sum(posting.amount_fen for posting in part.postings)
        entry = Entry(
            part.kind, part.transfer_id, None, "", "", amount_fen, order_id=part.order_id, postings=part.postings
        )
        self._posted[part.creator_id, part.transfer_id] = (part, entry)
        self.journal.append(entry)
        return entry

    def balance(self, account: str) -> int:
        """Return an account's balance in fen; 0 if it was never used."""
        return self._balances.get(account, 0)

    def balances(self) -> dict[str, int]:
        """Return every account that was ever used, with its balance in fen."""
        return dict(self._balances)

    def funds(self, creator_id: CreatorId) -> Funds:
        """Add up a creator's funds; void, sweep, trim and end are returns (DY-ACC-1, DY-ACC-4, DY-ACC-5)."""
        account = f"{AccountKind.FUNDS}:{creator_id}"
        recharged = returned = withdrawn = spent = 0
        for entry in self.journal:
            if account not in (entry.debit, entry.credit):
                continue
            if entry.kind is TransferKind.WITHDRAW:
                withdrawn += entry.amount_fen
            elif entry.kind is TransferKind.WITHDRAW_FAILED:
                withdrawn -= entry.amount_fen
            elif entry.debit == account:
                spent += entry.amount_fen
            elif entry.kind is TransferKind.RECHARGE:
                recharged += entry.amount_fen
            else:
                returned += entry.amount_fen
        return Funds(recharged_fen=recharged, returned_fen=returned, withdrawn_fen=withdrawn, spent_fen=spent)

    def check(self) -> None:
        """Raise AssertionError unless all balances sum to zero and no account of ours is negative (DY-ACC-6)."""
        assert sum(self._balances.values()) == 0
        for account, balance in self._balances.items():
            assert may_be_negative(account) or balance >= 0, account
        for creator_id in {creator_id for creator_id, _ in self._posted}:
            available = self.funds(creator_id).available_fen
            assert available == self.balance(f"{AccountKind.FUNDS}:{creator_id}"), creator_id

    def _entry(self, transfer: Transfer) -> Entry:
        return Entry(
            transfer.kind,
            transfer.transfer_id,
            transfer.packet_id,
            *transfer.accounts,
            transfer.amount_fen,
            fee_fen=transfer.fee_fen,
            withdrawal_id=transfer.withdrawal_id,
            product=transfer.product,
        )

    def _add(self, account: str, amount_fen: int) -> None:
        self._balances[account] = self.balance(account) + amount_fen

    def _check_withdrawal(self, transfer: Transfer) -> None:
        """Check that a withdrawal begins once, and ends once with the same amount."""
        if transfer.kind not in WITHDRAWALS:
            return
        before = self._withdrawals.get((transfer.creator_id, transfer.withdrawal_id))
        if transfer.kind is TransferKind.WITHDRAW:
            assert before is None, "the caller makes a new id for each withdrawal"
            return
        if before is None:
            raise Refused("not_found", "no such withdrawal", field="withdrawal_id")
        if before.kind is not TransferKind.WITHDRAW:
            raise Refused("not_pending", "this withdrawal has ended already", field="withdrawal_id")
        if (before.amount_fen, before.channel) != (transfer.amount_fen, transfer.channel):
            raise Refused("out_of_range", f"must be the withdrawal's {before.amount_fen}", field="amount_fen")

    def _check_held(self, entry: Entry) -> None:
        held = self.balance(entry.debit)
        if held == 0 and entry.kind is TransferKind.FUND:
            raise recharge_required(RuleId("DY-ELG-2"))
        if held < entry.amount_fen and not may_be_negative(entry.debit):
            raise Refused(
                "insufficient_funds",
                f"{entry.debit} holds {held} fen, not {entry.amount_fen}",
                field="amount_fen",
                rule=RuleId("DY-ACC-6"),
            )


def may_be_negative(name: str) -> bool:
    """Return whether an account is outside the system."""
    return kind_of(name) in OUTSIDE


def _check_amount(transfer: Transfer) -> None:
    """Check the range of an amount. A sweep, a void or an end may move nothing; every other kind moves at least 1."""
    lowest = 0 if transfer.kind in (TransferKind.SWEEP, TransferKind.VOID, TransferKind.END) else 1
    if not lowest <= transfer.amount_fen <= FEN_MAX - transfer.fee_fen:
        raise Refused("out_of_range", f"must be from {lowest} to {FEN_MAX}", field="amount_fen")
