"""Coupon budgets over HTTP: the same pool and the same rules of money as a packet's (AMB-56)."""

import pytest

from tests.api.caller import Caller


@pytest.mark.rule("DY-ACC-3")
@pytest.mark.rule("DY-ACC-6")
def test_a_budget_is_funded_and_given_back_once(api: Caller) -> None:
    """The funds show both, a key asks once, and more than there is is refused by its rule."""
    creator_id = api.creator(1000)
    path = f"/api/creators/{creator_id}/coupon-budgets"
    budget = api.post(path, {"amount_fen": 300}, key="k")
    assert (budget["state"], budget["amount_fen"], budget["left_fen"]) == ("open", 300, 300)
    assert budget["returned_at_ms"] is None
    with api.nothing_changes(creator_id):
        assert budget == api.post(path, {"amount_fen": 300}, key="k")
        assert api.refused(path, {"amount_fen": 301}, key="k") == (409, "transfer_conflict", "")
        assert api.refused(path, {"amount_fen": 701}) == (409, "insufficient_funds", "DY-ACC-6")
        assert api.refused(path, {"amount_fen": 0}) == (422, "bad_field", "")
        assert api.refused(path, {}) == (422, "bad_field", "")
        assert api.refused(f"{path}/nobody/return") == (404, "not_found", "")
        assert api.not_shown(f"{path}/nobody") == (404, "not_found", "")
    api.packet(creator_id, total_fen=700)  # the rest of the one pool
    assert api.get(f"/api/creators/{creator_id}/funds")["spent_fen"] == 1000

    returned = api.post(f"{path}/{budget['budget_id']}/return")

    assert (returned["state"], returned["left_fen"]) == ("returned", 0)
    assert returned == api.post(f"{path}/{budget['budget_id']}/return") == api.get(f"{path}/{budget['budget_id']}")
    assert api.get(path) == [returned]
    funds = api.get(f"/api/creators/{creator_id}/funds")
    assert (funds["available_fen"], funds["returned_fen"]) == (300, 300)
    details = api.get(f"/api/creators/{creator_id}/fund-details")
    assert [(each["kind"], each["product"]) for each in details] == [
        *(("recharge", "red_packet"), ("coupon_fund", "creator_coupon")),
        *(("fund", "red_packet"), ("coupon_return", "creator_coupon")),
    ]
