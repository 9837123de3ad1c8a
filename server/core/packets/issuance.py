"""Issuance: the number of a packet's shares, edition by edition, and edits of that number (KS-EDT-1)."""

from dataclasses import dataclass, replace

from server.core.money.money import FEN_MAX, half_up
from server.core.packets.packet import Denomination, Packet, Terms
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Edit:
    """
    A planned edit, after which the packet has ``share_count`` shares.

    ``added`` are the terms of the added shares, to be split from a seed of their own; None if shares are taken away.
    ``edition`` is the one on which the plan was based.
    """

    share_count: int
    edition: int
    added: Terms | None


def plan_edit(packet: Packet, share_count: int, rulebook: Rulebook) -> Edit:
    """
    Plan an edit of *packet* to this number of shares; nothing else can be changed (KS-EDT-1, AMB-12).

    Added random shares sum to as many original means, half-up; fixed ones have the face value. The store checks the
    packet's state and its claims. Raises Refused: not_editable, out_of_range, unchanged.
    """
    terms = packet.terms
    check_editable(packet, rulebook)
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


def check_editable(packet: Packet, rulebook: Rulebook) -> None:
    """Raise Refused if this packet's number of shares cannot be changed on this platform (KS-EDT-1)."""
    if not rulebook.issuance_editable:
        raise Refused("not_editable", f"{rulebook.platform} cannot edit the issuance", rule=rulebook.rule("KS-EDT-1"))
    if not packet.capabilities.edits:
        wanted = f"the allocator {packet.allocator} does not support another number of shares"
        raise Refused("not_editable", wanted, rule=rulebook.rule("KS-EDT-1"))


def check_end(rulebook: Rulebook) -> None:
    """Raise Refused if packets cannot be ended on this platform (KS-END-1)."""
    if not rulebook.endable:
        raise Refused(
            "not_endable", f"{rulebook.platform} cannot end packets; void it instead", rule=rulebook.rule("KS-END-1")
        )
