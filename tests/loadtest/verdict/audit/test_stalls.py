"""Stalls lengthen flights by what generator and server felt, in bounded time whatever a history says."""

from loadtest.record.books import ClockRecord
from loadtest.record.history import History
from loadtest.verdict.audit.circumstances import (
    FLIGHT_NS,
    LOOKED_FOR_NS,
    ORDINARY,
    Absence,
    Circumstances,
    MachineWait,
    room_times,
)
from loadtest.verdict.audit.stalls import Flights, Stalls
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import NS_PER_MS, a_run

T, S = 50_000_000_000, 1_000_000_000


def _history(**grab: object) -> History:
    run = a_run()
    lag = {"kind": "health", "t": T, "lag_ms": 30.0, "cpu": 1.0, "steal": 0.0, "descriptors": 9}
    tap = run.of("grab")[0] | {"t_sent": T, "t_reply": T + 200 * NS_PER_MS, "behaviour": "eager"} | grab
    reading = {"kind": "reading", "server_ms": 0, "t": 0, "rtt_ns": 200_000}
    return history_from([lag, tap, reading, {"kind": "end", "grabs": 1, "conns": 0}])


def test_a_stall_is_the_lag_and_the_longest_wait() -> None:
    """Those near the span; the waits of slow readers say nothing."""
    assert Stalls(_history(), ORDINARY).ns(T - S, T + S) == 230 * NS_PER_MS
    assert Stalls(_history(), ORDINARY).ns(T + S, T + 2 * S) == 0
    assert Stalls(_history(behaviour="slow_reader"), ORDINARY).ns(T - S, T + S) == 30 * NS_PER_MS
    waited = Circumstances(waits=[MachineWait(T, T + S, 7)])
    assert Stalls(_history(), waited).ns(T - S, T + S) == 230 * NS_PER_MS + 7


def test_a_wait_of_years_is_kept_in_a_few_spans() -> None:
    """A strange folder must not make the judge work for ever."""
    years = 10**18
    assert Stalls(_history(t_reply=T + years), ORDINARY).ns(T + years // 2, T + years // 2 + S) == years


def test_a_flight_is_as_long_as_stated_and_stalled() -> None:
    """Widened by the clock's error; near an absence there is none."""
    history = _history()
    times = room_times(history, ClockRecord(0, 0, 1))
    assert times is not None
    far = T + 10 * S
    sound = Flights(times, ORDINARY, Stalls(history, ORDINARY))
    assert sound.of(far) == (far - FLIGHT_NS - times.error_ns, far + times.error_ns)
    assert sound.of(far, older_ns=S) == (far - FLIGHT_NS - S - times.error_ns, far + times.error_ns)
    away = Circumstances([Absence(far - 3 * S, far - 2 * S)])
    assert Flights(times, away, Stalls(history, away)).of(far) is None
    assert Flights(times, away, Stalls(history, away)).of(far + LOOKED_FOR_NS + S) is not None
