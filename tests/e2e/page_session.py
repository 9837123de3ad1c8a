"""A page of examples as one session: its commands are carried out in order, and what they print is held against it."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import until

SESSION_TIMEOUT_S = 240.0  # of some 8 s on an idle machine
ANYTHING = "…"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PIECE = re.compile(rf'"(?:[^"\\]|\\.)*"|{ANYTHING}|[^"{ANYTHING}]+')


@dataclass(frozen=True, slots=True)
class Example:
    """Commands, the line of the page on which they begin, and what they print: ``json``, ``text`` or nothing."""

    line: int
    commands: str
    kind: str = ""
    printed: str = ""


def examples(page: str) -> list[Example]:
    """
    Return the examples of a page in order: each ``sh`` block, with the ``json`` or ``text`` block that follows it.

    Raises AssertionError for a block of another kind, and for output of which nothing says where it came from.
    """
    found: list[Example] = []
    for block in _BLOCK.finditer(page):
        line, (kind, content) = page[: block.start()].count("\n") + 2, block.groups()
        if kind == "sh":
            found.append(Example(line, content))
            continue
        assert kind in ("json", "text"), f"line {line}: a block is sh, json or text, not {kind!r}"
        assert found, f"line {line}: nothing has been said that could print this"
        assert not found[-1].kind, f"line {line}: the commands before it have printed already"
        found[-1] = Example(found[-1].line, found[-1].commands, kind, content)
    return found


def differences(session: Sequence[Example], folder: Path) -> Iterator[str]:
    """
    Carry out *session* in *folder*, in one strict bash, and yield what is not as the page says, with its line.

    The session ends at the first command that fails; that is the last difference.
    """
    status, said = _carried_out(session, folder)
    for number, example in enumerate(session):
        output = folder / f"output-{number}"
        if not output.exists():
            if number == 0 or not status:
                yield f"line {example.line}: the session ended with {status} before it came here\n{said}"
            break
        actual = output.read_text("utf-8")
        if status and not (folder / f"output-{number + 1}").exists():
            yield f"line {example.line}: ended with {status}\n{example.commands}{actual}{said}"
        elif not agrees(example.kind, example.printed, actual):
            yield f"line {example.line}: the page says\n{example.printed or '(nothing)'}\nand this is\n{actual}"


def _carried_out(session: Sequence[Example], folder: Path) -> tuple[int, str]:
    """Return the status with which a session ended, and what it complained of."""
    script = ["set -euo pipefail", f"cd {shlex.quote(str(folder))}"]
    script += [f"{{\n{each.commands}\n}} >output-{number}" for number, each in enumerate(session)]
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    (folder / "session").write_text("\n".join(script), "utf-8")
    with (folder / "complaints").open("wb") as complaints:
        shell = subprocess.Popen(
            ["bash", "session"],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8"},  # no proxy, and no setting of ours
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        )
    try:
        status = shell.wait(SESSION_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        status = -1
    finally:
        _end(shell)
    return status, (folder / "complaints").read_text("utf-8", "replace")


def _end(shell: "subprocess.Popen[bytes]") -> None:
    """End the shell and all that it has left running, and wait: a server first stops its store."""
    try:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        until(lambda: not _runs(shell))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def _runs(shell: "subprocess.Popen[bytes]") -> bool:
    shell.poll()
    try:
        os.killpg(shell.pid, 0)
    except ProcessLookupError:
        return False
    return True


def agrees(kind: str, told: str, actual: str) -> bool:
    """
    Tell whether an output is what was told: JSON as JSON, with keys in any order, text word for word.

    ``…`` stands for anything: in JSON for part of a text, for a value, for more items of a list or more fields.
    """
    if kind == "json":
        try:
            return _matches(list(values(_whole(told))), list(values(actual)))
        except json.JSONDecodeError:
            return False
    return _like(told.strip(), actual.strip())


def values(text: str) -> Iterator[Any]:
    """Yield the JSON values that stand one after the other in *text*."""
    decoder, position = json.JSONDecoder(), 0
    while remaining := text[position:].lstrip():
        position = len(text) - len(remaining)
        value, length = decoder.raw_decode(remaining)
        yield value
        position += length


def _whole(told: str) -> str:
    """Return shortened JSON as JSON: a bare ``…`` becomes a text, and as a field gets itself as its value."""
    pieces = _PIECE.findall(told)
    for index, piece in enumerate(pieces):
        if piece == ANYTHING:
            before, after = "".join(pieces[:index]).rstrip(), "".join(pieces[index + 1 :]).lstrip()
            is_field = after.startswith("}") and not before.endswith(":")
            pieces[index] = f'"{ANYTHING}": "{ANYTHING}"' if is_field else f'"{ANYTHING}"'
    return "".join(pieces)


def _matches(told: Any, actual: Any) -> bool:
    """Tell whether a JSON value is what was told."""
    if told == ANYTHING:
        return True
    match told, actual:
        case str(), str():
            return _like(told, actual)
        case dict(), dict():
            named = {name: value for name, value in told.items() if name != ANYTHING}
            if named.keys() - actual.keys() or (ANYTHING not in told and actual.keys() - named.keys()):
                return False
            return all(_matches(value, actual[name]) for name, value in named.items())
        case [], _:
            return bool(actual == [])
        case [first, *others], list():
            if first == ANYTHING:
                return any(_matches(others, actual[skipped:]) for skipped in range(len(actual) + 1))
            return bool(actual) and _matches(first, actual[0]) and _matches(others, actual[1:])
    return type(told) is type(actual) and bool(told == actual)


def _like(told: str, actual: str) -> bool:
    """Tell whether a text is what was told."""
    return re.fullmatch(".*".join(map(re.escape, told.split(ANYTHING))), actual, re.DOTALL) is not None
