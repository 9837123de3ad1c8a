"""Outcome: the result of each invariant, and why one could not be checked, or only in part."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from loadtest.record.books import Books
from loadtest.record.history import History
from loadtest.record.one_timeline import clock_error_ms
from loadtest.record.sales import Sales
from loadtest.verdict.audit.violation import INVARIANTS, Violation
from server.core.packets.claim import ClaimStatus
from server.core.rooms.feed import FactKind


class Outcome(StrEnum):
    """The three outcomes of an invariant."""

    PASS = "pass"  # noqa: S105 - an outcome
    VIOLATED = "violated"
    NOT_CHECKABLE = "not_checkable"


class Blind(NamedTuple):
    """The part of one invariant that a run's evidence cannot show: ``all`` of it or a part, and ``why``."""

    all: bool
    why: str


@dataclass(frozen=True, slots=True)
class InvariantResult:
    """One invariant with its outcome. With a pass, ``why`` names the part that was not checked, if any."""

    invariant: str
    outcome: Outcome
    why: str


def outcomes_of(violations: Iterable[Violation], blind: Mapping[str, Blind]) -> list[InvariantResult]:
    """Return the outcome of every invariant, in order. A violation counts even if one is only partly checkable."""
    broken = {violation.invariant for violation in violations}
    results = []
    for invariant in INVARIANTS:
        spot = blind.get(invariant, Blind(all=False, why=""))
        if invariant in broken:
            results.append(InvariantResult(invariant, Outcome.VIOLATED, ""))
        else:
            results.append(InvariantResult(invariant, Outcome.NOT_CHECKABLE if spot.all else Outcome.PASS, spot.why))
    return results


def blind_to_answers(history: History) -> Blind | None:
    """Return why missing answers could not be seen, if they could not."""
    if not history.grabs:
        return Blind(all=True, why="nobody tapped")
    if all(conn.patience_ms is None for conn in history.conns):
        return Blind(all=True, why="the history does not say how long viewers waited for a receipt")
    return None


def _blind_to_time(history: History) -> dict[str, Blind]:
    spots: dict[str, Blind] = {}
    if not history.clocks:
        spots = dict.fromkeys(("A13", "A14"), Blind(all=True, why="the history has no reading of the room clock"))
    elif all(grab.type == "ok" or grab.status is None for grab in history.grabs):
        spots["A13"] = Blind(all=True, why="nobody was refused")
    if history.clocks and all(fact.at_ms is None for fact in history.facts):
        spots["A14"] = Blind(all=True, why="no fact with its time was heard")
    elif history.clocks and not history.welcomes:
        spots["A14"] = Blind(all=False, why="the history does not keep welcomes and messages without a number")
    return spots


def blind_to_others(spots: Mapping[str, Blind], history: History, unrecorded: str = "") -> dict[str, Blind]:
    """Return *spots*, and what cannot be seen of taps that were not recorded, and by clocks of several hosts."""
    if unrecorded:
        spots = _and_also(spots, "A4 A7", f"who tapped for a share, and when: {unrecorded}")
    if not history.relations:
        return dict(spots)
    unrelated = sum(1 for relation in history.relations if relation.error_ns is None)
    if unrelated:
        which, why = "A7 A13 A14", f"nothing relates the clocks of {unrelated} processes to that of the others"
    else:
        which, why = "A7", f"the clocks of the audience's hosts are related to {clock_error_ms(history):.1f} ms"
    return _and_also(spots, which, why)


def _and_also(spots: Mapping[str, Blind], which: str, why: str) -> dict[str, Blind]:
    """Return *spots* in which these invariants have one more reason for being checked in part."""
    known = {name: spots.get(name, Blind(all=False, why="")) for name in which.split()}
    more = {name: Blind(each.all, f"{each.why}; {why}" if each.why else why) for name, each in known.items()}
    return {**spots, **more}


def blind_spots(books: Books, history: History, sales: Sales) -> dict[str, Blind]:
    """Return the parts of invariants that books and history of a run against our own server cannot show."""
    spots: dict[str, Blind] = {}
    given = bool(books.claims) or any(entry.claims for entry in books.journal)
    told = [(grab.packet, grab.viewer) for grab in history.grabs if grab.type == "ok"]
    refused = any(grab.status == ClaimStatus.EXHAUSTED for grab in history.grabs)
    sold_out = refused or any(fact.type == FactKind.SOLD_OUT for fact in history.facts)
    if not sold_out:
        spots["A2"] = Blind(all=True, why="nobody was told that nothing is left")
    if not given and not told:
        spots |= dict.fromkeys(("A3", "A4", "A8"), Blind(all=True, why="no share was given"))
    if not told:
        spots["A5"] = Blind(all=True, why="nobody was told of a share")
    if len(set(told)) == len(told):
        spots["A6"] = Blind(all=True, why="nobody was told of a share twice")
    if not given and not refused:
        spots["A7"] = Blind(all=True, why="no share was given, and nobody was told that nothing is left")
    sealed = sum(1 for packet in books.packets.values() if packet.seed is None)
    if sealed and "A8" not in spots:
        why = f"{sealed} of {len(books.packets)} packets have not revealed their seed: their amounts are not compared"
        spots["A8"] = Blind(all=sealed == len(books.packets), why=why)
    if not history.facts:
        spots["A9"] = Blind(all=True, why="no room message was heard")
    if (blind := blind_to_answers(history)) is not None:
        spots["A12"] = blind
    spots |= _blind_to_time(history)
    if not books.orders:
        spots["A10"] = Blind(all=False, why="there was no order to recompute")
    elif not sales.sales:
        spots["A10"] = Blind(all=False, why="what buyers were told of their orders was not recorded")
    return spots
