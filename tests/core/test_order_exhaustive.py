"""Two packets, two orders, every step at every instant: all worlds there can be, and where the money is in each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import pytest

from server.core.orders.asset import Asset, AssetState, sweep
from server.core.orders.order import (
    PLACE_OF_STATE,
    Order,
    OrderState,
    Place,
    Refund,
    StepOutcome,
    cancel,
    finish,
    pay,
    refund,
    submit,
)
from server.core.orders.pricing import Quote, price
from server.core.orders.stacking import Choice
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.core.rulebooks.rulebook import PayAfterExpiry, Rulebook
from tests.core.shopping import ANNA, a_packet, a_purchase

PACKETS = {
    "a": a_packet("a", 4, use_end_at_ms=2),
    "p": a_packet("p", 30, creator_id=None, use_end_at_ms=4),  # more than the goods: a residual, and lines paid with 0
}
HOLDINGS = (("a",), ("p",), ("a", "p"))
LAST_MS = 5
SCOPES = {
    "one order": (("o1",), HOLDINGS, (("l0",), ("l1",), ())),  # order ids, packets of one, lines of the refunds asked
    "two orders": (("o1", "o2"), (("a",), ("a", "p")), (("l0", "l1"),)),
}
REFUSE = replace(DOUYIN, refund_horizon_ms=3, reversal_delay_ms=1)
RULEBOOKS = {
    "refuse": REFUSE,
    "honour": replace(REFUSE, pay_after_expiry=PayAfterExpiry.HONOUR),
    "by_item": replace(REFUSE, item_level_reversal=True),
}


@dataclass(frozen=True)
class World:
    """All there is at an instant, and every fen that has moved so far: what each account of each owner holds."""

    now_ms: int
    assets: Mapping[str, Asset]
    orders: Mapping[str, Order]
    held: Mapping[tuple[str, Place], int]
    keys: frozenset[str]

    def shape(self) -> object:
        """Return the state that determines all further steps."""
        orders = sorted(
            (
                name,
                order.state,
                order.paid_at_ms,
                tuple(each.asset_id for each in order.packets),
                tuple(each.refund_id for each in order.refunds),
            )
            for name, order in self.orders.items()
        )
        return self.now_ms, tuple(orders), tuple((asset.state, asset.order_id) for asset in self.assets.values())


@cache
def quote_of(names: tuple[str, ...]) -> Quote:
    everywhere = frozenset({"l0", "l1"})
    chosen = Choice(tuple((PACKETS[name], everywhere) for name in names), 0, ())
    return price(a_purchase(10, 10, shipping_fen=6), chosen.discounts(), DOUYIN)


def moved(world: World, outcome: StepOutcome) -> World:
    """Return the world after an outcome; every movement must be new, and its money where it is taken from."""
    held, keys = dict(world.held), set(world.keys)
    for each in outcome.movements:
        assert each.key not in keys
        assert each.amount_fen > 0
        assert world.now_ms <= each.due_at_ms <= world.now_ms + 1
        keys.add(each.key)
        owner = each.asset_id or outcome.order.order_id
        held[owner, each.debit] = held.get((owner, each.debit), 0) - each.amount_fen
        held[owner, each.credit] = held.get((owner, each.credit), 0) + each.amount_fen
        assert held[owner, each.debit] >= 0 or each.debit is Place.BUYER
    if (before := world.orders.get(outcome.order.order_id)) is not None and before.state is OrderState.REFUNDED:
        assert not [each for each in outcome.movements if each.asset_id is not None]  # packets move once (AMB-48)
    assets = dict(world.assets) | {asset.asset_id: asset for asset in outcome.assets}
    orders = dict(world.orders) | {outcome.order.order_id: outcome.order}
    return World(world.now_ms, assets, orders, held, frozenset(keys))


def swept(world: World, name: str) -> World:
    """Return the world after the sweeper looked at a packet."""
    before, after = world.assets[name], sweep(world.assets[name], world.now_ms)
    if after is before:
        return world
    held = dict(world.held) | {(name, Place.ASSETS): 0, (name, Place.FUNDER): before.face_fen}
    assert world.held[name, Place.ASSETS] == before.face_fen
    return replace(world, assets=dict(world.assets) | {name: after}, held=held)


def attempts(world: World, order_id: str, scope: str, rulebook: Rulebook) -> Iterator[partial[StepOutcome]]:
    """Yield everything that may be asked of an order, sensible or not."""
    order = world.orders.get(order_id)
    _, holdings, refunds = SCOPES[scope]
    if order is None:
        for names in holdings:
            assets = tuple(world.assets[name] for name in names)
            yield partial(submit, order_id, ANNA, quote_of(names), assets, world.now_ms, rulebook=rulebook)
        return
    own = tuple(world.assets[packet.asset_id] for packet in order.packets)
    paid = order.paid_by_line
    yield partial(pay, order, own, world.now_ms, rulebook)
    yield partial(cancel, order, own, world.now_ms, rulebook)
    yield partial(finish, order, own, world.now_ms, rulebook)
    for lines in refunds:
        asked = Refund(f"r{lines}", {line: paid[line] for line in lines}, extras_fen=0 if lines else 6)
        yield partial(refund, order, own, asked, world.now_ms, rulebook)


def worlds_after(world: World, scope: str, rulebook: Rulebook) -> Iterator[World]:
    """Yield every world one step away; what is refused leads nowhere, and what is repeated moves nothing."""
    if world.now_ms < LAST_MS:
        yield replace(world, now_ms=world.now_ms + 1)
    for name in world.assets:
        yield swept(world, name)
    for order_id in SCOPES[scope][0]:
        for attempt in attempts(world, order_id, scope, rulebook):
            try:
                outcome = attempt()
            except Refused:
                continue
            check_by_the_table(world, outcome, rulebook)
            after = moved(world, outcome)
            if attempt.func is not submit:
                again = attempt.func(outcome.order, outcome.assets, *attempt.args[2:])
                assert again == replace(outcome, movements=())
            yield after


def check_by_the_table(world: World, outcome: StepOutcome, rulebook: Rulebook) -> None:
    """Hold what became of each packet against section 10, read row by row."""
    was = world.orders.get(outcome.order.order_id)
    if was is None or outcome.order.state is was.state:
        return
    for asset in outcome.assets:
        before = world.assets[asset.asset_id]
        if before.order_id != was.order_id:
            assert asset == before  # it went back before, and is somebody else's matter
            continue
        expired = world.now_ms >= before.use_end_at_ms
        match was.state, outcome.order.state:
            case OrderState.SUBMITTED_UNPAID, OrderState.PAID:
                assert before.state is AssetState.LOCKED
                assert asset.state is AssetState.REDEEMED
                assert not expired or rulebook.pay_after_expiry is PayAfterExpiry.HONOUR
            case OrderState.SUBMITTED_UNPAID, OrderState.CANCELLED:
                assert before.state is AssetState.LOCKED
                assert asset.state is (AssetState.EXPIRED_RETURNED if expired else AssetState.AVAILABLE)
            case OrderState.PAID, OrderState.REFUNDED:
                assert before.state is AssetState.REDEEMED
                assert asset.state is (AssetState.EXPIRED_RETURNED if expired else AssetState.AVAILABLE)
            case OrderState.PAID, OrderState.FINAL:
                assert asset == before
            case other:
                pytest.fail(f"no such step: {other}")


def check(world: World) -> None:
    """Find every face in the one place its state says, and the buyer's money with buyer, clearing or merchant."""
    for name, asset in world.assets.items():
        at = {place: world.held.get((name, place), 0) for place in Place}
        assert sum(at.values()) == asset.face_fen
        order = world.orders.get(asset.order_id or "")
        if order is not None and order.state is OrderState.FINAL:
            used_fen = next(each.used_fen for each in order.packets if each.asset_id == name)
            assert (at[Place.MERCHANT], at[Place.FUNDER]) == (used_fen, asset.face_fen - used_fen)
        else:
            assert at[PLACE_OF_STATE[asset.state]] == asset.face_fen
    for name, order in world.orders.items():
        at = {place: world.held.get((name, place), 0) for place in Place}
        assert sum(at.values()) == 0
        if order.state in (OrderState.CANCELLED, OrderState.REFUNDED, OrderState.FINAL):
            assert at[Place.CLEARING] == 0
        if order.state is OrderState.CANCELLED:
            assert at[Place.BUYER] == 0


