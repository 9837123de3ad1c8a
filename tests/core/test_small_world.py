"""All small worlds that so many steps can reach, each checked; and what the checks are worth."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.core.orders import order as core_order
from server.core.orders.asset import Asset, AssetState, AssetStep
from server.core.orders.order import Order, OrderState, Refund, StepOutcome
from server.core.rulebooks.rulebook import PayAfterExpiry, Rulebook
from tests.core.small_world import orders, packets
from tests.core.small_world.checks import check, check_the_end
from tests.core.small_world.steps import path, taken
from tests.core.small_world.world import ANNA, BELA, RULES, START_MS, STEPS, Do, Setting, Step, World, beginning

RELATIVE = Setting()
ABSOLUTE = Setting(
    replace(RULES, reversal_delay_ms=0, pay_after_expiry=PayAfterExpiry.HONOUR, item_level_reversal=True),
    use_for_ms=None,
    use_end_at_ms=START_MS + 4_000,
)
RECHARGE, FUND, LAUNCH, WAIT = STEPS[0], Step(Do.FUND, "f1"), Step(Do.LAUNCH), Step(Do.WAIT)
CLAIMS = (Step(Do.CLAIM, ANNA), Step(Do.CLAIM, BELA))
NOTHING = ()
CLAIMED = (RECHARGE, FUND, LAUNCH, WAIT, *CLAIMS)
SUBMIT = Step(Do.SUBMIT, ANNA)
PAID = (*CLAIMED, SUBMIT, Step(Do.PAY, "p1"))


def explored(start: Sequence[Step], depth: int, setting: Setting) -> list[World]:
    """Return every world that *depth* steps after *start* can reach, breadth first; each was checked on every way."""
    world = beginning(setting)
    for step in start:
        world = taken(world, step)[1]
    seen = {world.shape()}
    found = layer = [world]
    for _ in range(depth):
        layer = [after for world in layer for after in worlds_after(world) if not known(after, seen)]
        found = found + layer
    return found


def known(world: World, seen: set[object]) -> bool:
    shape = world.shape()
    if shape in seen:
        return True
    seen.add(shape)
    return False


def worlds_after(world: World) -> list[World]:
    """Return every other world one step away; the same step again moves nothing and is answered alike."""
    after = []
    for step in world.steps():
        answer, other = taken(world, step)
        if other is world:
            continue
        assert not step.twisted
        check(other)
        if step.do is not Do.WAIT:
            again, same = taken(other, step)
            assert same is other, step
            assert again == ("not_draft" if step.do is Do.LAUNCH else answer)
        after.append(other)
    return after


@pytest.mark.rule("DY-ACC-1")
@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-CAN-6")
@pytest.mark.parametrize(
    ("start", "depth", "setting", "least"),
    [
        pytest.param(NOTHING, 10, RELATIVE, 10_000, id="from nothing"),
        pytest.param(CLAIMED, 8, RELATIVE, 8_000, id="from two claims"),
        pytest.param((*CLAIMED, SUBMIT), 9, ABSOLUTE, 4_000, id="from an order"),
    ],
)
def test_every_small_world_accounts_for_its_money(
    start: Sequence[Step], depth: int, setting: Setting, least: int
) -> None:
    """No fen is made, lost, in two places or twice moved, and once everything is over none is left on its way."""
    worlds = explore_and_check(start, depth, setting)
    assert len(worlds) > least
    early = set() if start else {OrderState.FINAL}
    assert {world.order.state for world in worlds if world.order is not None} >= set(OrderState) - early


def explore_and_check(start: Sequence[Step], depth: int, setting: Setting) -> list[World]:
    """Return every world within so many steps; each was also taken to its end."""
    worlds = explored(start, depth, setting)
    for world in worlds:
        check_the_end(world)
    return worlds


def refund_twice(order: Order, assets: Sequence[Asset], asked: Refund, now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """Forget which refunds were carried out."""
    forgetful = replace(order, refunds=tuple(each for each in order.refunds if each != asked))
    if forgetful.state is OrderState.REFUNDED:
        forgetful = replace(forgetful, state=OrderState.PAID)
    return core_order.refund(forgetful, assets, asked, now_ms, rulebook)


def expire_locked(asset: Asset, now_ms: int) -> Asset:
    """Take what an order holds."""
    gone = asset.state in (AssetState.AVAILABLE, AssetState.LOCKED) and asset.expired_at(now_ms)
    return asset.stepped(AssetStep.EXPIRE) if gone else asset


def cancel_expired_to_viewer(order: Order, assets: Sequence[Asset], now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """Give a packet back to its viewer whether it has expired or not."""
    return core_order.cancel(order, assets, min(now_ms, *(each.use_end_at_ms - 1 for each in assets)), rulebook)


def finish_without_residual(order: Order, assets: Sequence[Asset], now_ms: int, rulebook: Rulebook) -> StepOutcome:
    """Keep what of a packet was not used."""
    outcome = core_order.finish(order, assets, now_ms, rulebook)
    return replace(outcome, movements=tuple(each for each in outcome.movements if each.credit != "funder"))


@pytest.mark.parametrize(
    ("name", "bug", "start"),
    [
        ("refund", refund_twice, PAID),
        ("sweep", expire_locked, PAID[:-1]),
        ("cancel", cancel_expired_to_viewer, PAID[:-1]),
        ("finish", finish_without_residual, (*CLAIMED, Step(Do.SUBMIT, BELA), Step(Do.PAY, "p1"))),
    ],
)
def test_a_planted_bug_is_found(
    name: str, bug: Callable[..., Any], start: Sequence[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core that gives back twice, takes what is locked, or keeps what it should not, does not pass."""
    monkeypatch.setattr(packets if name == "sweep" else orders, name, bug)
    with pytest.raises(AssertionError):
        explore_and_check(start, 5, RELATIVE)


def test_a_path_is_its_seeds() -> None:
    """The same seed walks the same way, and all paths together see every step move something and be refused."""
    assert [each[:2] for each in path(1, 20, RELATIVE)] == [each[:2] for each in path(1, 20, RELATIVE)]
    moving: set[tuple[Do, str]] = set()
    refused: set[tuple[Do, str]] = set()
    for seed in range(300):
        before = beginning(RELATIVE)
        for step, answer, world in path(seed, 30, RELATIVE):
            check(world)
            (refused if world is before else moving).add((step.do, answer))
            before = world
    assert {do for do, _ in moving} == set(Do)
    assert {"transfer_conflict", "not_found", "not_yours", "insufficient_funds"} <= {answer for _, answer in refused}
