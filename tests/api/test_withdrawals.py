"""Withdrawals over HTTP: asked for, paid or failed, once each, within what is available."""

import json
from typing import Any

import pytest

from server.core.money.money import FEN_MAX
from tests.api.caller import Caller

TO_MEI = {"payee": {"name": "Mei", "account": "13800138000"}}


def of_douyin(api: Caller, amount_fen: int = 1000) -> tuple[str, str]:
    """Return a creator of Douyin with so much money, and the path of its withdrawals."""
    creator_id = api.creator()
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": amount_fen, "platform": "douyin"})
    return creator_id, f"/api/creators/{creator_id}/withdrawals"


def balances(api: Caller, creator_id: str) -> tuple[int, int]:
    funds = api.get(f"/api/creators/{creator_id}/funds")
    return funds["available_fen"], funds["withdrawn_fen"]


@pytest.mark.rule("DY-ACC-7")
@pytest.mark.parametrize(("end", "after"), [("paid", (600, 400)), ("failed", (1000, 0))])
def test_a_withdrawal_is_pending_until_it_ends(api: Caller, end: str, after: tuple[int, int]) -> None:
    """The money is set aside at once, over Alipay and without a fee; paid it is gone, failed it is back."""
    creator_id, path = of_douyin(api)
    answer = api.ask("POST", path, raw=json.dumps({"amount_fen": 400, **TO_MEI}))
    asked: dict[str, Any] = answer.json()
    assert answer.status_code == 201
    assert (asked["state"], asked["channel"], asked["amount_fen"]) == ("pending", "alipay", 400)
    assert asked["payee"] == {"name": "Mei", "account": "138****000"}  # AMB-57
    assert asked["ended_at_ms"] is None
    assert balances(api, creator_id) == (600, 400)

    one = f"{path}/{asked['withdrawal_id']}"
    ended = api.post(f"{one}/{end}")

    assert ended["state"] == end
    assert ended["ended_at_ms"] >= asked["requested_at_ms"]
    assert [ended] == api.get(path)
    assert ended == api.get(one)
    assert balances(api, creator_id) == after
    with api.nothing_changes(creator_id):
        assert ended == api.post(f"{one}/{end}")
        other = {"paid": "failed", "failed": "paid"}[end]
        assert api.refused(f"{one}/{other}") == (409, "not_pending", "")


@pytest.mark.rule("DY-ACC-6")
@pytest.mark.rule("DY-ACC-7")
def test_more_than_is_available_is_refused(api: Caller) -> None:
    """Funds in a packet cannot be withdrawn, and the refusal names the rule."""
    creator_id, path = of_douyin(api, 1500)
    api.packet(creator_id, platform="douyin")
    with api.nothing_changes(creator_id):
        assert api.refused(path, {"amount_fen": 501, **TO_MEI}) == (409, "insufficient_funds", "DY-ACC-7")
    api.post(path, {"amount_fen": 500, **TO_MEI})
    assert balances(api, creator_id) == (0, 500)


def test_the_same_key_asks_once(api: Caller) -> None:
    """A retry gets the same withdrawal; another amount under that key is a conflict; no key, a new one."""
    creator_id, path = of_douyin(api)
    first = api.post(path, {"amount_fen": 300, **TO_MEI}, key="k1")
    with api.nothing_changes(creator_id):
        assert first == api.post(path, {"amount_fen": 300, **TO_MEI}, key="k1")
        assert api.refused(path, {"amount_fen": 301, **TO_MEI}, key="k1") == (409, "transfer_conflict", "")
    api.post(path, {"amount_fen": 300, **TO_MEI})
    assert len(api.get(path)) == 2


@pytest.mark.rule("DY-ACC-7")
def test_the_platform_says_how_money_goes_out(api: Caller) -> None:
    """Douyin over Alipay alone; Kuaishou has no withdrawal; the lab takes what it gets."""
    creator_id, path = of_douyin(api)
    with api.nothing_changes(creator_id):
        said = api.refused(path, {"amount_fen": 1, "channel": "bank", **TO_MEI})
        assert said == (422, "channel_not_offered", "DY-ACC-7")
        assert api.refused(path, {"amount_fen": 1}) == (422, "bad_field", "DY-ACC-7")  # AMB-57: no payee
    kuaishou, lab = api.creator(), api.creator(5)
    api.post(f"/api/creators/{kuaishou}/recharge", {"amount_fen": 5, "platform": "kuaishou", "channel": "bank"})
    said = api.refused(f"/api/creators/{kuaishou}/withdrawals", {"amount_fen": 1})
    assert said == (422, "withdraw_unsupported", "AMB-27")
    assert api.post(f"/api/creators/{lab}/withdrawals", {"amount_fen": 5, "channel": "card"})["channel"] == "card"


@pytest.mark.parametrize(
    "body",
    [{}, {"amount_fen": 0}, {"amount_fen": "1"}, {"amount_fen": FEN_MAX + 1}, {"amount_fen": 1, "channel": "A!"},
     {"amount_fen": 1, "to": "me"}, {"amount_fen": 1, "payee": {"name": "", "account": "a"}},
     {"amount_fen": 1, "product": "gold"}],
)  # fmt: skip
def test_a_wrong_request_moves_nothing(api: Caller, body: dict[str, object]) -> None:
    """Each slip is 422, and the funds stay as they are."""
    creator_id, path = of_douyin(api)
    with api.nothing_changes(creator_id):
        assert api.refused(path, body) == (422, "bad_field", "")


def test_an_unknown_withdrawal_is_404(api: Caller) -> None:
    """Nobody is paid what was never asked for, and no creator what another asked for."""
    _, path = of_douyin(api)
    stranger = api.creator(5)
    asked = api.post(path, {"amount_fen": 1, **TO_MEI})
    for one in (f"{path}/w1", f"/api/creators/{stranger}/withdrawals/{asked['withdrawal_id']}"):
        assert api.not_shown(one) == (404, "not_found", "")
        assert api.refused(f"{one}/paid") == (404, "not_found", "")
        assert api.refused(f"{one}/failed") == (404, "not_found", "")
    assert api.not_shown(f"{path}/a:b") == (422, "bad_id", "")


def test_withdrawals_are_paged(api: Caller) -> None:
    """Oldest first; a page that cannot be is refused."""
    _, path = of_douyin(api)
    made = [api.post(path, {"amount_fen": amount_fen, **TO_MEI}) for amount_fen in (1, 2, 3)]
    assert sorted(made, key=lambda each: (each["requested_at_ms"], each["withdrawal_id"])) == api.get(path)
    assert api.get(path)[1:2] == api.get(f"{path}?skip=1&count=1")
    for query in ("skip=-1", "count=0", "count=1001"):
        assert api.not_shown(f"{path}?{query}") == (422, "bad_field", "")
