"""docs/scenario.md, docs/targets.md and the models agree: every table, and of every key type, default and example."""

import re
import tomllib
import types
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from client_sim.behaviour import Behaviour
from client_sim.buyer import Habit
from loadtest.scenarios.crowd_scenario import AnyThreshold, ViewerName
from loadtest.scenarios.faults import FaultKind
from loadtest.scenarios.hostile import Misdeed
from loadtest.scenarios.scenario import Scenario, load_scenario
from loadtest.scenarios.strict_model import Weight
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.verdict.sometimes import NAMES
from loadtest.verdict.threshold_terms import DISTRIBUTIONS, NUMBERS
from server.core.packets.claim import ClaimStatus

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("scenario", "targets")}
PAGE = PAGES["scenario"]
WORDS: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "string",
    bool: "boolean",
    datetime: "date and time",
    Any: "value",
}
WORDS |= {ClaimStatus: "status", Weight: "number", ViewerName: "string", AnyThreshold: "threshold"}
UNITS = {"_ms": ("room ms", "real ms"), "_fen": ("fen",), "_permille": ("permille",), "_rate": ("0.01 %",)}


def _tables(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """
    Yield a model and all that it holds, each with the heading of its table in TOML.

    Where one key may hold several models, the ``kind`` of each stands behind the heading.
    """
    yield name or "The file", model
    for key, field in model.model_fields.items():
        path = f"{name.partition(' ')[0].strip('[]')}.{key}".removeprefix(".")
        heading = f"[[{path}]]" if get_origin(field.annotation) in (list, tuple) else f"[{path}]"
        held = _models(field.annotation)
        for each in held:
            yield from _tables(each, heading if len(held) == 1 else f'{heading} kind = "{_kind(each)}"')


def _target_tables() -> dict[str, type[BaseModel]]:
    """Return the tables of a scenario that aims at another service; one that several kinds have alike stands once."""
    whole = dict(_tables(TargetScenario))
    tables: dict[str, type[BaseModel]] = {"The file": TargetScenario, "[[packets]]": whole["[[packets]]"]}
    of_kinds = [heading for heading in whole if heading.startswith("[target] ")]
    held = {heading: dict(_tables(whole[heading], heading)) for heading in of_kinds}
    for heading in of_kinds:
        tables[heading] = whole[heading]
        for name, model in list(held[heading].items())[1:]:
            alike = {tables[name] for tables in held.values() if name in tables} == {model}
            tables[name if alike else f"{name}{heading.removeprefix('[target]')}"] = model
    return tables


def _kind(model: type[BaseModel]) -> str:
    (kind,) = get_args(model.model_fields["kind"].annotation)
    return str(kind)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _type(annotation: Any) -> str:
    """Return what a page calls a type."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if _models(annotation):
        return "array of tables" if origin in (list, tuple) else "table"
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in parts if part is not type(None))
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin is list or (origin is tuple and parts[-1] is Ellipsis):
        return f"array of {_plural(parts[0])}"
    if origin is tuple:
        return f"[{', '.join(_type(part) for part in parts)}]"
    if origin is dict:
        return f"table of {_plural(parts[1])}"
    if annotation not in WORDS and isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    return WORDS[annotation]


def _plural(annotation: Any) -> str:
    name, of, items = _type(annotation).partition(" of ")
    return f"{name}{'es' if name.endswith('s') else 's'}{of}{items}"


def _bounds(field: FieldInfo) -> str:
    """Return the limits of a number, or the longest that a text or an array may be."""
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    limits = [(word, getattr(each, name, None)) for each in field.metadata for name, word in words.items()]
    stated = [f"{word} {limit:,}" for word, limit in limits if limit is not None]
    longest = [each.max_length for each in field.metadata if getattr(each, "max_length", None)]
    return ", ".join([*stated, *(f"at most {most:,} long" for most in longest)])


def _default(field: FieldInfo) -> str:
    """Return the default as TOML has it."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default in (None, [], {}, ""):
        return "none"
    if isinstance(default, BaseModel):
        return "its defaults"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, dict):
        return f"`{{ {', '.join(f'{key} = {value}' for key, value in default.items())} }}`"
    return f"`{default:_}`" if isinstance(default, int | float) else f'`"{default}"`'


