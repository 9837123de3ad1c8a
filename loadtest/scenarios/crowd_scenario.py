"""The part of a scenario that is common to all targets; and the reading of scenario files, with precise errors."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from client_sim.behaviour import Behaviour, Seat, cast
from loadtest.scenarios.arrivals import AudienceArrivals, TapsSpec
from loadtest.scenarios.strict_model import StrictModel, Weight
from loadtest.verdict.sometimes import NAMES
from loadtest.verdict.threshold_grammar import parse
from loadtest.verdict.threshold_terms import ABORT_AFTER_S_MAX, BadThreshold, Threshold
from server.core.ids import RoomId
from server.core.toml_text import BadToml, read_toml, toml_tables

NUMBER_MAX = 2**53 - 1  # what every reader of JSON understands
NAMES_MAX = 1_000
VIEWERS_MAX = 200_000  # more than any one machine can run: catches typing errors
M = TypeVar("M", bound=BaseModel)
ViewerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_~-]{0,19}[A-Za-z_~-]$")]  # a number follows


class BadScenario(Exception):  # noqa: N818 - a bad scenario
    """A scenario file cannot be used; the text names the file, the field and, if known, the line."""


@dataclass(frozen=True, slots=True)
class AbortingThreshold:
    """A threshold that ends the run early once it is missed, from ``abort_after_s`` seconds after the start on."""

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    threshold: str
    abort_after_s: float = Field(default=0, ge=0, le=ABORT_AFTER_S_MAX)


AnyThreshold = Annotated[str | AbortingThreshold, "in a list, one threshold of a metric"]


class AudienceSpec(StrictModel):
    """
    The audience: its size, arrival rate (per real second) or when they come, behaviours and reaction time.

    Viewers are called by ``names`` in turn, each with its number behind, or by v and the number.
    """

    viewers: int = Field(gt=0, le=VIEWERS_MAX)
    arrivals_per_second: int = Field(default=500, gt=0)
    reaction_median_ms: int = Field(default=400, ge=0)
    names: list[ViewerName] = Field(default=[], max_length=NAMES_MAX)
    mix: dict[Behaviour, Weight] = Field(default_factory=lambda: {Behaviour.EAGER: 1.0})
    arrivals: AudienceArrivals | None = None

    @model_validator(mode="after")
    def _somebody_comes(self) -> Self:
        if not any(self.mix.values()):
            raise ValueError("mix needs at least one behaviour with a weight above 0")
        return self


class CrowdScenario(StrictModel):
    """
    The part that every scenario has, for any target: an audience, a seed, and the expectations of the run.

    ``sometimes`` names events that a meaningful pass requires, ``thresholds`` has expressions by metric. With ``taps``
    a model says when viewers tap, else their behaviours do.
    """

    name: str
    description: str = ""
    seed: int = 1
    sometimes: list[str] = Field(default_factory=list)
    thresholds: dict[str, list[AnyThreshold]] = Field(default_factory=dict)
    audience: AudienceSpec
    taps: TapsSpec | None = None

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        for number, name in enumerate(self.sometimes):
            if name not in NAMES:
                raise ValueError(f"sometimes.{number}: {name} is unknown; there are {', '.join(NAMES)}")
        for metric, given in self.thresholds.items():
            for each in given:
                try:
                    _parsed(metric, each)
                except BadThreshold as bad:
                    raise ValueError(f"thresholds.{metric}: {bad}") from None
        return self

    @model_validator(mode="after")
    def _arrives_by_one_model(self) -> Self:
        if self.taps is not None and self.taps.problem:
            raise ValueError(f"taps.{self.taps.problem}")
        arrivals = self.audience.arrivals
        if arrivals is not None and arrivals.problem:
            raise ValueError(f"audience.arrivals.{arrivals.problem}")
        if arrivals is not None and "arrivals_per_second" in self.audience.model_fields_set:
            raise ValueError("audience.arrivals_per_second: give either this or [audience.arrivals]")
        return self

    @property
    def parsed_thresholds(self) -> list[Threshold]:
        """Return the thresholds, parsed."""
        return [_parsed(metric, each) for metric, given in self.thresholds.items() for each in given]

    @property
    def room_ids(self) -> list[RoomId]:
        """Return the rooms of the audience."""
        raise NotImplementedError

    def openings(self) -> list[tuple[float, RoomId]]:
        """Return when packets open, in real milliseconds of the programme, and in which room."""
        raise NotImplementedError

    def seats(self) -> Iterator[Seat]:
        """Yield the seats of the whole audience; a viewer with two devices takes two."""
        viewers = 0
        for seat in cast(self.room_ids, self.audience.mix, self.seed, self.audience.names):
            viewers += seat.device == 0
            if viewers > self.audience.viewers:
                return
            yield seat

    def before(
        self,
        *,
        viewers: int | None = None,
        seed: int | None = None,
        reaction_median_ms: int | None = None,
        **others: int | None,
    ) -> Self:
        """Return the same scenario with another audience and seed. Raises BadScenario."""
        plain = self.model_dump(by_alias=True)
        if self.audience.arrivals is not None:
            del plain["audience"]["arrivals_per_second"]
        if viewers is not None:
            plain["audience"]["viewers"] = viewers
        if reaction_median_ms is not None:
            plain["audience"]["reaction_median_ms"] = reaction_median_ms
        if seed is not None:
            plain["seed"] = seed
        plain |= {name: value for name, value in others.items() if value is not None}
        return validated(type(self), plain, source=self.name)


def _parsed(metric: str, given: AnyThreshold) -> Threshold:
    if isinstance(given, str):
        return parse(metric, given)
    return parse(metric, given.threshold, given.abort_after_s)


def shipped_names() -> list[str]:
    """Return the names of the scenarios that come with the product."""
    folder = resources.files("loadtest") / "scenarios"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def scenario_text(name_or_path: str) -> str:
    """Return the TOML text of a shipped scenario or of a file. Raises BadScenario if there is none."""
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        try:
            return read_toml(Path(name_or_path))
        except (OSError, UnicodeDecodeError) as error:
            raise BadScenario(f"{name_or_path}: cannot be read: {error}") from None
    if name_or_path not in shipped_names():
        raise BadScenario(f"{name_or_path}: no such scenario; shipped are {', '.join(shipped_names())}, or give a file")
    return (resources.files("loadtest") / "scenarios" / f"{name_or_path}.toml").read_text("utf-8")


def toml_table(source: str, text: str) -> dict[str, Any]:
    """Return the tables of a scenario's text. Raises BadScenario."""
    try:
        return toml_tables(text)
    except BadToml as error:
        raise BadScenario(f"{source}: not TOML: {error}") from None


