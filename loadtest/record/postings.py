"""Postings: the movements of order steps and expiries, read from the journal one amount at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.record.books import Books
from loadtest.record.journal import JournalRecord


@dataclass(frozen=True, slots=True)
class Moved:
    """An amount in fen that moved from one account to another, in a step of an order."""

    entry: JournalRecord
    debit: str
    credit: str
    amount_fen: int

    @property
    def kinds(self) -> tuple[str, str]:
        """Return the kinds of the two accounts."""
        return self.debit.partition(":")[0], self.credit.partition(":")[0]


def moves_of(books: Books) -> Iterator[Moved]:
    """Yield every posting of every order, and every expiry."""
    for entry in books.journal.besides_claims:
        if entry.postings is not None or entry.movement == "expire":
            for move in entry.moves:
                yield Moved(entry, *move)
