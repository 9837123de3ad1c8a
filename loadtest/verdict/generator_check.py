"""Validity: whether the generator was healthy enough for what it measured about time."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.record.history import HealthRecord, History
from loadtest.verdict.metrics import Percentiles
from loadtest.verdict.samples import percentiles

LAG_P99_MS_MAX = 50.0  # a larger loop lag adds more to a latency than a network does
CPU_MEDIAN_MAX = 0.95  # a process that saturates its core half of the time has queued for the whole run
STEAL_MEAN_MAX = 0.10  # fraction of the machine's time taken by other machines
SEND_DEBT_P99_MS_MAX = (
    150.0  # a crowd of 18,000 taps at one instant queues for some 100 ms; more is no crowd's own doing
)
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class GeneratorCheck:
    """
    The generator's health while viewers tapped: ``ok``, or ``notes`` on the problems.

    ``generator_cpu`` is the most cores that any process used in a sample, ``steal`` the mean part of the machine's time
    that was stolen.
    """

    ok: bool
    notes: list[str]
    generator_lag_ms: Percentiles
    generator_cpu: float
    steal: float


def check_generator(history: History, send_debt_ms: Percentiles, unmet: Sequence[str] = ()) -> GeneratorCheck:
    """Return how far the times in *history* can be trusted; *unmet* says why the offered load was not the planned."""
    samples = _while_tapping(history)
    lag = percentiles(round(sample.lag_ms * _NS_PER_MS) for sample in samples)
    cpus = sorted(sample.cpu for sample in samples)
    cpu_median = cpus[len(cpus) // 2] if cpus else 0.0
    steal = sum(sample.steal for sample in samples) / len(samples) if samples else 0.0
    notes = []
    if not samples:
        notes.append("the history has no health samples of the generator")
    if lag.p99 > LAG_P99_MS_MAX:
        notes.append(f"the generator's loop lag was {lag.p99:.0f} ms (p99; at most {LAG_P99_MS_MAX:.0f})")
    if cpu_median > CPU_MEDIAN_MAX:
        notes.append(f"a generator process used {cpu_median:.2f} cores in the median (at most {CPU_MEDIAN_MAX:.2f})")
    if steal > STEAL_MEAN_MAX:
        notes.append(f"{steal:.0%} of the machine's time were stolen (at most {STEAL_MEAN_MAX:.0%})")
    if send_debt_ms.p99 > SEND_DEBT_P99_MS_MAX:
        notes.append(f"taps were sent {send_debt_ms.p99:.0f} ms late (p99; at most {SEND_DEBT_P99_MS_MAX:.0f})")
    notes += [f"the offered load was not the planned one: {why}" for why in unmet]
    return GeneratorCheck(not notes, notes, lag, round(cpus[-1] if cpus else 0.0, 4), round(steal, 4))


def tapping_span(history: History) -> tuple[int, int] | None:
    """Return the instants of the first planned tap and of the last receipt, None if nobody tapped."""
    if not history.grabs:
        return None
    return min(grab.t_intended for grab in history.grabs), max(grab.t_reply or grab.t_sent for grab in history.grabs)


def _while_tapping(history: History) -> Sequence[HealthRecord]:
    """Return the samples from the first planned tap to the last receipt; all if nobody tapped."""
    span = tapping_span(history)
    if span is None:
        return history.healths
    first, last = span
    # The sample after the last receipt still covers the time before it.
    after = min((sample.t for sample in history.healths if sample.t >= last), default=last)
    return [sample for sample in history.healths if first <= sample.t <= after]
