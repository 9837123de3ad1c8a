"""
What every step of the small world does, by the pure ledger and the core's own functions.

The answer is the code of a refusal, or a claim's status, or nothing. A step that changes nothing returns the very same
world.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import fields, replace
from functools import cache
from random import Random

from server.core.asset import Asset, AssetState, sweep
from server.core.claim import ClaimStatus
from server.core.ids import OrderId, ViewerId, claim_id_of
from server.core.issuance import plan_edit
from server.core.launch import LaunchRequest, plan_launch
from server.core.ledger import Ledger, Transfer, TransferKind
from server.core.order import Order, OrderState, Outcome, Refund, cancel, finish, pay, refund, submit
from server.core.packet import PacketState
from server.core.posting import OrderKind, Part, Reversal, parts_of
from server.core.pricing import Quote
from server.core.purchase import Client, Entrance, Line, Purchase
from server.core.refusal import Refused
from server.core.rulebook import LaunchMode, Rulebook
from server.core.settlement import Settlement, settle
from server.core.stacking import best_quote
from tests.core.small_world import (
    ADDED_FEN,
    ADDED_WAIT_MS,
    ALMOST,
    ANNA,
    CREATOR,
    LEAD_MS,
    LINES_FEN,
    MERCHANT,
    PACKET,
    RATES,
    ROOM,
    SHARES,
    SHIPPING_FEN,
    STEPS,
    WINDOW_MS,
    Do,
    Issue,
    Setting,
    Step,
    World,
    beginning,
)

Answer = tuple[str, World]
K, S = TransferKind, ClaimStatus
PURCHASE = Purchase(
    tuple(
        Line(f"l{i}", f"goods-{i}", fen, creator_id=CREATOR, entrance=Entrance.LIVE_ROOM)
        for i, fen in enumerate(LINES_FEN)
    ),
    Client.DOUYIN,
    shipping_fen=SHIPPING_FEN,
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
    for _ in range(length):
        offered = [*world.steps(), ALMOST]
        roll = rng.random()
        if roll < 0.75:
            moving = [step for step in offered if taken(world, step)[1] is not world] or offered
            (step,) = rng.choices(moving, [_WEIGHTS.get(step.do, 4) for step in moving])
        elif roll < 0.85:
            step = last
        else:
            step = rng.choice([each for each in offered if each.twisted] * (roll < 0.9) or offered)
        answer, world = taken(world, step)
        last = step
        yield step, answer, world


_WEIGHTS = {
    **dict.fromkeys((Do.VOID, Do.END), 1),  # after these there is little left to tell
    **dict.fromkeys((Do.WAIT, Do.WITHDRAW), 3),
    **dict.fromkeys((Do.FUND, Do.LAUNCH, Do.CLAIM, Do.SUBMIT, Do.PAY), 16),
}


def recharge(world: World, step: Step) -> Answer:
    return "", _moved(world, K.RECHARGE, step.key, step.number, channel="bank")


def withdraw(world: World, step: Step) -> Answer:
    return "", _moved(world, K.WITHDRAW, step.key, step.number, channel="alipay", withdrawal_id=step.key)


def end_withdrawal(world: World, step: Step) -> Answer:
    kind = TransferKind(step.do)
    asked = next((entry for entry in world.ledger.journal if entry.withdrawal_id == step.key), None)
    amount_fen = 1 if asked is None else asked.amount_fen
    transfer_id = f"{'paid' if kind is K.WITHDRAW_PAID else 'failed'}:{step.key}"
    return "", _moved(world, kind, transfer_id, amount_fen, channel="alipay", withdrawal_id=step.key)


def fund(world: World, step: Step) -> Answer:
    after = _moved(world, K.FUND, step.key, sum(SHARES) + step.number)
    return "", after if after is world else replace(after, issue=Issue(SHARES))


def launch(world: World, _: Step) -> Answer:
    asked = LaunchRequest(ROOM, LaunchMode.RELATIVE, delay_ms=LEAD_MS, claim_window_ms=WINDOW_MS)
    rulebook = world.setting.rulebook
    plan = plan_launch(asked, packet=world.packet(), rulebook=rulebook, now_ms=world.now_ms, others=())
    return "", _changed(world, state=PacketState.LAUNCHED, schedule=plan.schedule)


def claim(world: World, step: Step) -> Answer:
    """Give the viewer the next share, once; ``number`` is the tap."""
    issue, viewer = world.issue, ViewerId(step.key)
    if issue is None:
        return S.NOT_FOUND, world
    if world.asset_of(viewer) is not None:
        return S.GRANTED if (viewer, step.number) in issue.taps else S.REPEATED, world
    refused = _claim_refusal(world, issue)
    index = len(world.assets)
    waiting = issue.waiting if world.now_ms < issue.claimable_at_ms else 0
    if refused or index >= len(issue.shares) - waiting:
        return refused or S.EXHAUSTED, world
    after = _must_move(world, K.CLAIM, f"claim:{PACKET}:{index}", issue.shares[index])
    setting = world.setting
    use_end_at_ms = setting.use_end_at_ms
    if use_end_at_ms is None:
        assert setting.use_for_ms is not None
        use_end_at_ms = world.now_ms + setting.use_for_ms
    use_start_at_ms = world.now_ms if setting.use_for_ms is not None else 0
    asset = Asset(claim_id_of(PACKET, index), viewer, CREATOR, issue.shares[index], use_start_at_ms, use_end_at_ms)
    after = replace(after, assets=(*world.assets, asset))
    return S.GRANTED, _changed(after, taps=(*issue.taps, (viewer, step.number)))


def _claim_refusal(world: World, issue: Issue) -> ClaimStatus | None:
    match issue.state:
        case PacketState.VOIDED:
            return S.VOIDED
        case PacketState.SETTLED:
            return S.TOO_LATE
        case PacketState.DRAFT:
            return S.TOO_EARLY
    assert issue.schedule is not None
    if world.now_ms < issue.schedule.grab_at_ms:
        return S.TOO_EARLY
    return S.TOO_LATE if world.now_ms >= issue.schedule.claim_end_at_ms else None


def void(world: World, step: Step) -> Answer:
    return _closed(world, step, K.VOID, PacketState.VOIDED)


def end(world: World, step: Step) -> Answer:
    return _closed(world, step, K.END, PacketState.SETTLED)


def _closed(world: World, step: Step, kind: TransferKind, state: PacketState) -> Answer:
    """Give back what nobody has claimed, unless it is too late."""
    if step.key in world.known:
        return _repeated(world, step, kind)
    issue = _open_issue(world)
    return "", _changed(_given_back(world, kind, step.key, sum(issue.shares[len(world.assets) :])), state=state)


def sweep_packet(world: World, _: Step) -> Answer:
    issue = world.issue
    if issue is None:
        return "not_found", world
    over = issue.schedule is not None and world.now_ms >= issue.schedule.claim_end_at_ms
    if issue.state is not PacketState.LAUNCHED or not over:
        return "", world
    left_fen = sum(issue.shares[len(world.assets) :])
    after = _given_back(world, K.SWEEP, f"sweep:{PACKET}", left_fen)
    return "", _changed(after, state=PacketState.SETTLED)


def edit(world: World, step: Step) -> Answer:
    """Have ``number`` shares more or less; the same edit asks for the same number again."""
    if world.issue is None:
        return "not_found", world
    wanted = dict(world.issue.edits).get(step.key)
    if step.key in world.known:
        if wanted is None or step.twisted:
            return "transfer_conflict", world
        return "", world
    wanted = len(world.issue.shares) + step.number
    plan = plan_edit(world.packet(), wanted, world.setting.rulebook)
    issue = _open_issue(world)
    if wanted < len(world.assets):
        return "below_claimed", world
    waiting = issue.waiting if world.now_ms < issue.claimable_at_ms else 0
    if plan.added is None:
        after = _given_back(world, K.TRIM, step.key, sum(issue.shares[wanted:]))
        changes: dict[str, object] = {"shares": issue.shares[:wanted], "waiting": max(0, waiting - 1)}
        if waiting <= 1:
            changes["claimable_at_ms"] = 0
    else:
        after = _moved(world, K.EDIT, step.key, plan.added.total_fen)
        launched = issue.state is PacketState.LAUNCHED
        changes = {"shares": (*issue.shares, ADDED_FEN), "waiting": waiting + 1 if launched else 0}
        changes["claimable_at_ms"] = world.now_ms + ADDED_WAIT_MS if launched else 0
    return "", _changed(after, edition=issue.edition + 1, edits=(*issue.edits, (step.key, wanted)), **changes)


def _open_issue(world: World) -> Issue:
    """Return the packet if it may still be changed. Raises Refused."""
    issue = world.issue
    if issue is None:
        raise Refused("not_found", "no such packet")
    if issue.state in (PacketState.VOIDED, PacketState.SETTLED):
        raise Refused(issue.state, "no more")
    if issue.schedule is not None and world.now_ms >= issue.schedule.claim_end_at_ms:
        raise Refused("too_late", "no more")
    return issue


def _repeated(world: World, step: Step, kind: TransferKind) -> Answer:
    same = any(entry.transfer_id == step.key and entry.kind is kind for entry in world.ledger.journal)
    return "" if same else "transfer_conflict", world


def expire(world: World, _: Step) -> Answer:
    """Let the sweeper go along the owners as far as validities are over (DY-REV-3, AMB-26)."""
    issue = world.issue
    if issue is None:
        return "not_found", world
    upto, gone_fen, assets = issue.expired_upto, 0, list(world.assets)
    while upto < len(assets) and assets[upto].expired_at(world.now_ms):
        before, assets[upto] = assets[upto], sweep(assets[upto], world.now_ms)
        gone_fen += before.face_fen if assets[upto] is not before else 0
        upto += 1
    if upto == issue.expired_upto:
        return "", world
    after = world
    if gone_fen:
        after = _given_back(world, K.EXPIRE, f"expire:{PACKET}:{issue.expired_upto}", gone_fen)
    return "", _changed(replace(after, assets=tuple(assets)), expired_upto=upto)


def reverse(world: World, _: Step) -> Answer:
    """Let what is due arrive (DY-REV-8)."""
    due = sorted((each for each in world.reversals if each.due_at_ms <= world.now_ms), key=_member)
    if not due:
        return "", world
    after = _must_move(world, K.REVERSE, f"reverse:{due[0].key}", sum(each.amount_fen for each in due))
    return "", replace(after, reversals=tuple(each for each in world.reversals if each not in due))


def _member(reversal: Reversal) -> tuple[int, str]:
    return reversal.due_at_ms, f"{reversal.key}|{reversal.packet_id}|{reversal.amount_fen}"


def wait(world: World, step: Step) -> Answer:
    boundary_ms = world.boundary_ms()
    if boundary_ms is None:
        return "", world
    now_ms = boundary_ms - (step == ALMOST)
    return "", world if now_ms == world.now_ms else replace(world, now_ms=now_ms)


def submit_order(world: World, step: Step) -> Answer:
    """Order with one's own share, or, by ``number``, with somebody else's."""
    viewer = ViewerId(step.key)
    asset = world.asset_of(ANNA if step.number else viewer)
    assert asset is not None
    if world.order is not None:
        return "", world
    quote = quote_of(replace(asset, state=AssetState.AVAILABLE, order_id=None), world.setting.rulebook)
    return _stepped(world, (asset,), submit(order_id_of(viewer), viewer, quote, (asset,), world.now_ms), "")


def pay_order(world: World, _: Step) -> Answer:
    order, assets = _held(world)
    return _stepped(world, assets, pay(order, assets, world.now_ms, world.setting.rulebook), "")


def cancel_order(world: World, _: Step) -> Answer:
    order, assets = _held(world)
    return _stepped(world, assets, cancel(order, assets, world.now_ms, world.setting.rulebook), "")


def refund_order(world: World, step: Step) -> Answer:
    order, assets = _held(world)
    asked = refund_of(order, step)
    return _stepped(world, assets, refund(order, assets, asked, world.now_ms, world.setting.rulebook), step.key)


def finish_order(world: World, _: Step) -> Answer:
    order, assets = _held(world)
    outcome = finish(order, assets, world.now_ms, world.setting.rulebook)
    return _stepped(world, assets, outcome, "", settlement_of(order, world.setting.rulebook))


def refund_of(order: Order, step: Step) -> Refund:
    """Return what a refund asks for: the first line and half of the shipping, or all that is left."""
    known = next((each for each in order.refunds if each.refund_id == step.key), None)
    paid, refunded = order.paid_by_line, order.refunded_by_line
    if known is None and step.key == "full":
        extras_fen = SHIPPING_FEN - sum(each.extras_fen for each in order.refunds)
        return Refund("full", {line: fen - refunded.get(line, 0) for line, fen in paid.items()}, extras_fen)
    asked = known or Refund("part", {"l0": paid["l0"]}, SHIPPING_FEN // 2)
    return replace(asked, extras_fen=asked.extras_fen - 1) if step.twisted else asked


def settlement_of(order: Order, rulebook: Rulebook) -> Settlement:
    return settle(order.quote, RATES, rulebook, refunded_fen=sum(order.refunded_by_line.values()))


def order_id_of(viewer_id: ViewerId) -> OrderId:
    return OrderId(f"{CREATOR}.{viewer_id}")


@cache
def quote_of(asset: Asset, rulebook: Rulebook) -> Quote:
    quote, choice = best_quote(PURCHASE, (), (asset,), asset.use_start_at_ms, rulebook)
    assert len(choice.used) == 1
    return quote


def _held(world: World) -> tuple[Order, tuple[Asset, ...]]:
    order = world.order
    if order is None:
        raise Refused("not_found", "no such order")
    used = {packet.asset_id for packet in order.packets}
    return order, tuple(asset for asset in world.assets if asset.asset_id in used)


_KINDS = {
    OrderState.SUBMITTED_UNPAID: OrderKind.SUBMIT,
    OrderState.CANCELLED: OrderKind.CANCEL,
    OrderState.FINAL: OrderKind.FINISH,
    OrderState.REFUNDED: OrderKind.REFUND,
}


def _stepped(
    world: World, before: Sequence[Asset], outcome: Outcome, key: str, settled: Settlement | None = None
) -> Answer:
    """Return the world after an order's step, with its money where the core sends it."""
    order = outcome.order
    if order == world.order:
        assert outcome.assets == tuple(before)
        assert not outcome.movements
        return "", world
    kind = _KINDS.get(order.state) or (OrderKind.REFUND if order.refunds else OrderKind.PAY)
    transfer_id = f"{kind}:{order.order_id}" + (f":{key}" if key else "")
    part = parts_of(
        outcome,
        before,
        kind=kind,
        transfer_id=transfer_id,
        home=CREATOR,
        merchant_id=MERCHANT,
        settled=settled if order.state is OrderState.FINAL else None,
    )[CREATOR]
    changed = {asset.asset_id: asset for asset in outcome.assets}
    return "", replace(
        world,
        ledger=_with_part(world.ledger, part),
        assets=tuple(changed.get(asset.asset_id, asset) for asset in world.assets),
        order=order,
        reversals=(*world.reversals, *part.reversals),
        known=world.known | {key} if key else world.known,
    )


