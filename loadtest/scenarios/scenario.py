"""A scenario: its creators, audience, and packets with their times (docs/scenario.md)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from loadtest.scenarios.copies import shifted
from loadtest.scenarios.crowd_scenario import BadScenario, CrowdScenario, scenario_text, toml_table, validated
from loadtest.scenarios.faults import FAULTS_MAX, FaultSpec
from loadtest.scenarios.hostile import HostileSpec
from loadtest.scenarios.payouts import InvoiceSpec, WithdrawalSpec
from loadtest.scenarios.shop import Shop
from loadtest.scenarios.strict_model import StrictModel
from loadtest.verdict.audit.circumstances import FACT_LATE_MS
from server.core.ids import CREATOR_ID_LENGTH_MAX, ID_LENGTH_MAX, PLATFORM, RoomId
from server.core.roomtime import ORIGIN_MS_MAX, ORIGIN_MS_MIN, SPEED_MAX
from server.core.rulebooks.overrides import BadRulebooks, overridden
from server.core.rulebooks.platforms import LAB, RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook

ROOMS_MAX = 1_000
PACKETS_MAX = 10_000
Copied = TypeVar("Copied")
PAYOUTS_MAX = 1_000  # withdrawals, and invoices, of one programme
EDITS_MAX = 100  # of one packet; a creator makes only a few
PATIENCE_MS_MAX = 60_000  # real; nobody waits longer for a receipt
WORKERS_MAX = 64  # the server's own limit
_REFUSED = r"^refused:[A-Z][A-Z0-9-]*-[A-Z]+-[0-9]+$"


class CreatorSpec(StrictModel):
    """
    A creator with a wallet. ``recharge_fen`` is paid in before the programme starts.

    Its ``platform`` is by default the one that its first packet names, or lab (AMB-43).
    """

    creator_id: str = Field(min_length=1, max_length=CREATOR_ID_LENGTH_MAX)
    recharge_fen: int = Field(gt=0)
    platform: str = ""
    channel: str | None = None


class RoomSpec(StrictModel):
    """A live room of one creator."""

    room_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX)
    creator_id: str
    title: str = ""


class EditSpec(StrictModel):
    """
    An edit of a packet's issuance (KS-EDT-1): at ``at_ms``, a time as in ``PacketSpec``, its share count is set.

    ``share_count`` is the new count, or ``factor`` a multiple of the created one. A refusal because more are claimed by
    then, or because another edit raced, is normal in a live room: it is recorded. Any other refusal ends the storm,
    unless ``expect`` names its rule.
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
        """Return the new share count of a packet that was created with *created* shares."""
        if self.share_count is not None:
            return self.share_count
        assert self.factor is not None
        return max(1, round(self.factor * created))


class PacketSpec(StrictModel):
    """
    One packet of the programme. Times are room milliseconds after its start (see ``Scenario``).

    ``creator_id`` and ``platform`` are by default the room's creator and its platform; only the creator ``platform``
    may launch into another's room (AMB-45). Claimed shares may be used on ``product_ids`` or everything, for
    ``use_for_ms`` or until ``use_end_at_ms``.
    The share count is absolute or per viewer of the whole audience, the total is absolute or per share. Its creator may
    edit its issuance (``edits``), and void or end it, in the grab window too where the platform allows it. ``expect``
    (of the launch), ``expect_void`` and ``expect_end`` are ``refused:RULE`` if that rule must refuse it. ``copies`` of
    it follow each other ``every_ms``.
    """

    name: str
    room_id: str
    creator_id: str = ""
    platform: str = ""
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
    void_by: Literal["creator", "platform"] = "creator"
    end_at_ms: int | None = Field(default=None, ge=0)
    expect: str | None = Field(default=None, pattern=_REFUSED)
    expect_void: str | None = Field(default=None, pattern=_REFUSED)
    expect_end: str | None = Field(default=None, pattern=_REFUSED)
    use_for_ms: int | None = Field(default=None, gt=0)
    use_start_at_ms: int | None = Field(default=None, ge=0)
    use_end_at_ms: int | None = Field(default=None, gt=0)
    product_ids: tuple[str, ...] | None = Field(default=None, min_length=1)
    copies: int = Field(default=1, ge=1, le=PACKETS_MAX)
    every_ms: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _copies_follow_each_other(self) -> Self:
        if (self.copies > 1) != (self.every_ms is not None):
            raise ValueError("copies above 1 and every_ms go together")
        return self

    @model_validator(mode="after")
    def _one_validity(self) -> Self:
        if self.use_for_ms is not None and (self.use_start_at_ms, self.use_end_at_ms) != (None, None):
            raise ValueError("give either use_for_ms or use_end_at_ms, with or without use_start_at_ms")
        if self.use_start_at_ms is not None and self.use_start_at_ms >= (self.use_end_at_ms or 0):
            raise ValueError("use_start_at_ms needs a later use_end_at_ms")
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
            raise ValueError("give either void_at_ms or end_at_ms")
        times = [edit.at_ms for edit in self.edits]
        if times != sorted(set(times)):
            raise ValueError("edits must be in order of at_ms, each later than the one before")
        for name, at_ms in over.items():
            if times and times[-1] >= at_ms:
                raise ValueError(f"edits come before {name}")
        return self

    @property
    def opens_ms(self) -> int:
        """Return when the packet opens, in room ms of the programme."""
        return self.launch_at_ms + (self.delay_ms or 0) if self.grab_at_ms is None else self.grab_at_ms

    def each(self) -> "list[PacketSpec]":
        """Return the packets that this one stands for: ``every_ms`` later each, with its number behind the name."""
        if self.every_ms is None:
            return [self]
        return [self._copy(number, number * self.every_ms) for number in range(self.copies)]

    def _copy(self, number: int, later_ms: int) -> "PacketSpec":
        moved = shifted(dict(self), later_ms, *(name for name in type(self).model_fields if name.endswith("_at_ms")))
        edits = [each.model_copy(update={"at_ms": each.at_ms + later_ms}) for each in self.edits]
        named = {"name": f"{self.name} {number + 1}", "copies": 1, "every_ms": None, "edits": edits}
        return self.model_copy(update=moved | named)

    def shares_for(self, viewers: int) -> int:
        """Return the packet's share count for an audience of *viewers*."""
        if self.share_count is not None:
            return self.share_count
        assert self.shares_per_viewer is not None
        return max(1, round(self.shares_per_viewer * viewers))

    def sum_for(self, viewers: int) -> int:
        """Return the packet's total in fen for an audience of *viewers*."""
        if self.total_fen is not None:
            return self.total_fen
        assert self.mean_share_fen is not None
        return self.mean_share_fen * self.shares_for(viewers)


