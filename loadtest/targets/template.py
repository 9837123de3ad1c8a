"""Templates without code: ``{name}`` in texts, and in the texts of JSON documents; ``{{`` and ``}}`` are braces."""

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote

from loadtest.targets.port import BadTarget

Values = Mapping[str, object]
_PARSER = Formatter()
_URL_FORM = "%/:?#[]@!$&'()*+,;=~"  # what the literal parts of a URL may hold as it is


class Template:
    """A text with places. ``names`` are the places it has."""

    __slots__ = ("_parts", "names")

    def __init__(self, text: str, *, field: str, known: Collection[str]) -> None:
        """Raises BadTarget, which names the *field*, if a place is none of those *known*."""
        self._parts: list[tuple[str, str | None]] = []
        try:
            parsed = list(_PARSER.parse(text))
        except ValueError as error:
            raise BadTarget(f"{field}: {error}; a brace is written {{{{ or }}}}") from None
        for literal, name, spec, conversion in parsed:
            if name is not None and (spec or conversion or name not in known):
                raise BadTarget(
                    f"{field}: {{{name}}} has no value here; there are {', '.join(sorted(known)) or 'none'}"
                )
            self._parts.append((literal, name))
        self.names = frozenset(name for _, name in self._parts if name is not None)

    def text(self, values: Values) -> str:
        """Return the text with *values* in its places. Raises BadTarget if one is missing."""
        return "".join(
            literal if name is None else literal + str(_value(values, name)) for literal, name in self._parts
        )

    def url(self, values: Values) -> str:
        """Return the text as a URL, with *values* as parts of it that cannot change its form."""
        return "".join(
            quote(literal, safe=_URL_FORM) + ("" if name is None else quote(str(_value(values, name)), safe=""))
            for literal, name in self._parts
        )

    def value(self, values: Values) -> Any:
        """Return the value itself if the template is one place and nothing else, and the text otherwise."""
        match self._parts:
            case [("", str(name))]:
                return _value(values, name)
        return self.text(values)


class Document:
    """A JSON document with templates for its texts."""

    __slots__ = ("_plan", "names")

    def __init__(self, document: Any, *, field: str, known: Collection[str]) -> None:
        names: set[str] = set()
        self._plan = _plan(document, field, known, names)
        self.names = frozenset(names)

    def value(self, values: Values) -> Any:
        """Return the document with *values* in its places."""
        return _rendered(self._plan, values)


def _plan(document: Any, field: str, known: Collection[str], names: set[str]) -> Any:
    match document:
        case str():
            template = Template(document, field=field, known=known)
            names |= template.names
            return template if template.names else template.text({})
        case dict():
            return {key: _plan(value, f"{field}.{key}", known, names) for key, value in document.items()}
        case list():
            return [_plan(value, f"{field}.{number}", known, names) for number, value in enumerate(document)]
    return document


def _rendered(plan: Any, values: Values) -> Any:
    match plan:
        case Template():
            return plan.value(values)
        case dict():
            return {key: _rendered(value, values) for key, value in plan.items()}
        case list():
            return [_rendered(value, values) for value in plan]
    return plan


def _value(values: Values, name: str) -> object:
    try:
        return values[name]
    except KeyError:
        raise BadTarget(f"{{{name}}} has no value here") from None
