"""Run folders as a stranger may hand them over, and the commands on them, in a process with little memory."""

import contextlib
import gzip
import io
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from scripts.cli import main
from tests.loadtest.judged_run import judged
from tests.loadtest.written_run import a_run

MEMORY_MAX = 1_500 << 20  # the libraries alone have addresses of some hundred MB
CASE_S = 60
HUGE = 10**12
OUTSIDE = "outside.txt"
NASTY = "\x1b]8;;http://evil\x07click\x1b[2J\x9b31m[link=http://evil]\u202e<a href='http://evil'><b>x\nPASS"
"""A name with escapes, markup of the terminal and of a page, and what looks like a line of ours."""

Spoil = Callable[[Path], object]
Lines = list[dict[str, Any]]


def _lines(name: str, change: Callable[[Lines], object]) -> Spoil:
    """Spoil the lines of a file."""

    def spoil(folder: Path) -> None:
        path = folder / name
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        change(lines)
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))

    return spoil


def _field(file: str, kind: str, /, **values: Any) -> Spoil:
    """Give every line of a kind other values."""
    return _lines(file, lambda lines: [line.update(values) for line in lines if line["kind"] == kind])


def _facts(**values: Any) -> Spoil:
    """Give ``run.json`` other values."""

    def spoil(folder: Path) -> None:
        path = folder / "run.json"
        path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | values))

    return spoil


def _holds(name: str, content: bytes) -> Spoil:
    return lambda folder: (folder / name).write_bytes(content)


def _starts(name: str, content: bytes) -> Spoil:
    """Put a line before the others."""
    return lambda folder: (folder / name).write_bytes(content + b"\n" + (folder / name).read_bytes())


