"""Issuance: how many shares a packet has, edition by edition, and what an edit of that number comes to (KS-EDT-1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.core.money.money import FEN_MAX, half_up
from server.core.packets.packet import Denomination, Edition, Packet, Terms
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Edit:
    """
    What an edit is to do: the packet is to have ``share_count`` shares.

    ``added`` are the terms of the shares that come, to be split from a seed of their own; None if shares go.
    ``edition`` is the one on which this was decided.
    """

    share_count: int
    edition: int
    added: Terms | None


def plan_edit(packet: Packet, share_count: int, rulebook: Rulebook) -> Edit:
    """
    Decide what gives *packet* so many shares; only their number can be changed (KS-EDT-1, AMB-12).

    Added random shares sum to as many original means, half-up; fixed ones have the face value. The packet's state and
    what is claimed of it are the store's to judge. Raises Refused: not_editable, out_of_range, unchanged.
    """
    terms = packet.terms
    if not rulebook.issuance_editable:
        raise Refused("not_editable", f"{rulebook.platform} edits no issuance", rule=rulebook.rule("KS-EDT-1"))
    if not packet.capabilities.edits:
        wanted = f"the allocator {packet.allocator} cannot go on with another number of shares"
        raise Refused("not_editable", wanted, rule=rulebook.rule("KS-EDT-1"))
    if not 1 <= share_count <= rulebook.share_count_max:
        wanted = f"must be from 1 to {rulebook.share_count_max}"
        raise Refused("out_of_range", wanted, field="share_count", rule=rulebook.rule("ALL-CRE-1"))
    if share_count == terms.share_count:
        raise Refused(
            "unchanged",
            f"the packet has {share_count} shares already",
            field="share_count",
            rule=rulebook.rule("KS-EDT-1"),
        )
    if share_count < terms.share_count:
        if not rulebook.allow_decrease:
            raise Refused(
                "not_editable", "the issuance can only be raised", field="share_count", rule=rulebook.rule("KS-EDT-1")
            )
        return Edit(share_count, packet.edition, None)
    count = share_count - terms.share_count
    added_fen = _added_fen(packet, count)
    if terms.total_fen + added_fen > FEN_MAX:
        raise Refused(
            "out_of_range", f"the sum would pass {FEN_MAX} fen", field="share_count", rule=rulebook.rule("ALL-CRE-1")
        )
    return Edit(share_count, packet.edition, replace(terms, share_count=count, total_fen=added_fen))


def _added_fen(packet: Packet, count: int) -> int:
    if packet.terms.denomination is Denomination.FIXED:
        return count * packet.terms.max_share_fen
    original = packet.editions[0]
    return half_up(count * original.total_fen, original.share_count)


def check_end(rulebook: Rulebook) -> None:
    """Raise Refused if this platform lets nobody end a packet (KS-END-1)."""
    if not rulebook.endable:
        raise Refused(
            "not_endable", f"{rulebook.platform} ends no packet; it may be voided", rule=rulebook.rule("KS-END-1")
        )


def issued(editions: Sequence[Edition], drawn: Callable[[Edition], Sequence[int]]) -> list[int]:
    """
    Return the shares that a packet has in its last edition, the first to be given first.

    *drawn* returns the shares that an edition has added. What an earlier one had from a later one's first index on is
    trimmed, so that an edition that adds nothing is a decrease.
    """
    shares: list[int] = []
    for edition in editions:
        del shares[edition.first_index :]
        shares += drawn(edition)
    return shares
