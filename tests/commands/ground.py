"""What commands stand on in their tests: a real store, and a host that writes down what it is told."""

from collections.abc import Mapping

from server.commands.context import CommandContext
from server.core.ids import PacketId
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import RULEBOOKS, Rulebook
from server.store.clock import StoreClock
from server.store.connection import Store
from server.store.creators import Creators
from server.store.packets import Packets
from server.store.rooms import Rooms


class Host:
    """A gateway without viewers, which runs the default allocator alone."""

    def __init__(self) -> None:
        self.looked_at: list[PacketId] = []

    def check_allocator(self, name: str) -> None:
        if name != "default":
            raise Refused("bad_field", "must be default", field="allocator")

    async def look_at(self, packet_id: PacketId) -> None:
        self.looked_at.append(packet_id)


def context_of(
    store: Store, clock: StoreClock, rulebooks: Mapping[str, Rulebook] = RULEBOOKS, host: Host | None = None
) -> CommandContext:
    return CommandContext(
        clock=clock,
        rulebooks=rulebooks,
        creators=Creators(store),
        packets=Packets(store, clock),
        rooms=Rooms(store, clock),
        gateway=host or Host(),
    )