def _row(key: str, field: FieldInfo) -> tuple[str, str, str]:
    key, kind, bounds = field.alias or key, _type(field.annotation), _bounds(field)
    return key, f"{kind}, {bounds}" if bounds else kind, _default(field)


TABLES = {
    **{("scenario", heading): model for heading, model in _tables(Scenario)},
    **{("targets", heading): model for heading, model in _target_tables().items()},
}
SECTIONS = {
    (name, heading): section
    for name, page in PAGES.items()
    for heading, section in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", page, re.MULTILINE)
}
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.*?) ?\| (.*?) ?\| (.+) \|$", re.MULTILINE)
WITH_EXAMPLE = [
    (place, key, unit, example)
    for place in TABLES
    for key, _, _, unit, example, _ in ROW.findall(SECTIONS.get(place, ""))
]


def _field(place: tuple[str, str], key: str) -> FieldInfo:
    fields = TABLES[place].model_fields
    return next(field for name, field in fields.items() if key == (field.alias or name))


def _names_in(heading: str, column: str) -> list[str]:
    """Return the names in the first column of the small table whose head begins with *column*."""
    _, _, after = SECTIONS["scenario", heading].partition(f"| {column} |")
    return re.findall(r"^\| `(\w+)` \|", after, re.MULTILINE)


@pytest.mark.parametrize("place", TABLES)
def test_every_table_of_the_model_is_on_the_page(place: tuple[str, str]) -> None:
    """Each key in its order, with its type, its bounds and its default; a row that differs is shown as it should be."""
    wanted = [_row(key, field) for key, field in TABLES[place].model_fields.items()]
    assert [row[:3] for row in ROW.findall(SECTIONS[place])] == wanted


def test_the_page_has_no_table_that_the_model_does_not_have() -> None:
    """Headings in brackets are tables of the file."""
    assert {place for place in SECTIONS if place[1].startswith("[")} == {
        place for place in TABLES if place[1][0] == "["
    }


@pytest.mark.parametrize(("place", "key", "unit", "example"), WITH_EXAMPLE)
def test_every_key_has_its_unit_and_an_example(place: tuple[str, str], key: str, unit: str, example: str) -> None:
    """The example is TOML that the model takes for this key; a table has its own section instead."""
    field = _field(place, key)
    if _models(field.annotation):
        assert example == ""
    else:
        value = tomllib.loads(f"{key} = {example.strip('`')}")[key]
        kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        taker: TypeAdapter[Any] = TypeAdapter(kind)  # type: ignore[arg-type]
        taker.validate_python(value)
    for suffix, units in UNITS.items():
        if key.endswith(suffix):
            assert unit.startswith(units), f"{key}: {unit!r} begins with none of {units}"


def test_the_file_on_the_page_is_a_scenario(tmp_path: Path) -> None:
    """Whoever copies it can run it."""
    (text,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    (tmp_path / "first.toml").write_text(text, "utf-8")
    assert load_scenario(str(tmp_path / "first.toml")).packets[0].share_count == 20


def test_the_words_that_a_scenario_may_use_are_all_explained() -> None:
    """Behaviours, buyers, faults, what happens sometimes, and metrics."""
    assert _names_in("[audience]", "behaviour") == list(Behaviour)
    assert _names_in("[shop]", "buyer") == list(Habit)
    assert _names_in("[[faults]]", "fault") == list(FaultKind)
    assert _names_in("[hostile]", "misdeed") == list(Misdeed)
    assert _names_in("Sometimes", "name") == list(NAMES)
    metrics = dict(
        re.findall(r"^\| `(\w+)` \| (distribution|number) \|", SECTIONS["scenario", "Thresholds"], re.MULTILINE)
    )
    assert metrics == dict.fromkeys(DISTRIBUTIONS, "distribution") | dict.fromkeys(NUMBERS, "number")


@pytest.mark.parametrize("path", ["http.toml", "websocket.toml", "targets/lines.py"])
def test_the_examples_on_the_page_are_those_that_storms_are_run_with(path: str) -> None:
    """Each stands there in full; tests/e2e/test_targets.py runs them."""
    text = (DOCS.parent / "tests/examples" / path).read_text("utf-8")
    language = {"toml": "toml", "py": "python"}[path.rpartition(".")[2]]
    assert f"```{language}\n{text}```" in PAGES["targets"]
