"""One cut of the books with the figures that are shown of it, worked out once: pictures are made more often."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from loadtest.record.books import Books
from loadtest.verdict.measures import claims_of, superfluous
from loadtest.watch.figures import MoneyFlow, money_flow
from server.core.ids import PacketId


@dataclass(frozen=True, slots=True)
class ShownCut:
    """A cut: how many shares of each packet it has as given, how many of those are too many, and where the money is."""

    books: Books
    given: Mapping[PacketId, int]
    over: Mapping[PacketId, int]
    money: MoneyFlow


def cut_of(books: Books, forgiven: Collection[PacketId] = ()) -> ShownCut:
    """Return the figures of *books*, in which the money of *forgiven* packets does not count."""
    claims = {packet_id: claims_of(books, packet_id) for packet_id in books.packets}
    return ShownCut(
        books,
        given={packet_id: len(claims[packet_id]) for packet_id in books.packets},
        over={packet_id: len(superfluous(each, claims[packet_id])) for packet_id, each in books.packets.items()},
        money=money_flow(books, forgiven),
    )
