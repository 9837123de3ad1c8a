"""Overrides: tables of a deployment or a scenario that change rulebooks or define new platforms."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from server.core.money.channel import Channel
from server.core.money.money import FEN_MAX
from server.core.packets.blackout import BlackoutCalendar
from server.core.rulebooks.platforms import SOURCES
from server.core.rulebooks.rulebook import RULE_FIELDS, LimitMeta, Rulebook

NO_LIMIT = "none"  # means None, which TOML lacks
FEE_BP_MAX = 10_000  # the whole amount
BASE = "base"  # the key of a table that defines a platform
NAME_LENGTH_MAX = 20
_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{NAME_LENGTH_MAX - 1}}}")
_LIMITS: dict[str, LimitMeta] = {
    each.name: each.metadata[LimitMeta] for each in fields(Rulebook) if LimitMeta in each.metadata
}


class BadRulebooks(Exception):  # noqa: N818 - a message for users
    """Tables that are not valid overrides; the text names table and field and says what it must be."""


def overridden(rulebooks: Mapping[str, Rulebook], tables: Mapping[str, object]) -> dict[str, Rulebook]:
    """
    Return *rulebooks* changed in the fields that *tables*, by platform, name.

    A table with a ``base`` defines a new platform, which inherits all fields that it does not name. A field without a
    limit reads ``"none"``, a set or an order is a list of names, channels are tables of ``name`` and
    ``fee_bp``, blackouts those of ``BlackoutCalendar.of``. Raises BadRulebooks.
    """
    books = {platform: _overridden(book, tables.get(platform, {})) for platform, book in rulebooks.items()}
    for platform in tables:
        _add(platform, books, tables, ())
    return books


def overridable() -> list[str]:
    """Return the fields that may be overridden: the limits, but not the rules named in refusals."""
    return [name for name in _LIMITS if name not in RULE_FIELDS]


def _add(platform: str, books: dict[str, Rulebook], tables: Mapping[str, object], heirs: tuple[str, ...]) -> None:
    """Add the platform that a table defines to *books*, after its base; *heirs* are based on it."""
    if platform in books:
        return
    table = tables[platform]
    if not isinstance(table, Mapping) or BASE not in table:
        raise BadRulebooks(
            f"{platform}: no such platform; there are {', '.join(books)}, and a table with {BASE} makes another"
        )
    if platform in heirs:
        raise BadRulebooks(f"{platform}.{BASE}: must not lead back to {platform} ({' <- '.join((*heirs, platform))})")
    prefix, base = platform.upper(), table[BASE]
    if not _NAME.fullmatch(platform):
        raise BadRulebooks(
            f"{platform}: must be 1 to {NAME_LENGTH_MAX} lower-case letters, digits or dashes, first a letter"
        )
    if (taken := prefix.rpartition("-")[2]) in SOURCES:
        raise BadRulebooks(f"{platform}: must not end in {taken.lower()}; rules of docs/rules.md begin with {taken}-")
    if not isinstance(base, str) or base not in books.keys() | tables.keys():
        raise BadRulebooks(f"{platform}.{BASE}: must be one of {', '.join(books)}, not {base!r}")
    _add(base, books, tables, (*heirs, platform))
    made = replace(books[base], platform=platform, prefix=prefix, base=books[base].base or base)
    books[platform] = _overridden(made, {name: value for name, value in table.items() if name != BASE})


def _overridden(rulebook: Rulebook, table: object) -> Rulebook:
    if not isinstance(table, Mapping):
        raise BadRulebooks(f"{rulebook.platform}: must be a table of fields")
    hints, known = get_type_hints(Rulebook), overridable()
    given: dict[str, Any] = {}
    for name, value in table.items():
        where = f"{rulebook.platform}.{name}"
        if name == BASE:
            raise BadRulebooks(f"{where}: {rulebook.platform} is built in; only a platform of your own has a base")
        if name not in known:
            raise BadRulebooks(f"{where}: no such field; redrain rules --platform {rulebook.platform} shows them")
        try:
            given[name] = _read(_LIMITS[name], hints[name], value)
        except ValueError as wanted:
            raise BadRulebooks(f"{where}: {wanted}, not {value!r}") from None
    changed = replace(rulebook, **given)
    _check_together(changed, set(given))
    return changed


def _check_together(rulebook: Rulebook, given: set[str]) -> None:
    for lower, upper in ((name, about.at_most) for name, about in _LIMITS.items() if about.at_most):
        if getattr(rulebook, lower) > getattr(rulebook, upper):
            name, other, wanted = (lower, upper, "at most") if lower in given else (upper, lower, "at least")
            limit = getattr(rulebook, other)
            raise BadRulebooks(f"{rulebook.platform}.{name}: must be {wanted} {other}, {limit}")


def _read(about: LimitMeta, hint: Any, value: object) -> Any:
    """Convert *value* to the field's type. Raises ValueError that says what it must be."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if NoneType in get_args(hint):
        if value == NO_LIMIT:
            return None
        try:
            return _read(about, kinds[0], value)
        except ValueError as wanted:
            raise ValueError(f'{wanted} or "{NO_LIMIT}"') from None
    if get_origin(hint) in (tuple, frozenset):
        return _read_list(about, get_origin(hint), kinds[0], value)
    if hint is BlackoutCalendar:
        return _read_calendar(value)
    return _read_one(hint, value, about.least, about.most)


def _read_one(hint: Any, value: object, least: int, most: int) -> Any:
    if hint is Channel:
        return _read_channel(value)
    if hint is bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value
    if hint is int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value
    if issubclass(hint, StrEnum):
        if value not in list(hint):
            raise ValueError(f"must be {' or '.join(hint)}")
        return hint(value)
    assert hint is str
    if not isinstance(value, str) or not value:
        raise ValueError("must be a word")
    return value


def _read_list(about: LimitMeta, gather: Any, kind: Any, value: object) -> Any:
    if not isinstance(value, list):
        raise ValueError("must be a list")
    read = [_read_one(kind, one, 0, FEN_MAX) for one in value]
    if len(set(read)) < len(read):
        raise ValueError("must name each once")
    if about.complete and set(read) != set(about.default):
        raise ValueError(f"must name each of {', '.join(about.default)}")
    if len(read) < about.least:
        raise ValueError("must name at least one")
    return gather(read)


def _read_channel(value: object) -> Channel:
    match value:
        case {"name": str(name), **rest} if name and rest.keys() <= {"fee_bp"}:
            return Channel(name, _read_one(int, rest.get("fee_bp", 0), 0, FEE_BP_MAX))
    raise ValueError("must be a list of tables with name and, if it takes a fee, fee_bp")


def _read_calendar(value: object) -> BlackoutCalendar:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise ValueError("must be a list of tables with date_from, date_to and slots")
    try:
        return BlackoutCalendar.of(value)
    except (TypeError, AttributeError):
        raise ValueError("must have dates such as 08-01 and slots such as 19:30-20:00, as text") from None
