"""Bugs in the answers to grabs (A12), and receipts that go astray (A4)."""

from typing import Any

from server.core.packets.claim import Claim
from server.gateway.grabs import GrabDesk
from tests.planted.plant import Plant, every, of


def swap_receipts() -> None:
    """Write each receipt of every third batch of two or more to the viewer before."""
    hand_out, now = GrabDesk._hand_out, every(3)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        swapped = len(requesters) > 1 and next(now)
        hand_out(self, [*requesters[1:], requesters[0]] if swapped else requesters, claims)

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


def never_answer() -> None:
    """Leave every fortieth grab without its receipt."""
    hand_out, now = GrabDesk._hand_out, every(40)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        kept = [pair for pair in zip(requesters, claims, strict=True) if not next(now)]
        if kept:
            hand_out(self, [one for one, _ in kept], [claim for _, claim in kept])

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


def answer_twice() -> None:
    """Write every twentieth receipt a second time."""
    hand_out, now = GrabDesk._hand_out, every(20)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        hand_out(self, requesters, claims)
        for requester, claim in zip(requesters, claims, strict=True):
            if next(now):
                requester._session._grabs_in_flight += 1
                hand_out(self, [requester], [claim])

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


PLANTS = [
    Plant("receipts swapped between viewers", of("A4"), swap_receipts),
    Plant("one answer in forty is never sent", of("A12"), never_answer),
    Plant("one receipt in twenty is sent twice", of("A12"), answer_twice),
]
