"""A race: a creator edits, voids or ends a packet during a stampede, at a time that depends on the seed. Pure."""

import math
from dataclasses import dataclass
from enum import StrEnum

from client_sim.behaviour import REACTION_SIGMA

VIEWERS = 2_000
SEEDS = 20  # one round: from just before the opening to past the peak of the taps
OPENS_MS = 1_500  # room ms after the curtain: early birds lose their patience 300 ms before
_BEFORE_MS = 120.0  # the first seed of a round acts so long before the opening, among the early birds
_FIRST_MS = 100.0  # the second one so long after it, when the impatient have been answered
_LAST_MEDIANS = 1.1  # the last one so many median reactions after it; the peak is at 0.78
_IMPATIENT = 0.08  # of the viewers of the mix below tap right at the opening: early birds and bots
_FACTORS = (2.0, 1.4, 1.0)  # of what is claimed by then: a decrease that has time, one that has less, one too late


class RaceKind(StrEnum):
    """The action of the creator."""

    UP = "up"
    DOWN = "down"
    VOID = "void"
    END = "end"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class _RaceTerms:
    """Per viewer as many shares as ``shares``; reactions and window in ms."""

    shares: float
    median_ms: int
    window_ms: int


# Added shares wait two seconds, so where some are added the taps must come more slowly.
_TERMS = {
    RaceKind.UP: _RaceTerms(0.3, 1_200, 4_500),
    RaceKind.DOWN: _RaceTerms(0.7, 600, 2_500),
    RaceKind.VOID: _RaceTerms(0.7, 600, 2_500),
    RaceKind.END: _RaceTerms(0.7, 600, 2_500),
    RaceKind.MIXED: _RaceTerms(0.3, 1_200, 5_500),
}


def acts_at_ms(kind: RaceKind, seed: int) -> int:
    """Return when the creator acts, in room ms after the curtain: later with each seed of a round."""
    place = (seed - 1) % SEEDS
    if place == 0:
        return round(OPENS_MS - _BEFORE_MS)
    last_ms = _LAST_MEDIANS * _TERMS[kind].median_ms
    return round(OPENS_MS + _FIRST_MS + (last_ms - _FIRST_MS) * (place - 1) / (SEEDS - 2))


def race_text(kind: RaceKind, seed: int, viewers: int = VIEWERS) -> str:
    """
    Return the scenario of a race, as TOML.

    There are fewer shares than viewers, so that some are left when the creator acts at the peak and none in the end.
    The run is vacuous unless a step of the creator's fell among the taps.
    """
    terms = _TERMS[kind]
    shares = max(4, round(terms.shares * viewers))
    steps = "\n".join(_steps(kind, seed, shares, viewers))
    return f"""name = "race-{kind}"
description = "All viewers grab while the creator changes the packet: {kind}."
seed = {seed}
sometimes = ["raced"]

[audience]
viewers = {viewers}
arrivals_per_second = {max(500, viewers)}
reaction_median_ms = {terms.median_ms}

[audience.mix]
eager = 0.67
double_tapper = 0.15
early_bird = 0.05
two_devices = 0.05
flaky = 0.05
bot = 0.03

[[creators]]
creator_id = "anna"
recharge_fen = {shares * 1_000}

[[rooms]]
room_id = "stage"
creator_id = "anna"

[[packets]]
name = "race"
room_id = "stage"
share_count = {shares}
mean_share_fen = 100
launch_at_ms = 0
delay_ms = {OPENS_MS}
claim_window_ms = {terms.window_ms}
{steps}
"""


def _steps(kind: RaceKind, seed: int, shares: int, viewers: int) -> list[str]:
    at_ms = acts_at_ms(kind, seed)
    match kind:
        case RaceKind.UP:
            return [f"edits = [{{ at_ms = {at_ms}, factor = 2 }}]"]
        case RaceKind.DOWN:
            fewer = _fewer(at_ms - OPENS_MS, seed, shares, viewers)
            return [f"edits = [{{ at_ms = {at_ms}, share_count = {fewer} }}]"]
        case RaceKind.VOID:
            return [f"void_at_ms = {at_ms}"]
        case RaceKind.END:
            return [f"end_at_ms = {at_ms}"]
        case RaceKind.MIXED:
            up, down = (
                f"{{ at_ms = {at_ms}, share_count = {shares * 5 // 2} }}",
                f"{{ at_ms = {at_ms + 300}, share_count = {shares * 2} }}",
            )
            return [f"edits = [{up}, {down}]", f"end_at_ms = {at_ms + 2_600}"]


def _fewer(since_ms: int, seed: int, shares: int, viewers: int) -> int:
    """Return how many shares a decrease leaves: about as many as are claimed by then, so that it is close."""
    tapped = _IMPATIENT + (1 - _IMPATIENT) * _tapped(since_ms, _TERMS[RaceKind.DOWN].median_ms)
    factor = _FACTORS[seed % len(_FACTORS)]
    return min(shares - 1, max(1, shares // 10, round(viewers * tapped * factor)))


def _tapped(since_ms: float, median_ms: float) -> float:
    """Return which part of a crowd has reacted so long after the opening (log-normal)."""
    if since_ms <= 0:
        return 0.0
    return 0.5 * (1 + math.erf(math.log(since_ms / median_ms) / REACTION_SIGMA / math.sqrt(2)))
