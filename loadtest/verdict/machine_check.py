"""Machine check: whether others kept the machine so busy that a run's times are theirs as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.record.history import History
from loadtest.verdict.generator_check import tapping_span

OTHERS_MAX_CORES = 0.25  # in the mean: somebody else is at work
IDLE_MIN_CORES = 0.5  # a machine with so much to spare carries others too


@dataclass(frozen=True, slots=True)
class MachineCheck:
    """
    The machine while viewers tapped: how many processors, in the mean, worked for the run, for others, or rested.

    ``stolen`` is what a hypervisor withheld, ``pressure`` the part of the time in which something waited for a
    processor (None where the kernel does not say). ``note`` says if others were at work; then times are ``void``,
    unless the service was not the run's own: it is then among the others, if it runs here.
    """

    ours_cores: float
    others_cores: float
    idle_cores: float
    stolen_cores: float
    pressure: float | None
    void: bool
    note: str


def check_machine(spans: Sequence[Sequence[int | None]], history: History, *, own_service: bool) -> MachineCheck | None:
    """Return how busy the machine was while viewers tapped, by the lines of ``RunFacts.machine_load``."""
    tapped = tapping_span(history)
    while_tapping = [span for span in spans if tapped is None or _overlap(span, tapped)]
    return check_spans(while_tapping, own_service=own_service)


def check_spans(spans: Sequence[Sequence[int | None]], *, own_service: bool) -> MachineCheck | None:
    """Return how busy the machine was in all spans; None if there are none."""
    told = [span for span in spans if None not in span[:6]]
    took_ns = sum((span[1] or 0) - (span[0] or 0) for span in told)
    if took_ns <= 0:
        return None
    ours, others, idle, stolen = (round(sum(span[at] or 0 for span in told) / took_ns, 3) for at in range(2, 6))
    waits = [span[6] for span in told]
    pressure = None if None in waits else round(min(1.0, sum(each or 0 for each in waits) / took_ns), 3)
    busy = others > OTHERS_MAX_CORES and idle < IDLE_MIN_CORES
    note = ""
    if busy:
        note = f"while viewers tapped, other processes used {others:.1f} of the processors, and {idle:.1f} were idle"
        if not own_service:
            note += "; the service is among them if it runs on this machine"
    return MachineCheck(ours, others, idle, stolen, pressure, busy and own_service, note)


def machine_sentence(machine: Mapping[str, Any] | None) -> str:
    """Return in one sentence how busy the machine was, as a result has it."""
    if machine is None:
        return "not measured"
    told = (
        f"the run used {machine['ours_cores']:.1f} processors, others {machine['others_cores']:.1f}, "
        f"{machine['idle_cores']:.1f} were idle and {machine['stolen_cores']:.1f} withheld"
    )
    if machine["pressure"] is not None:
        told += f"; something waited for one {machine['pressure']:.0%} of the time"
    return told


def _overlap(span: Sequence[int | None], other: tuple[int, int]) -> bool:
    return (span[0] or 0) < other[1] and other[0] < (span[1] or 0)
