"""The archive: closed blocks are read, cut-off ones passed over, and what is no archive is refused."""

from pathlib import Path

import orjson
import pytest

from loadtest.record.archive import read_archive
from loadtest.record.shape import BadRecord, Line
from loadtest.verdict.weigh import Exit
from scripts.commands.storm import run_verify
from tests.loadtest.written_run import a_run


def block_of(*lines: Line, count: int | None = None) -> bytes:
    closing = {"kind": "archived", "lines": len(lines) if count is None else count}
    return b"".join(orjson.dumps(line) + b"\n" for line in (*lines, closing))


def a_block() -> list[Line]:
    """Return the lines that retention would archive of a small run."""
    run = a_run(share_count=40)
    return [*run.of("clock"), *run.of("packet"), *run.of("claim"), *run.of("left"), *run.of("journal")]


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "c1.jsonl"
    path.write_bytes(content)
    return path


def test_a_block_that_stands_there_twice_counts_once(tmp_path: Path) -> None:
    """A crash between archive and drop writes the same lines again."""
    lines = a_block()
    once = read_archive(written(tmp_path, block_of(*lines)))

    twice = read_archive(written(tmp_path, 2 * block_of(*lines)))

    assert once == twice
    assert len(once.packets) == 2
    assert sum(map(len, once.claims.values())) == sum(line["kind"] == "claim" for line in lines)


@pytest.mark.parametrize("length", [10, 300, -30])
def test_a_block_that_was_cut_off_is_passed_over(tmp_path: Path, length: int) -> None:
    """Wherever a crash cut it, the next block is read and nothing of the torn one."""
    block = block_of(*a_block())
    whole = read_archive(written(tmp_path, block))

    assert whole == read_archive(written(tmp_path, block[:length] + b"\n" + block))
    assert whole == read_archive(written(tmp_path, block + block[:length]))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    """No block, a wrong count, a broken line, a stranger's line, two packets of one name."""
    clock, packet, *rest = a_block()
    other = packet | {"commitment": "another"}
    cases = [
        (b"", "has no closed block"),
        (block_of(clock, packet, *rest)[:300], "has no closed block"),
        (block_of(clock, count=5), "closes 5 lines, but 1 are there"),
        (block_of(clock, count=0), "closes 0 lines"),
        (b"{\n" + block_of(clock, count=2), "closes a block that is broken"),
        (block_of(clock, {"kind": "creator"}), "creator is no line of an archive"),
        (block_of(clock, packet) + block_of(clock, other), "has two different packets"),
        (block_of(clock, packet | {"given": None}), "given must be int"),
    ]
    for content, text in cases:
        with pytest.raises(BadRecord, match=text):
            read_archive(written(tmp_path, content))


def test_shares_that_have_left_the_store_are_verified_from_the_archive(tmp_path: Path) -> None:
    """The seed is kept with the claims, so that a packet can be recomputed for as long as its archive is kept."""
    lines = a_block()
    assert run_verify(None, written(tmp_path, block_of(*lines))) == Exit.PASS

    claim = next(line for line in lines if line["kind"] == "claim")
    claim["amount_fen"] += 1
    assert run_verify(None, written(tmp_path, block_of(*lines))) == Exit.INVARIANT
