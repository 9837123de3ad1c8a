"""The planted bugs: each with a name, what it breaks in the server, and the invariants of which one must find it."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from server.core.packets import lifecycle, split
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.packets.lifecycle import PacketLifecycle
from server.core.packets.packet import Phase
from server.core.rooms import messages
from server.core.rooms.chatter import Chatter
from server.core.rooms.room import Room
from server.core.rooms.session import RejectGrab, Session
from server.gateway import live_room
from server.gateway.grabs import GrabDesk
from server.store import connection
from server.store.allocators import default
from server.store.allocators.memory import Recollection
from server.store.allocators.port import refusals
from server.store.feed import Feed


class Plant(NamedTuple):
    """A bug: ``plant`` puts it into this process, before it serves; any of ``found_by`` must be violated."""

    name: str
    found_by: frozenset[str]
    plant: Callable[[], None]


def every(nth: int) -> Iterator[bool]:
    """Tell of each occasion whether it is one of every so many."""
    return (number % nth == 0 for number in count(1))


def in_script(script: str, right: str, wrong: str) -> Callable[[], None]:
    """Return the planting of a bug in a script of the store."""

    def plant() -> None:
        sound = connection._scripts

        def planted() -> dict[str, connection._Script]:
            scripts = sound()
            text = scripts[script].text
            assert text.count(right) == 1, right
            text = text.replace(right, wrong)
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            return {**scripts, script: connection._Script(text, sha)}

        connection._scripts = planted

    return plant


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


def refuse(status: ClaimStatus) -> Callable[[], None]:
    """Return the planting of a refusal that every twenty-fifth batch gets without a reason."""

    def plant() -> None:
        claim, now = default.DefaultAllocator.claim, every(25)

        async def planted(self: Any, packet_id: Any, room_id: Any, grabs: list[Grab]) -> list[Claim]:
            if next(now):
                return list(refusals(packet_id, grabs, status))
            return list(await claim(self, packet_id, room_id, grabs))

        default.DefaultAllocator.claim = planted  # type: ignore[method-assign, assignment]

    return plant


def limit_rates() -> None:
    """Refuse every thirtieth grab for a rate that nobody had."""
    grab, now = Session._grab, every(30)

    def planted(self: Session, packet_id: Any, request_id: Any, allowed: bool) -> Any:
        if next(now):
            return RejectGrab(Claim(packet_id, self.viewer_id, request_id, ClaimStatus.RATE_LIMITED, edition=0))
        return grab(self, packet_id, request_id, allowed)

    Session._grab = planted  # type: ignore[method-assign]


def late(kind: str, late_s: float) -> Callable[[], None]:
    """Return the planting of a fact that is proposed late."""

    def plant() -> None:
        announce = Feed.announce

        async def planted(self: Feed, room: Any, cue: Any) -> Any:
            if cue.kind == kind:
                await asyncio.sleep(late_s)
            return await announce(self, room, cue)

        Feed.announce = planted  # type: ignore[method-assign]

    return plant


def open_early() -> None:
    """Open the window 40 ms early, in the script and in what a process remembers of the packet."""
    in_script("claim", _OPENS, _OPENS.replace("whole(record[3], 'packet')", "whole(record[3], 'packet') - 40"))()
    refusal_at = Recollection.refusal_at

    def planted(self: Recollection, now_ms: int, error_ms: int) -> ClaimStatus | None:
        return refusal_at(self, now_ms, error_ms + 40)

    Recollection.refusal_at = planted  # type: ignore[method-assign]


def never_shuffle() -> None:
    """Give the shares in the order in which they were drawn."""
    split._shuffle = lambda shares, below: None


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


_ENDS = "    if at_ms >= whole(record[4], 'packet') then return 'l' end\n"
_OPENS = "    if at_ms < whole(record[3], 'packet') then return 'e' end\n"
PLANTS = [
    Plant("receipts swapped between viewers", _of("A4"), swap_receipts),
    Plant("one answer in forty is never sent", _of("A12"), never_answer),
    Plant("one receipt in twenty is sent twice", _of("A12"), answer_twice),
    Plant("rate_limited without a rate", _of("A13"), limit_rates),
    Plant("unavailable though the store is there", _of("A13"), refuse(ClaimStatus.UNAVAILABLE)),
    Plant("too_late in the middle of the window", _of("A13"), refuse(ClaimStatus.TOO_LATE)),
    Plant("not_found for a packet on air", _of("A13"), refuse(ClaimStatus.NOT_FOUND)),
    Plant("voided though nobody did", _of("A13"), refuse(ClaimStatus.VOIDED)),
    Plant(
        "the window closes 300 ms early",
        _of("A13"),
        in_script(
            "claim", _ENDS, _ENDS.replace(">= whole(record[4], 'packet')", ">= whole(record[4], 'packet') - 300")
        ),
    ),
    Plant("the window opens 40 ms early", _of("A7"), open_early),
    Plant(
        "the window opens 400 ms late",
        _of("A13"),
        in_script("claim", _OPENS, _OPENS.replace("whole(record[3], 'packet')", "whole(record[3], 'packet') + 400")),
    ),
    Plant("open is announced 400 ms late", _of("A14"), late("open", 0.4)),
    Plant("closed is announced 1.5 s late", _of("A14"), late("closed", 1.5)),
    Plant("sold_out is announced 1 s late", _of("A14"), late("sold_out", 1.0)),
    Plant("closed never comes", _of("A14"), late("closed", 3_600.0)),
    Plant("shares are not shuffled", _of("A8"), never_shuffle),
]


# What is told without a number, and results.


def tell_count(off: int) -> Callable[[], None]:
    """Return the planting of a remaining count that is told wrong by so many."""

    def plant() -> None:
        progress = messages.progress

        def planted(packet_id: Any, remaining: int, claimable_at_ms: int | None = None) -> bytes:
            return progress(packet_id, remaining + off, claimable_at_ms)

        messages.progress = planted

    return plant


def omit_from_welcome() -> None:
    """Leave the oldest packet on air out of every welcome."""
    on_screen = Room.packets_on_screen
    Room.packets_on_screen = lambda self: on_screen(self)[1:]  # type: ignore[method-assign]


def stay_in_warmup() -> None:
    """Say of every packet in a welcome that it is warming up."""
    PacketLifecycle._phase = lambda self: Phase.WARMING  # type: ignore[method-assign]


def change_result(change: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
    """Return the planting of a change of every result."""

    def plant() -> None:
        result_body = lifecycle.result_body

        def planted(*given: Any) -> dict[str, Any]:
            body = result_body(*given)
            change(body)
            return body

        setattr(live_room, "result_body", planted)  # noqa: B010 - it only imports the function

    return plant


def swap_best(body: dict[str, Any]) -> None:
    """Exchange the first two of the best ten."""
    body["best_luck"][:2] = body["best_luck"][1::-1]


def swallow_comments() -> None:
    """Take every second comment and tell nobody."""
    say, now = Chatter.say, every(2)
    Chatter.say = lambda self, viewer_id, text: next(now) or say(self, viewer_id, text)  # type: ignore[method-assign]


def never_pop_up() -> None:
    """Tell of every opening without its popup."""
    read = Room._read

    def planted(self: Room, entry: Any, now_ms: int) -> list[Any]:
        return [each for each in read(self, entry, now_ms) if b'"type":"popup"' not in getattr(each, "text", b"")]

    Room._read = planted  # type: ignore[method-assign]


def show_widgets() -> None:
    """Show every opened packet as an asset widget."""
    surface = messages.surface
    messages.surface = lambda kind, packet_id: surface("asset_widget", packet_id)


PLANTS += [
    Plant("progress says one share too few", _of("A14"), tell_count(-1)),
    Plant("progress says one share too many", _of("A14"), tell_count(1)),
    Plant("a welcome omits a packet on air", _of("A14"), omit_from_welcome),
    Plant("a welcome shows the wrong phase", _of("A14"), stay_in_warmup),
    Plant(
        "a result names the second best first",
        _of("A14"),
        change_result(lambda body: body["best_luck"].insert(0, body["best_luck"].pop(1))),
    ),
    Plant(
        "a result counts one share too many",
        _of("A14"),
        change_result(lambda body: body.update(granted_count=body["granted_count"] + 1)),
    ),
    Plant("every second comment is swallowed", _of("A14"), swallow_comments),
    Plant("no popup comes with an opening", _of("A14"), never_pop_up),
    Plant("a packet that pops up comes as a widget", _of("A14"), show_widgets),
]
