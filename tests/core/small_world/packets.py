"""The steps of wallet and packet in the small world; each answers as the store should."""

from dataclasses import replace

from server.core.ids import ViewerId
from server.core.money.posting import Reversal
from server.core.orders.asset import asset_of, sweep
from server.core.packets.claim import ClaimStatus
from server.core.packets.issuance import plan_edit
from server.core.packets.launch import LaunchRequest, plan_launch
from server.core.packets.packet import PacketState
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import LaunchMode
from tests.core.money.ledger_model import TransferKind
from tests.core.small_world.money import Answer, changed, given_back, moved, must_move
from tests.core.small_world.world import (
    ADDED_FEN,
    ADDED_WAIT_MS,
    LEAD_MS,
    PACKET,
    ROOM,
    SHARES,
    WINDOW_MS,
    Issue,
    Step,
    World,
)

K, S = TransferKind, ClaimStatus
LAUNCH = LaunchRequest(ROOM, LaunchMode.RELATIVE, delay_ms=LEAD_MS, claim_window_ms=WINDOW_MS)


def recharge(world: World, step: Step) -> Answer:
    return "", moved(world, K.RECHARGE, step.key, step.number, channel="bank")


def withdraw(world: World, step: Step) -> Answer:
    return "", moved(world, K.WITHDRAW, step.key, step.number, channel="alipay", withdrawal_id=step.key)


def end_withdrawal(world: World, step: Step) -> Answer:
    kind = TransferKind(step.do)
    asked = next((entry for entry in world.ledger.journal if entry.withdrawal_id == step.key), None)
    amount_fen = 1 if asked is None else asked.amount_fen
    transfer_id = f"{'paid' if kind is K.WITHDRAW_PAID else 'failed'}:{step.key}"
    return "", moved(world, kind, transfer_id, amount_fen, channel="alipay", withdrawal_id=step.key)


def fund(world: World, step: Step) -> Answer:
    after = moved(world, K.FUND, step.key, sum(SHARES) + step.number)
    return "", after if after is world else replace(after, issue=Issue(SHARES))


def launch(world: World, _: Step) -> Answer:
    rulebook = world.setting.rulebook
    plan = plan_launch(LAUNCH, packet=world.packet(), rulebook=rulebook, now_ms=world.now_ms, others=())
    return "", changed(world, state=PacketState.LAUNCHED, schedule=plan.schedule)


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
    after = must_move(world, K.CLAIM, f"claim:{PACKET}:{index}", issue.shares[index])
    asset = asset_of(
        world.packet(), index=index, amount_fen=issue.shares[index], viewer_id=viewer, claimed_at_ms=world.now_ms
    )
    after = replace(after, assets=(*world.assets, asset))
    return S.GRANTED, changed(after, taps=(*issue.taps, (viewer, step.number)))


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
    return "", changed(given_back(world, kind, step.key, sum(issue.shares[len(world.assets) :])), state=state)


def sweep_packet(world: World, _: Step) -> Answer:
    issue = world.issue
    if issue is None:
        return "not_found", world
    over = issue.schedule is not None and world.now_ms >= issue.schedule.claim_end_at_ms
    if issue.state is not PacketState.LAUNCHED or not over:
        return "", world
    left_fen = sum(issue.shares[len(world.assets) :])
    after = given_back(world, K.SWEEP, f"sweep:{PACKET}", left_fen)
    return "", changed(after, state=PacketState.SETTLED)


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
        after = given_back(world, K.TRIM, step.key, sum(issue.shares[wanted:]))
        changes: dict[str, object] = {"shares": issue.shares[:wanted], "waiting": max(0, waiting - 1)}
        if waiting <= 1:
            changes["claimable_at_ms"] = 0
    else:
        after = moved(world, K.EDIT, step.key, plan.added.total_fen)
        launched = issue.state is PacketState.LAUNCHED
        changes = {"shares": (*issue.shares, ADDED_FEN), "waiting": waiting + 1 if launched else 0}
        changes["claimable_at_ms"] = world.now_ms + ADDED_WAIT_MS if launched else 0
    return "", changed(after, edition=issue.edition + 1, edits=(*issue.edits, (step.key, wanted)), **changes)


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
        after = given_back(world, K.EXPIRE, f"expire:{PACKET}:{issue.expired_upto}", gone_fen)
    return "", changed(replace(after, assets=tuple(assets)), expired_upto=upto)


def reverse(world: World, _: Step) -> Answer:
    """Let what is due arrive (DY-REV-8)."""
    due = sorted((each for each in world.reversals if each.due_at_ms <= world.now_ms), key=_member)
    if not due:
        return "", world
    after = must_move(world, K.REVERSE, f"reverse:{due[0].key}", sum(each.amount_fen for each in due))
    return "", replace(after, reversals=tuple(each for each in world.reversals if each not in due))


def _member(reversal: Reversal) -> tuple[int, str]:
    return reversal.due_at_ms, f"{reversal.key}|{reversal.packet_id}|{reversal.amount_fen}"
