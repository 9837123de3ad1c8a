"""Money (A10): every fen of every account is explained by the journal, and the books agree with it."""

from collections import defaultdict
from collections.abc import Iterator

from loadtest.audit.case import Case
from loadtest.audit.reversals import DELAYABLE, check_reversals
from loadtest.audit.violation import Findings
from loadtest.books import Books, ClaimRecord, CreatorRecord, JournalRecord, PacketRecord
from loadtest.record import Line, evidence_of
from server.core.ids import CreatorId

MOVEMENTS: dict[str, tuple[str, str]] = {
    "recharge": ("psp", "funds"),
    "fund": ("funds", "escrow"),
    "claim": ("escrow", "assets"),
    "sweep": ("escrow", "funds"),
    "void": ("escrow", "funds"),
    "withdraw": ("funds", "withdrawing"),
    "withdraw_paid": ("withdrawing", "payout"),
    "withdraw_failed": ("withdrawing", "funds"),
    "edit": ("funds", "escrow"),
    "trim": ("escrow", "funds"),
    "end": ("escrow", "funds"),
    "expire": ("assets", "funds"),
    "reverse": ("reversing", "funds"),
}
"""From which kind of account to which kind each movement goes (section 3 of the rules); see DELAYABLE too."""

MAY_BE_NOTHING = frozenset({"sweep", "void", "end"})
"""Movements of what is left, which may be nothing."""

WITHDRAWALS = frozenset({"withdraw", "withdraw_paid", "withdraw_failed"})
"""Movements of a withdrawal: it is asked for, then either paid or put back, once and whole."""


def check_money(findings: Findings, books: Books) -> None:
    """Check A10 for every creator: double entry per account, the wallet, and the escrow of each packet."""
    entries: defaultdict[CreatorId, list[JournalRecord]] = defaultdict(list)
    for entry in books.journal:
        entries[entry.creator_id].append(entry)
    packets: defaultdict[CreatorId, list[PacketRecord]] = defaultdict(list)
    for packet in books.packets.values():
        packets[packet.creator_id].append(packet)
    for creator_id in dict.fromkeys([*books.creators, *entries]):
        creator = books.creators.get(creator_id)
        if creator is None:
            text = f"the books have a journal of {creator_id}, but no wallet"
            findings.add("A10", "", f"creator {creator_id}", text, _line(entries[creator_id][0]))
            continue
        balances = _replay(findings, entries[creator_id])
        check_reversals(findings, entries[creator_id])
        _check_cut(findings, creator, entries[creator_id])
        _check_wallet(findings, creator, entries[creator_id], balances)
        for packet in packets[creator_id]:
            _check_escrow(findings, packet, balances)
            _check_assets(findings, packet, balances)


def _replay(findings: Findings, entries: list[JournalRecord]) -> dict[str, int]:
    """Go through a journal once and return each account's balance; no account of ours may fall below zero."""
    balances: defaultdict[str, int] = defaultdict(int)
    transfers: dict[str, JournalRecord] = {}
    withdrawals: dict[str, JournalRecord] = {}
    for entry in entries:
        for kind, text in _faults(entry):
            findings.add("A10", entry.packet_id, kind, text, _line(entry))
        fee_fen = entry.fee_fen or 0
        balances[entry.debit] -= entry.amount_fen + fee_fen
        balances[entry.credit] += entry.amount_fen
        if fee_fen:
            balances[f"fees:{entry.debit.partition(':')[2]}"] += fee_fen
        funds_fen = balances[f"funds:{entry.creator_id}"]
        if entry.balance_fen is not None and entry.balance_fen != funds_fen:
            text = (
                f"{entry.creator_id} was told of {entry.balance_fen} fen after this, but the journal gives {funds_fen}"
            )
            findings.add("A10", entry.packet_id, "balance", text, _line(entry))
        if entry.movement in WITHDRAWALS:
            _check_withdrawal(findings, withdrawals, entry)
        if balances[entry.debit] < 0 and not entry.debit.startswith("psp:"):
            text = f"{entry.debit} falls to {balances[entry.debit]} fen"
            findings.add("A10", entry.packet_id, "negative", text, _line(entry))
        if entry.transfer_id and entry.movement != "claim":
            first = transfers.setdefault(entry.transfer_id, entry)
            if first is not entry:
                text = f"transfer {entry.transfer_id} was carried out twice"
                findings.add("A10", entry.packet_id, "twice", text, _line(first), _line(entry))
    return balances


