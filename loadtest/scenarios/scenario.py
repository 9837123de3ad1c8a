"""A scenario: who hosts, who watches, which packets fall when (loadtest.md, section 1)."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from client_sim.behaviour import Behaviour, Seat, cast
from loadtest.scenarios.faults import FAULTS_MAX, FaultSpec
from loadtest.scenarios.shop import Shop
from loadtest.verdict.sometimes import NAMES
from loadtest.verdict.thresholds import BadThreshold, Threshold, parse, parse_all
from server.core.ids import CREATOR_ID_LENGTH_MAX, ID_LENGTH_MAX, RoomId
from server.core.roomtime import SPEED_MAX
from server.core.rulebooks.overrides import BadRulebooks, overridden
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook

VIEWERS_MAX = 200_000  # more than any one machine brings; a typing slip beyond it is caught here
ROOMS_MAX = 1_000
PACKETS_MAX = 10_000
EDITS_MAX = 100  # of one packet; a creator at a console makes a handful
WORKERS_MAX = 64  # as many as a server takes
_REFUSED = r"^refused:[A-Z][A-Z0-9-]*-[A-Z]+-[0-9]+$"


class BadScenario(Exception):  # noqa: N818 - named for what it is
    """A scenario file that cannot be used; the text names the file, the field and, where it can be told, the line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CreatorSpec(_Part):
    """A host with a wallet. ``recharge_fen`` is paid in before the curtain rises."""

    creator_id: str = Field(min_length=1, max_length=CREATOR_ID_LENGTH_MAX)
    recharge_fen: int = Field(gt=0)
    platform: str | None = None
    channel: str | None = None


class RoomSpec(_Part):
    """A live room of one creator."""

    room_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX)
    creator_id: str
    title: str = ""


class EditSpec(_Part):
    """
    An edit of a packet's issuance (KS-EDT-1): at ``at_ms``, a time as in ``PacketSpec``, it is to have so many shares.

    ``share_count`` says how many, or ``factor`` how many times those of its creation. That more are claimed by then, or
    that another edit comes in between, is what happens in a live room: such a refusal is noted. Any other ends the
    storm, unless ``expect`` names its rule.
    """

    at_ms: int = Field(ge=0)
    share_count: int | None = Field(default=None, gt=0)
    factor: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    expect: str | None = Field(default=None, pattern=_REFUSED)

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.share_count is None) == (self.factor is None):
            raise ValueError("give either share_count or factor")
        return self

    def shares_of(self, created: int) -> int:
        """Return how many shares a packet that was created with so many is to have."""
        if self.share_count is not None:
            return self.share_count
        assert self.factor is not None
        return max(1, round(self.factor * created))


