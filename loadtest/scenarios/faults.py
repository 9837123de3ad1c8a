"""
Faults of a scenario: their kinds and times, computed from the seed; and how soon grabs were answered again.

A fault strikes at a room time after the curtain (``at_ms``, or somewhere in ``between_ms``), or some real milliseconds
before or after something happens to a packet (``at_phase``, with ``offset_ms`` or somewhere in ``between_ms``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Literal, Self

import orjson
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from loadtest.record.history import GrabRecord
from loadtest.record.shape import BadRecord
from loadtest.scenarios.strict_model import StrictModel
from server.core.packets.claim import ClaimStatus

FAULTS_MAX = 100  # more than a useful scenario has
STOP_MS_MAX = 60_000  # real; a longer stop is the same as a dead store
STRUCK = "struck"
_NS_PER_MS = 1_000_000


class FaultKind(StrEnum):
    """
    The kind of fault: the store is killed (-9), the store is stopped for a while, the store drops its connections, one
    of the server's workers is killed.
    """

    KILL_STORE = "kill_store"
    STOP_STORE = "stop_store"
    RESET_CONNECTIONS = "reset_connections"
    KILL_WORKER = "kill_worker"


class PhaseOf(StrictModel):
    """A phase of a packet, named as in the programme: it opens, it is sold out, its window closes."""

    packet: str
    phase: Literal["open", "sold_out", "closed"]


class FaultSpec(StrictModel):
    """One ``[[faults]]`` of a scenario; ``for_ms`` is how long a store stays stopped, in real milliseconds."""

    kind: FaultKind
    at_ms: int | None = Field(default=None, ge=0)
    at_phase: PhaseOf | None = None
    offset_ms: int | None = None
    between_ms: tuple[int, int] | None = None
    for_ms: int | None = Field(default=None, gt=0, le=STOP_MS_MAX)

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if self.at_phase is None and (self.at_ms is None) == (self.between_ms is None):
            raise ValueError("a fault strikes at_ms, or between_ms, or at_phase: give one of them")
        if self.at_phase is not None and self.at_ms is not None:
            raise ValueError("at_ms does not go with at_phase; offset_ms and between_ms do")
        if self.offset_ms is not None and (self.at_phase is None or self.between_ms is not None):
            raise ValueError("offset_ms goes with at_phase, and not with between_ms")
        if (self.for_ms is not None) != (self.kind is FaultKind.STOP_STORE):
            raise ValueError("for_ms goes with stop_store, which needs it")
        earliest, latest = self.between_ms or (0, 0)
        if earliest > latest or (self.at_phase is None and earliest < 0):
            raise ValueError("between_ms must be [from, to] with 0 <= from <= to; with at_phase, from may be negative")
        return self


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """
    A fault at a fixed time.

    ``at_ms`` are room milliseconds after the curtain, or, if there is a ``packet``, real milliseconds after its
    ``phase``.
    """

    number: int
    kind: FaultKind
    at_ms: int
    packet: str = ""
    phase: str = ""
    for_ms: int = 0

    def __str__(self) -> str:
        what = self.kind + (f" for {self.for_ms} ms" if self.for_ms else "")
        if not self.packet:
            return f"{what}, {self.at_ms} room ms after the curtain"
        when = f"{abs(self.at_ms)} ms {'before' if self.at_ms < 0 else 'after'} {self.phase}"
        return f"{what}, {when} of {self.packet}"


@dataclass(slots=True)
class FaultRecord:
    """
    The outcome of a fault, as ``run.json`` keeps it; instants are CLOCK_MONOTONIC nanoseconds.

    ``at_ms`` are the room milliseconds after the curtain at which it struck; ``outcome`` is ``struck``, or ``missed``
    and why; ``t_back`` is when the broken store or server first answered again.
    """

    kind: str
    planned: str
    outcome: str = "missed: the programme was over"
    at_ms: int | None = None
    t_struck: int | None = None
    t_back: int | None = None


def plan_faults(faults: Sequence[FaultSpec], seed: int) -> list[PlannedFault]:
    """Return the schedule of all faults: the same for the same seed."""
    return [_planned(number, fault, Random(f"{seed}:fault:{number}")) for number, fault in enumerate(faults)]


def _planned(number: int, fault: FaultSpec, rng: Random) -> PlannedFault:
    at_ms = rng.randint(*fault.between_ms) if fault.between_ms else fault.at_ms or fault.offset_ms or 0
    packet, phase = ("", "") if fault.at_phase is None else (fault.at_phase.packet, fault.at_phase.phase)
    return PlannedFault(number, fault.kind, at_ms, packet, phase, fault.for_ms or 0)


_RECORDS = TypeAdapter(list[FaultRecord])


def fault_records(faults: Sequence[dict[str, Any]]) -> list[FaultRecord]:
    """Return the outcomes of faults as ``run.json`` has them. Raises BadRecord."""
    try:
        return _RECORDS.validate_json(orjson.dumps(faults), strict=True)
    except ValidationError as error:
        raise BadRecord(f"faults: {error.errors()[0]['msg']}") from None


def were_struck(results: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether every fault was injected."""
    return all(result["outcome"] == STRUCK for result in results)


def fault_results(records: Sequence[dict[str, Any]], grabs: Sequence[GrabRecord]) -> list[dict[str, Any]]:
    """
    Return each fault with its effects, counted from when it struck, in real milliseconds.

    ``down_ms`` is until the store, or all workers, answered again, ``first_answer_ms`` until a viewer held a share
    asked for after the fault, which no server could have answered from memory; null if that never was. ``unavailable``
    counts the grabs that were answered so from then on.
    """
    return [_result(record, grabs) for record in fault_records(records)]


def _result(record: FaultRecord, grabs: Sequence[GrabRecord]) -> dict[str, Any]:
    result = {name: getattr(record, name) for name in ("kind", "planned", "outcome", "at_ms")}
    struck = record.t_struck
    if struck is None:
        return {**result, "down_ms": None, "first_answer_ms": None, "unavailable": 0}
    later = [grab for grab in grabs if grab.t_sent >= struck and grab.t_reply is not None]
    answers = [grab.t_reply for grab in later if grab.t_reply is not None and grab.status == ClaimStatus.GRANTED]
    return {
        **result,
        "down_ms": None if record.t_back is None else (record.t_back - struck) / _NS_PER_MS,
        "first_answer_ms": (min(answers) - struck) / _NS_PER_MS if answers else None,
        "unavailable": sum(
            1
            for grab in grabs
            if grab.status == ClaimStatus.UNAVAILABLE and grab.t_reply is not None and grab.t_reply >= struck
        ),
    }


def happenings_of(records: Iterable[FaultRecord]) -> list[dict[str, Any]]:
    """Return the faults that struck in the form of the happenings in ``run.json``."""
    of_no_packet = {"packet_name": "", "packet_id": ""}
    return [
        {"at_ms": record.at_ms, "action": f"fault {record.kind}", **of_no_packet, "outcome": record.outcome}
        for record in records
        if record.at_ms is not None
    ]
