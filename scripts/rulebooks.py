"""Shows the limits of a platform: each field of its rulebook with value, unit and the rules beside which it stands."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table

from loadtest.verdict import Exit
from scripts.rulemarks import Marks, marks_of_code
from scripts.ruling import PLAIN_WIDTH, SERVER, write_json
from server.core.blackout import BlackoutCalendar, MonthDay
from server.core.rulebook import RULEBOOKS, Rulebook

NO_LIMITS = {"platform", "profile", "launch_modes_rule"}  # what a rulebook is called, and what a refusal says
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


@dataclass(frozen=True, slots=True)
class Limit:
    """A field of a rulebook: its value as plain data (None is no limit), its unit, and the rules it comes from."""

    name: str
    value: Any
    unit: str
    rules: list[str]


def limits_of(rulebook: Rulebook, marks: Marks) -> Iterator[Limit]:
    """Yield the limits of a rulebook; *marks* are those of the code, where each field has its rules beside it."""
    for field in fields(rulebook):
        if field.name not in NO_LIMITS:
            own = _beside(f"{rulebook.platform.upper()}.{field.name}", marks)
            rules = own or _beside(f"Rulebook.{field.name}", marks)
            yield Limit(field.name, _plain(getattr(rulebook, field.name)), _unit_of(field.name), rules)


def run_rulebook(platform: str, json: str | None) -> int:
    """Show the limits of a platform, or write them as JSON, and return the exit code."""
    if platform not in RULEBOOKS:
        Console(stderr=True).print(f"[red]redrain:[/] platform: must be one of {', '.join(RULEBOOKS)}")
        return Exit.USAGE
    rulebook = RULEBOOKS[platform]
    limits = list(limits_of(rulebook, marks_of_code(SERVER)))
    if json is not None:
        shown = {"platform": platform, "profile": rulebook.profile, "limits": [asdict(limit) for limit in limits]}
        write_json(json, shown)
        return Exit.PASS
    table = Table("limit", "value", "unit", "rules", title=f"{platform} ({rulebook.profile})")
    for limit in limits:
        table.add_row(limit.name, _said(limit.value), limit.unit, ", ".join(limit.rules))
    say = Console(highlight=False)
    if not say.is_terminal:
        say.width = PLAIN_WIDTH
    say.print(table)
    return Exit.PASS


def _beside(name: str, marks: Marks) -> list[str]:
    return [rule for rule, places in marks.items() if any(place.name == name for place in places)]


def _unit_of(name: str) -> str:
    return COUNTED.get(name) or next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def _plain(value: object) -> Any:
    """Return a value as JSON has it; sets in the order of their names, dates as the calendar reads them."""
    match value:
        case BlackoutCalendar(seasons):
            return [
                f"{_day(season.first)} to {_day(season.last)}: "
                + ", ".join(f"{_time(slot.start_ms)}-{_time(slot.end_ms)}" for slot in season.slots)
                for season in seasons
            ]
        case StrEnum():
            return value.value
        case frozenset() | tuple() | list():
            return sorted(_plain(one) for one in value)
        case None | bool() | int() | str():
            return value
    return str(value)


def _day(day: date | MonthDay) -> str:
    return f"{day.month:02}-{day.day:02}" if isinstance(day, MonthDay) else day.isoformat()


def _time(of_day_ms: int) -> str:
    return f"{of_day_ms // 3_600_000:02}:{of_day_ms // 60_000 % 60:02}"


def _said(value: Any) -> str:
    match value:
        case None:
            return "no limit"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list():
            return "\n".join(value) or "none"
    return str(value)