def _is(name: str, make: Callable[[Path], object]) -> Spoil:
    """Put something else in place of a file."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return spoil


def _twice(kind: str) -> Spoil:
    return _lines(BOOKS, lambda lines: lines.insert(1, next(line for line in lines if line["kind"] == kind)))


def _link_to(target: str) -> Callable[[Path], object]:
    return lambda path: path.symlink_to(target)


def _packets_of(count: int, shares: int) -> Spoil:
    """Write so many packets of so many shares down; their seeds are revealed, so that the shares can be drawn."""

    def change(lines: Lines) -> None:
        packet = next(line for line in lines if line["kind"] == "packet")
        more = {"share_count": shares, "total_fen": 100 * shares, "editions": None}
        lines[-1:-1] = [{**packet, **more, "packet_id": f"c1.x{number}"} for number in range(count)]

    return _lines(BOOKS, change)


BOOKS, HISTORY, FACTS, SCENARIO = "books.jsonl", "history-1.jsonl", "run.json", "scenario.toml"
DEEP = b"[" * 100_000 + b"]" * 100_000
NESTED = b"[" * 1_000 + b"]" * 1_000  # as deep as JSON is read

REFUSED: dict[str, Spoil] = {
    "a packet of 10^12 shares": _field(BOOKS, "packet", share_count=HUGE, total_fen=HUGE * 100),
    "a packet without shares": _field(BOOKS, "packet", share_count=0),
    "more shares than can be drawn": _packets_of(11, 1_000_000),
    "an edition of 10^12 shares": _field(
        BOOKS,
        "packet",
        editions=[
            {"edition": 1, "first_index": 0, "share_count": HUGE, "total_fen": HUGE, "commitment": "", "seed": ""}
        ],
    ),
    "books with a number beyond JSON's": _starts(BOOKS, b'{"kind":"clock","origin_ms":' + b"9" * 400 + b"}"),
    "books with NaN": _starts(BOOKS, b'{"kind":"clock","origin_ms":NaN}'),
    "books with Infinity": _starts(BOOKS, b'{"kind":"clock","origin_ms":Infinity}'),
    "books nested deeply": _starts(BOOKS, DEEP),
    "a field nested deeply": lambda folder: (folder / BOOKS).write_bytes(
        re.sub(rb'"name":"[^"]*"', b'"name":' + NESTED, (folder / BOOKS).read_bytes())
    ),
    "a gigantic line": _starts(BOOKS, b'{"kind":"' + b"x" * (17 << 20) + b'"}'),
    "books that are not UTF-8": _starts(BOOKS, b'{"kind":"\xff\xfe"}'),
    "books with NUL": _holds(BOOKS, b"\0" * 1_000),
    "empty books": _holds(BOOKS, b""),
    "no books": _is(BOOKS, lambda _: None),
    "books are a folder": _is(BOOKS, Path.mkdir),
    "books are a pipe": _is(BOOKS, os.mkfifo),
    "books are a link": _is(BOOKS, _link_to("../good/books.jsonl")),
    "books are a link to a device": _is(BOOKS, _link_to("/dev/zero")),
    "two clocks": _twice("clock"),
    "a packet twice": _twice("packet"),
    "a list for a text": _field(BOOKS, "packet", name=[[]]),
    "an object for a number": _field(BOOKS, "claim", index={}),
    "a history that is a bomb": lambda folder: (folder / "history-2.jsonl.gz").write_bytes(
        gzip.compress(b"\0" * (40 << 20), 1)
    ),
    "a history that is no archive": _holds("history-2.jsonl.gz", b"\x1f\x8bnot one"),
    "a history that is cut off": lambda folder: (folder / "history-2.jsonl.gz").write_bytes(
        gzip.compress((folder / HISTORY).read_bytes())[:-9]
    ),
    "a history that is a pipe": _is(HISTORY, os.mkfifo),
    "a history without an end": _lines(HISTORY, lambda lines: lines.pop()),
    "facts that are a list": _holds(FACTS, b"[]"),
    "facts nested deeply": _holds(FACTS, DEEP),
    "facts too large": _facts(scenario="x" * (17 << 20)),
    "facts that are a link": _is(FACTS, _link_to("../good/run.json")),
    "facts that are a pipe": _is(FACTS, os.mkfifo),
    "facts of odd types": _facts(viewers=[], speed="1"),
    "faults of odd types": _facts(faults=[{"kind": "x", "planned": "x", "t_struck": {}}]),
    "absences of odd types": _facts(store_absences=[[1]]),
    "many happenings": _facts(happenings=[{}] * 10_001),
    "packets declared oddly": _facts(target="http", declared=[{"packet_id": 1}]),
    "a scenario nested deeply": _holds(SCENARIO, b"a = " + b"[" * 50_000),
    "a scenario with a long key": _holds(SCENARIO, b"a" + b".a" * 60_000 + b" = 1"),
    "a scenario with many digits": _holds(SCENARIO, b"seed = " + b"9" * 5_000),
    "a scenario with nan": _holds(SCENARIO, b"speed = nan"),
    "a scenario that is not UTF-8": _holds(SCENARIO, b'name = "\xff"'),
    "a scenario that is a pipe": _is(SCENARIO, os.mkfifo),
    "a scenario that is a device": _is(SCENARIO, _link_to("/dev/zero")),
    "a scenario that is a folder": _is(SCENARIO, Path.mkdir),
    "a snapshot that is a device": _is("snapshot-000.jsonl", _link_to("/dev/zero")),
    "orders that are a pipe": _is("orders.jsonl", os.mkfifo),
    "a time beyond all years": _field(BOOKS, "packet", grab_at_ms=1 << 62),
    "numbers that add up beyond 64 bits": _field(BOOKS, "claim", amount_fen=(1 << 63) - 1),
}
"""Folders that cannot be judged: exit 30, with what is wrong."""

COMPARED: dict[str, Spoil] = {
    "a result that is a device": _is("result.json", _link_to("/dev/zero")),
    "a result that is a pipe": _is("result.json", os.mkfifo),
    "a result nested deeply": _holds("result.json", DEEP),
    "a result of odd types": _holds("result.json", b'{"verdict": [], "scenario": {"a": 1}, "seed": 1e308}'),
    "a result that is a list": _holds("result.json", b"[]"),
}
"""Folders whose result cannot be compared."""

JUDGED: dict[str, Spoil] = {
    "a good run": lambda _: None,
    "names that are markup": _field(BOOKS, "packet", name=NASTY),
    "viewers that are markup": _field(HISTORY, "conn", viewer=NASTY),
    "facts that are markup": _facts(
        scenario=NASTY, repeat_command=NASTY, started_at=NASTY, notes=[NASTY], server_errors=[NASTY],
        server_log=NASTY, environment={NASTY: NASTY, "more": {NASTY: [NASTY]}}, engine=NASTY,
        happenings=[{"at_ms": 0, "action": NASTY, "packet_id": NASTY, "outcome": NASTY}],
    ),
    "a claim of an unknown packet": _field(BOOKS, "claim", packet_id=NASTY),
    "a report that is a link": _is("report.html", _link_to(f"../{OUTSIDE}")),
    "a result that is a link": _is("result.json", _link_to(f"../{OUTSIDE}")),
    "a result that is a link to nothing": _is("result.json", _link_to("../made.txt")),
}  # fmt: skip
"""Folders that can be judged: whatever the verdict is, nothing of theirs tells the terminal or the page what to do."""


def build(home: Path) -> None:
    """Write all folders."""
    (home / "good").mkdir()
    _, result = judged(a_run(), home / "good")
    shutil.copy(Path("loadtest/scenarios/smoke.toml"), home / "good" / SCENARIO)
    (home / "good" / "result.json").write_bytes(orjson.dumps(result))
    (home / OUTSIDE).write_text("untouched", "utf-8")
    for name, spoil in (REFUSED | COMPARED | JUDGED).items():
        folder = home / name
        shutil.copytree(home / "good", folder, ignore=shutil.ignore_patterns("report.html"))
        spoil(folder)


def ended(*arguments: str) -> dict[str, Any]:
    """Run a command here, and return its exit code, what it wrote, and how long it took."""
    out, began = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), time.monotonic()
    code: object = None
    signal.alarm(CASE_S)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"[:200]
    signal.alarm(0)
    out.flush()
    return {"code": code, "said": out.buffer.getvalue().decode(), "seconds": time.monotonic() - began}


class TookTooLong(BaseException):
    """A case did not end; no command may take it for an error of its own."""


def stop(*_: object) -> None:
    raise TookTooLong


if __name__ == "__main__":
    home = Path(sys.argv[1])
    build(home)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    signal.signal(signal.SIGALRM, stop)
    found = {
        name: {
            # The audit comes last: it writes a new result.
            "compare": ended("compare", str(home / name), str(home / "good"), "--anyway"),
            "verify": ended("verify", "--run", str(home / name)),
            "audit": ended("audit", str(home / name)),
        }
        for name in REFUSED | COMPARED | JUDGED
    }
    print(orjson.dumps(found).decode())
