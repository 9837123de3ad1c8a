"""Rulebooks: found by the name of their platform, and LAB in nobody's way."""

from server.core.rulebook import LAB, RULEBOOKS, Rulebook


def test_a_rulebook_is_found_by_its_platform() -> None:
    """The name a packet carries is the name under which its limits stand."""
    assert RULEBOOKS
    for platform, rulebook in RULEBOOKS.items():
        assert rulebook.platform == platform


def test_the_sources_numbers_are_the_defaults() -> None:
    """Leads of 2 to 15 minutes, 7 days ahead, and no void from 2 minutes before the warm-up (DY-LAU, DY-VOI)."""
    sources = Rulebook(platform="any")
    assert (sources.relative_lead_min_ms, sources.relative_lead_max_ms) == (120_000, 900_000)
    assert sources.exact_lead_max_ms == 604_800_000
    assert sources.void_lead_ms == 120_000


def test_a_load_test_trips_over_no_limit_of_lab() -> None:
    """A million shares, an opening at once, popups without a gap, and a void until the end."""
    assert LAB.share_count_max == 1_000_000
    assert LAB.relative_lead_min_ms == 0
    assert LAB.popup_min_gap_ms == 0
    assert LAB.void_lead_ms is None
