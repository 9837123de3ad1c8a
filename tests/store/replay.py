"""The store's journal, read bit by bit as it grows and replayed: what each account of one creator's journal holds."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.core.money.ledger_model import Entry, may_be_negative
from tests.store.shop import postings_of

Told = tuple[Any, ...]


class Replay:
    """
    What was read so far: each entry in the form of ``told_by``, and the balances.

    *said* translates a text of the store. ``read_from`` is where the next reading begins.
    """

    def __init__(self, said: Callable[[str], str] = str) -> None:
        self.entries: list[Told] = []
        self.balances: dict[str, int] = {}
        self.read_from = "-"
        self._said = said

    def hear(self, found: Any) -> None:
        """Take in entries as XRANGE has them. Raises AssertionError if one takes more than an account of ours holds."""
        for entry_id, flat in found:
            self.read_from = f"({entry_id.decode()}"
            fields = zip(flat[::2], flat[1::2], strict=True)
            entry = {name.decode(): self._said(value.decode()) for name, value in fields}
            fee_fen = int(entry.get("fee_fen", 0))
            postings = postings_of(entry)
            for debit, credit, fen in postings:
                self.balances[debit] = self.balances.get(debit, 0) - fen - fee_fen
                self.balances[credit] = self.balances.get(credit, 0) + fen
            if fee_fen:
                fees = "fees:" + entry["debit"].partition(":")[2]
                self.balances[fees] = self.balances.get(fees, 0) + fee_fen
            assert all(self.balances[debit] >= 0 or may_be_negative(debit) for debit, _, _ in postings), entry
            self.entries.append(entry_told(entry))

    def held(self) -> dict[str, int]:
        """Return every account that is not empty."""
        return not_empty(self.balances)


def not_empty(balances: Mapping[str, int]) -> dict[str, int]:
    return {name: fen for name, fen in balances.items() if fen}


def entry_told(entry: Mapping[str, str]) -> Told:
    """Return an entry of the store's journal as it is compared."""
    balance_fen = entry.get("balance_fen")
    return (
        *(entry["kind"], entry["transfer_id"], entry["packet_id"], entry["debit"], entry["credit"]),
        *(int(entry["amount_fen"]), int(entry.get("fee_fen", 0)), entry.get("withdrawal_id", "")),
        *(None if balance_fen is None else int(balance_fen), entry.get("product", "red_packet")),
        *(entry.get("order_id", ""), postings_of(entry) if entry.get("postings") else []),
    )


def told_by(entry: Entry) -> Told:
    """Return a line of the pure journal as it is compared."""
    return (
        *(entry.kind, entry.transfer_id, entry.packet_id or "", entry.debit, entry.credit),
        *(entry.amount_fen, entry.fee_fen, entry.withdrawal_id, entry.balance_fen, entry.product),
        *(entry.order_id or "", list(map(tuple, entry.postings))),
    )
