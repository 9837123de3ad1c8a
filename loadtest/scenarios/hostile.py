"""The hostile clients of a scenario: what they do to the storm's own server beside its honest audience."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from loadtest.scenarios.strict_model import StrictModel, Weight

CLIENTS_MAX = 1_000
CUT_OFF, HELD, LET_IN = "cut off", "held", "let in"
"""Outcomes beside HTTP statuses (``431``) and close codes (``close 1009``)."""


class Misdeed(StrEnum):
    """The misdeeds of hostile clients, one at a time each."""

    HALF_REQUEST = "half_request"
    ENDLESS_HEADERS = "endless_headers"
    FOREIGN_ORIGIN = "foreign_origin"
    FORGED_TOKEN = "forged_token"  # noqa: S105 - a misdeed
    GIANT_MESSAGE = "giant_message"
    HALF_FRAME = "half_frame"
    BROKEN_FRAME = "broken_frame"
    MALFORMED_MESSAGES = "malformed_messages"
    UNKNOWN_PACKETS = "unknown_packets"
    FLOOD = "flood"
    DEAF = "deaf"
    RECONNECT_STORM = "reconnect_storm"


class HostileSpec(StrictModel):
    """Hostile clients: how many misbehave at the same time, from the start of the programme to its end, and how."""

    clients: int = Field(gt=0, le=CLIENTS_MAX)
    mix: dict[Misdeed, Weight] = Field(default_factory=lambda: dict.fromkeys(Misdeed, 1.0))

    @model_validator(mode="after")
    def _something_is_done(self) -> Self:
        if not any(self.mix.values()):
            raise ValueError("mix needs at least one misdeed with a weight above 0")
        return self


EXPECTED: Mapping[Misdeed, frozenset[str]] = {
    Misdeed.HALF_REQUEST: frozenset({"408", CUT_OFF}),
    Misdeed.ENDLESS_HEADERS: frozenset({"431", "414", CUT_OFF}),
    Misdeed.FOREIGN_ORIGIN: frozenset({"403"}),
    Misdeed.FORGED_TOKEN: frozenset({"401"}),
    Misdeed.GIANT_MESSAGE: frozenset({"close 1009"}),
    Misdeed.BROKEN_FRAME: frozenset({"close 1002", "close 1007"}),
    Misdeed.MALFORMED_MESSAGES: frozenset({"close 1008"}),
    Misdeed.FLOOD: frozenset({"close 1008"}),
}
"""The outcomes that refuse a misdeed; the others cannot be refused, and the server only has to bear them."""


def hostile_results(outcomes: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return per misdeed how often it was tried, what came of it, and how often it was refused; None: it cannot be."""
    return [
        {
            "misdeed": misdeed,
            "tries": sum(counts.values()),
            "refused": _refused(misdeed, counts),
            "outcomes": dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))),
        }
        for misdeed, counts in outcomes.items()
    ]


def were_met(results: list[dict[str, Any]]) -> bool:
    """Tell whether every misdeed was tried, and refused at least once if it can be."""
    return all(each["tries"] and each["refused"] != 0 for each in results)


def _refused(misdeed: str, counts: Mapping[str, int]) -> int | None:
    if misdeed not in EXPECTED:
        return None
    return sum(count for outcome, count in counts.items() if outcome in EXPECTED[Misdeed(misdeed)])
