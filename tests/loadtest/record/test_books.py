"""Books: read whole or refused with a reason."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest.record.books import books_from, read_books
from loadtest.record.journal import JournalClaim
from loadtest.record.shape import BadRecord
from server.core.ids import CreatorId
from server.core.packets.packet import Denomination, PacketState, Terms
from tests.loadtest.written_run import a_run


def _written(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def test_every_kind_of_line_becomes_its_record(tmp_path: Path) -> None:
    """The reader returns the written records, typed."""
    run = a_run(share_count=40)

    books = read_books(_written(tmp_path / "books.jsonl", run.books))

    assert books.final
    assert books.clock.speed == 1
    assert books.creators.keys() == {"c1"}
    packet = next(iter(books.packets.values()))
    assert packet.state is PacketState.SETTLED
    assert packet.terms == Terms(Denomination.RANDOM, 40, packet.total_fen, 5, 400)
    assert packet.over
    claims = books.claims[packet.packet_id]
    assert [claim.index for claim in claims] == list(range(packet.given))
    assert len(books.left[packet.packet_id]) == packet.returned
    batch = next(entry for entry in books.journal if entry.movement == "claim")
    first = claims[0]
    assert batch.claims is not None
    assert batch.claims[0] == JournalClaim(first.viewer_id, 0, first.amount_fen, first.request_id)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """Without its end line nobody knows what is missing."""
    path = _written(tmp_path / "books.jsonl", a_run().books[:-1])

    with pytest.raises(BadRecord, match=r"books\.jsonl: has no end line"):
        read_books(path)


def test_a_file_that_is_cut_within_a_line_is_refused(tmp_path: Path) -> None:
    """Half a line is named by its number."""
    path = _written(tmp_path / "books.jsonl", a_run().books)
    path.write_bytes(path.read_bytes()[:300])

    with pytest.raises(BadRecord, match=r"books\.jsonl:3: is not JSON"):
        read_books(path)


@pytest.mark.parametrize(
    ("kind", "change", "text"),
    [
        ("creator", {"wallet": 7}, "creator: wallet must be an object"),
        ("creator", {"cut_ms": "soon"}, "creator: cut_ms must be int, but is 'soon'"),
        ("packet", {"state": "asleep"}, "packet: state must be one of draft, launched, settled, voided"),
        ("packet", {"given": None}, "packet: given must be int, but is None"),
        ("packet", {"given": True}, "packet: given must be int, but is True"),
        ("packet", {"seed": 5}, "packet: seed must be null or str"),
        ("journal", {"claims": 5}, "journal: claims must be a list"),
        ("journal", {"claims": [["v1", 2]]}, "journal: claims must hold lists of viewer_id, index"),
        ("journal", {"claims": [["v1", "2", 3, "r"]]}, "journal: index must be int"),
        ("claim", {"amount_fen": 1.5}, "claim: amount_fen must be int, but is 1.5"),
        ("left", {"amounts": ["1"]}, "left: amounts must be a list of whole numbers"),
        ("end", {"final": "yes"}, "end: final must be true or false"),
        ("claim", {"kind": "clam"}, "clam: no such kind of line"),
    ],
)
def test_a_malformed_line_is_named(kind: str, change: dict[str, Any], text: str) -> None:
    """The error says which line and which field, and what was expected."""
    run = a_run()
    line = run.of(kind)[0]
    line |= change

    with pytest.raises(BadRecord) as refused:
        books_from(run.books)

    assert str(refused.value).startswith(f"books:{run.books.index(line) + 1}: {text}")


def test_a_missing_field_is_named() -> None:
    """A field that must be there is asked for by name."""
    run = a_run()
    del run.of("claim")[0]["request_id"]

    with pytest.raises(BadRecord, match="claim: request_id is missing"):
        books_from(run.books)


@pytest.mark.parametrize("kind", ["creator", "packet", "left"])
def test_what_stands_there_twice_is_refused(kind: str) -> None:
    """Two cuts of one creator would be two truths."""
    run = a_run()
    run.books.insert(3, run.of(kind)[0])

    with pytest.raises(BadRecord, match="is listed twice"):
        books_from(run.books)


def test_the_clock_comes_first_and_the_end_last() -> None:
    """Lines out of place mean that two files were mixed."""
    lines = a_run().books

    with pytest.raises(BadRecord, match="the clock must come first"):
        books_from(lines[1:])
    with pytest.raises(BadRecord, match="comes after the end"):
        books_from([*lines, lines[1]])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "is listed twice"),
        ({"wallet": None}, "wallet must be an object"),
        ({"accounts": {"psp:bank": "1"}}, "accounts must be an object of whole numbers"),
        ({"withdrawals": {"w1": None}}, "withdrawals must be an object of whole numbers"),
        ({"through_entry_id": "soon"}, "through_entry_id must be an entry's id"),
        ({"retired": [5]}, "retired must be a list of packet ids"),
    ],
)
def test_a_malformed_opening_is_named(change: dict[str, Any], text: str) -> None:
    """An opening is read whole, once per creator, or the books are refused."""
    run = a_run()
    opening = {
        "kind": "opening",
        "creator_id": "c1",
        "through_entry_id": "1-2",
        "wallet": run.of("creator")[0]["wallet"],
        "accounts": {"psp:bank": -1, "funds:c1": 1},
        "withdrawals": {},
        "retired": ["c1.p"],
    }
    assert books_from([*run.books[:2], opening, *run.books[2:]]).openings[CreatorId("c1")].retired == ("c1.p",)

    with pytest.raises(BadRecord, match=text):
        books_from([*run.books[:2], *([] if change else [opening]), opening | change, *run.books[2:]])
