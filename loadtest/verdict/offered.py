"""The offered load: what an arrival model planned, what was sent of it, and what was answered."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from client_sim.arrivals import ArrivalModel, Arrivals
from loadtest.record.history import GrabRecord, History
from loadtest.verdict.generator_check import SEND_DEBT_P99_MS_MAX
from loadtest.verdict.metrics import Percentiles
from server.core.ids import RequestId, ViewerId

UNSENT_MAX = 0.01  # part of the planned taps: more means that another load was offered than the scenario says
DEVIATIONS = 5.0  # of a Poisson process's number from its mean; chance goes beyond once in millions of runs


@dataclass(frozen=True, slots=True)
class OfferedLoad:
    """
    The load of a run whose scenario has ``[taps]``.

    ``planned`` are the taps whose instant came, ``sent`` those that were sent, ``no_packet`` those for which none was
    open, ``unsent`` the others; ``answered`` got an answer. Rates are per second of ``lasts_s``, null for a barrier.
    ``met`` says whether that was the load of the scenario, and was sent in time; if not, ``why``.
    """

    model: ArrivalModel
    lasts_s: float | None
    planned: int
    sent: int
    no_packet: int
    unsent: int
    answered: int
    planned_per_second: float | None
    sent_per_second: float | None
    answered_per_second: float | None
    met: bool
    why: list[str]


def offered_load(taps: Arrivals, history: History, send_debt_ms: Percentiles) -> OfferedLoad:
    """Return the load that was offered by a scenario's *taps*, as the generator's processes have counted it."""
    planned = sum(one.planned for one in history.taps)
    sent = sum(one.sent for one in history.taps)
    no_packet = sum(one.no_packet for one in history.taps)
    unsent, answered = planned - sent - no_packet, _answered(history.grabs)
    lasts_s = taps.lasts_s if math.isfinite(taps.lasts_s) else None
    why = _shortfalls(taps, planned, sent, no_packet, unsent)
    if taps.mean_count is not None and send_debt_ms.p99 > SEND_DEBT_P99_MS_MAX:
        why.append(f"they were sent {send_debt_ms.p99:,.0f} ms late (p99; at most {SEND_DEBT_P99_MS_MAX:.0f})")
    return OfferedLoad(
        taps.model,
        lasts_s,
        planned,
        sent,
        no_packet,
        unsent,
        answered,
        planned_per_second=_rate(planned, lasts_s),
        sent_per_second=_rate(sent, lasts_s),
        answered_per_second=_rate(answered, lasts_s),
        met=not why,
        why=why,
    )


def _rate(count: int, lasts_s: float | None) -> float | None:
    return None if lasts_s is None else round(count / lasts_s, 3)


def _shortfalls(taps: Arrivals, planned: int, sent: int, no_packet: int, unsent: int) -> list[str]:
    """Return why other taps were sent than the scenario says."""
    why = []
    expected = taps.mean_count
    if expected is not None and abs(planned - expected) > DEVIATIONS * math.sqrt(expected):
        why.append(
            f"{planned:,} taps came due, where the model has some {expected:,.0f}: a room had no packet, or the run "
            "was over too soon"
        )
    if not planned:
        why.append("no tap came due")
    if planned - sent > UNSENT_MAX * planned:
        if no_packet:
            why.append(f"for {no_packet:,} of {planned:,} taps no packet was open")
        if unsent:
            why.append(f"{unsent:,} of {planned:,} taps were not sent: the viewer was away, or the generator too slow")
    return why


def _answered(grabs: Iterable[GrabRecord]) -> int:
    answered: set[tuple[ViewerId, RequestId]] = {
        (grab.viewer, grab.request_id) for grab in grabs if grab.t_reply is not None
    }
    return len(answered)
