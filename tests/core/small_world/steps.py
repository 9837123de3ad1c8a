"""
All that may be asked of a small world, and random ways through it.

The answer is the code of a refusal, or a claim's status, or nothing. A step that changes nothing returns the very same
world.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from tests.core.small_world import orders, packets
from tests.core.small_world.money import Answer
from tests.core.small_world.world import (
    ALMOST,
    ANNA,
    BELA,
    STEPS,
    STOLEN,
    Do,
    Setting,
    Step,
    World,
    beginning,
)


def taken(world: World, step: Step) -> Answer:
    """Return the answer to a step, and the world then."""
    try:
        return _ANSWERS[step.do](world, step)
    except Refused as refusal:
        return refusal.code, world


def path(seed: int, length: int, setting: Setting) -> Iterator[tuple[Step, str, World]]:
    """Yield so many random steps, legal and illegal, with the answer to each and the world then."""
    rng = Random(seed)
    world, last = beginning(setting), STEPS[0]
    opening = list(_OPENING[: max(rng.randrange(len(_OPENING) + 1) for _ in range(2))])
    for _ in range(length):
        offered = [*world.steps(), ALMOST]
        roll = rng.random() if last.do is not Do.WAIT else rng.uniform(0.6, 1)  # an edge is where bugs are
        if opening and opening[0] in offered and roll < 0.75:
            step = opening.pop(0)
        elif roll < 0.75:
            tries = rng.choices(offered, [_weight(step) for step in offered], k=_TRIES)
            step = next((each for each in tries if taken(world, each)[1] is not world), tries[0])
        elif roll < 0.8:
            step = last
        else:
            odd = [each for each in offered if each.twisted or (each.do, each.number) == (Do.SUBMIT, STOLEN)]
            step = rng.choice(odd * (roll < 0.86) or offered)
        answer, world = taken(world, step)
        last = step
        yield step, answer, world


_TRIES = 12  # for a step that moves something
_OPENING = (
    STEPS[0],
    Step(Do.FUND, "f1"),
    Step(Do.LAUNCH),
    Step(Do.WAIT),
    *(Step(Do.CLAIM, viewer) for viewer in (BELA, ANNA)),
    Step(Do.SUBMIT, ANNA),
    Step(Do.PAY, "p1"),
)


def _weight(step: Step) -> int:
    """Say how often a step is tried: after a void or an end there is little left to tell."""
    if step.do in (Do.VOID, Do.END):
        return 1
    return 0 if step.twisted else 4


def ending(world: World) -> Iterator[tuple[Step, str, World]]:
    """Yield what happens by itself from here on until nothing does; only a draft somebody has to void."""
    if world.issue is not None and world.issue.state is PacketState.DRAFT:
        step = Step(Do.VOID, "v3")
        answer, world = taken(world, step)
        yield step, answer, world
    while True:
        for do in (Do.SWEEP, Do.CATCH_UP, Do.EXPIRE, Do.REVERSE):
            if do is not Do.CATCH_UP or world.order is not None:
                answer, world = taken(world, Step(do))
                yield Step(do), answer, world
        if world.boundary_ms() is None:
            return
        answer, world = taken(world, Step(Do.WAIT))
        yield Step(Do.WAIT), answer, world


def wait(world: World, step: Step) -> Answer:
    boundary_ms = world.boundary_ms()
    if boundary_ms is None:
        return "", world
    now_ms = boundary_ms - (step == ALMOST)
    return "", world if now_ms == world.now_ms else replace(world, now_ms=now_ms)


_ANSWERS: dict[Do, Callable[[World, Step], Answer]] = {
    Do.RECHARGE: packets.recharge,
    Do.WITHDRAW: packets.withdraw,
    Do.PAID: packets.end_withdrawal,
    Do.FAILED: packets.end_withdrawal,
    Do.FUND: packets.fund,
    Do.LAUNCH: packets.launch,
    Do.CLAIM: packets.claim,
    Do.VOID: packets.void,
    Do.EDIT: packets.edit,
    Do.END: packets.end,
    Do.SWEEP: packets.sweep_packet,
    Do.SUBMIT: orders.submit_order,
    Do.PAY: orders.pay_order,
    Do.CANCEL: orders.cancel_order,
    Do.REFUND: orders.refund_order,
    Do.FINISH: orders.finish_order,
    Do.CATCH_UP: orders.catch_up,
    Do.EXPIRE: packets.expire,
    Do.REVERSE: packets.reverse,
    Do.WAIT: wait,
}
