"""A9: every viewer hears every fact once and in order."""

import pytest

from tests.loadtest.written_run import NS_PER_MS, Line, WrittenRun, a_run


def _stayed(run: WrittenRun) -> Line:
    """Return the run of numbers of a connection that heard everything."""
    last = max(fact["seq"] for fact in run.of("fact"))
    return run.of("run", first_seq=1, last_seq=last)[0]


def _cut(run: WrittenRun, *pieces: tuple[int, int]) -> None:
    whole = _stayed(run)
    at = run.history.index(whole)
    run.history[at : at + 1] = [whole | {"first_seq": first, "last_seq": last} for first, last in pieces]


@pytest.mark.parametrize(
    "pieces",
    [
        ((1, 2), (4, 10)),
        ((1, 3), (3, 10)),
        ((1, 2), (4, 4), (3, 3), (5, 10)),
    ],
    ids=["lost", "twice", "reordered"],
)
def test_a_push_that_was_lost_repeated_or_reordered_is_a9(pieces: tuple[tuple[int, int], ...]) -> None:
    """Each breaks the run of one connection."""
    run = a_run()
    assert max(fact["seq"] for fact in run.of("fact")) == 10
    _cut(run, *pieces)

    assert run.broken() == {"A9"}


def test_a_first_push_that_was_lost_is_a9() -> None:
    """The first number comes right after the one that the welcome states."""
    run = a_run()
    _cut(run, (2, 10))

    assert run.broken() == {"A9"}


def test_a_last_push_that_was_lost_is_a9() -> None:
    """A gap at the end shows in no run, but the viewer was there."""
    run = a_run()
    stayed = _stayed(run)
    conn = run.of("conn", conn=stayed["conn"])[0]
    stayed["last_seq"] = 9
    assert run.broken() == set()  # it left as the last fact came: nobody can tell

    conn["t_close"] += 500 * NS_PER_MS
    assert run.broken() == {"A9"}

    conn["code"] = 4008  # the server sent it away: it may resume
    assert run.broken() == set()


def test_a_viewer_that_heard_nothing_at_all_is_a9() -> None:
    """A connection without any run missed every fact."""
    run = a_run()
    stayed = _stayed(run)
    run.of("conn", conn=stayed["conn"])[0]["t_close"] += 500 * NS_PER_MS
    run.drop(stayed)

    assert run.broken() == {"A9"}


def test_a_resume_that_is_not_the_gap_is_a9() -> None:
    """A later connection goes on where the earlier one stopped, whatever number its welcome states."""
    run = next(run for run in map(a_run, range(20)) if _resumed(run))
    resumed = _resumed(run)[0]
    conn = run.of("conn", conn=resumed["conn"])[0]
    conn["seq"] += 1
    assert run.broken() == set()

    resumed["first_seq"] += 1
    assert run.broken() == {"A9"}

    conn["resync"] = True  # it was told to start afresh
    assert run.broken() == set()


def test_a_resume_goes_on_from_what_was_asked_for() -> None:
    """Where the history says from which number a viewer asked to go on, no other of its connections excuses another."""
    run = next(run for run in map(a_run, range(20)) if _resumed(run))
    resumed = _resumed(run)[0]
    conn = run.of("conn", conn=resumed["conn"])[0]
    conn["resumed_from"] = resumed["first_seq"] - 1
    assert run.broken() == set()

    conn["resumed_from"] -= 1
    assert run.broken() == {"A9"}

    conn["resync"] = True  # it was told to start afresh: what it asked for is of no importance
    conn["seq"] = resumed["first_seq"] - 1
    assert run.broken() == set()


def test_a_resume_that_brings_nothing_is_a9() -> None:
    """A connection that resumed and never got the gap missed it, though its welcome stated the newest number."""
    run = next(run for run in map(a_run, range(20)) if _resumed(run))
    resumed = _resumed(run)[0]
    conn = run.of("conn", conn=resumed["conn"])[0]
    conn["seq"] = resumed["last_seq"]
    conn["t_close"] += 500 * NS_PER_MS
    run.drop(resumed)

    assert run.broken() == {"A9"}


def test_a_second_device_may_come_in_while_the_first_is_there() -> None:
    """Two connections of a viewer at a time each begin right after their own welcome."""
    run = a_run()
    stayed = _stayed(run)
    first = run.of("conn", conn=stayed["conn"])[0]
    second = first | {"conn": "second", "t_open": first["t_open"] + 1, "seq": 4}
    run.history = [second, stayed | {"conn": "second", "first_seq": 5}, *run.history]
    run.history[-1]["conns"] += 1

    assert run.broken() == set()


def _resumed(run: WrittenRun) -> list[Line]:
    return [line for line in run.of("run") if line["conn"].endswith(".1") and line["first_seq"] < line["last_seq"]]


def test_a_message_that_differs_is_a9() -> None:
    """All connections of a process hear the same bytes."""
    run = a_run()
    run.history = [{"kind": "differ", "conn": "v0.0", "seq": 3, "hash": "other"}, *run.history]

    assert run.broken() == {"A9"}


def test_processes_that_heard_differently_are_a9() -> None:
    """One number of a room is one fact, for all processes."""
    run = a_run()
    run.history = [run.of("fact")[0] | {"hash": "other"}, *run.history]

    assert run.broken() == {"A9"}


@pytest.mark.parametrize("said", ["open", "sold_out", "voided"])
def test_only_the_result_comes_after_closed(said: str) -> None:
    """A packet that was closed says nothing but what came of it."""
    run = a_run(share_count=40)
    run.of("fact", type="open")[0]["type"] = "progressed"
    result = run.of("fact", type="result")[0]
    result["type"] = said

    assert "A9" in run.broken()
    assert run.broken() <= {"A9", "A2", "A14"}  # and an opening or a result was missing or late


def test_a_fact_that_is_said_twice_is_a9() -> None:
    """A cue becomes one fact, whoever proposed it."""
    run = a_run()
    run.of("fact", type="open")[0]["type"] = "warmup"

    assert run.broken() == {"A9", "A14"}  # the opening was missing


def test_facts_before_the_welcome_are_a9() -> None:
    """Nothing may come before ``welcome``, nor over a connection that nobody opened."""
    run = a_run()
    run.of("conn", conn=_stayed(run)["conn"])[0]["t_welcome"] = None
    assert run.broken() == {"A9"}

    orphaned = a_run()
    orphaned.drop(orphaned.of("conn", conn=_stayed(orphaned)["conn"])[0])
    assert orphaned.broken() == {"A9"}
