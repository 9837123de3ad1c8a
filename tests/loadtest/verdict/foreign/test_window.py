"""Real time: a grant before the opening, after the closing, or after the end was told, by the audience's own clock."""

from tests.loadtest.foreign_run import a_grab, a_run_of


def test_a_grant_before_the_opening_is_shown() -> None:
    """Its answer was there before the window opened; one that came after may have been decided in time."""
    (found,) = a_run_of(a_grab("v1", "granted", 990, 999.9)).audit()
    assert (found.invariant, found.evidence[0]["viewer"]) == ("A7", "v1")
    assert a_run_of(a_grab("v1", "granted", 990, 1_000)).audit() == []
    assert a_run_of(a_grab("v1", "granted", 990, 999), opens_ns=None).audit() == []


def test_a_grant_after_the_closing_is_shown() -> None:
    """Its tap was sent after the window closed; a retry of one that was sent before may be told what that won."""
    late = a_grab("v1", "granted", 2_001)
    assert a_run_of(late).broken() == {"A7"}
    assert a_run_of(late, closes_ns=None).audit() == []
    assert a_run_of(a_grab("v1", "granted", 1_999, 2_040)).audit() == []
    assert a_run_of(a_grab("v1", None, 1_990), late).audit() == []
    assert a_run_of(a_grab("v1", None, 2_000.5), late).broken() == {"A7"}
    assert a_run_of(a_grab("v1", "granted", 1_500), a_grab("v1", "repeated", 2_500, request_id="r2")).audit() == []


def test_a_grant_after_the_end_was_told_is_shown() -> None:
    """Nobody may win by a tap that was sent after somebody had heard that nothing is left."""
    told = a_grab("v9", "exhausted", 1_100, 1_105)
    after = a_grab("v1", "granted", 1_106)
    (found,) = a_run_of(told, after, share_count=1).audit()
    assert found.invariant == "A7"
    assert [record["viewer"] for record in found.evidence] == ["v9", "v1"]
    assert a_run_of(told, a_grab("v1", "granted", 1_104), share_count=1).audit() == []


def test_a_lost_tap_may_have_won_before() -> None:
    """A late grant or a repeat may come from an unanswered earlier tap, so neither is a violation."""
    told = a_grab("v9", "exhausted", 1_100, 1_105)
    lost = a_grab("v1", None, 1_050)
    assert a_run_of(told, lost, a_grab("v1", "granted", 1_110), share_count=1).audit() == []
    assert a_run_of(told, a_grab("v1", "repeated", 1_110), share_count=1).audit() == []
