"""Money (A10): every fen of every account is explained by the journal, and the books agree with it."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from loadtest.record.books import ENTRY_ID, Books, ClaimRecord, CreatorRecord, OpeningRecord, PacketRecord, WalletRecord
from loadtest.record.journal import JournalRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.audit.case import PacketCase
from loadtest.verdict.audit.movements import OUTSIDE, faults_of
from loadtest.verdict.audit.reversals import check_reversals
from loadtest.verdict.audit.violation import Findings
from server.core.ids import CreatorId, PacketId
from server.core.orders.asset import AssetState

WITHDRAWALS = frozenset({"withdraw", "withdraw_paid", "withdraw_failed"})
"""Movements of a withdrawal: it is asked for, then either paid or put back, once and whole."""

NOTHING_BEFORE = OpeningRecord(CreatorId(""), "0-0", WalletRecord(0, 0, 0, 0, 0), {}, {}, ())
"""The opening of a journal that is there from its first entry."""


def check_money(findings: Findings, books: Books) -> None:
    """Check A10 for every creator: double entry per account, the wallet, and the escrow of each packet."""
    packets: defaultdict[CreatorId, list[PacketRecord]] = defaultdict(list)
    for packet in books.packets.values():
        packets[packet.creator_id].append(packet)
    for creator_id in dict.fromkeys([*books.creators, *books.journal.by]):
        entries, creator = books.journal.by.each(creator_id), books.creators.get(creator_id)
        if creator is None:
            text = f"the books have a journal of {creator_id}, but no wallet"
            findings.add("A10", "", f"creator {creator_id}", text, _line(next(entries)))
            continue
        opening = books.openings.get(creator_id) or NOTHING_BEFORE
        replayed = _replay(findings, opening, entries)
        balances = replayed.balances
        check_reversals(findings, (entry for entry in books.journal.besides_claims if entry.creator_id == creator_id))
        _check_cut(findings, creator, opening, replayed)
        _check_wallet(findings, creator, opening, replayed)
        for packet in packets[creator_id]:
            _check_escrow(findings, packet, balances)
            _check_assets(findings, packet, balances)
        if stuck := balances["escrow:retired"]:
            text = f"the escrow of {creator_id}'s retired packets holds {stuck} fen, not 0"
            findings.add("A10", "", f"retired {creator_id}", text, evidence_of("opening", opening))


@dataclass(slots=True)
class _Replayed:
    """A journal, gone through: the balance of each account, the sums of its movements, what came back, its end."""

    balances: defaultdict[str, int]
    moved: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    returned_fen: int = 0
    last_id: str = ""


def _check_opening(findings: Findings, opening: OpeningRecord, first: JournalRecord | None) -> None:
    """Check that an opening balances in itself, and that the journal begins behind it."""
    wallet = opening.wallet
    available = wallet.recharged_fen + wallet.returned_fen - wallet.withdrawn_fen - wallet.spent_fen
    funds = opening.accounts.get(f"funds:{opening.creator_id}", 0)
    faults = [
        (sum(opening.accounts.values()) != 0, f"sums to {sum(opening.accounts.values())} fen, not to nothing"),
        ({wallet.available_fen, funds} != {available}, f"has {funds} fen of funds, but the formula gives {available}"),
    ]
    pending, aside = sum(opening.withdrawals.values()), opening.accounts.get(f"withdrawing:{opening.creator_id}", 0)
    faults.append((pending != aside, f"has {aside} fen set aside, but withdrawals of {pending}"))
    for account, fen in opening.accounts.items():
        faults.append((fen < 0 and not account.startswith(OUTSIDE), f"has {fen} fen in {account}"))
    if first is not None:
        early = _place(first.entry_id) <= _place(opening.through_entry_id)
        faults.append((early, f"goes through {opening.through_entry_id}, but the journal begins before"))
    for wrong, text in faults:
        if wrong:
            kind, shown = f"opening {opening.creator_id}", evidence_of("opening", opening)
            findings.add("A10", "", kind, f"{opening.creator_id}'s opening {text}", shown)


def _place(entry_id: str) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split("-"))) if ENTRY_ID.fullmatch(entry_id) else (sys.maxsize,)


def _replay(findings: Findings, opening: OpeningRecord, entries: Iterator[JournalRecord]) -> _Replayed:
    """Go through a journal once, after its opening; no account of ours may fall below zero."""
    replayed = _Replayed(defaultdict(int, opening.accounts))
    balances = replayed.balances
    first = next(entries, None)
    _check_opening(findings, opening, first)
    transfers: dict[str, JournalRecord] = {}
    withdrawals = {name: ("withdraw", fen) for name, fen in opening.withdrawals.items()}
    retired = frozenset(opening.retired)
    for entry in () if first is None else chain((first,), entries):
        replayed.last_id = entry.entry_id
        replayed.moved[entry.movement] += entry.amount_fen
        if entry.credit == f"funds:{entry.creator_id}" and entry.movement not in {"recharge", "withdraw_failed"}:
            replayed.returned_fen += entry.amount_fen
        for kind, text in faults_of(entry):
            findings.add("A10", entry.packet_id, kind, text, _line(entry))
        debits = [_pooled(move.debit, retired) for move in entry.moves]
        for move, debit in zip(entry.moves, debits, strict=True):
            balances[debit] -= move.amount_fen
            balances[_pooled(move.credit, retired)] += move.amount_fen
        funds_fen = balances[f"funds:{entry.creator_id}"]
        if entry.balance_fen is not None and entry.balance_fen != funds_fen:
            text = (
                f"{entry.creator_id} was told of {entry.balance_fen} fen after this, but the journal gives {funds_fen}"
            )
            findings.add("A10", entry.packet_id, "balance", text, _line(entry))
        if entry.movement in WITHDRAWALS:
            _check_withdrawal(findings, withdrawals, entry)
        for debit in dict.fromkeys(debits):
            if balances[debit] < 0 and not debit.startswith(OUTSIDE):
                text = f"{debit} falls to {balances[debit]} fen"
                findings.add("A10", entry.packet_id, "negative", text, _line(entry))
        if entry.transfer_id and entry.movement != "claim":
            first = transfers.setdefault(entry.transfer_id, entry)
            if first is not entry:
                text = f"transfer {entry.transfer_id} was carried out twice"
                findings.add("A10", entry.packet_id, "twice", text, _line(first), _line(entry))
    return replayed


def _pooled(account: str, retired: frozenset[PacketId]) -> str:
    """Return the account in which an opening has this one: those of retired packets are one of each kind."""
    kind, _, owner = account.partition(":")
    return f"{kind}:retired" if owner in retired else account


def _check_withdrawal(findings: Findings, withdrawals: dict[str, tuple[str, int]], entry: JournalRecord) -> None:
    """Check that a withdrawal ends once, as what it began; *withdrawals* holds the last movement of each so far."""
    name = entry.withdrawal_id or ""
    last, began_fen = withdrawals.get(name, ("", entry.amount_fen))
    withdrawals[name] = (entry.movement, entry.amount_fen)
    if not name:
        text = f"a {entry.movement} names no withdrawal"
    elif last != ("" if entry.movement == "withdraw" else "withdraw"):
        text = f"a {entry.movement} of withdrawal {name} follows {last or 'nothing'}"
    elif began_fen != entry.amount_fen:
        text = f"a {entry.movement} moves {entry.amount_fen} fen of withdrawal {name} of {began_fen}"
    else:
        return
    findings.add("A10", "", "withdrawal", text, _line(entry))


def _check_cut(findings: Findings, creator: CreatorRecord, opening: OpeningRecord, replayed: _Replayed) -> None:
    """Check that the journal reaches to the instant at which the balances were taken."""
    last = replayed.last_id or opening.through_entry_id
    if last != (creator.journal_last_id or "0-0"):
        text = f"{creator.creator_id}'s journal ends at {last!r}, but the cut is at {creator.journal_last_id!r}"
        findings.add("A10", "", f"cut {creator.creator_id}", text, evidence_of("creator", creator))


def _check_wallet(findings: Findings, creator: CreatorRecord, opening: OpeningRecord, replayed: _Replayed) -> None:
    """Check DY-ACC-1, and that each of its terms is what the journal's movements sum to."""
    moved, balances = replayed.moved, replayed.balances
    wallet = creator.wallet
    explained = {
        "recharged_fen": opening.wallet.recharged_fen + moved["recharge"],
        "returned_fen": opening.wallet.returned_fen + replayed.returned_fen,
        "withdrawn_fen": opening.wallet.withdrawn_fen + moved["withdraw"] - moved["withdraw_failed"],
        "spent_fen": opening.wallet.spent_fen + moved["fund"] + moved["edit"] + moved["coupon_fund"],
        "available_fen": balances.get(f"funds:{creator.creator_id}", 0),
        "reversing_fen": balances.get(f"reversing:{creator.creator_id}", 0),
    }
    for name, fen in explained.items():
        if (getattr(wallet, name) or 0) != fen:
            text = f"{creator.creator_id}'s {name} is {getattr(wallet, name)}, but the journal explains {fen}"
            findings.add("A10", "", f"wallet {creator.creator_id} {name}", text, evidence_of("creator", creator))
    available = wallet.recharged_fen + wallet.returned_fen - wallet.withdrawn_fen - wallet.spent_fen
    if wallet.available_fen != available:
        text = f"{creator.creator_id} has {wallet.available_fen} fen available, but the formula gives {available}"
        findings.add("A10", "", f"formula {creator.creator_id}", text, evidence_of("creator", creator))