def check_the_end(world: World, rulebook: Rulebook) -> None:
    """From here on, with nobody asking for anything, all comes to rest with funders and merchant."""
    for order_id in list(world.orders):
        order = world.orders[order_id]
        own = tuple(world.assets[packet.asset_id] for packet in order.packets)
        if order.state is OrderState.SUBMITTED_UNPAID:
            world = moved(world, cancel(order, own, world.now_ms, rulebook))
        elif order.state is OrderState.PAID:
            assert order.paid_at_ms is not None
            world = replace(world, now_ms=max(world.now_ms, order.paid_at_ms + rulebook.refund_horizon_ms))
            world = moved(world, finish(order, own, world.now_ms, rulebook))
    world = replace(world, now_ms=world.now_ms + 100)
    for name in world.assets:
        world = swept(world, name)
    check(world)
    resting = {place for (_, place), fen in world.held.items() if fen}
    assert resting <= {Place.FUNDER, Place.MERCHANT, Place.BUYER}


@pytest.mark.rule("DY-CAN-6")
@pytest.mark.rule("DY-REV-8")
@pytest.mark.parametrize("scope", list(SCOPES))
@pytest.mark.parametrize("name", list(RULEBOOKS))
def test_every_world_accounts_for_its_money(name: str, scope: str) -> None:
    """Breadth first until nothing new comes: no face twice or nowhere, no movement twice, every row of the table."""
    rulebook = RULEBOOKS[name]
    start = World(0, PACKETS, {}, {(key, Place.ASSETS): each.face_fen for key, each in PACKETS.items()}, frozenset())
    seen = {start.shape()}
    queue = [start]
    reached: set[tuple[OrderState, ...]] = set()
    for world in queue:
        check(world)
        check_the_end(world, rulebook)
        reached.add(tuple(sorted(order.state for order in world.orders.values())))
        for after in worlds_after(world, scope, rulebook):
            if after.shape() not in seen:
                seen.add(after.shape())
                queue.append(after)
    assert {states for states in reached if len(states) == 1} >= {(state,) for state in OrderState}
    assert len(seen) > 500
    if scope == "two orders":
        assert (OrderState.PAID, OrderState.REFUNDED) in reached  # a packet given back has paid again
    else:
        everything = [
            each for world in queue for each in world.orders.values() if len(each.refunds) == len(SCOPES[scope][2])
        ]
        assert {each.kept_fen for each in everything if each.state is OrderState.REFUNDED} == {0}
        lasts = {each.refunds[-1].refund_id for each in everything if each.state is OrderState.REFUNDED}
        assert "r()" in lasts  # the shipping came back after the goods (AMB-48)
