"""The archive: lines of the books that retention moved out of a store, in blocks that count only when closed."""

from pathlib import Path

import orjson

from loadtest.record.books import Books, books_from
from loadtest.record.given_file import BROKEN, Allowance, NotTaken
from loadtest.record.shape import BadRecord, Line


def read_archive(path: Path) -> Books:
    """
    Read one creator's archive as final books without wallet or opening: the part that is no longer in the store.

    A block that a crash cut off is skipped: it was written again. So are duplicates, which come from a crash between
    writing and deleting. Raises BadRecord for a file that retention did not write.
    """
    blocks = _blocks(path)
    if not blocks:
        raise BadRecord(f"{path}: has no closed block")
    packets: dict[str, Line] = {}
    inside: dict[str, list[Line]] = {}
    journal: dict[str, Line] = {}
    for block in blocks:
        for line in block:
            match line.get("kind"):
                case "packet":
                    packet_id = line["packet_id"]
                    if packets.setdefault(packet_id, line) != line:
                        raise BadRecord(f"{path}: has two different packets {packet_id}")
                    inside[packet_id] = []
                case "claim" | "left":
                    inside[line["packet_id"]].append(line)
                case "journal":
                    journal.setdefault(line["entry_id"], line)
                case "clock":
                    pass
                case _:
                    raise BadRecord(f"{path}: {line.get('kind')} is no line of an archive")
    claims = [line for lines in inside.values() for line in lines]
    end: Line = {"kind": "end", "final": True}
    return books_from([blocks[-1][0], *packets.values(), *journal.values(), *claims, end])


def _blocks(path: Path) -> list[list[Line]]:
    """Return the lines of each closed block; lines before a block that it does not count were cut off."""
    blocks: list[list[Line]] = []
    pending: list[bytes] = []
    try:
        for number, raw in enumerate(Allowance().lines(path), start=1):
            pending.append(raw)
            if not raw.startswith(b'{"kind":"archived"'):
                continue
            try:
                count = orjson.loads(pending.pop())["lines"]
                if not 0 < count <= len(pending):
                    raise BadRecord(f"{path}:{number}: closes {count} lines, but {len(pending)} are there")
                blocks.append([orjson.loads(line) for line in pending[-count:]])
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise BadRecord(f"{path}:{number}: closes a block that is broken ({error!r})") from None
            pending.clear()
    except (NotTaken, OSError, *BROKEN) as error:
        raise BadRecord(f"{path}: cannot be read: {error}") from None
    return blocks
