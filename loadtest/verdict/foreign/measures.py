"""Measures of a foreign run: the same metrics, from receipts and, if there are any, the service's own books."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from loadtest.record.declared import Declarations
from loadtest.record.foreign_books import ForeignClaim
from loadtest.record.history import History
from loadtest.verdict.foreign.case import ForeignCase, foreign_cases
from loadtest.verdict.foreign.issuance import granted_amounts, granted_range
from loadtest.verdict.measures import crowd_measures
from loadtest.verdict.metrics import METRICS, MeasureValues, Percentiles
from loadtest.verdict.selection import SelectableRun
from server.core.ids import PacketId


def measure_foreign(cases: Sequence[ForeignCase], history: History) -> MeasureValues:
    """
    Return the metrics of a run against a foreign service; None where the evidence is missing.

    Shares and amounts are those of the books if there are any, else those that viewers were told of: what a lost
    answer would have told is not in them.
    """
    booked = all(case.claims is not None for case in cases)
    values = {name: _plain(value) for name, value in crowd_measures(history).items()}
    heard = {
        "grab_latency_ms": values["grabs"] > 0,
        "grab_latency_from_send_ms": values["grabs"] > 0,
        "fanout_skew_ms": bool(history.facts),
        "fanout_skew_ms_per_1000": bool(history.facts),
        "start_skew_ms": any(arrival.start_skew_ns is not None for arrival in history.arrivals),
    }
    values |= {name: None for name, measured in heard.items() if not measured}
    values |= {
        "granted": sum(len(case.shares) for case in cases),
        "granted_fen": _sum(share.amount_fen for case in cases for share in case.shares),
        "issued_fen": _sum(claim.amount_fen for case in cases for claim in case.claims or ()) if booked else None,
        "over_issued_fen": _sum(map(_over_issued_fen, cases)),
        "under_issued_fen": _sum(_under_issued_fen(case) for case in cases if case.told_in_time is not None),
        "duplicate_claims": sum(map(_duplicates, cases)),
        "lost_acks": sum(map(_lost, cases)) if booked else None,
        "packets": [_packet(case) for case in cases],
    }
    return {name: values.get(name) for name in METRICS}  # its processes are not known


def of_foreign(declared: Declarations, history: History, claims: Sequence[ForeignClaim] | None) -> SelectableRun:
    """Return a run against a foreign service, as thresholds select parts of it; its packets are in no room of ours."""

    def measured(packet_ids: Collection[PacketId], part: History) -> MeasureValues:
        tapped = {grab.packet for grab in part.grabs}
        chosen = {each: packet for each, packet in declared.items() if each in tapped or each in packet_ids}
        return measure_foreign(foreign_cases(chosen, part, claims), part)

    room = next((conn.room for conn in history.conns), None)
    return SelectableRun(history, measured, declared=declared, rooms=dict.fromkeys(declared, room))


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Percentiles) else value


def _sum(amounts: Iterable[int | None]) -> int | None:
    """Return the sum, or None if one of the amounts is not known."""
    known = list(amounts)
    return None if None in known else sum(amount or 0 for amount in known)


def _over_issued_fen(case: ForeignCase) -> int | None:
    """Return the larger of two: the amounts of shares beyond those declared, and the sum beyond the total."""
    told = [share.amount_fen for share in case.shares]
    sides = [told] if case.claims is None else [told, [claim.amount_fen for claim in case.claims]]
    over: list[int | None] = [0]
    for amounts in sides:
        over.append(_sum(amounts[case.packet.share_count :]))
        if case.packet.total_fen is not None:
            sum_fen = _sum(amounts)
            over.append(None if sum_fen is None else sum_fen - case.packet.total_fen)
    return None if None in over else max(fen or 0 for fen in over)


def _under_issued_fen(case: ForeignCase) -> int | None:
    """Return what was left of a packet of which viewers heard that nothing is; 0 without a total if all shares went."""
    count, most = granted_range(case)
    if count < case.packet.share_count and count != most:
        return None
    if case.packet.total_fen is None:
        return 0 if count >= case.packet.share_count else None
    sum_fen = _sum(granted_amounts(case))
    return None if sum_fen is None else max(0, case.packet.total_fen - sum_fen)


def _duplicates(case: ForeignCase) -> int:
    if not case.packet.one_per_viewer:
        return 0
    claims = case.claims or []
    told = len(case.shares) - len(case.held)
    return max(told, len(claims) - len({claim.viewer_id for claim in claims}))


def _lost(case: ForeignCase) -> int:
    owners = {claim.viewer_id for claim in case.claims or ()}
    return sum(1 for viewer in case.held if viewer not in owners)


def _packet(case: ForeignCase) -> dict[str, Any]:
    """Return the packet as a result has it; a foreign one has no name but its id, and no room of ours."""
    return {
        "packet_id": case.packet_id,
        "allocator": "",
        "share_count": case.packet.share_count,
        "granted": granted_range(case)[0],
        "granted_fen": _sum(granted_amounts(case)),
        "sold_out": case.exhausted is not None,
        "returned_fen": None,
        "name": case.packet_id,
        "room_id": None,
        "state": "declared",
        "total_fen": case.packet.total_fen,
    }
