"""Midway: what was given before and after an edit, a void or an end, and whether it fell among the taps."""

from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.verdict.interventions import Intervention, interventions, raced_steps
from tests.loadtest.in_memory import history_from
from tests.loadtest.written_run import Line, WrittenRun, a_run


def steps(run: WrittenRun, *happenings: Line) -> list[Intervention]:
    return interventions(books_from(run.books), history_from(run.history), happenings)


def raced(run: WrittenRun, *happenings: Line) -> int:
    return raced_steps(books_from(run.books), history_from(run.history), happenings)


def with_entry(movement: str, place: int, **fields: Any) -> WrittenRun:
    """Return a run of one packet whose creator did something after so many of its batches of claims."""
    run = a_run(packets=1, share_count=6)
    batches = [line for line in run.books if line["kind"] == "journal" and line["movement"] == "claim"]
    at = run.books.index(batches[place]) if place < len(batches) else run.books.index(batches[-1]) + 1
    entry = {
        **batches[0],
        "movement": movement,
        "claims": None,
        "at_ms": batches[min(place, len(batches) - 1)]["at_ms"],
    }
    run.books.insert(at, {**entry, "edition": 2, **fields})
    return run


def given(run: WrittenRun) -> list[int]:
    return [len(line["claims"]) for line in run.of("journal", movement="claim")]


@pytest.mark.parametrize(("movement", "word"), [("edit", "edit up"), ("trim", "edit down"), ("end", "end")])
def test_the_journal_says_what_came_before(movement: str, word: str) -> None:
    """Shares of the batches before the entry, and those of the batches after it."""
    run = with_entry(movement, 1)
    first, *rest = given(run)
    (step,) = steps(run)
    assert (step.step, step.before, step.after, step.early) == (word, first, sum(rest), 0)
    assert rest
    assert step.raced


def test_what_comes_after_the_last_share_has_raced_if_it_turned_somebody_away() -> None:
    """Nothing is given after an end; only taps that it refused show that somebody was still tapping."""
    run = with_entry("end", 99)
    late = run.of("grab", status="too_late")
    assert late
    assert raced(run) == 1
    for grab in late:
        run.drop(grab)
    assert (steps(run)[0].after, raced(run)) == (0, 0)


def test_a_void_before_the_opening_raced_with_those_who_were_too_early() -> None:
    """Nothing is given before it; without an early tap nobody raced."""
    run = with_entry("void", 0, at_ms=0)
    for grab in run.of("grab", status="exhausted"):
        grab["status"] = "voided"
    (step,) = steps(run)
    assert (step.before, step.early) == (0, len(run.of("grab", status="too_early")))
    assert step.early > 0 < step.turned_away
    assert step.raced
    for grab in run.of("grab", status="too_early"):
        run.drop(grab)
    assert raced(run) == 0


def test_taps_that_found_nothing_count_from_the_edition_that_was_made() -> None:
    """A refusal in the edition before is not counted for the edit."""
    run = with_entry("trim", 99)
    refused = run.of("grab", status="exhausted")
    assert len(refused) > 1
    assert raced(run) == 0
    refused[0]["edition"] = 2
    assert [(step.turned_away, step.raced) for step in steps(run)] == [(1, True)]


def test_an_edit_that_was_refused_is_found_among_the_happenings() -> None:
    """By the room time at which it was refused; a launch that was refused is none."""
    run = a_run(packets=1, share_count=6)
    first, second, *_ = run.of("journal", movement="claim")
    happening = {"action": "edit", "outcome": "refused below_claimed", "packet_id": "c1.p0", "room_ms": first["at_ms"]}
    (step,) = steps(run, happening, {**happening, "action": "launch"}, {**happening, "outcome": "edited"})
    assert (step.step, step.before) == ("refused below_claimed", len(first["claims"]))
    assert step.after == sum(given(run)) - step.before >= len(second["claims"])
    assert raced(run, happening) == 1
    assert raced(run, {**happening, "room_ms": 0}) == 0


def test_a_draft_is_in_nobodys_hands() -> None:
    """A step on a packet that was never launched does not race with taps."""
    run = with_entry("void", 1)
    run.of("packet")[0]["grab_at_ms"] = None
    assert steps(run) == []
