"""A14: a result that names others than the best ten, or another number of shares, is a violation."""

from collections.abc import Callable

import pytest

from tests.loadtest.written_run import Line, a_run


def _swap(result: Line) -> None:
    best = result["best_luck"]
    best[0], best[1] = best[1], best[0]


def _drop_last(result: Line) -> None:
    result["best_luck"].pop()


def _add_a_fen(result: Line) -> None:
    result["best_luck"][0][1] += 1


def _rename(result: Line) -> None:
    result["best_luck"][2][0] = "nobody"


def _count(result: Line) -> None:
    result["granted_count"] -= 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_swap, "in place 1, not"),
        (_drop_last, "the result says nobody in place 10, not v"),
        (_add_a_fen, "in place 1, not"),
        (_rename, "says nobody with"),
        (_count, "shares were given, not"),
    ],
)
def test_a_wrong_result_is_a14(change: Callable[[Line], None], text: str) -> None:
    """Names, amounts, order, length and number."""
    run = a_run(share_count=14, viewers=24)
    change(run.of("fact", type="result")[0]["result"])
    (violation,) = run.audit()
    assert violation.invariant == "A14"
    assert text in violation.detail


def test_a_history_that_does_not_say_what_results_were_is_not_judged() -> None:
    """Older ones do not."""
    run = a_run()
    for fact in run.of("fact", type="result"):
        del fact["result"]
    assert run.audit() == []
