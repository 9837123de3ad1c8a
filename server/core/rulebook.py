"""
Rulebooks: every limit of a platform as a named field. LAB has none that a load test could trip over.

Beside each field stands the rule it comes from. Where the sources are silent the value is ours and marked (A): a
customary one that anybody may override with ``dataclasses.replace``.
"""

from dataclasses import dataclass
from enum import StrEnum

from server.core.blackout import NO_BLACKOUTS, PROMOTION_818, BlackoutCalendar, BlackoutMode, Enforcement
from server.core.packet import Schedule

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


class LaunchMode(StrEnum):
    """How a creator says when: so long from now, at an instant with a warm-up, by hand, or at an instant without."""

    RELATIVE = "relative"  # DY-LAU-3
    EXACT = "exact"  # DY-LAU-4
    MANUAL = "manual"  # KS-LAU-1
    SCHEDULED = "scheduled"  # KS-LAU-1


class ImmediateWarmup(StrEnum):
    """What is measured where an exact launch so near warms up at once (AMB-7): the warm-up or the opening."""

    WARMUP = "warmup"
    GRAB = "grab"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """
    The limits of one platform, in fen and room milliseconds. ``None`` means that there is no such limit.

    The defaults are Douyin's. ``profile`` says which text of the platform's rules they are from (AMB-31).
    """

    platform: str
    profile: str = ""

    # Creation
    name_length_max: int = 20  # ALL-CRE-1 (A)
    share_count_max: int = 100_000  # ALL-CRE-1 (A)
    min_share_fen: int = 1  # ALL-CRE-1 (A)
    max_share_fen: int = 20_000  # ALL-CRE-1 (A)
    claim_window_ms: int = 10 * _MINUTE_MS  # ALL-CRE-1, AMB-8 (A): unless the creator chooses another
    claim_window_max_ms: int = 7 * _DAY_MS  # ALL-CRE-1 (A): escrow is locked for as long; no show lasts longer

    # Launch
    launch_modes: frozenset[LaunchMode] = frozenset({LaunchMode.RELATIVE, LaunchMode.EXACT})
    launch_modes_rule: str = "DY-LAU-3"  # the rule that a mode not offered breaks
    relative_lead_min_ms: int = 2 * _MINUTE_MS  # DY-LAU-3, inclusive
    relative_lead_max_ms: int = 15 * _MINUTE_MS  # DY-LAU-3, inclusive
    exact_lead_max_ms: int = 7 * _DAY_MS  # DY-LAU-4, inclusive
    exact_grab_step_ms: int = 1_000  # DY-LAU-4: whole seconds
    exact_lead_min_ms: int = 2 * _MINUTE_MS  # DY-LAU-5
    exact_lead_strict: bool = True  # DY-LAU-5, AMB-6: later than the lead, not just as late
    immediate_warmup_ms: int | None = 5 * _MINUTE_MS  # DY-LAU-6, inclusive
    immediate_warmup_of: ImmediateWarmup = ImmediateWarmup.WARMUP  # AMB-7
    scheduled_lead_max_ms: int = 366 * _DAY_MS  # KS-LAU-2 (A): escrow waits for as long; the source has no limit
    overlap_max: int | None = 2  # DY-LAU-9: packets of one creator at the same time
    popup_min_gap_ms: int = 0  # KS-CLM-1; design.md, section 5 (A)

    # Blackout
    blackouts: BlackoutCalendar = NO_BLACKOUTS  # DY-BLK-1, DY-BLK-2
    blackout_mode: BlackoutMode = BlackoutMode.WARMUP_START  # AMB-10
    blackout_enforcement: Enforcement = Enforcement.REJECT  # AMB-10

    # Void
    void_lead_ms: int | None = 2 * _MINUTE_MS  # DY-VOI-2; None: until the claim window closes

    # Edit and end
    issuance_editable: bool = False  # KS-EDT-1: stated for Kuaishou alone
    allow_decrease: bool = True  # AMB-12
    endable: bool = False  # KS-END-1: stated for Kuaishou alone

    def voidable_until_ms(self, schedule: Schedule) -> int:
        """Return the room instant from which a packet of this schedule can no longer be voided (DY-VOI-2, AMB-11)."""
        if self.void_lead_ms is None:
            return schedule.claim_end_at_ms
        return schedule.warmup_at_ms - self.void_lead_ms


DOUYIN = Rulebook(platform="douyin", profile="douyin-undated-818", blackouts=PROMOTION_818)

KUAISHOU = Rulebook(
    platform="kuaishou",
    profile="kuaishou-2023-06",
    launch_modes=frozenset({LaunchMode.MANUAL, LaunchMode.SCHEDULED}),
    launch_modes_rule="KS-LAU-1",
    overlap_max=None,  # KS-LAU-2: no such limit is stated
    popup_min_gap_ms=_MINUTE_MS,
    # The source knows no void, only the end of an activity (KS-END-1). As the reversal of a void holds here by
    # analogy (ALL-REV-1), so does its limit; warm-up and opening are one instant (KS-LAU-2).
    void_lead_ms=2 * _MINUTE_MS,
    issuance_editable=True,
    endable=True,
)

LAB = Rulebook(
    platform="lab",
    profile="lab",
    share_count_max=1_000_000,
    max_share_fen=10**9,
    launch_modes=frozenset(LaunchMode),
    relative_lead_min_ms=0,
    relative_lead_max_ms=7 * _DAY_MS,
    exact_grab_step_ms=1,
    exact_lead_min_ms=0,
    immediate_warmup_ms=None,
    overlap_max=None,
    void_lead_ms=None,
    issuance_editable=True,
    endable=True,
)

RULEBOOKS = {rulebook.platform: rulebook for rulebook in (DOUYIN, KUAISHOU, LAB)}
