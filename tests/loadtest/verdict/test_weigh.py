"""The verdict and the one table of exit codes."""

import itertools

import pytest

from loadtest.verdict.weigh import Exit, Reason, Verdict, decide


@pytest.mark.parametrize(
    ("reasons", "verdict", "code"),
    [
        ([], Verdict.PASS, 0),
        ([Reason.INVARIANT], Verdict.FAIL, 10),
        ([Reason.VOID], Verdict.UNKNOWN, 20),
        ([Reason.VACUOUS], Verdict.UNKNOWN, 20),
        ([Reason.SERVER_ERRORS], Verdict.UNKNOWN, 20),
        ([Reason.SERVER_ERRORS, Reason.INVARIANT], Verdict.FAIL, 10),
        ([Reason.REGRESSION], Verdict.FAIL, 11),
        ([Reason.THRESHOLD], Verdict.FAIL, 12),
        ([Reason.INCONCLUSIVE], Verdict.UNKNOWN, 20),
        ([Reason.VOID, Reason.INVARIANT], Verdict.FAIL, 10),
        ([Reason.THRESHOLD, Reason.REGRESSION], Verdict.FAIL, 11),
        ([Reason.THRESHOLD, Reason.VACUOUS], Verdict.FAIL, 20),
        ([Reason.INCONCLUSIVE, Reason.THRESHOLD], Verdict.FAIL, 12),
    ],
)
def test_the_first_that_applies_decides(reasons: list[Reason], verdict: Verdict, code: int) -> None:
    """An invariant outweighs all, a void run outweighs a regression."""
    assert decide(reasons)[0] is verdict
    assert decide(reasons)[2] == code


def test_the_order_in_which_reasons_come_does_not_matter() -> None:
    """The same reasons give the same verdict."""
    for three in itertools.combinations(Reason, 3):
        assert len({repr(decide(order)) for order in itertools.permutations(three)}) == 1


def test_no_failing_reason_ends_with_zero() -> None:
    """Only a run without reasons passes."""
    assert all(decide([reason])[2] is not Exit.PASS for reason in Reason)