def validated(model: type[M], table: dict[str, Any], *, source: str, text: str = "") -> M:
    """Return the scenario in a table; *text* is its source, for line numbers. Raises BadScenario with all problems."""
    for path in _too_large(table):
        raise BadScenario(_sentence(source, text, {"msg": f"must be at most {NUMBER_MAX:,}", "loc": path}))
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise BadScenario("\n".join(_sentence(source, text, problem) for problem in error.errors())) from None


def _too_large(value: object) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every number in *value* that JSON, and so the record of a run, cannot hold."""
    if isinstance(value, int) and abs(value) > NUMBER_MAX:
        yield ()
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from ((name, *path) for path in _too_large(part))


def _sentence(source: str, text: str, problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    path = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    if not path and ": " in message:  # a check across the file names its own field
        path, _, message = message.partition(": ")
    line = _line_of(text, path)
    return f"{source}{f':{line}' if line else ''}: {path or 'the file'}: {message}"


def _line_of(text: str, path: str) -> int | None:
    """Return the line (from 1) of the field at the dotted *path*, or of its table or list, or None."""
    table, found, holder = "", None, None
    seen: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            name = line.strip("[] ")
            seen[name] = seen.get(name, -1) + 1
            table = f"{name}.{seen[name]}" if line.startswith("[[") else name
            if path == table or path.startswith(f"{table}."):
                found = number
        else:
            key = line.partition("=")[0].strip(" \"'")
            field = f"{table}.{key}" if table else key
            if key and path == field:
                return number
            if key and path.startswith(f"{field}."):
                holder = holder or number
    return found or holder
