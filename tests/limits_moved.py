"""
A pytest plugin that moves each number of the rulebooks by one unit and looks for a test of its rule that notices.

It runs in a process of its own (tests/test_limits_moved.py starts it): the tests are collected as ever, then, for each
number of each book and both directions, those marked with one of the number's rules run until one fails. What noticed
is written to ``REPORT`` as JSON, by ``platform.field+1``; null is a number that nobody guards.
"""

import json
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from server.core.money.channel import Channel
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB, RULEBOOKS
from server.core.rulebooks.rulebook import LimitMeta, Rulebook

REPORT = "limits_moved.json"
CHEAP_FIRST = ("test_platform_limits.py", "test_rulebook.py", "test_platforms.py", "test_launch.py")


@dataclass(frozen=True, slots=True)
class Move:
    """A field of a book, and the value it has after one number in it was moved by one unit."""

    name: str
    rulebook: Rulebook
    field: str
    value: object
    rules: frozenset[str]


def moves() -> Iterator[Move]:
    """Yield what is to be noticed: both platforms' numbers, and LAB's where they are its own."""
    for rulebook in RULEBOOKS.values():
        carried = {field.name: field.metadata[LimitMeta].rules for field in fields(rulebook) if field.metadata}
        rules = {name: frozenset(each) for name, each in {**carried, **rulebook.own_rules}.items()}
        for field in fields(rulebook):
            value = getattr(rulebook, field.name)
            if rulebook is LAB and value == getattr(DOUYIN, field.name):
                continue
            for which, moved in _moved(field, value):
                name = f"{rulebook.platform}.{which}"
                yield Move(name, rulebook, field.name, moved, rules[field.name])


def _moved(field: Field[Any], value: object) -> Iterator[tuple[str, object]]:
    name = field.name
    if type(value) is int:
        yield f"{name}+1", value + 1
        if value > field.metadata[LimitMeta].least:
            yield f"{name}-1", value - 1
    if name == "channels" and isinstance(value, tuple):
        for number, channel in enumerate(value):
            assert isinstance(channel, Channel)
            for step in (1, -1) if channel.fee_bp else (1,):
                other = replace(channel, fee_bp=channel.fee_bp + step)
                yield f"{name}.{channel.name}{step:+}", (*value[:number], other, *value[number + 1 :])


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run for each move the tests of its rules until one fails, instead of all tests once."""
    items = sorted(session.items, key=lambda item: (item.path.name not in CHEAP_FIRST, item.path.name))
    marked = [(item, {rule for mark in item.iter_markers("rule") for rule in mark.args}) for item in items]
    noticed: dict[str, str | None] = {}
    for move in moves():
        candidates = [item for item, rules in marked if rules & move.rules]
        before = getattr(move.rulebook, move.field)
        object.__setattr__(move.rulebook, move.field, move.value)
        try:
            by = next((item for item in candidates if _fails(item)), None)
        finally:
            object.__setattr__(move.rulebook, move.field, before)
        noticed[move.name] = None if by is None or _fails(by) else by.nodeid  # it must be the move that it notices
    Path(session.config.rootpath, session.config.getoption("report")).write_text(json.dumps(noticed), "utf-8")
    return True


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where the report goes."""
    parser.addoption("--report", default=REPORT)


def _fails(item: pytest.Item) -> bool:
    again: Any = item
    again._initrequest()
    reports = runtestprotocol(item, log=False, nextitem=None)
    return any(report.when == "call" and report.failed for report in reports)


assert {DOUYIN.platform, KUAISHOU.platform, LAB.platform} == set(RULEBOOKS)
