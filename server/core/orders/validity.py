"""Use validity and product scope: when and for which goods a claimed share may be used, as its creator has set."""

from collections.abc import Sequence

from server.core.ids import checked_id
from server.core.money.money import FEN_MAX
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook

NEVER_MS = FEN_MAX
"""The room instant at which a share without an end of validity expires: the largest that the store can hold."""


def check_validity(
    *, use_start_at_ms: int | None, use_end_at_ms: int | None, use_for_ms: int | None, rulebook: Rulebook
) -> None:
    """
    Check a use validity: absolute or relative, not both, or none where the platform needs none (DY-CRE-3, AMB-5).

    Absolute is ``[use_start_at_ms, use_end_at_ms)`` in room ms, at once if it has no start; relative is ``use_for_ms``
    room ms from each claim on. Raises Refused with the field: ``unexpected_field``, ``missing_field`` (also AMB-47)
    or ``out_of_range``.
    """
    if use_for_ms is not None:
        for field, value in (("use_start_at_ms", use_start_at_ms), ("use_end_at_ms", use_end_at_ms)):
            if value is not None:
                raise Refused(
                    "unexpected_field", "does not go with use_for_ms", field=field, rule=rulebook.rule("DY-CRE-3")
                )
        if not 0 < use_for_ms <= rulebook.use_for_max_ms:
            wanted = f"must be from 1 to {rulebook.use_for_max_ms}"
            raise Refused("out_of_range", wanted, field="use_for_ms", rule=rulebook.rule("DY-CRE-3"))
    elif use_start_at_ms is not None:
        if use_end_at_ms is None:
            raise Refused(
                "missing_field", "use_start_at_ms needs it", field="use_end_at_ms", rule=rulebook.rule("DY-CRE-3")
            )
        if use_start_at_ms >= use_end_at_ms:
            wanted = f"must come before use_end_at_ms, {use_end_at_ms}"
            raise Refused("out_of_range", wanted, field="use_start_at_ms", rule=rulebook.rule("DY-CRE-3"))
    elif use_end_at_ms is None and rulebook.use_validity_required:
        raise Refused(
            "missing_field",
            f"{rulebook.platform} needs use_for_ms or use_end_at_ms",
            field="use_end_at_ms",
            rule=rulebook.rule(rulebook.validity_rule),
        )


def check_ends_later(use_end_at_ms: int | None, now_ms: int, rulebook: Rulebook) -> None:
    """Raise Refused ``out_of_range`` if a packet created at room time *now_ms* can no longer be used (AMB-47)."""
    if use_end_at_ms is not None and use_end_at_ms <= now_ms:
        raise validity_over(rulebook)


def validity_over(rulebook: Rulebook) -> Refused:
    """Return the refusal of a use validity that has ended already (AMB-47)."""
    return Refused(
        "out_of_range", "must come after now", field="use_end_at_ms", rule=rulebook.rule(rulebook.validity_rule)
    )


def checked_scope(product_ids: Sequence[str] | None, rulebook: Rulebook) -> tuple[str, ...] | None:
    """
    Return the goods on which a packet may be used, each once and in order, or None for all (KS-CRE-2).

    Raises Refused: ``out_of_range`` if there are none or too many, ``bad_id`` for an invalid id.
    """
    if product_ids is None:
        return None
    if not 0 < len(product_ids) <= rulebook.product_ids_max:
        wanted = f"must be 1 to {rulebook.product_ids_max} ids; leave it out for all goods"
        raise Refused("out_of_range", wanted, field="product_ids", rule=rulebook.rule("KS-CRE-2"))
    return tuple(sorted({checked_id("product_ids", product_id) for product_id in product_ids}))
