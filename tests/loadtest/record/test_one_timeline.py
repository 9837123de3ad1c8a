"""One timeline: an audience of two hosts whose clocks have nothing in common, judged as one."""

from copy import deepcopy
from typing import Any

import pytest

from loadtest.record.books import Books, books_from
from loadtest.record.history import History
from loadtest.record.one_timeline import bring_together, clock_error_ms, widened
from loadtest.verdict.audit import audit
from loadtest.verdict.audit.outcome import Blind, blind_to_others
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import NS_PER_MS, T0_NS, Line, WrittenRun, a_run

HOUR_NS = 3_600_000_000_000
RTT_NS = 400_000


def reading(at_ms: int, *, rtt_ns: int = RTT_NS, off_ns: int = 0) -> Line:
    t_ns = T0_NS + at_ms * NS_PER_MS + off_ns
    return {"kind": "reading", "server_ms": at_ms, "t": t_ns, "rtt_ns": rtt_ns, "speed": 1}


def moved(line: Line, by_ns: int) -> Line:
    """Return a line as a host whose clock is ahead by so much would have written it."""
    times = {name: at + by_ns for name, at in line.items() if (name == "t" or name[:2] == "t_") and at is not None}
    return {**line, **times}


def hosts(run: WrittenRun, ahead_ns: int = HOUR_NS, names: tuple[str, str] = ("a", "b")) -> list[list[Line]]:
    """Return the run's history as two hosts write it, of which the second has the viewers with odd numbers."""
    halves: list[list[Line]] = [[{"kind": "own_clock", "clock": name}] for name in names]
    for line in run.history[:-1]:
        if line["kind"] == "reading":
            continue
        whose = str(line.get("conn", line.get("viewer", "")))
        both = line["kind"] in ("fact", "heard", "welcome")
        for half, lines in enumerate(halves):
            odd = whose.partition(".")[0][-1:] in set("13579")
            if both or odd == bool(half):
                lines.append(deepcopy(line))
    for half, lines in enumerate(halves):
        lines.append(reading(3 + 4 * half))
        counts = {f"{kind}s": sum(each["kind"] == kind for each in lines) for kind in ("grab", "conn")}
        lines.append({"kind": "end", **counts})
    return [halves[0], [moved(line, ahead_ns) for line in halves[1]]]


def together(lines: list[list[Line]]) -> History:
    history = history_from(*lines)
    bring_together(history, len(lines))
    return history


def broken(run: WrittenRun, lines: list[list[Line]]) -> set[str]:
    books: Books = books_from(run.books)
    return {violation.invariant for violation in audit(books, widened(together(lines)))}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ahead_ns", [HOUR_NS, -HOUR_NS, 3 * NS_PER_MS])
def test_a_sound_run_of_two_hosts_has_no_violation(seed: int, ahead_ns: int) -> None:
    """Whatever the difference of their clocks is, the times of both are on one, to the error of the readings."""
    run = a_run(seed)
    lines = hosts(run, ahead_ns)
    assert broken(run, lines) == set()
    (relation,) = (history := together(lines)).relations
    assert relation.error_ns is not None
    assert abs(relation.offset_ns) - abs(ahead_ns) <= relation.error_ns < 12 * NS_PER_MS
    assert clock_error_ms(history) == relation.error_ns / NS_PER_MS


def test_without_the_readings_the_same_run_would_be_condemned() -> None:
    """The clocks really differ: taken as one, what the second host saw contradicts the store's times."""
    run = a_run()
    history = history_from(*hosts(run))
    assert {violation.invariant for violation in audit(books_from(run.books), history)} >= {"A7", "A13"}


@pytest.mark.parametrize(
    ("flaw", "found"), [("reply before write", "A5"), ("one too many", "A1"), ("opens early", "A7")]
)
def test_a_bug_is_found_over_two_hosts(flaw: str, found: str) -> None:
    """A lost acknowledgement, an over-issue and a wrong window show as they do on one host."""
    run = a_run(3, flaw=flaw)
    assert found in broken(run, hosts(run))


def test_the_order_of_two_hosts_is_judged_to_the_error_of_their_clocks() -> None:
    """A share that is answered long before its owner tapped is found, also if both are on the second host."""
    run = a_run(2)
    for late_ms, found in ((5, set()), (200, {"A7"})):
        lines = hosts(run)
        won = next(line for line in lines[1] if line["kind"] == "grab" and line["status"] == "granted")
        for name in ("t_intended", "t_sent", "t_reply"):
            won[name] += late_ms * NS_PER_MS
        assert broken(run, lines) & {"A7"} == found


def test_clocks_of_one_name_are_one_unless_their_readings_contradict() -> None:
    """Two processes of a host need no relation, and lose nothing; a copied name does not deceive."""
    run = a_run()
    assert together(hosts(run, 0, ("a", "a"))).relations == []
    (relation,) = together(hosts(run, HOUR_NS, ("a", "a"))).relations
    assert abs(relation.offset_ns + HOUR_NS) < 12 * NS_PER_MS
    assert broken(run, hosts(run, HOUR_NS, ("a", "a"))) == set()


def test_a_second_process_of_a_host_is_related_by_the_readings_of_the_first() -> None:
    """One that had no pong shares its host's clock by name."""
    run = a_run()
    first, second = hosts(run)
    third = [line for line in second if line["kind"] == "own_clock"] + [{"kind": "end", "grabs": 0, "conns": 0}]
    assert [relation.process for relation in together([first, second, third]).relations] == [1, 2]


def test_what_nothing_relates_is_neither_condemned_nor_passed() -> None:
    """A7, A13 and A14 say that they were not checked for the second host; the rest still is."""
    run = a_run()
    lines = [[line for line in half if line["kind"] != "reading"] for half in hosts(run)]
    history = together(lines)
    assert clock_error_ms(history) is None
    assert broken(run, lines) == set()
    spots = blind_to_others({"A13": Blind(all=True, why="nobody was refused")}, history)
    assert {name: spot.all for name, spot in spots.items()} == {"A7": False, "A13": True, "A14": False}
    assert all("nothing relates the clocks of 1 processes" in spot.why for spot in spots.values())
    flawed = a_run(3, flaw="reply before write", share_count=8)
    unread = [[line for line in half if line["kind"] != "reading"] for half in hosts(flawed)]
    assert "A5" in broken(flawed, unread)


def test_clocks_that_drift_apart_are_related_to_the_drift() -> None:
    """No one offset is right for a whole hour: the error covers all of its readings."""
    base: list[Any] = [{"kind": "own_clock", "clock": "a"}, reading(0), reading(3_600_000)]
    other: list[Any] = [{"kind": "own_clock", "clock": "b"}, reading(0), reading(3_600_000, off_ns=360 * NS_PER_MS)]
    end = {"kind": "end", "grabs": 0, "conns": 0}
    (relation,) = together([[*base, end], [*other, end]]).relations
    assert relation.error_ns is not None
    assert relation.offset_ns == -180 * NS_PER_MS
    assert relation.error_ns >= 180 * NS_PER_MS


def test_one_host_says_that_its_times_are_exact() -> None:
    """Nothing is widened, and A7 is checked in full."""
    history = together([a_run().history])
    assert widened(history) is history
    assert clock_error_ms(history) == 0
    assert blind_to_others({}, history) == {}
