"""The tables of a scenario that say when taps, and viewers, come (docs/arrivals.md)."""

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from client_sim.arrivals import ArrivalModel, Arrivals
from loadtest.scenarios.strict_model import StrictModel

RATE_MAX = 10_000_000  # a second; more than any one machine can do: catches typing errors
LASTS_MS_MAX = 86_400_000  # a day
_TAKES = {
    ArrivalModel.CLOSED: ("think_ms", "lasts_ms"),
    ArrivalModel.OPEN: ("rate_per_second", "lasts_ms"),
    ArrivalModel.RAMP: ("from_per_second", "to_per_second", "lasts_ms"),
    ArrivalModel.BARRIER: ("spread_ms",),
}


class TapsSpec(StrictModel):
    """
    When the whole audience taps, but for its watchers, instead of by each viewer's behaviour.

    Rates are taps per real second of all viewers together; times are real ms, from the first opening in a room.
    """

    model: ArrivalModel
    rate_per_second: float | None = Field(default=None, gt=0, le=RATE_MAX)
    from_per_second: float | None = Field(default=None, ge=0, le=RATE_MAX)
    to_per_second: float | None = Field(default=None, ge=0, le=RATE_MAX)
    lasts_ms: int | None = Field(default=None, gt=0, le=LASTS_MS_MAX)
    think_ms: float | None = Field(default=None, ge=0, le=LASTS_MS_MAX)
    spread_ms: float | None = Field(default=None, ge=0, le=LASTS_MS_MAX)

    @property
    def problem(self) -> str:
        """Return the key that does not fit the model, and why, or ""."""
        return _misfit(self, _TAKES)

    @property
    def arrivals(self) -> Arrivals:
        """Return the taps of the whole crowd."""
        return _arrivals(self, self.think_ms or 0.0)

    @property
    def most_per_second(self) -> float:
        """Return the highest rate that is planned; 0 of a model that plans none."""
        return max(self.arrivals.from_per_second, self.arrivals.to_per_second)


class AudienceArrivals(StrictModel):
    """
    When viewers connect, instead of at a constant ``arrivals_per_second``; rates are viewers per real second.

    After a ramp the rest comes at its last rate.
    """

    model: Literal["open", "ramp", "barrier"]
    rate_per_second: float | None = Field(default=None, gt=0, le=RATE_MAX)
    from_per_second: float | None = Field(default=None, ge=0, le=RATE_MAX)
    to_per_second: float | None = Field(default=None, gt=0, le=RATE_MAX)
    lasts_ms: int | None = Field(default=None, gt=0, le=LASTS_MS_MAX)
    spread_ms: float | None = Field(default=None, ge=0, le=LASTS_MS_MAX)

    @property
    def problem(self) -> str:
        """Return the key that does not fit the model, and why, or ""."""
        return _misfit(self, {**_TAKES, ArrivalModel.OPEN: ("rate_per_second",)})

    @property
    def arrivals(self) -> Arrivals:
        """Return the arrivals of the whole audience."""
        return _arrivals(self)

    def takes_s(self, seats: int) -> float:
        """Return how long it takes in the mean until *seats* viewers have come."""
        arrivals = self.arrivals
        if arrivals.model is ArrivalModel.BARRIER:
            return arrivals.spread_ms / 1000
        if arrivals.model is ArrivalModel.OPEN:
            return seats / arrivals.to_per_second
        return arrivals.lasts_s + max(0.0, seats - (arrivals.mean_count or 0.0)) / arrivals.to_per_second


def _misfit(table: TapsSpec | AudienceArrivals, takes: Mapping[ArrivalModel, tuple[str, ...]]) -> str:
    """Return the first key that its model does not take, or needs and does not have, with the rule."""
    wanted = takes[ArrivalModel(table.model)]
    told = f'model = "{table.model}" takes {" and ".join(wanted)}'
    for name in type(table).model_fields:
        given = getattr(table, name) is not None
        if name != "model" and given != (name in wanted):
            return f"{name}: {'does not belong here' if given else 'is missing'}: {told}"
    if table.model == ArrivalModel.RAMP and table.from_per_second == table.to_per_second:
        return 'to_per_second: must differ from from_per_second; a constant rate is model = "open"'
    return ""


def _arrivals(table: TapsSpec | AudienceArrivals, think_ms: float = 0.0) -> Arrivals:
    constant = table.rate_per_second or 0.0
    return Arrivals(
        ArrivalModel(table.model),
        constant if table.from_per_second is None else table.from_per_second,
        constant if table.to_per_second is None else table.to_per_second,
        math.inf if table.lasts_ms is None else table.lasts_ms / 1000,
        table.spread_ms or 0.0,
        think_ms,
    )
