"""A service that gave shares before the run is noticed by what viewers are told first."""

from pathlib import Path
from random import Random

import pytest

from loadtest.verdict.foreign import freshness_notes
from tests.loadtest.foreign_run import Line, a_foreign_run, a_grab, a_run_of
from tests.loadtest.judged_foreign_run import judged_foreign

STALE = "told repeated at their first tap: the service did not start with fresh data (docs/ci.md)"


def _notes(*grabs: Line) -> list[str]:
    return list(freshness_notes(a_run_of(*grabs).cases()))


def _repeated(viewer: str) -> Line:
    return a_grab(viewer, "repeated", claim_id=f"c-{viewer}", request_id=f"again-{viewer}")


def test_repeated_at_the_first_tap_is_noted(tmp_path: Path) -> None:
    grabs = [_repeated("v1"), _repeated("v2"), a_grab("v3", "granted", claim_id="c3")]
    assert _notes(*grabs) == [f"2 viewers were {STALE}"]
    assert judged_foreign(a_run_of(*grabs), tmp_path)[1]["notes"] == [f"2 viewers were {STALE}"]


@pytest.mark.parametrize(
    "before",
    [a_grab("v1", "granted", 1_050, claim_id="c-v1"), a_grab("v1", None, 1_050), a_grab("v1", None, 1_104)],
)
def test_a_tap_that_may_have_won_explains_it(before: Line) -> None:
    """It was granted, or nobody knows what it was answered, and it was on its way by then."""
    assert _notes(before, _repeated("v1")) == []


def test_a_refusal_and_a_later_tap_explain_nothing() -> None:
    assert len(_notes(a_grab("v1", "too_early", 900), _repeated("v1"), a_grab("v1", None, 1_500))) == 1


def test_sold_out_before_anybody_had_a_share_is_noted() -> None:
    (note,) = _notes(a_grab("v1", "exhausted"), a_grab("v2", None, 1_400))
    assert note.startswith("p1 was sold out before anybody had a share")
    assert _notes(a_grab("v1", "exhausted"), a_grab("v2", None, 1_000)) == [], "it may have won the last one"
    assert _notes(a_grab("v1", "exhausted"), a_grab("v2", "granted")) == []


def test_a_correct_run_has_no_note() -> None:
    for seed in range(30):
        for manners in ((), ("repeats name nothing",), ("grants again",)):
            assert list(freshness_notes(a_foreign_run(Random(seed), manners=manners).cases())) == []
