"""A planted bug, and ways to plant one: into a method, now and then, or into a script of the store."""

import hashlib
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from server.core.packets.claim import Claim, ClaimStatus
from server.gateway.grabs import GrabDesk
from server.store import connection


class Plant(NamedTuple):
    """
    A bug: ``plant`` puts it into this process, before it serves; any of ``found_by`` must be violated.

    ``scenario`` is the storm that meets it, a file in this folder.
    """

    name: str
    found_by: frozenset[str]
    plant: Callable[[], None]
    scenario: str = "crowd"

    @property
    def slug(self) -> str:
        """Return its name as that of a file."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def of(*names: str) -> frozenset[str]:
    """Return the invariants of these names."""
    return frozenset(names)


def every(nth: int) -> Iterator[bool]:
    """Tell of each occasion whether it is one of every so many."""
    return (number % nth == 0 for number in count(1))


def in_script(script: str, *changes: tuple[str, str]) -> Callable[[], None]:
    """Return the planting of a bug in a script of the store: each pair is what stands there and what shall."""

    def plant() -> None:
        sound = connection._scripts

        def planted() -> dict[str, connection._Script]:
            scripts = sound()
            text = scripts[script].text
            for right, wrong in changes:
                assert text.count(right) == 1, right
                text = text.replace(right, wrong)
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            return {**scripts, script: connection._Script(text, sha)}

        connection._scripts = planted

    return plant


def rewrite_claims(nth: int, status: ClaimStatus, rewrite: Callable[[Claim], Claim]) -> None:
    """Rewrite one of every so many answers of a kind before its receipt is written."""
    hand_out, now = GrabDesk._hand_out, every(nth)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        hand_out(self, requesters, [rewrite(each) if each.status is status and next(now) else each for each in claims])

    GrabDesk._hand_out = planted  # type: ignore[method-assign]
