"""Creation: a creator's request for a new packet, and its check by the platform's rules (ALL-CRE-1, ALL-CRE-2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.core.ids import CreatorId
from server.core.orders.purchase import GoodsKind
from server.core.orders.validity import check_validity, checked_scope
from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import check_terms
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import check_eligible, check_scope
from server.core.rulebooks.rulebook import Permission, Rulebook
from server.core.text import checked_text


@dataclass(frozen=True, slots=True)
class CreationRequest:
    """
    The fields of a creation (DY-CRE-1, KS-CRE-1); sums in fen. Share bounds that are None are the rulebook's.

    A use validity is either absolute, ``[use_start_at_ms, use_end_at_ms)`` in room ms, or relative, ``use_for_ms`` room
    ms from the claim (DY-CRE-3, AMB-5). ``product_ids`` are the only goods it may be used on, or None for all
    (KS-CRE-2); ``goods`` are the kinds of the goods in its scope.
    """

    creator_id: CreatorId
    name: str
    platform: str
    denomination: Denomination
    share_count: int
    total_fen: int
    min_share_fen: int | None = None
    max_share_fen: int | None = None
    use_start_at_ms: int | None = None
    use_end_at_ms: int | None = None
    use_for_ms: int | None = None
    product_ids: Sequence[str] | None = None
    goods: Sequence[GoodsKind] = (GoodsKind.ORDINARY,)
    allocator: str = "default"


def granted_scope(
    request: CreationRequest, permissions: Iterable[Permission], rulebook: Rulebook
) -> tuple[str, ...] | None:
    """
    Return the goods of a packet that a creator with these permissions may create, or None for all goods.

    Raises Refused: not_eligible (DY-ELG-1, KS-ELG-1), bad_field for the name (ALL-CRE-1), and as ``check_validity``,
    ``checked_scope`` and ``check_scope`` do.
    """
    check_eligible(permissions, rulebook)
    checked_text("name", request.name, length_max=rulebook.name_length_max, rule=rulebook.rule("ALL-CRE-1"))
    check_validity(
        use_start_at_ms=request.use_start_at_ms,
        use_end_at_ms=request.use_end_at_ms,
        use_for_ms=request.use_for_ms,
        rulebook=rulebook,
    )
    scope = checked_scope(request.product_ids, rulebook)
    check_scope(request.goods, rulebook)
    return scope


def granted_terms(request: CreationRequest, rulebook: Rulebook) -> Terms:
    """
    Return the terms of the packet that is asked for; a fixed one has the face value for both of its bounds.

    Raises Refused: infeasible_denomination (ALL-CRE-2), and as ``check_terms`` does.
    """
    total_fen, share_count = request.total_fen, request.share_count
    lowest, highest = request.min_share_fen, request.max_share_fen
    if request.denomination is Denomination.FIXED:
        if total_fen % share_count:
            raise Refused(
                "infeasible_denomination",
                "must be a multiple of share_count in a fixed denomination",
                field="total_fen",
                rule=rulebook.rule("ALL-CRE-2"),
            )
        lowest = highest = total_fen // share_count
    terms = Terms(
        request.denomination,
        share_count,
        total_fen,
        rulebook.min_share_fen if lowest is None else lowest,
        min(rulebook.max_share_fen, total_fen) if highest is None else highest,
    )
    check_terms(terms, rulebook)
    return terms
