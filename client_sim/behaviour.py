"""Behaviours: the kinds of viewers, when each taps, and which seat has which behaviour."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from client_sim.arrivals import ArrivalModel, Arrivals
from server.core.ids import RoomId, ViewerId

EARLIEST_MS = 300.0  # how long before the opening an early bird taps at most
LATEST_EARLY_MS = 50.0  # more than the clock error, so that an early tap really is early
DOUBLE_TAP_MS = (50.0, 150.0)
LATE_MS = (50.0, 500.0)
EDGE_MS = 20.0  # how near to an end of the window an edge tapper taps, before or after it
BEFORE_CLOSING_MS = (80.0, 200.0)  # more than the clock error, so that this tap must be in time
REACTION_SIGMA = 0.5
DROP_MS = (-500.0, 1_500.0)  # around the opening: when a flaky viewer loses its connection
REST_MS = (0.0, 1_000.0)  # after the opening: when a slow consumer stops reading
REST_LASTS_MS = (1_000.0, 3_000.0)  # shorter than the receipt timeout
SHUFFLED_VIEWERS = 20  # behaviours are shuffled in blocks of this size, so that none always lands in the same room


class Behaviour(StrEnum):
    """The behaviour of a viewer."""

    WATCHER = "watcher"
    EAGER = "eager"
    EARLY_BIRD = "early_bird"
    DOUBLE_TAPPER = "double_tapper"
    TWO_DEVICES = "two_devices"
    LATECOMER = "latecomer"
    EDGE_TAPPER = "edge_tapper"
    FLAKY = "flaky"
    SLOW_READER = "slow_reader"
    BOT = "bot"
    COMMENTER = "commenter"


ABSENT = frozenset({Behaviour.SLOW_READER, Behaviour.FLAKY})
"""Viewers who stop reading or drop the connection on purpose: their delays do not measure the server."""


class Edge(StrEnum):
    """The instant a tap is planned from: an end of the grab window by the countdown, or its opening message."""

    OPENING = "opening"
    CLOSING = "closing"
    HEARING = "hearing"


@dataclass(frozen=True, slots=True)
class Tap:
    """A planned tap: ``offset_ms`` real milliseconds after an edge of the grab window (negative: before it)."""

    edge: Edge
    offset_ms: float


@dataclass(frozen=True, slots=True)
class Lapse:
    """
    A planned absence, ``offset_ms`` real milliseconds after the opening.

    The connection is lost (``lasts_ms`` 0), or nothing is read for ``lasts_ms``.
    """

    offset_ms: float
    lasts_ms: float = 0.0


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

    Reactions are log-normal around the median, in real milliseconds. The viewer itself follows a tap that is too early
    by another one after the opening; that one is not part of the plan.
    """
    match behaviour:
        case Behaviour.WATCHER:
            return []
        case Behaviour.BOT:
            return [Tap(Edge.HEARING, 0.0)]
        case Behaviour.EAGER | Behaviour.TWO_DEVICES | Behaviour.FLAKY | Behaviour.SLOW_READER | Behaviour.COMMENTER:
            return [Tap(Edge.OPENING, _reaction_ms(rng, reaction_median_ms, sigma))]
        case Behaviour.EARLY_BIRD:
            return [Tap(Edge.OPENING, -rng.uniform(LATEST_EARLY_MS, EARLIEST_MS))]
        case Behaviour.DOUBLE_TAPPER:
            first_ms = _reaction_ms(rng, reaction_median_ms, sigma)
            return [Tap(Edge.OPENING, first_ms), Tap(Edge.OPENING, first_ms + rng.uniform(*DOUBLE_TAP_MS))]
        case Behaviour.LATECOMER:
            return [Tap(Edge.CLOSING, rng.uniform(*LATE_MS))]
        case Behaviour.EDGE_TAPPER:
            near, which = rng.uniform(-EDGE_MS, EDGE_MS), rng.random()
            if which < 0.5:  # whoever has a share hears only of that: one edge of each packet is enough
                return [Tap(Edge.OPENING, near)]
            if which < 0.75:  # a closing that is late shows to whoever has none yet, one that is early to this one
                return [Tap(Edge.CLOSING, near)]
            return [Tap(Edge.CLOSING, -rng.uniform(*BEFORE_CLOSING_MS)), Tap(Edge.CLOSING, near)]


def taps_by_model(rng: Random, arrivals: Arrivals) -> list[Tap]:
    """Plan the taps of one viewer for one packet where a model says when; only a barrier has any at its opening."""
    if arrivals.model is not ArrivalModel.BARRIER:
        return []
    return [Tap(Edge.OPENING, rng.uniform(0.0, arrivals.spread_ms))]


def lapse(behaviour: Behaviour, rng: Random, ordinal: int) -> Lapse | None:
    """
    Return one viewer's planned absence around the opening of the room's packet number *ordinal*, or None.

    A flaky viewer is present for the first packet: it loses the receipt of its first tap instead, so that every run
    has an unknown outcome and its retry.
    """
    match behaviour:
        case Behaviour.FLAKY:
            return None if ordinal == 0 else Lapse(rng.uniform(*DROP_MS))
        case Behaviour.SLOW_READER:
            return Lapse(rng.uniform(*REST_MS), rng.uniform(*REST_LASTS_MS))
        case _:
            return None


def _reaction_ms(rng: Random, median_ms: float, sigma: float) -> float:
    return median_ms * math.exp(rng.gauss(0.0, sigma))


def cast(
    rooms: Sequence[RoomId], mix: Mapping[Behaviour, float], seed: int, names: Sequence[str] = ()
) -> Iterator[Seat]:
    """
    Yield the seats of an endless audience, the same ones for the same arguments.

    Viewers fill the rooms in turn, and are called by *names* in turn, or v, and their number. The weights of *mix* hold
    closely from the first seats on, so that a small audience has every behaviour in it too.
    """
    assert rooms
    rng = Random(f"{seed}:cast")
    number = 0
    for viewer, behaviour in enumerate(_behaviours(mix, rng)):
        room_id = rooms[viewer % len(rooms)]
        for device in range(2 if behaviour is Behaviour.TWO_DEVICES else 1):
            name = names[viewer % len(names)] if names else "v"
            yield Seat(number, ViewerId(f"{name}{viewer}"), device, room_id, behaviour)
            number += 1


def _behaviours(mix: Mapping[Behaviour, float], rng: Random) -> Iterator[Behaviour]:
    """Yield behaviours so that each has its weighted share at any length, to within one shuffled block."""
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