def _check_withdrawal(findings: Findings, withdrawals: dict[str, JournalRecord], entry: JournalRecord) -> None:
    """Check that a withdrawal ends once, as what it began; *withdrawals* holds the last movement of each so far."""
    name = entry.withdrawal_id or ""
    before = withdrawals.get(name)
    withdrawals[name] = entry
    last = before.movement if before else ""
    if not name:
        text = f"a {entry.movement} names no withdrawal"
    elif last != ("" if entry.movement == "withdraw" else "withdraw"):
        text = f"a {entry.movement} of withdrawal {name} follows {last or 'nothing'}"
    elif before and before.amount_fen != entry.amount_fen:
        text = f"a {entry.movement} moves {entry.amount_fen} fen of withdrawal {name} of {before.amount_fen}"
    else:
        return
    findings.add("A10", "", "withdrawal", text, _line(entry))


def _faults(entry: JournalRecord) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one entry, looked at alone: a word and a sentence each."""
    if entry.movement not in MOVEMENTS:
        yield "movement", f"{entry.movement} is no movement of money"
        return
    owners: dict[str, str | None] = {"psp": None, "payout": None, "escrow": entry.packet_id, "assets": entry.packet_id}
    owners |= dict.fromkeys(("funds", "withdrawing", "reversing"), entry.creator_id)
    delayed = entry.movement in DELAYABLE and entry.credit.startswith("reversing:")
    debit, credit = MOVEMENTS[entry.movement]
    for account, wanted in ((entry.debit, debit), (entry.credit, "reversing" if delayed else credit)):
        kind, _, owner = account.partition(":")
        if kind != wanted or (owners[wanted] is not None and owner != owners[wanted]):
            expected = f"{wanted}:{owners[wanted] or '<channel>'}"
            yield "account", f"a {entry.movement} names {account} where {expected} belongs"
    if entry.amount_fen < 0 or (entry.amount_fen == 0 and entry.movement not in MAY_BE_NOTHING):
        yield "amount", f"a {entry.movement} moves {entry.amount_fen} fen"
    if entry.fee_fen is not None and (entry.fee_fen < 0 or (entry.fee_fen and entry.movement != "recharge")):
        yield "fee", f"a {entry.movement} has a fee of {entry.fee_fen} fen"
    if entry.movement == "claim":
        sum_fen = sum(claim.amount_fen for claim in entry.claims or ())
        if sum_fen != entry.amount_fen:
            yield "batch", f"a batch moves {entry.amount_fen} fen, but its claims sum to {sum_fen}"


def _check_cut(findings: Findings, creator: CreatorRecord, entries: list[JournalRecord]) -> None:
    """Check that the journal reaches to the instant at which the balances were taken."""
    last = entries[-1].entry_id if entries else ""
    if last != creator.journal_last_id and (entries or creator.journal_last_id not in {"", "0-0"}):
        text = f"{creator.creator_id}'s journal ends at {last!r}, but the cut is at {creator.journal_last_id!r}"
        findings.add("A10", "", f"cut {creator.creator_id}", text, evidence_of("creator", creator))


def _check_wallet(
    findings: Findings, creator: CreatorRecord, entries: list[JournalRecord], balances: dict[str, int]
) -> None:
    """Check DY-ACC-1, and that each of its terms is what the journal's movements sum to."""
    moved: defaultdict[str, int] = defaultdict(int)
    returned_fen = 0
    for entry in entries:
        moved[entry.movement] += entry.amount_fen
        if entry.credit == f"funds:{creator.creator_id}" and entry.movement not in {"recharge", "withdraw_failed"}:
            returned_fen += entry.amount_fen
    wallet = creator.wallet
    explained = {
        "recharged_fen": moved["recharge"],
        "returned_fen": returned_fen,
        "withdrawn_fen": moved["withdraw"] - moved["withdraw_failed"],
        "spent_fen": moved["fund"] + moved["edit"],
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
    """Check that the viewers' hands hold what was given and neither is in an order nor has expired."""
    held = balances.get(f"assets:{packet.packet_id}", 0)
    gone = (packet.locked_fen or 0) + (packet.redeemed_fen or 0) + (packet.expired_fen or 0)
    if held != packet.given_fen - gone:
        text = f"the assets hold {held} fen, but of {packet.given_fen} given {gone} are in orders or have expired"
        findings.add("A10", packet.packet_id, "assets", text, evidence_of("packet", packet))


def check_packet_money(findings: Findings, case: Case) -> None:
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
        "expired": sum(entry.shares or 0 for entry in case.entries if entry.movement == "expire"),
        "expired_fen": moved["expire"],
    }
    for name, value in explained.items():
        if (getattr(packet, name) or 0) != value:
            text = f"{name} is {getattr(packet, name)}, but the journal explains {value}"
            findings.add("A10", case.packet_id, f"counter {name}", text, evidence_of("packet", packet))
    if case.final:
        _check_lines(findings, case)


def _check_lines(findings: Findings, case: Case) -> None:
    """Check that the claims at the end are exactly those that the journal saw being given."""
    given = [
        ClaimRecord(
            case.packet_id, claim.viewer_id, claim.index, claim.amount_fen, entry.edition or 0, claim.request_id
        )
        for claim, entry in case.given
    ]
    if given == case.claims:
        return
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
