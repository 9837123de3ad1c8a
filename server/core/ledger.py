"""
The ledger: where every fen is, as a double-entry model of the store's journal in plain memory.

Each movement takes an amount from the account it debits and gives it to the account it credits, so that all balances
together are always zero. Only ``psp``, the world outside, may be negative: by exactly what has come in.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from server.core.ids import CreatorId, PacketId, creator_of
from server.core.money import FEN_MAX
from server.core.refusal import Refused


class AccountKind(StrEnum):
    """Whose money an account holds: a payment channel's, a creator's, a packet's, or that of a packet's winners."""

    PSP = "psp"
    FUNDS = "funds"
    ESCROW = "escrow"
    ASSETS = "assets"


class TransferKind(StrEnum):
    """Every way in which money moves."""

    RECHARGE = "recharge"
    FUND = "fund"
    CLAIM = "claim"
    SWEEP = "sweep"
    VOID = "void"
    EDIT = "edit"
    TRIM = "trim"
    END = "end"


MOVEMENTS: dict[TransferKind, tuple[AccountKind, AccountKind]] = {
    TransferKind.RECHARGE: (AccountKind.PSP, AccountKind.FUNDS),
    TransferKind.FUND: (AccountKind.FUNDS, AccountKind.ESCROW),
    TransferKind.CLAIM: (AccountKind.ESCROW, AccountKind.ASSETS),
    TransferKind.SWEEP: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.VOID: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.EDIT: (AccountKind.FUNDS, AccountKind.ESCROW),
    TransferKind.TRIM: (AccountKind.ESCROW, AccountKind.FUNDS),
    TransferKind.END: (AccountKind.ESCROW, AccountKind.FUNDS),
}
"""The transition table of money: what each kind of transfer debits, and what it credits."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    A movement of money that somebody asks for, known by its id.

    ``channel`` says how a recharge was paid; every other kind names a packet of the creator's instead.
    """

    kind: TransferKind
    transfer_id: str
    creator_id: CreatorId
    amount_fen: int
    packet_id: PacketId | None = None
    channel: str = ""

    def __post_init__(self) -> None:
        assert (self.packet_id is None) == (self.kind is TransferKind.RECHARGE)
        assert (self.channel != "") == (self.kind is TransferKind.RECHARGE)
        assert self.packet_id is None or creator_of(self.packet_id) == self.creator_id

    def account(self, kind: AccountKind) -> str:
        """Return the name of this transfer's account of a kind, such as ``escrow:<packet>``."""
        match kind:
            case AccountKind.PSP:
                return f"{kind}:{self.channel}"
            case AccountKind.FUNDS:
                return f"{kind}:{self.creator_id}"
            case AccountKind.ESCROW | AccountKind.ASSETS:
                return f"{kind}:{self.packet_id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: what a transfer came to. ``packet_id`` is None for a recharge."""

    kind: TransferKind
    transfer_id: str
    packet_id: PacketId | None
    debit: str
    credit: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Funds:
    """A creator's red-packet funds since the beginning, in fen."""

    recharged_fen: int = 0
    returned_fen: int = 0
    withdrawn_fen: int = 0
    spent_fen: int = 0

    @property
    def available_fen(self) -> int:
        """What the creator may still put into packets (DY-ACC-1, DY-ACC-2)."""
        return self.recharged_fen + self.returned_fen - self.withdrawn_fen - self.spent_fen


@dataclass(slots=True)
class Ledger:
    """The journal of every movement so far, oldest first, and the balances that follow from it."""

    journal: list[Entry] = field(default_factory=list)
    _balances: dict[str, int] = field(default_factory=dict)
    _posted: dict[tuple[CreatorId, str], tuple[Transfer, Entry]] = field(default_factory=dict)

    def post(self, transfer: Transfer) -> Entry:
        """
        Move money and return the journal's entry; the same transfer again returns the same entry and moves nothing.

        Transfer ids are a creator's own. Raises Refused: ``transfer_conflict`` if the id stands for another transfer,
        ``out_of_range`` for an amount that is none, ``insufficient_funds`` if an account does not hold it (DY-ACC-6).
        """
        known = self._posted.get((transfer.creator_id, transfer.transfer_id))
        if known is not None:
            if known[0] != transfer:
                raise Refused("transfer_conflict", "stands for another transfer already", field="transfer_id")
            return known[1]
        _check_amount(transfer)
        entry = self._entry(transfer)
        self._check_held(entry)

        self._balances[entry.debit] = self.balance(entry.debit) - entry.amount_fen
        self._balances[entry.credit] = self.balance(entry.credit) + entry.amount_fen
        self._posted[transfer.creator_id, transfer.transfer_id] = (transfer, entry)
        self.journal.append(entry)
        return entry

    def balance(self, account: str) -> int:
        """Return what an account holds in fen; 0 if no money ever touched it."""
        return self._balances.get(account, 0)

    def balances(self) -> dict[str, int]:
        """Return every account that money ever touched, with its balance in fen."""
        return dict(self._balances)

    def funds(self, creator_id: CreatorId) -> Funds:
        """Add up a creator's funds; void, sweep, trim and end are returns (DY-ACC-1, DY-ACC-4, DY-ACC-5)."""
        account = f"{AccountKind.FUNDS}:{creator_id}"
        recharged = returned = spent = 0
        for entry in self.journal:
            if entry.debit == account:
                spent += entry.amount_fen
            elif entry.credit == account and entry.kind is TransferKind.RECHARGE:
                recharged += entry.amount_fen
            elif entry.credit == account:
                returned += entry.amount_fen
        return Funds(recharged_fen=recharged, returned_fen=returned, spent_fen=spent)

    def check(self) -> None:
        """Raise AssertionError unless all balances sum to zero and no account of ours is negative (DY-ACC-6)."""
        assert sum(self._balances.values()) == 0
        for account, balance in self._balances.items():
            assert _may_be_negative(account) or balance >= 0, account
        for creator_id in {creator_id for creator_id, _ in self._posted}:
            available = self.funds(creator_id).available_fen
            assert available == self.balance(f"{AccountKind.FUNDS}:{creator_id}"), creator_id

    def _entry(self, transfer: Transfer) -> Entry:
        debit, credit = MOVEMENTS[transfer.kind]
        return Entry(
            transfer.kind,
            transfer.transfer_id,
            transfer.packet_id,
            transfer.account(debit),
            transfer.account(credit),
            transfer.amount_fen,
        )

    def _check_held(self, entry: Entry) -> None:
        held = self.balance(entry.debit)
        if held < entry.amount_fen and not _may_be_negative(entry.debit):
            raise Refused(
                "insufficient_funds",
                f"{entry.debit} holds {held} fen, not {entry.amount_fen}",
                field="amount_fen",
                rule="DY-ACC-6",
            )


def _check_amount(transfer: Transfer) -> None:
    """A sweep, a void or an end may find nothing left; every other movement moves something."""
    lowest = 0 if transfer.kind in (TransferKind.SWEEP, TransferKind.VOID, TransferKind.END) else 1
    if not lowest <= transfer.amount_fen <= FEN_MAX:
        raise Refused("out_of_range", f"must be from {lowest} to {FEN_MAX}", field="amount_fen")


def _may_be_negative(account: str) -> bool:
    return account.startswith(f"{AccountKind.PSP}:")
