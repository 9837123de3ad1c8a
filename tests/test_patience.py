"""No test hangs on how busy the machine is: waiting has one place, and who waits otherwise says why on the line."""

import ast
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OWN = {"tests/waiting.py", "tests/test_patience.py"}
PATIENCE_S_MIN = 30
SLEEPS = re.compile(r"(?:time|asyncio)\.sleep\((?!0\))")
DEADLINE = re.compile(r"monotonic\(\) *[+<]")


def impatience(text: str) -> Iterator[int]:
    """
    Yield the lines of a test file that a slow machine may prove wrong, but for those with a comment.

    They are loops that look again and again, sleeps that something is asserted after, deadlines worked out by hand, and
    timeouts of less than half a minute. ``until`` and ``until_so`` (tests/waiting.py) do for the first three.
    """
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        for line in sorted(set(_impatient(node, lines))):
            if "  # " not in lines[line - 1]:
                yield line


def _impatient(node: ast.AST, lines: list[str]) -> Iterator[int]:
    for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
        steps = body if isinstance(body, list) else []
        for step, after in zip_longest(steps, steps[1:]):
            if isinstance(step, ast.Expr) and SLEEPS.search(lines[step.lineno - 1]):
                polls = isinstance(node, ast.While) and not isinstance(node.test, ast.Constant)
                if polls or isinstance(after, ast.Assert):
                    yield step.lineno
    if isinstance(node, ast.BinOp | ast.Compare) and DEADLINE.search(lines[node.lineno - 1]):
        yield node.lineno
    match node:
        case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(int() | float() as given)) if (
            re.search(r"(?:PATIENCE|TIMEOUT)\w*_S$", name) and given < PATIENCE_S_MIN
        ):
            yield node.lineno
        case ast.keyword(arg="timeout", value=ast.Constant(int() | float() as given)) if given < PATIENCE_S_MIN:
            yield node.value.lineno
        case ast.Call(
            func=ast.Attribute(attr="timeout" | "wait_for"), args=[*_, ast.Constant(int() | float() as given)]
        ):
            if given < PATIENCE_S_MIN:
                yield node.lineno


def test_no_test_hangs_on_a_busy_machine() -> None:
    """Every place that does is listed."""
    files = {path.relative_to(ROOT).as_posix(): path for path in sorted((ROOT / "tests").rglob("*.py"))}
    found = [
        f"{name}:{line}"
        for name, path in files.items()
        if name not in OWN
        for line in impatience(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("time.sleep(0.1)\nassert done\n", [1]),
        ("time.sleep(0.1)  # long enough for two rounds\nassert done\n", []),
        ("await asyncio.sleep(0)\nassert done\n", []),
        ("while not done():\n    time.sleep(0.1)\n", [2]),
        ("while True:\n    look()\n    time.sleep(0.1)\n", []),
        ("deadline = time.monotonic() + 60\n", [1]),
        ("assert time.monotonic() < deadline\n", [1]),
        ("PATIENCE_S = 10\n", [1]),
        ("PATIENCE_S = 60.0\n", []),
        ("process.wait(timeout=5)\n", [1]),
        ("async with asyncio.timeout(10):\n    pass\n", [1]),
        ("await asyncio.wait_for(ready, 10)\n", [1]),
        ("until(lambda: done)\nassert done\n", []),
    ],
)
def test_what_is_impatient_is_found(text: str, lines: list[int]) -> None:
    """Each kind, with its counterpart that may stand."""
    assert list(impatience(text)) == lines