def _with_part(ledger: Ledger, part: Part) -> Ledger:
    after = copied(ledger)
    try:
        after.post_part(part)
    except Refused as refusal:
        raise AssertionError(f"{part.transfer_id}: {refusal.code}") from refusal
    return after


def _given_back(world: World, kind: TransferKind, transfer_id: str, amount_fen: int) -> World:
    """Return the world after money has gone back to the creator, or on its way."""
    delay_ms = world.setting.rulebook.reversal_delay_ms
    after = _must_move(world, kind, transfer_id, amount_fen, delayed=delay_ms > 0)
    if delay_ms == 0 or amount_fen == 0:
        return after
    key = transfer_id if kind in (K.SWEEP, K.EXPIRE) else f"{kind}:{transfer_id}"
    reversal = Reversal(key, PACKET, amount_fen, world.now_ms + delay_ms)
    return replace(after, reversals=(*world.reversals, reversal))


def _changed(world: World, **changes: object) -> World:
    assert world.issue is not None
    return replace(world, issue=replace(world.issue, **changes))  # type: ignore[arg-type]


def _moved(world: World, kind: TransferKind, transfer_id: str, amount_fen: int, **more: object) -> World:
    """Return the world after a transfer; the same world if it was made before. Raises Refused as the ledger does."""
    if kind not in _PACKETLESS:
        more["packet_id"] = PACKET
    ledger = copied(world.ledger)
    ledger.post(Transfer(kind, transfer_id, CREATOR, amount_fen, **more))  # type: ignore[arg-type]
    if len(ledger.journal) == len(world.ledger.journal):
        return world
    return replace(world, ledger=ledger, known=world.known | {transfer_id} if ":" not in transfer_id else world.known)


