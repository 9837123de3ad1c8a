"""Messages without a number, welcomes and results that are not true (A14)."""

from collections.abc import Callable
from typing import Any

from server.core.packets import lifecycle
from server.core.packets.lifecycle import PacketLifecycle
from server.core.packets.packet import Phase
from server.core.rooms import messages
from server.core.rooms.chatter import Chatter
from server.core.rooms.room import Room
from server.gateway import live_room
from tests.planted.plant import Plant, every, of


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


def count_one_more(body: dict[str, Any]) -> None:
    """Count a share that nobody got."""
    body["granted_count"] += 1


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


def told(name: str, plant: Callable[[], None]) -> Plant:
    """Return a bug of what rooms are told, which a crowd meets that talks and comes back."""
    return Plant(name, of("A14"), plant, scenario="told")


PLANTS = [
    told("progress says one share too few", tell_count(-1)),
    told("progress says one share too many", tell_count(1)),
    told("a welcome omits a packet on air", omit_from_welcome),
    told("a welcome shows the wrong phase", stay_in_warmup),
    told("a result names the second best first", change_result(swap_best)),
    told("a result counts one share too many", change_result(count_one_more)),
    told("every second comment is swallowed", swallow_comments),
    told("no popup comes with an opening", never_pop_up),
    told("a packet that pops up comes as a widget", show_widgets),
]