def _check_escrow(findings: Findings, packet: PacketRecord, balances: dict[str, int]) -> None:
    """Check that escrow holds what nobody has claimed, and nothing once the packet is over."""
    escrow = balances.get(f"escrow:{packet.packet_id}", 0)
    expected = 0 if packet.over else packet.remaining_fen
    if escrow != expected:
        text = f"escrow of the {packet.state} packet holds {escrow} fen, not {expected}"
        findings.add("A10", packet.packet_id, "escrow", text, evidence_of("packet", packet))


def _check_assets(findings: Findings, packet: PacketRecord, balances: dict[str, int]) -> None:
    """Check that viewers hold what was given and neither is in an order nor has expired, and orders what they hold."""
    locked, redeemed = packet.locked_fen or 0, packet.redeemed_fen or 0
    gone = locked + redeemed + (packet.final_fen or 0) + (packet.expired_fen or 0)
    for kind, expected in (("assets", packet.given_fen - gone), ("locked", locked), ("redeemed", redeemed)):
        held = balances.get(f"{kind}:{packet.packet_id}", 0)
        if held != expected:
            text = (
                f"the journal has {held} fen in {kind}, but of {packet.given_fen} given the counters leave {expected} "
                f"there: {locked} are locked, {redeemed} redeemed, {packet.final_fen or 0} final, "
                f"{packet.expired_fen or 0} expired"
            )
            findings.add("A10", packet.packet_id, kind, text, evidence_of("packet", packet))


