"""The limits of a rulebook for display: value, unit, and the rules from which each field comes."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from server.core.money.channel import Channel
from server.core.packets.blackout import BlackoutCalendar, MonthDay
from server.core.refusal import RuleId
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import RULE_FIELDS, LimitMeta, Rulebook


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A field of a rulebook: its value as plain data (None is no limit), its unit, the rules it comes from, a sentence.

    ``overridden`` is whether the deployment's value differs from ours.
    """

    name: str
    value: Any
    unit: str
    rules: list[RuleId]
    overridden: bool
    doc: str


def limits_of(rulebook: Rulebook) -> Iterator[Limit]:
    """Yield the limits of a rulebook in the order of its fields."""
    ours = RULEBOOKS[rulebook.base or rulebook.platform]
    for field in fields(rulebook):
        about: LimitMeta | None = field.metadata.get(LimitMeta)
        if about is not None:
            value = getattr(rulebook, field.name)
            rules = [rulebook.rule(each) for each in rulebook.own_rules.get(field.name, about.rules)]
            changed = value != getattr(ours, field.name)
            if field.name in RULE_FIELDS:
                value = rulebook.rule(value)
            yield Limit(field.name, plain(value), about.unit, rules, changed, about.doc)


def plain(value: object) -> Any:
    """Convert a value to plain JSON data: sets sorted by name, dates in the calendar's text form."""
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


def _day(day: date | MonthDay) -> str:
    return f"{day.month:02}-{day.day:02}" if isinstance(day, MonthDay) else day.isoformat()


def _time(of_day_ms: int) -> str:
    return f"{of_day_ms // 3_600_000:02}:{of_day_ms // 60_000 % 60:02}"
