"""The journal: entries by creator, by packet, and those that are no claims."""

import pytest

from loadtest.record import journal
from loadtest.record.books import books_from
from loadtest.record.journal import Journal
from tests.loadtest.written_run import a_run


def test_entries_are_found_by_creator_and_by_packet() -> None:
    """Each in the order of the file."""
    books = books_from(a_run(packets=2).books)
    entries = list(books.journal)
    (creator,) = books.creators

    assert len(entries) > 4
    assert books.journal.by[creator] == entries
    assert dict(books.journal.steps) == {
        packet_id: [entry for entry in entries if entry.packet_id == packet_id] for packet_id in books.packets
    }
    assert books.journal.besides_claims == [entry for entry in entries if not entry.claims]
    first, _ = books.packets
    assert list(books.journal.of([first])) == books.journal.steps[first]


def test_an_entry_comes_back_from_disk_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its claims, or its postings, as records."""
    entries = list(books_from(a_run(packets=2).books).journal)
    posted = entries[0]._replace(postings=(journal.BookedPosting("buyer:b", "clearing:c", 7),))
    monkeypatch.setattr(journal, "_BATCHES_IN_MEMORY", 1)
    read = list(Journal([*entries, posted]))

    assert read == [*entries, posted]
    assert any(entry.claims for entry in entries)
    assert read[-1].moves == posted.moves
    assert all(claim.viewer_id for entry in read for claim in entry.claims or ())