def check_packet_money(findings: Findings, case: PacketCase) -> None:
    """Check A10 for one packet: its counters and its claims at the end are what the journal explains."""
    packet = case.packet
    if packet is None:
        return
    moved: defaultdict[str, int] = defaultdict(int)
    for entry in case.entries:
        moved[entry.movement] += entry.amount_fen
    explained = {
        "total_fen": moved["fund"] + moved["edit"] - moved["trim"],
        "given": len(case.given),
        "given_fen": moved["claim"],
        "returned_fen": moved["sweep"] + moved["void"] + moved["end"],
    }
    if case.final:
        let_go = [use for use in case.uses if use.state is AssetState.EXPIRED_RETURNED]
        swept = sum(entry.shares or 0 for entry in case.entries if entry.movement == "expire")
        explained["expired"] = swept + len(let_go)
        explained["expired_fen"] = moved["expire"] + sum(use.face_fen for use in let_go)
    for name, value in explained.items():
        if (getattr(packet, name) or 0) != value:
            text = f"{name} is {getattr(packet, name)}, but the journal explains {value}"
            findings.add("A10", case.packet_id, f"counter {name}", text, evidence_of("packet", packet))
    if case.final:
        _check_lines(findings, case)


def _check_lines(findings: Findings, case: PacketCase) -> None:
    """Check that the claims at the end are exactly those that the journal saw being given."""
    rows = [
        (case.packet_id, viewer_id, index, amount_fen, entry.edition or 0, request_id)
        for (viewer_id, index, amount_fen, request_id), entry in case.given
    ]
    if rows == case.claims:
        return
    given = list(map(ClaimRecord._make, rows))
    at_end, in_journal = set(case.claims), set(given)
    for claim in given:
        if claim not in at_end:
            text = f"the journal gave share {claim.index} to {claim.viewer_id}, but no claim at the end says so"
            findings.add("A10", case.packet_id, "claim missing", text, evidence_of("claim", claim))
    for claim in case.claims:
        if claim not in in_journal:
            text = f"{claim.viewer_id} has share {claim.index} at the end, but the journal never gave it so"
            findings.add("A10", case.packet_id, "claim unexplained", text, evidence_of("claim", claim))


def _line(entry: JournalRecord) -> Line:
    return evidence_of("journal", entry)