class PacketSpec(_Part):
    """
    One packet of the programme. Times are room milliseconds after its start (see ``Scenario``).

    What is claimed may be used on ``product_ids`` or everything, for ``use_for_ms`` or until ``use_end_at_ms``.
    The share count is given as such or per viewer of the whole audience, the sum as such or per share. Its creator may
    edit its issuance (``edits``), and void or end it, in the grab window too where the platform allows it. ``expect``
    (of the launch), ``expect_void`` and ``expect_end`` read ``refused:RULE`` if that rule is to refuse it.
    """

    name: str
    room_id: str
    platform: str = "lab"
    denomination: Literal["random", "fixed"] = "random"
    share_count: int | None = Field(default=None, gt=0)
    shares_per_viewer: float | None = Field(default=None, gt=0)
    total_fen: int | None = Field(default=None, gt=0)
    mean_share_fen: int | None = Field(default=None, gt=0)
    min_share_fen: int = Field(default=1, gt=0)
    max_share_fen: int | None = Field(default=None, gt=0)
    mode: Literal["relative", "exact", "manual", "scheduled"] = "relative"
    launch_at_ms: int = Field(ge=0)
    delay_ms: int | None = Field(default=None, ge=0)
    warmup_at_ms: int | None = Field(default=None, ge=0)
    grab_at_ms: int | None = Field(default=None, ge=0)
    claim_window_ms: int | None = Field(default=None, gt=0)
    edits: list[EditSpec] = Field(default=[], max_length=EDITS_MAX)
    void_at_ms: int | None = Field(default=None, ge=0)
    end_at_ms: int | None = Field(default=None, ge=0)
    expect: str | None = Field(default=None, pattern=_REFUSED)
    expect_void: str | None = Field(default=None, pattern=_REFUSED)
    expect_end: str | None = Field(default=None, pattern=_REFUSED)
    use_for_ms: int | None = Field(default=None, gt=0)
    use_start_at_ms: int | None = Field(default=None, ge=0)
    use_end_at_ms: int | None = Field(default=None, gt=0)
    product_ids: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_validity(self) -> Self:
        if self.use_for_ms is not None and (self.use_start_at_ms, self.use_end_at_ms) != (None, None):
            raise ValueError("give either use_for_ms or use_end_at_ms, with or without use_start_at_ms")
        if self.use_start_at_ms is not None and self.use_start_at_ms >= (self.use_end_at_ms or 0):
            raise ValueError("use_end_at_ms comes after use_start_at_ms, which needs it")
        return self

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.share_count is None) == (self.shares_per_viewer is None):
            raise ValueError("give either share_count or shares_per_viewer")
        if (self.total_fen is None) == (self.mean_share_fen is None):
            raise ValueError("give either total_fen or mean_share_fen")
        wanted = {
            "relative": {"delay_ms"},
            "exact": {"warmup_at_ms", "grab_at_ms"},
            "manual": set(),
            "scheduled": {"grab_at_ms"},
        }[self.mode]
        given = {name for name in ("delay_ms", "warmup_at_ms", "grab_at_ms") if getattr(self, name) is not None}
        if given != wanted:
            raise ValueError(f"mode {self.mode} takes {' and '.join(sorted(wanted)) or 'no times'}")
        if self.expect is not None and self.void_at_ms is not None:
            raise ValueError("a packet whose launch is refused is voided in the end; leave void_at_ms out")
        if self.expect_void is not None and self.void_at_ms is None:
            raise ValueError("expect_void goes with void_at_ms")
        return self

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.expect_end is not None and self.end_at_ms is None:
            raise ValueError("expect_end goes with end_at_ms")
        if self.expect is not None and (self.end_at_ms is not None or self.edits):
            raise ValueError("a packet whose launch is refused is voided in the end; leave edits and end_at_ms out")
        if self.end_at_ms is not None and self.end_at_ms <= self.launch_at_ms:
            raise ValueError("end_at_ms comes after launch_at_ms")
        over = {
            name: at_ms
            for name, at_ms, refused in (
                ("void_at_ms", self.void_at_ms, self.expect_void),
                ("end_at_ms", self.end_at_ms, self.expect_end),
            )
            if at_ms is not None and refused is None
        }
        if len(over) > 1:
            raise ValueError("a packet is over once: give either void_at_ms or end_at_ms")
        times = [edit.at_ms for edit in self.edits]
        if times != sorted(set(times)):
            raise ValueError("edits come one after the other, each at a later at_ms")
        for name, at_ms in over.items():
            if times and times[-1] >= at_ms:
                raise ValueError(f"edits come before {name}")
        return self

    def shares_for(self, viewers: int) -> int:
        """Return how many shares the packet has before an audience of *viewers*."""
        if self.share_count is not None:
            return self.share_count
        assert self.shares_per_viewer is not None
        return max(1, round(self.shares_per_viewer * viewers))

    def sum_for(self, viewers: int) -> int:
        """Return the packet's sum in fen before an audience of *viewers*."""
        if self.total_fen is not None:
            return self.total_fen
        assert self.mean_share_fen is not None
        return self.mean_share_fen * self.shares_for(viewers)


