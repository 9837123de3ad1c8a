"""Optimistic retry: a raced command decides again, a limited number of times."""

import pytest

from server.commands.retry import decided
from server.core.refusal import Raced, Refused

GIVE_UP = Refused("raced", "others keep coming in between")


class Attempts:
    """Attempts that are raced so many times before one succeeds."""

    def __init__(self, raced: int) -> None:
        self.raced = raced
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.made <= self.raced:
            raise Raced("raced", "not now")
        return "done"


@pytest.mark.parametrize("raced", [0, 1, 2])
async def test_what_was_raced_is_decided_anew(raced: int) -> None:
    """As often as it takes, within the number of tries."""
    attempts = Attempts(raced)
    assert await decided(attempts, tries=3, give_up=GIVE_UP) == "done"
    assert attempts.made == raced + 1


async def test_it_gives_up_after_the_last_try() -> None:
    """After the last attempt the caller gets the given refusal, not the attempt's."""
    attempts = Attempts(3)
    with pytest.raises(Refused) as refused:
        await decided(attempts, tries=3, give_up=GIVE_UP)
    assert (refused.value, attempts.made) == (GIVE_UP, 3)


async def test_a_decision_is_not_repeated() -> None:
    """A refusal by a rule would be the same again."""
    made = 0

    async def attempt() -> None:
        nonlocal made
        made += 1
        raise Refused("too_late", "it is over")

    with pytest.raises(Refused, match="over"):
        await decided(attempt, tries=3, give_up=GIVE_UP)
    assert made == 1