def _must_move(world: World, kind: TransferKind, transfer_id: str, amount_fen: int, **more: object) -> World:
    """Return the world after a transfer that the rules have granted: its money must be there."""
    try:
        after = _moved(world, kind, transfer_id, amount_fen, **more)
    except Refused as refusal:
        raise AssertionError(f"{kind} {transfer_id}: {refusal.code}") from refusal
    assert after is not world, transfer_id
    return after


def copied(ledger: Ledger) -> Ledger:
    """Return a ledger that has moved the same so far and goes its own way."""
    return Ledger(*(copy(getattr(ledger, name)) for name in _OF_LEDGER))


_OF_LEDGER = tuple(each.name for each in fields(Ledger))
_PACKETLESS = {K.RECHARGE, K.WITHDRAW, K.WITHDRAW_PAID, K.WITHDRAW_FAILED, K.REVERSE}
_ANSWERS: dict[Do, Callable[[World, Step], Answer]] = {
    Do.RECHARGE: recharge,
    Do.WITHDRAW: withdraw,
    Do.PAID: end_withdrawal,
    Do.FAILED: end_withdrawal,
    Do.FUND: fund,
    Do.LAUNCH: launch,
    Do.CLAIM: claim,
    Do.VOID: void,
    Do.EDIT: edit,
    Do.END: end,
    Do.SWEEP: sweep_packet,
    Do.SUBMIT: submit_order,
    Do.PAY: pay_order,
    Do.CANCEL: cancel_order,
    Do.REFUND: refund_order,
    Do.FINISH: finish_order,
    Do.EXPIRE: expire,
    Do.REVERSE: reverse,
    Do.WAIT: wait,
}
