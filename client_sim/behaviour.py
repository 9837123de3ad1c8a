"""Behaviours: what kinds of people watch, when they tap, and who sits where."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from server.core.ids import RoomId, ViewerId

EARLIEST_MS = 300.0  # how long before the opening an early bird loses its patience
LATEST_EARLY_MS = 50.0  # further out than clocks are off, so that an early tap really is early
DOUBLE_TAP_MS = (50.0, 150.0)
LATE_MS = (50.0, 500.0)
REACTION_SIGMA = 0.5
SHUFFLED_VIEWERS = 20  # mixed within so many, so that no behaviour keeps meeting the same room


class Behaviour(StrEnum):
    """How a viewer behaves."""

    WATCHER = "watcher"
    EAGER = "eager"
    EARLY_BIRD = "early_bird"
    DOUBLE_TAPPER = "double_tapper"
    TWO_DEVICES = "two_devices"
    LATECOMER = "latecomer"


class Edge(StrEnum):
    """Which end of the grab window a tap is planned from."""

    OPENING = "opening"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Tap:
    """A planned tap: ``offset_ms`` real milliseconds after an edge of the grab window (negative: before it)."""

    edge: Edge
    offset_ms: float


@dataclass(frozen=True, slots=True)
class Seat:
    """One connection's place in the audience. A viewer with two devices takes two consecutive seats."""

    number: int
    viewer_id: ViewerId
    device: int
    room_id: RoomId
    behaviour: Behaviour


def taps(behaviour: Behaviour, rng: Random, reaction_median_ms: float, *, sigma: float = REACTION_SIGMA) -> list[Tap]:
    """
    Plan the taps of one viewer for one packet, in order of time.

    Reactions are log-normal around the median, in real milliseconds. A tap that is too early is followed by another
    one after the opening; that one is the viewer's answer, not part of the plan.
    """
    match behaviour:
        case Behaviour.WATCHER:
            return []
        case Behaviour.EAGER | Behaviour.TWO_DEVICES:
            return [Tap(Edge.OPENING, _reaction_ms(rng, reaction_median_ms, sigma))]
        case Behaviour.EARLY_BIRD:
            return [Tap(Edge.OPENING, -rng.uniform(LATEST_EARLY_MS, EARLIEST_MS))]
        case Behaviour.DOUBLE_TAPPER:
            first_ms = _reaction_ms(rng, reaction_median_ms, sigma)
            return [Tap(Edge.OPENING, first_ms), Tap(Edge.OPENING, first_ms + rng.uniform(*DOUBLE_TAP_MS))]
        case Behaviour.LATECOMER:
            return [Tap(Edge.CLOSING, rng.uniform(*LATE_MS))]


def _reaction_ms(rng: Random, median_ms: float, sigma: float) -> float:
    return median_ms * math.exp(rng.gauss(0.0, sigma))


def cast(rooms: Sequence[RoomId], mix: Mapping[Behaviour, float], seed: int) -> Iterator[Seat]:
    """
    Yield the seats of an endless audience, the same ones for the same arguments.

    Viewers fill the rooms in turn. The weights of *mix* are kept closely from the first seats on, so that a small
    audience has everybody in it too.
    """
    assert rooms
    rng = Random(f"{seed}:cast")
    number = 0
    for viewer, behaviour in enumerate(_behaviours(mix, rng)):
        room_id = rooms[viewer % len(rooms)]
        for device in range(2 if behaviour is Behaviour.TWO_DEVICES else 1):
            yield Seat(number, ViewerId(f"v{viewer}"), device, room_id, behaviour)
            number += 1


def _behaviours(mix: Mapping[Behaviour, float], rng: Random) -> Iterator[Behaviour]:
    """Yield behaviours so that each always has had its part of all, to within a shuffled handful."""
    whole = sum(mix.values())
    assert whole > 0
    credit = {behaviour: 0.0 for behaviour, weight in sorted(mix.items()) if weight > 0}
    while True:
        handful = []
        for _ in range(SHUFFLED_VIEWERS):
            for behaviour in credit:
                credit[behaviour] += mix[behaviour] / whole
            chosen = max(credit, key=lambda behaviour: credit[behaviour])
            credit[chosen] -= 1.0
            handful.append(chosen)
        rng.shuffle(handful)
        yield from handful
