"""Bugs in the answers to grabs (A12), and receipts that go astray (A4)."""

from collections.abc import Callable
from typing import Any

from server.core.ids import RequestId
from server.core.packets.claim import Claim, ClaimStatus
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


def forget(status: ClaimStatus, nth: int) -> Callable[[], None]:
    """Return the planting of answers that are not sent: one of every so many of a kind."""

    def plant() -> None:
        hand_out, now = GrabDesk._hand_out, every(nth)

        def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
            kept = [
                pair for pair in zip(requesters, claims, strict=True) if not (pair[1].status is status and next(now))
            ]
            if kept:
                hand_out(self, [one for one, _ in kept], [claim for _, claim in kept])

        GrabDesk._hand_out = planted  # type: ignore[method-assign]

    return plant


def answer_the_first_twice() -> None:
    """Answer the first of every fifth batch of several again, instead of the last."""
    hand_out, now = GrabDesk._hand_out, every(5)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        if len(claims) > 1 and next(now):
            requesters[0]._session._grabs_in_flight += 1
            requesters, claims = [*requesters[:-1], requesters[0]], [*claims[:-1], claims[0]]
        hand_out(self, requesters, claims)

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


def answer_another_request() -> None:
    """Answer every twentieth grab under a request id that is not its own."""
    hand_out, now = GrabDesk._hand_out, every(20)

    def planted(self: GrabDesk, requesters: list[Any], claims: list[Claim]) -> None:
        changed = [
            each._replace(request_id=RequestId(f"{each.request_id}.x")) if next(now) else each for each in claims
        ]
        hand_out(self, requesters, changed)

    GrabDesk._hand_out = planted  # type: ignore[method-assign]


PLANTS = [
    Plant("receipts swapped between viewers", of("A4"), swap_receipts),
    Plant("one answer in forty is never sent", of("A12"), never_answer),
    Plant("one receipt in twenty is sent twice", of("A12"), answer_twice),
    Plant("one repeat in three gets no answer", of("A12"), forget(ClaimStatus.REPEATED, 3)),
    Plant("one grab in ten that found nothing left gets no answer", of("A12"), forget(ClaimStatus.EXHAUSTED, 10)),
    Plant("the last of a batch is overlooked and the first answered twice", of("A12"), answer_the_first_twice),
    Plant("one answer in twenty names a request that nobody made", of("A4"), answer_another_request),
]