class AudienceSpec(_Part):
    """Who watches: how many, how fast they come in (real seconds), how they behave and how quick they are."""

    viewers: int = Field(gt=0, le=VIEWERS_MAX)
    arrivals_per_second: int = Field(default=500, gt=0)
    reaction_median_ms: int = Field(default=400, ge=0)
    mix: dict[Behaviour, float] = Field(default_factory=lambda: {Behaviour.EAGER: 1.0})

    @model_validator(mode="after")
    def _somebody_comes(self) -> Self:
        if not self.mix or any(weight < 0 for weight in self.mix.values()) or sum(self.mix.values()) <= 0:
            raise ValueError("mix needs at least one behaviour with a weight above 0")
        return self


class Scenario(_Part):
    """
    A whole evening.

    With an ``origin``, the room time at which the server's clock starts, the programme is a timetable: its times count
    from the origin, and what was due before the audience was there is done when it is. Without one they count from the
    curtain. ``loop_ms`` (room time) repeats the programme until stopped, for the plain Locust run. ``workers`` are the
    processes of a storm's own server. ``sometimes`` names what must have happened for a pass to mean something,
    ``thresholds`` has sentences per metric. ``rulebooks`` has a table per platform whose limits the storm's own server
    is to override, or that makes one with a ``base``, as ``redrain serve --rulebooks`` reads it.
    """

    name: str
    description: str = ""
    speed: int = Field(default=1, ge=1, le=SPEED_MAX)
    workers: int = Field(default=1, ge=1, le=WORKERS_MAX)
    seed: int = 1
    origin: datetime | None = None
    loop_ms: int | None = Field(default=None, gt=0)
    sometimes: list[str] = Field(default_factory=list)
    thresholds: dict[str, list[str]] = Field(default_factory=dict)
    audience: AudienceSpec
    creators: list[CreatorSpec] = Field(min_length=1)
    rooms: list[RoomSpec] = Field(min_length=1, max_length=ROOMS_MAX)
    packets: list[PacketSpec] = Field(min_length=1, max_length=PACKETS_MAX)
    rulebooks: dict[str, Any] = Field(default_factory=dict)
    shop: Shop | None = None
    faults: list[FaultSpec] = Field(default=[], max_length=FAULTS_MAX)

    @model_validator(mode="after")
    def _everybody_is_known(self) -> Self:
        creators = {creator.creator_id for creator in self.creators}
        for number, room in enumerate(self.rooms):
            if room.creator_id not in creators:
                raise ValueError(f"rooms.{number}.creator_id: no creator is called {room.creator_id}")
        rooms = {room.room_id for room in self.rooms}
        for number, packet in enumerate(self.packets):
            if packet.room_id not in rooms:
                raise ValueError(f"packets.{number}.room_id: no room is called {packet.room_id}")
        names = {packet.name for packet in self.packets}
        for number, fault in enumerate(self.faults):
            if fault.at_phase is not None and fault.at_phase.packet not in names:
                raise ValueError(f"faults.{number}.at_phase: no packet is called {fault.at_phase.packet}")
        if self.origin is not None and self.loop_ms is not None:
            raise ValueError("loop_ms: a programme with an origin has its hours, and cannot be repeated")
        if self.origin is not None and self.origin.tzinfo is None:
            raise ValueError("origin: needs a time zone, as in 2023-08-05T19:10:00+08:00")
        return self

    @model_validator(mode="after")
    def _all_is_sold(self) -> Self:
        if self.shop is None:
            return self
        if self.loop_ms is not None:
            raise ValueError("shop: a programme that is repeated has none; leave loop_ms out")
        sold = {ware.product_id for ware in self.shop.products}
        for number, packet in enumerate(self.packets):
            if packet.product_ids is not None and not sold & set(packet.product_ids):
                raise ValueError(f"packets.{number}.product_ids: the shop sells none of them")
        return self

    @model_validator(mode="after")
    def _rulebooks_can_be_had(self) -> Self:
        try:
            books = self.books
        except BadRulebooks as bad:
            raise ValueError(f"rulebooks.{bad}") from None
        asked = [(f"creators.{number}", each.platform or "lab") for number, each in enumerate(self.creators)]
        asked += [(f"packets.{number}", each.platform) for number, each in enumerate(self.packets)]
        for where, platform in asked:
            if platform not in books:
                raise ValueError(f"{where}.platform: must be one of {', '.join(books)}; [rulebooks.NAME] makes another")
        if self.shop is not None:
            self.shop.judged_by(books)
        return self

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        for number, name in enumerate(self.sometimes):
            if name not in NAMES:
                raise ValueError(f"sometimes.{number}: {name} is unknown; there are {', '.join(NAMES)}")
        for metric, expressions in self.thresholds.items():
            for expression in expressions:
                try:
                    parse(metric, expression)
                except BadThreshold as bad:
                    raise ValueError(f"thresholds.{metric}: {bad}") from None
        return self

    @property
    def books(self) -> Mapping[str, Rulebook]:
        """The rulebooks by which the scenario is judged, by platform."""
        return overridden(RULEBOOKS, self.rulebooks)

    @property
    def parsed_thresholds(self) -> list[Threshold]:
        """The thresholds, parsed."""
        return parse_all(self.thresholds)

    @property
    def origin_ms(self) -> int | None:
        """The room time at which the room clock starts, or None for the time of day."""
        return None if self.origin is None else int(self.origin.timestamp() * 1000)

    def seats(self) -> Iterator[Seat]:
        """Yield the seats of the whole audience; a viewer with two devices takes two."""
        viewers = 0
        for seat in cast([RoomId(room.room_id) for room in self.rooms], self.audience.mix, self.seed):
            viewers += seat.device == 0
            if viewers > self.audience.viewers:
                return
            yield seat

    def before(
        self,
        *,
        viewers: int | None = None,
        seed: int | None = None,
        speed: int | None = None,
        reaction_median_ms: int | None = None,
    ) -> "Scenario":
        """Return the same scenario before another audience, with another seed or speed. Raises BadScenario."""
        plain = self.model_dump()
        if viewers is not None:
            plain["audience"]["viewers"] = viewers
        if reaction_median_ms is not None:
            plain["audience"]["reaction_median_ms"] = reaction_median_ms
        if seed is not None:
            plain["seed"] = seed
        if speed is not None:
            plain["speed"] = speed
        try:
            return Scenario.model_validate(plain)
        except ValidationError as error:
            raise BadScenario("\n".join(_sentence(self.name, "", problem) for problem in error.errors())) from None


