"""Shares: each name has one owner, each index its place, each amount its bounds, by receipts and by books."""

import pytest

from tests.loadtest.foreign_run import Line, a_claim, a_grab, a_run_of


@pytest.mark.parametrize("name", [{"claim_id": "c1"}, {"index": 1}])
def test_one_share_of_two_viewers_is_shown(name: Line) -> None:
    """Both receipts, both viewers; in the books both claims."""
    (found,) = a_run_of(a_grab("v1", "granted", **name), a_grab("v2", "granted", 1_200, **name)).audit()
    assert found.invariant == "A8"
    assert found.detail.startswith("v1 and v2 both have")
    assert [record["viewer"] for record in found.evidence] == ["v1", "v2"]
    lost = [a_grab("v1", None), a_grab("v2", None)]
    (found,) = a_run_of(*lost, claims=[a_claim("v1", **name), a_claim("v2", **name)]).audit()
    assert [record["kind"] for record in found.evidence] == ["claim", "claim"]


@pytest.mark.parametrize(
    ("places", "clean"),
    [((0, 1, 2), True), ((1, 2, 3), True), ((0, 3), False), ((4,), False), ((-1,), False), ((2,), True)],
)
def test_indexes_lie_within_the_packet(places: tuple[int, ...], clean: bool) -> None:
    """Three shares are numbered from 0 or from 1, not both."""
    grabs = [a_grab(f"v{at}", "granted", index=at) for at in places]
    assert a_run_of(*grabs).broken() == (set() if clean else {"A8"})


@pytest.mark.parametrize(("amount_fen", "clean"), [(49, False), (50, True), (150, True), (151, False)])
def test_amounts_lie_within_what_was_declared(amount_fen: int, clean: bool) -> None:
    """Bounds are those of the declaration; without them only an amount below nothing is wrong."""
    grab = a_grab("v1", "granted", amount_fen=amount_fen)
    assert a_run_of(grab, min_share_fen=50, max_share_fen=150).broken() == (set() if clean else {"A8"})
    assert a_run_of(grab).audit() == []
    assert a_run_of(a_grab("v1", "granted", amount_fen=-amount_fen)).broken() == {"A8"}
