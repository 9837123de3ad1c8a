"""The context of commands: the stores of one process, its clock, its rulebooks, and the gateway as an observer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from server.core.ids import CreatorId, PacketId
from server.core.orders.trail import ServiceMessage
from server.core.rulebooks.platforms import LAB, rulebook_of
from server.core.rulebooks.rulebook import Rulebook
from server.store.allocators.running import RunningAllocators
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.coupon_budgets import CouponBudgets
from server.store.creators import Creators
from server.store.inbox import Inboxes
from server.store.invoices import Invoices
from server.store.orders.orders import Orders
from server.store.packets import Packets
from server.store.products import Products
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

    async def trail_shown(self, message: ServiceMessage) -> None:
        """Publish a step that is shown only now, long after its event was counted. Never raises."""


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
    products: Products
    rooms: Rooms
    reversals: Reversals
    assets: Assets
    orders: Orders
    trails: Trails
    inboxes: Inboxes
    gateway: RoomHost
    quoting: asyncio.Lock = field(default_factory=asyncio.Lock, kw_only=True)
    """Held by the one quote whose packets are being chosen in this process."""

    def rulebook(self, platform: str) -> Rulebook:
        """Return this process's rulebook of a platform. Raises Refused if there is none."""
        return rulebook_of(self.rulebooks, platform)

    async def rulebook_of_creator(self, creator_id: CreatorId) -> Rulebook:
        """Return the rulebook of the creator's platform; before the first recharge that is LAB's (AMB-43)."""
        return self.rulebook(await self.wallet.platform(creator_id) or LAB.platform)
