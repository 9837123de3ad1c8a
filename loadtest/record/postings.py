"""Postings: what the steps of orders moved, and what expired, read from the journal one amount at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.record.books import Books, JournalRecord


@dataclass(frozen=True, slots=True)
class Moved:
    """An amount in fen that went from one account to another, in a step of an order."""

    entry: JournalRecord
    debit: str
    credit: str
    amount_fen: int

    @property
    def kinds(self) -> tuple[str, str]:
        """The kinds of the two accounts."""
        return self.debit.partition(":")[0], self.credit.partition(":")[0]


def moves_of(books: Books) -> Iterator[Moved]:
    """Yield every posting of every order, and what expired."""
    for entry in books.journal:
        if entry.postings is not None or entry.movement == "expire":
            for move in entry.moves:
                yield Moved(entry, *move)
