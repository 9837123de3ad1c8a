"""
The limits of a rulebook as they are shown: value, unit, and the rules beside which each field stands.

Rules are found, not registered: they stand in the comments of the rulebook's own source, and are read from there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from server.core.money.channel import Channel
from server.core.packets.blackout import BlackoutCalendar, MonthDay
from server.core.rulebooks import rulebook as source
from server.core.rulebooks.rulebook import RULEBOOKS, Rulebook

NO_LIMITS = {"platform", "profile", "launch_modes_rule", "page"}  # names, what a refusal says, what pages show
UNITS = {"_ms": "ms", "_fen": "fen", "_s": "s", "_bp": "1/10,000"}
COUNTED = {
    "name_length_max": "characters",
    "share_count_max": "shares",
    "product_ids_max": "goods",
    "overlap_max": "packets",
    "packets_per_order_max": "packets",
    "creator_packets_per_order_max": "packets",
    "packet_candidates_max": "packets",
    "order_lines_max": "lines",
}
_RULE = re.compile(r"\b(?:DY|KS|ALL)-[A-Z]{2,3}-\d+\b")
_BARE = re.compile(rf'"({_RULE.pattern})"')  # of a field that says by which rule it is refused
_SCOPE = re.compile(r"(?:class )?(\w+)(?: = Rulebook\(|:$)")
_FIELD = re.compile(r" {4}(\w+)[:=]")


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A field of a rulebook: its value as plain data (None is no limit), its unit, and the rules it comes from.

    ``overridden`` tells whether the deployment's value is another than ours.
    """

    name: str
    value: Any
    unit: str
    rules: list[str]
    overridden: bool


def limits_of(rulebook: Rulebook) -> Iterator[Limit]:
    """Yield the limits of a rulebook in the order of its fields."""
    beside, ours = rules_beside(), RULEBOOKS[rulebook.platform]
    for field in fields(rulebook):
        if field.name not in NO_LIMITS:
            own = beside.get(f"{rulebook.platform.upper()}.{field.name}", ())
            rules = own or beside.get(f"Rulebook.{field.name}", ())
            value = getattr(rulebook, field.name)
            changed = value != getattr(ours, field.name)
            yield Limit(field.name, plain(value), _unit_of(field.name), list(rules), changed)


@cache
def rules_beside() -> Mapping[str, tuple[str, ...]]:
    """Return by ``Rulebook.<field>`` and ``<PLATFORM>.<field>`` the rules named beside it."""
    assert source.__file__ is not None
    beside: dict[str, tuple[str, ...]] = {}
    scope, before = "", ""
    for line in Path(source.__file__).read_text("utf-8").splitlines():
        code, _, comment = line.partition("#")
        opening = _SCOPE.match(code.rstrip())
        if opening or (code.strip() and not code.startswith((" ", ")"))):
            scope = opening[1] if opening else ""
        if not code.strip():
            before = before + comment if line.startswith("    #") else before
            continue
        field = _FIELD.match(code)
        found = tuple(dict.fromkeys(_RULE.findall(f"{before} {comment}") + _BARE.findall(code)))
        if scope and field and found:
            beside[f"{scope}.{field[1]}"] = found
        before = ""
    return beside


def plain(value: object) -> Any:
    """Return a value as JSON has it; sets in the order of their names, dates as the calendar reads them."""
    match value:
        case BlackoutCalendar(seasons):
            return [
                f"{_day(season.first)} to {_day(season.last)}: "
                + ", ".join(f"{_time(slot.start_ms)}-{_time(slot.end_ms)}" for slot in season.slots)
                for season in seasons
            ]
        case Channel(name, fee_bp):
            return f"{name}: {fee_bp}/10,000" if fee_bp else name
        case StrEnum():
            return value.value
        case frozenset():
            return sorted(plain(one) for one in value)
        case tuple() | list():
            return [plain(one) for one in value]
        case None | bool() | int() | str():
            return value
    return str(value)


def _unit_of(name: str) -> str:
    return COUNTED.get(name) or next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def _day(day: date | MonthDay) -> str:
    return f"{day.month:02}-{day.day:02}" if isinstance(day, MonthDay) else day.isoformat()


def _time(of_day_ms: int) -> str:
    return f"{of_day_ms // 3_600_000:02}:{of_day_ms // 60_000 % 60:02}"
