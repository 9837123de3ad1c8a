"""Rulebooks: every limit of a platform as a named field. LAB has none that a load test could trip over."""

from dataclasses import dataclass

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Rulebook:
    """
    The limits of one platform, in fen and room milliseconds. ``None`` means that there is no such limit.

    The rule behind each field stands beside it.
    """

    platform: str
    name_length_max: int = 20  # ALL-CRE-1
    share_count_max: int = 100_000  # ALL-CRE-1
    min_share_fen: int = 1  # ALL-CRE-1
    max_share_fen: int = 20_000  # ALL-CRE-1
    claim_window_ms: int = 10 * _MINUTE_MS  # ALL-CRE-1, AMB-8
    relative_lead_min_ms: int = 2 * _MINUTE_MS  # DY-LAU-3
    relative_lead_max_ms: int = 15 * _MINUTE_MS  # DY-LAU-3
    exact_lead_max_ms: int = 7 * _DAY_MS  # DY-LAU-4
    popup_min_gap_ms: int = 0  # design.md, section 5
    void_lead_ms: int | None = 2 * _MINUTE_MS  # DY-VOI-2; None: until the claim window closes


LAB = Rulebook(
    platform="lab",
    share_count_max=1_000_000,
    max_share_fen=10**9,
    relative_lead_min_ms=0,
    relative_lead_max_ms=7 * _DAY_MS,
    void_lead_ms=None,
)

RULEBOOKS = {LAB.platform: LAB}
