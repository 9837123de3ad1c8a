"""The context for tests of commands: a real store, and a host that records its notifications."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from server.commands.context import CommandContext
from server.commands.recharge_wallet import recharge_wallet
from server.commands.request_withdrawal import request_withdrawal
from server.core.ids import CreatorId, PacketId
from server.core.money.payee import Payee
from server.core.orders.trail import ServiceMessage
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook
from server.store.allocators.context import AllocatorContext
from server.store.allocators.registry import entries_for
from server.store.allocators.running import RunningAllocators
from server.store.assets import Assets
from server.store.clock import StoreClock
from server.store.connection import Store
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
from server.store.wallet import Recharged, Wallet
from server.store.withdrawals import Withdrawal, Withdrawals

PAYEE = Payee("Mei", "mei@example.com")


class Host:
    """A gateway without viewers."""

    def __init__(self) -> None:
        self.looked_at: list[PacketId] = []
        self.opened: list[RoomRecord] = []
        self.told: list[ServiceMessage | None] = []

    async def look_at(self, packet_id: PacketId) -> None:
        self.looked_at.append(packet_id)

    async def open_room(self, record: RoomRecord) -> None:
        self.opened.append(record)

    async def trail_grew(self, message: ServiceMessage | None) -> None:
        self.told.append(message)

    async def trail_shown(self, message: ServiceMessage) -> None:
        self.told.append(message)


def context_of(
    store: Store, clock: StoreClock, rulebooks: Mapping[str, Rulebook] = RULEBOOKS, host: Host | None = None
) -> CommandContext:
    entries = entries_for(diagnostics=False, own="", folder=Path())
    return CommandContext(
        clock=clock,
        rulebooks=rulebooks,
        allocators=RunningAllocators(entries, partial(AllocatorContext, store, clock, lambda: False)),
        creators=Creators(store),
        wallet=Wallet(store, clock),
        withdrawals=Withdrawals(store, clock),
        coupon_budgets=CouponBudgets(store, clock),
        invoices=Invoices(store, clock),
        packets=Packets(store, clock, rulebooks),
        products=Products(store),
        rooms=Rooms(store, clock),
        reversals=Reversals(store, clock),
        assets=Assets(store, clock),
        orders=Orders(store, clock),
        trails=Trails(store, clock),
        inboxes=Inboxes(store, clock),
        gateway=host or Host(),
    )


class Purse(Wallet):
    """A wallet with the command that fills it."""

    def __init__(self, store: Store, clock: StoreClock, rulebooks: Mapping[str, Rulebook] = RULEBOOKS) -> None:
        super().__init__(store, clock)
        self.context = context_of(store, clock, rulebooks)

    async def recharge(self, creator_id: CreatorId, **asked: Any) -> Recharged:
        return await recharge_wallet(self.context, creator_id, **asked)


class Payouts(Withdrawals):
    """Withdrawals with the command that asks for one, by the rulebooks of a purse."""

    def __init__(self, store: Store, clock: StoreClock, purse: Purse) -> None:
        super().__init__(store, clock)
        self._context = purse.context

    async def request(self, creator_id: CreatorId, **asked: Any) -> Withdrawal:
        return await request_withdrawal(self._context, creator_id, **{"payee": PAYEE, **asked})