class Scenario(CrowdScenario):
    """
    A complete scenario.

    With an ``origin``, the room time at which the server's clock starts, the programme's times count from the origin,
    and steps due before the audience is connected are done then. Without one they count from the curtain. ``loop_ms``
    (room time) repeats the programme until stopped, for a plain Locust run. ``workers`` are the processes of a storm's
    own server, which has the ``limits`` of that profile. Viewers wait ``patience_ms`` (real) for a receipt; facts may
    be ``fact_late_ms`` (real) late. ``rulebooks`` has a table per platform that overrides its limits in the storm's
    own server, or makes a platform from a ``base``, as ``redrain serve --rulebooks`` reads it. ``hostile`` clients
    misbehave beside the audience.
    """

    speed: int = Field(default=1, ge=1, le=SPEED_MAX)
    workers: int = Field(default=1, ge=1, le=WORKERS_MAX)
    limits: Literal["load", "production"] = "load"
    fact_late_ms: int = Field(default=FACT_LATE_MS, gt=0, le=PATIENCE_MS_MAX)
    patience_ms: int = Field(default=5_000, gt=0, le=PATIENCE_MS_MAX)
    origin: datetime | None = None
    loop_ms: int | None = Field(default=None, gt=0)
    creators: list[CreatorSpec] = Field(min_length=1)
    rooms: list[RoomSpec] = Field(min_length=1, max_length=ROOMS_MAX)
    packets: list[PacketSpec] = Field(min_length=1, max_length=PACKETS_MAX)
    rulebooks: dict[str, Any] = Field(default_factory=dict)
    shop: Shop | None = None
    withdrawals: list[WithdrawalSpec] = Field(default=[], max_length=PAYOUTS_MAX)
    invoices: list[InvoiceSpec] = Field(default=[], max_length=PAYOUTS_MAX)
    faults: list[FaultSpec] = Field(default=[], max_length=FAULTS_MAX)
    hostile: HostileSpec | None = None

    @model_validator(mode="after")
    def _everybody_is_known(self) -> Self:
        creators = {creator.creator_id for creator in self.creators}
        hosts = {room.room_id: room.creator_id for room in self.rooms}
        for number, room in enumerate(self.rooms):
            if room.creator_id not in creators:
                raise ValueError(f"rooms.{number}.creator_id: no creator is called {room.creator_id}")
        for number, packet in enumerate(self.packets):
            if packet.room_id not in hosts:
                raise ValueError(f"packets.{number}.room_id: no room is called {packet.room_id}")
            if packet.creator_id not in ("", hosts[packet.room_id], *({PLATFORM} & creators)):
                raise ValueError(f"packets.{number}.creator_id: must be a creator called {PLATFORM}, or the room's")
        names = {each.name for packet in self.packets for each in packet.each()}
        for number, fault in enumerate(self.faults):
            if fault.at_phase is not None and fault.at_phase.packet not in names:
                raise ValueError(f"faults.{number}.at_phase: no packet is called {fault.at_phase.packet}")
        if self.origin is not None and self.loop_ms is not None:
            raise ValueError("loop_ms: a programme with an origin cannot be repeated; leave one of them out")
        if self.origin is not None and self.origin.tzinfo is None:
            raise ValueError("origin: needs a time zone, as in 2023-08-05T19:10:00+08:00")
        if self.origin_ms is not None and not ORIGIN_MS_MIN <= self.origin_ms <= ORIGIN_MS_MAX:
            raise ValueError("origin: must be between the years 2000 and 2100")
        return self

    @model_validator(mode="after")
    def _payouts_have_creators(self) -> Self:
        creators = {creator.creator_id for creator in self.creators}
        payouts = [(f"withdrawals.{number}", each.creator_id) for number, each in enumerate(self.withdrawals)]
        payouts += [(f"invoices.{number}", each.creator_id) for number, each in enumerate(self.invoices)]
        for where, creator_id in payouts:
            if creator_id not in creators:
                raise ValueError(f"{where}.creator_id: no creator is called {creator_id}")
        return self

    @model_validator(mode="after")
    def _all_is_sold(self) -> Self:
        if self.shop is None:
            return self
        if self.loop_ms is not None:
            raise ValueError("shop: does not go with loop_ms; leave one of them out")
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
        asked = [(f"creators.{number}", each.platform) for number, each in enumerate(self.creators)]
        asked += [(f"packets.{number}", each.platform) for number, each in enumerate(self.packets)]
        for where, platform in asked:
            if platform and platform not in books:
                raise ValueError(f"{where}.platform: must be one of {', '.join(books)}; [rulebooks.NAME] makes another")
        self._settle_platforms()
        if self.shop is not None:
            self.shop.judged_by(books)
        return self

    @model_validator(mode="after")
    def _copies_are_packets(self) -> Self:
        object.__setattr__(self, "packets", with_copies(packet.each() for packet in self.packets))
        return self

    def _settle_platforms(self) -> None:
        """Fill in whose each packet is and for which platform, and which platform each creator has (AMB-43, AMB-45)."""
        hosts = {room.room_id: room.creator_id for room in self.rooms}
        packets = [
            each.model_copy(update={"creator_id": each.creator_id or hosts[each.room_id]}) for each in self.packets
        ]
        of = {each.creator_id: each.platform for each in self.creators}
        for each in packets:
            of[each.creator_id] = of[each.creator_id] or each.platform
        settled = {creator_id: platform or LAB.platform for creator_id, platform in of.items()}
        for number, each in enumerate(packets):
            if each.creator_id == PLATFORM:
                platform = each.platform or settled[hosts[each.room_id]]
            else:
                platform = settled[each.creator_id]
                if each.platform not in ("", platform):
                    raise ValueError(f"packets.{number}.platform: {each.creator_id} belongs to {platform}")
            packets[number] = each.model_copy(update={"platform": platform})
        creators = [each.model_copy(update={"platform": settled[each.creator_id]}) for each in self.creators]
        object.__setattr__(self, "packets", packets)
        object.__setattr__(self, "creators", creators)

    @property
    def room_ids(self) -> list[RoomId]:
        """Return every room of the scenario."""
        return [RoomId(room.room_id) for room in self.rooms]

    def openings(self) -> list[tuple[float, RoomId]]:
        """Return when packets open, in real milliseconds of the programme, and in which room."""
        return [(packet.opens_ms / self.speed, RoomId(packet.room_id)) for packet in self.packets]

    @property
    def books(self) -> Mapping[str, Rulebook]:
        """Return the rulebooks of the scenario, by platform."""
        return overridden(RULEBOOKS, self.rulebooks)

    @property
    def origin_ms(self) -> int | None:
        """Return the room time at which the room clock starts, or None for the time of day."""
        return None if self.origin is None else int(self.origin.timestamp() * 1000)


def load_scenario(name_or_path: str) -> Scenario:
    """Read a scenario for this server, by its shipped name or from a TOML file. Raises BadScenario."""
    text = scenario_text(name_or_path)
    table = toml_table(name_or_path, text)
    if "target" in table:
        raise BadScenario(f"{name_or_path}: target: the scenario is for another service; run it with redrain storm")
    return validated(Scenario, table, source=name_or_path, text=text)


def with_copies(packets: Iterable[list[Copied]]) -> list[Copied]:
    """Return every packet that packets with ``copies`` stand for. Raises ValueError if these are too many."""
    each = [copy for copies in packets for copy in copies]
    if len(each) > PACKETS_MAX:
        raise ValueError(f"packets: are {len(each):,} with all copies; at most {PACKETS_MAX:,}")
    return each
