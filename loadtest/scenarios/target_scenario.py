"""A scenario for another service: its target, its declared packets, and an audience."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from loadtest.scenarios.copies import shifted
from loadtest.scenarios.crowd_scenario import CrowdScenario, scenario_text, toml_table, validated
from loadtest.scenarios.scenario import PACKETS_MAX, Scenario, with_copies
from loadtest.scenarios.strict_model import StrictModel
from loadtest.scenarios.target_spec import AnyTargetSpec
from server.core.ids import RoomId

ROOM = RoomId("target")  # the service has one audience; where its rooms are is its own affair
PATIENCE_MS = 5_000  # of a target that says none
LEAD_MIN_MS = 1_000  # from the start to an opening at a time: every engine process learns of it in between


class DeclaredPacket(StrictModel):
    """
    A packet of the service, as its owner declares it.

    It opens ``opens_after_ms`` after the start, ``on_message`` or ``at_once``, and closes so much later. What is not
    declared is not checked. With ``one_per_viewer`` false a viewer may have several shares. ``copies`` of it
    open ``every_ms``.
    """

    packet_id: str = Field(min_length=1, max_length=200)
    share_count: int = Field(gt=0)
    total_fen: int | None = Field(default=None, gt=0)
    min_share_fen: int | None = Field(default=None, ge=0)
    max_share_fen: int | None = Field(default=None, gt=0)
    one_per_viewer: bool = True
    opens_after_ms: int | None = Field(default=None, ge=LEAD_MIN_MS)
    opens: Literal["at_once", "on_message"] | None = None
    closes_after_ms: int | None = Field(default=None, gt=0)
    copies: int = Field(default=1, ge=1, le=PACKETS_MAX)
    every_ms: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _opens_once(self) -> Self:
        if (self.opens_after_ms is None) == (self.opens is None):
            raise ValueError('give either opens_after_ms or opens = "at_once" or "on_message"')
        if (self.every_ms is not None) != (self.copies > 1 and self.opens_after_ms is not None):
            raise ValueError("copies above 1 with opens_after_ms need every_ms, and no other packet takes it")
        return self

    def each(self) -> "list[DeclaredPacket]":
        """Return the packets that this one stands for, with their numbers behind the id."""
        if self.copies == 1:
            return [self]
        return [
            self.model_copy(
                update={"packet_id": f"{self.packet_id}{number + 1}", "copies": 1, "every_ms": None}
                | shifted(dict(self), number * (self.every_ms or 0), "opens_after_ms")
            )
            for number in range(self.copies)
        ]


class TargetScenario(CrowdScenario):
    """
    A storm on another service.

    ``lasts_ms`` is how long the audience stays after the last opening (default: until reactions are over); real ms.
    """

    target: AnyTargetSpec
    packets: list[DeclaredPacket] = Field(min_length=1, max_length=PACKETS_MAX)
    lasts_ms: int | None = Field(default=None, gt=0)
    opens_within_ms: int = Field(default=60_000, gt=0)

    @model_validator(mode="after")
    def _openings_can_be_heard(self) -> Self:
        names = [each.packet_id for packet in self.packets for each in packet.each()]
        if len(set(names)) != len(names):
            raise ValueError("packets: each needs a unique packet_id")
        heard = [number for number, packet in enumerate(self.packets) if packet.opens == "on_message"]
        opening = getattr(self.target, "opening", None)
        if heard and self.target.kind != "adapter" and opening is None:
            raise ValueError(f"packets.{heard[0]}.opens: on_message needs [target.opening] of a websocket target")
        if heard and opening is not None and opening.packet is None and len(names) > 1:
            raise ValueError("target.opening.packet: is needed, as there are several packets")
        return self

    @model_validator(mode="after")
    def _viewers_are_told_apart(self) -> Self:
        if any(packet.one_per_viewer for packet in self.packets) and not self.target.names_viewer:
            raise ValueError(
                "target.grab: nothing says which viewer grabs, and so all would be one person; write {viewer} or "
                "{user.COLUMN} where the service expects a name, or add [target.login]. Where anybody may have many "
                "shares without a name, every packet says one_per_viewer = false"
            )
        return self

    @model_validator(mode="after")
    def _copies_are_packets(self) -> Self:
        object.__setattr__(self, "packets", with_copies(packet.each() for packet in self.packets))
        return self

    @property
    def patience_ms(self) -> int:
        """Return the receipt timeout, in real ms."""
        grab = getattr(self.target, "grab", None)
        return PATIENCE_MS if grab is None else int(grab.timeout_ms)

    @property
    def room_ids(self) -> list[RoomId]:
        """Return the one room of all viewers."""
        return [ROOM]

    def openings(self) -> list[tuple[float, RoomId]]:
        """Return when packets open after the start; one that opens on a message counts as at once."""
        return [(float(packet.opens_after_ms or 0), ROOM) for packet in self.packets]


def read_scenario(name_or_path: str) -> Scenario | TargetScenario:
    """Read a scenario of either kind, by its shipped name or from a TOML file. Raises BadScenario."""
    return scenario_of(scenario_text(name_or_path), name_or_path)


def scenario_of(text: str, source: str) -> Scenario | TargetScenario:
    """Return the scenario of either kind in the TOML text of *source*. Raises BadScenario."""
    table = toml_table(source, text)
    if "target" in table:
        return validated(TargetScenario, table, source=source, text=text)
    return validated(Scenario, table, source=source, text=text)


def folder_of(name_or_path: str) -> Path:
    """Return the folder from which the files that a scenario names are looked up: its own."""
    return Path(name_or_path).resolve().parent