def shipped_names() -> list[str]:
    """Return the names of the scenarios that come with the product."""
    folder = resources.files("loadtest") / "scenarios"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def scenario_text(name_or_path: str) -> str:
    """Return the TOML text of a shipped scenario or of a file. Raises BadScenario if there is none."""
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        try:
            return Path(name_or_path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadScenario(f"{name_or_path}: cannot be read: {error}") from None
    if name_or_path not in shipped_names():
        raise BadScenario(f"{name_or_path}: no such scenario; shipped are {', '.join(shipped_names())}, or give a file")
    return (resources.files("loadtest") / "scenarios" / f"{name_or_path}.toml").read_text("utf-8")


def load_scenario(name_or_path: str) -> Scenario:
    """Read a scenario by its shipped name or from a TOML file. Raises BadScenario."""
    text = scenario_text(name_or_path)
    try:
        return Scenario.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"{name_or_path}: not TOML: {error}") from None
    except ValidationError as error:
        raise BadScenario("\n".join(_sentence(name_or_path, text, problem) for problem in error.errors())) from None


def _sentence(source: str, text: str, problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    path = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    if not path and ": " in message:  # a check across the file names its own field
        path, _, message = message.partition(": ")
    line = _line_of(text, path)
    return f"{source}{f':{line}' if line else ''}: {path or 'the file'}: {message}"


def _line_of(text: str, path: str) -> int | None:
    """Return the line (from 1) where the field at the dotted *path* stands, or its table begins, or None."""
    table, found = "", None
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
            key = line.partition("=")[0].strip()
            if key and path == (f"{table}.{key}" if table else key):
                return number
    return found
