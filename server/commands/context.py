"""The context of commands: the stores of one process, its clock, its rulebooks, and the gateway as an observer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.core.ids import PacketId
from server.core.orders.trail import ServiceMessage
from server.core.rulebooks.platforms import rulebook_of
from server.core.rulebooks.rulebook import Rulebook
from server.store.allocators.running import RunningAllocators
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.coupon_budgets import CouponBudgets
from server.store.creators import Creators
from server.store.invoices import Invoices
from server.store.orders.orders import Orders
from server.store.packets import Packets
from server.store.reversals import Reversals
from server.store.rooms import RoomRecord, Rooms
from server.store.trail import Trails
from server.store.wallet import Wallet
from server.store.withdrawals import Withdrawals


class RoomHost(Protocol):
    """The gateway's interface for commands: they notify the rooms of this process of changes."""

    async def look_at(self, packet_id: PacketId) -> None:
        """Make the packet's room look it up after a change. Never raises."""

    async def open_room(self, record: RoomRecord) -> None:
        """Open a room that was just created. Raises StoreUnavailable."""

    async def trail_grew(self, message: ServiceMessage | None) -> None:
        """Count an event of a trail, and publish *message*, if any, to its buyer. Never raises."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The context that a caller passes to every command; a command reads and writes nothing else."""

    clock: StoreClock
    rulebooks: Mapping[str, Rulebook]
    allocators: RunningAllocators
    creators: Creators
    wallet: Wallet
    withdrawals: Withdrawals
    coupon_budgets: CouponBudgets
    invoices: Invoices
    packets: Packets
    rooms: Rooms
    reversals: Reversals
    assets: Assets
    orders: Orders
    trails: Trails
    gateway: RoomHost

    def rulebook(self, platform: str) -> Rulebook:
        """Return this process's rulebook of a platform. Raises Refused if there is none."""
        return rulebook_of(self.rulebooks, platform)
