"""Verification: recomputes a packet's shares from its revealed seed and compares them with the books."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from loadtest.record.books import ClaimRecord, EditionRecord, PacketRecord
from loadtest.record.shape import Line, evidence_of
from loadtest.verdict.committed_shares import SEED_BYTES, NoSuchShares, commitment_of, shares_of


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """A contradiction in the books: the ``check`` that found it, a sentence, and the records that show it."""

    check: str
    detail: str
    evidence: tuple[Line, ...]

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True, slots=True)
class Verification:
    """The result. ``shares`` are those of the revealed seed, in order, in fen; None while it is not revealed."""

    ok: bool
    problems: tuple[VerifyProblem, ...]
    shares: tuple[int, ...] | None


def verify_packet(packet: PacketRecord, claims: Sequence[ClaimRecord], left: Sequence[int] | None) -> Verification:
    """
    Compare a packet's claims and the shares that went back with the shares it had committed to, edition by edition.

    *left* is None where the books do not list it (a packet that may still be grabbed). Without a seed only what
    needs none is checked: each index once and without a gap, each amount within its bounds.
    """
    shares, problems = _committed(packet)
    problems += _indices(packet, claims)
    problems += _editions(packet, claims)
    problems += _amounts(packet, claims, shares)
    if left is not None:
        problems += _rest(packet, len(claims), left, shares)
    return Verification(not problems, tuple(problems), shares)


def _committed(packet: PacketRecord) -> tuple[tuple[int, ...] | None, list[VerifyProblem]]:
    """Return the shares of all revealed seeds (None without one), and the problems of seeds and commitments."""
    if packet.seed is None:
        if not packet.over:
            return None, []
        return None, [_of_packet(packet, "seed", f"is {packet.state}, but its seed was not revealed")]
    shares: list[int] = []
    problems: list[VerifyProblem] = []
    for number, edition in enumerate(packet.issued, start=1):
        if edition.edition != number or not 0 <= edition.first_index <= len(shares):
            return None, [_of_packet(packet, "editions", f"has editions that do not follow each other at {number}")]
        # What an edition before had from here on was trimmed.
        del shares[edition.first_index :]
        if edition.share_count:
            drawn, problem = _drawn(packet, edition)
            if problem is not None:
                problems.append(problem)
            if drawn is None:
                return None, problems
            shares += drawn
    if len(shares) != packet.share_count or sum(shares) != packet.total_fen:
        text = (
            f"has {packet.share_count} shares of {packet.total_fen} fen, "
            f"but its editions make {len(shares)} of {sum(shares)}"
        )
        problems.append(_of_packet(packet, "editions", text))
    return tuple(shares), problems


def _drawn(packet: PacketRecord, edition: EditionRecord) -> tuple[list[int] | None, VerifyProblem | None]:
    """Return the shares that an edition's seed gives (None if it is no seed), and what is wrong with them."""
    where = f" of edition {edition.edition}" if len(packet.issued) > 1 else ""
    terms = replace(packet.terms, share_count=edition.share_count, total_fen=edition.total_fen)
    try:
        seed = bytes.fromhex(edition.seed or "")
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        return None, _of_packet(packet, "seed", f"has a seed{where} that is not {SEED_BYTES} bytes in hexadecimal")
    try:
        shares = shares_of(terms, seed)
    except NoSuchShares as why:
        return None, _of_packet(packet, "terms", f"has terms{where} that no shares can meet: {why}")
    committed = commitment_of(terms, seed)
    if committed != edition.commitment:
        text = f"committed to {edition.commitment}, but its seed{where} gives {committed}"
        return shares, _of_packet(packet, "commitment", text)
    return shares, None


def _indices(packet: PacketRecord, claims: Sequence[ClaimRecord]) -> list[VerifyProblem]:
    problems: list[VerifyProblem] = []
    holder: dict[int, ClaimRecord] = {}
    for claim in claims:
        other = holder.setdefault(claim.index, claim)
        if other is not claim:
            text = f"share {claim.index} has two owners, {other.viewer_id} and {claim.viewer_id}"
            problems.append(VerifyProblem("twice", text, (evidence_of("claim", other), evidence_of("claim", claim))))
        if not 0 <= claim.index < packet.share_count:
            text = f"there is no share {claim.index} of {packet.share_count}, but {claim.viewer_id} has it"
            problems.append(VerifyProblem("no share", text, (evidence_of("claim", claim),)))
    # Shares are given in order, so what was given is 0 to n - 1.
    gap = next((index for index in range(len(holder)) if index not in holder), None)
    if gap is not None:
        beyond = min((claim for claim in holder.values() if claim.index > gap), key=attrgetter("index"), default=None)
        shown = () if beyond is None else (evidence_of("claim", beyond),)
        problems.append(
            VerifyProblem("gap", f"share {gap} was skipped: nobody has it, but later ones are given", shown)
        )
    return problems


def _editions(packet: PacketRecord, claims: Sequence[ClaimRecord]) -> list[VerifyProblem]:
    """Return the claims that were given in an edition that did not have their share."""
    had = {each.edition: each.first_index + each.share_count for each in packet.issued}
    return [
        VerifyProblem(
            "edition",
            f"share {claim.index} of {claim.viewer_id} was given in edition {claim.edition}, which did not have it",
            (evidence_of("claim", claim),),
        )
        for claim in claims
        if claim.index >= had.get(claim.edition, 0) and claim.index < packet.share_count
    ]


def _amounts(
    packet: PacketRecord, claims: Sequence[ClaimRecord], shares: tuple[int, ...] | None
) -> list[VerifyProblem]:
    lowest, highest = packet.min_share_fen, packet.max_share_fen
    problems: list[VerifyProblem] = []
    for claim in claims:
        amount, index = claim.amount_fen, claim.index
        if not lowest <= amount <= highest:
            text = f"share {index} of {claim.viewer_id} is {amount} fen, outside {lowest} to {highest}"
            problems.append(VerifyProblem("bounds", text, (evidence_of("claim", claim),)))
        if shares is not None and 0 <= index < len(shares) and shares[index] != amount:
            text = f"share {index} of {claim.viewer_id} is {amount} fen, but was committed to as {shares[index]}"
            problems.append(VerifyProblem("amount", text, (evidence_of("claim", claim),)))
    return problems


def _rest(packet: PacketRecord, given: int, left: Sequence[int], shares: tuple[int, ...] | None) -> list[VerifyProblem]:
    """Return the problems of the returned shares: they must be the unclaimed ones, in order."""
    shown = {"kind": "left", "packet_id": packet.packet_id, "count": len(left)}
    if given + len(left) != packet.share_count:
        text = f"{given} shares given and {len(left)} gone back make {given + len(left)}, not {packet.share_count}"
        return [VerifyProblem("count", text, ({**shown, "given": given},))]
    for index, amount in enumerate(left, start=given):
        where = {**shown, "index": index, "amount_fen": amount}
        if shares is not None and amount != shares[index]:
            text = f"share {index} went back as {amount} fen, but was committed to as {shares[index]}"
            return [VerifyProblem("rest", text, (where,))]
        if not packet.min_share_fen <= amount <= packet.max_share_fen:
            text = f"share {index} went back as {amount} fen, outside {packet.min_share_fen} to {packet.max_share_fen}"
            return [VerifyProblem("rest", text, (where,))]
    return []


def _of_packet(packet: PacketRecord, check: str, detail: str) -> VerifyProblem:
    shown = {"kind": "packet", "packet_id": packet.packet_id, "state": packet.state.value, "seed": packet.seed}
    return VerifyProblem(check, f"{packet.packet_id} {detail}", (shown,))
