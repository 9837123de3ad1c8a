"""Invoices over HTTP: requested by the creator, issued by an administrator (AMB-57)."""

import json
import secrets

import pytest

from server.core.credential import Role
from tests.api.caller import Caller
from tests.api.conftest import Guarded
from tests.waiting import until


@pytest.mark.rule("KS-ACC-3")
def test_an_invoice_is_requested_by_the_creator_and_issued_by_the_platform(guarded: Guarded) -> None:
    """The creator cannot issue it; periods do not overlap; numbers count from one."""
    creator_id = secrets.token_hex(6)
    path = f"/api/creators/{creator_id}/invoices"
    with guarded.calls(Role.ADMIN, "root") as admin, guarded.calls(Role.CREATOR, creator_id) as creator:
        recharge = {"amount_fen": 10_000, "platform": "kuaishou", "channel": "alipay"}
        creator.post(f"/api/creators/{creator_id}/recharge", recharge)
        (paid,) = admin.get(f"/api/creators/{creator_id}/fund-details")
        period = {"from_ms": paid["at_ms"], "to_ms": paid["at_ms"] + 1}
        until(lambda: bool(creator.ask("POST", path, raw=json.dumps(period), key="k").ok))  # once it is over
        asked = creator.post(path, period, key="k")
        assert (asked["number"], asked["state"], asked["fee_fen"], asked["issued_at_ms"]) == (1, "requested", 100, None)
        assert asked["channels"] == [{"channel": "alipay", "recharges": 1, "credited_fen": 10_000, "fee_fen": 100}]
        assert asked == creator.post(path, period, key="k")
        assert creator.refused(path, period) == (409, "invoice_overlaps", "KS-ACC-3")
        assert creator.refused(f"{path}/1/issue") == (403, "not_allowed", "")
        issued = admin.post(f"{path}/1/issue")
        assert issued["state"] == "issued"
        assert [issued] == creator.get(path)
        assert issued == creator.get(f"{path}/1") == admin.post(f"{path}/1/issue")
        assert creator.not_shown(f"{path}/2") == (404, "not_found", "")


@pytest.mark.rule("KS-ACC-3")
def test_a_period_without_fees_or_sense_is_refused(api: Caller) -> None:
    """Each refusal names the field, and nothing is recorded."""
    creator_id = api.creator(1000)
    path = f"/api/creators/{creator_id}/invoices"
    assert api.refused(path, {"from_ms": 0, "to_ms": 1}) == (409, "no_fees", "KS-ACC-3")
    assert api.refused(path, {"from_ms": 5, "to_ms": 5}) == (422, "bad_field", "")
    assert api.refused(path, {"from_ms": 0, "to_ms": 2**52}) == (422, "bad_field", "")
    assert api.refused(path, {"from_ms": 0}) == (422, "bad_field", "")
    assert api.get(path) == []
