"""Creators over HTTP: money comes in once, is shown as it is, and nonsense leaves it alone."""

import orjson
import pytest

from server.core.money.money import FEN_MAX
from tests.api.caller import Caller


@pytest.mark.rule("DY-ACC-8")
@pytest.mark.rule("KS-ACC-5")
def test_a_recharge_is_shown_in_funds_and_details(api: Caller) -> None:
    """Money that came in is available, and the details say over which channel."""
    creator_id = api.creator()
    shown = api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 500, "channel": "alipay"})

    balances = {"available_fen": 500, "recharged_fen": 500, "returned_fen": 0, "withdrawn_fen": 0, "spent_fen": 0}
    balances["reversing_fen"] = 0
    funds = {"creator_id": creator_id, "platform": "lab", **balances}
    assert funds == api.get(f"/api/creators/{creator_id}/funds")
    assert shown == {**funds, "paid_fen": 500, "credited_fen": 500, "fee_fen": 0}
    (movement,) = api.get(f"/api/creators/{creator_id}/fund-details")
    assert (movement["kind"], movement["debit"], movement["amount_fen"]) == ("recharge", "psp:alipay", 500)
    assert (movement["balance_fen"], movement["product"]) == (500, "red_packet")


@pytest.mark.rule("KS-ACC-2")
@pytest.mark.rule("KS-ACC-4")
@pytest.mark.parametrize(("channel", "fee_fen"), [("wechat", 100), ("bank", 0)])
def test_a_recharge_shows_what_was_paid_and_the_fee(api: Caller, channel: str, fee_fen: int) -> None:
    """The vector of section 3 over HTTP: 10,000 by WeChat is 10,100 paid, by bank 10,000."""
    creator_id = api.creator()
    body = {"amount_fen": 10_000, "platform": "kuaishou", "channel": channel}
    shown = api.post(f"/api/creators/{creator_id}/recharge", body)
    assert (shown["paid_fen"], shown["credited_fen"], shown["fee_fen"]) == (10_000 + fee_fen, 10_000, fee_fen)
    assert (shown["platform"], shown["available_fen"]) == ("kuaishou", 10_000)
    with api.nothing_changes(creator_id):  # AMB-57: it is chosen
        refusal = api.refused(f"/api/creators/{creator_id}/recharge", {"amount_fen": 10_000})
    assert refusal == (422, "bad_field", "KS-ACC-2")


@pytest.mark.rule("KS-ACC-3")
def test_the_fees_are_invoiced(api: Caller) -> None:
    """All fees since the beginning, by channel; a period before the first has none."""
    creator_id = api.creator()
    path = f"/api/creators/{creator_id}"
    for amount_fen, channel in ((10_000, "wechat"), (150, "wechat"), (70, "alipay"), (9_999, "bank")):
        body = {"amount_fen": amount_fen, "channel": channel, "platform": "kuaishou"}
        api.post(f"{path}/recharge", body)

    invoice = api.get(f"{path}/fee-invoice")

    assert (invoice["creator_id"], invoice["fee_fen"]) == (creator_id, 103)
    assert invoice["channels"] == [
        {"channel": "alipay", "recharges": 1, "credited_fen": 70, "fee_fen": 1},
        {"channel": "wechat", "recharges": 2, "credited_fen": 10_150, "fee_fen": 102},
    ]
    nothing = api.get(f"{path}/fee-invoice?from_ms=0&to_ms=1")
    assert (nothing["fee_fen"], nothing["channels"]) == (0, [])


@pytest.mark.parametrize("query", ["from_ms=-1", "to_ms=soon", f"to_ms={FEN_MAX + 1}", "from_ms=2&to_ms=1"])
def test_a_period_that_cannot_be_is_422(api: Caller, query: str) -> None:
    """Instants are whole and not before the beginning of time."""
    assert api.not_shown(f"/api/creators/{api.creator()}/fee-invoice?{query}") == (422, "bad_field", "")


def test_a_creator_stays_on_its_platform(api: Caller) -> None:
    """The first recharge settles it; what another platform offers is refused, and nothing moves."""
    creator_id = api.creator()
    path = f"/api/creators/{creator_id}/recharge"
    assert api.get(f"/api/creators/{creator_id}/funds")["platform"] is None
    api.post(path, {"amount_fen": 5, "platform": "douyin"})
    with api.nothing_changes(creator_id):
        assert api.refused(path, {"amount_fen": 5, "platform": "lab"}) == (422, "other_platform", "")
        assert api.refused(path, {"amount_fen": 5, "platform": "none"}) == (422, "bad_field", "")
        assert api.refused(path, {"amount_fen": 5, "channel": "wechat"}) == (422, "channel_not_offered", "AMB-27")


@pytest.mark.rule("DY-ACC-3")
def test_money_for_coupons_is_money_for_packets(api: Caller) -> None:
    """One pool: what came in on the coupons' page funds a packet."""
    creator_id = api.creator()
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1000, "product": "creator_coupon"})
    api.packet(creator_id)
    details = api.get(f"/api/creators/{creator_id}/fund-details")
    assert [(each["product"], each["balance_fen"]) for each in details] == [("creator_coupon", 1000), ("red_packet", 0)]


def test_a_creator_without_money_has_none(api: Caller) -> None:
    """A creator that never recharged has zeros, not an error."""
    creator_id = api.creator()
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 0
    assert api.get(f"/api/creators/{creator_id}/fund-details") == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "amount_fen"),
        ({"amount_fen": "100"}, "amount_fen"),
        ({"amount_fen": 1.5}, "amount_fen"),
        ({"amount_fen": True}, "amount_fen"),
        ({"amount_fen": None}, "amount_fen"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": -1}, "amount_fen"),
        ({"amount_fen": FEN_MAX + 1}, "amount_fen"),
        ({"amount_fen": 1, "channel": "Bank!"}, "channel"),
        ({"amount_fen": 1, "channel": "x" * 21}, "channel"),
        ({"amount_fen": 1, "note": "thanks"}, "note"),
        ({"amount_fen": 1, "product": "gold"}, "product"),
        ({"amount_fen": 1, "platform": 7}, "platform"),
        ([1], "body"),
        ("100", "body"),
        (None, "body"),
    ],
)
def test_a_wrong_recharge_is_named_and_moves_nothing(api: Caller, body: object, said: str) -> None:
    """Each slip is 422 with the field's name, and the funds stay as they are."""
    creator_id = api.creator(100)
    with api.nothing_changes(creator_id):
        answer = api.ask("POST", f"/api/creators/{creator_id}/recharge", raw=orjson.dumps(body))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_field")
    assert answer.json()["detail"].startswith(f"{said}: ")


@pytest.mark.parametrize("creator_id", ["a.b", "a%20b", "x" * 19, "%E7%BA%A2", "a%00b", "a:b"])
def test_a_bad_creator_id_is_refused_everywhere(api: Caller, creator_id: str) -> None:
    """An id that could not stand in a key is refused by each route."""
    refusal = (422, "bad_id", "")
    assert api.refused(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1}) == refusal
    assert api.not_shown(f"/api/creators/{creator_id}/funds") == refusal
    assert api.not_shown(f"/api/creators/{creator_id}/fund-details") == refusal
    assert api.not_shown(f"/api/creators/{creator_id}/fee-invoice") == refusal
    assert api.not_shown(f"/api/creators/{creator_id}/withdrawals") == refusal
    assert api.refused(f"/api/creators/{creator_id}/withdrawals", {"amount_fen": 1}) == refusal
    assert api.refused(f"/api/creators/{creator_id}/withdrawals/w/paid") == refusal


def test_more_money_than_can_be_counted_is_refused(api: Caller) -> None:
    """A balance stays exact: what would pass its limit is turned away, and the balance stands."""
    creator_id = api.creator(FEN_MAX)
    with api.nothing_changes(creator_id):
        assert api.refused(f"/api/creators/{creator_id}/recharge", {"amount_fen": 1}) == (409, "too_much", "")


def test_the_same_key_pays_in_once(api: Caller) -> None:
    """A retry with its key gets the first answer; another amount under that key is a conflict."""
    creator_id, path = api.creator(), "/api/creators/{}/recharge"
    path = path.format(creator_id)
    first = api.post(path, {"amount_fen": 70}, key="k1")
    api.post(path, {"amount_fen": 30}, key="k2")

    with api.nothing_changes(creator_id):
        assert api.post(path, {"amount_fen": 70}, key="k1") == first
        assert api.refused(path, {"amount_fen": 71}, key="k1") == (409, "transfer_conflict", "")
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 100


def test_without_a_key_every_request_counts(api: Caller) -> None:
    """Two requests without a key are two payments."""
    creator_id = api.creator(10)
    api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 10})
    assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 20


def test_details_are_paged(api: Caller) -> None:
    """A page begins behind the entry that is named, in either order."""
    creator_id = api.creator()
    for amount_fen in (1, 2, 3):
        api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": amount_fen})
    path = f"/api/creators/{creator_id}/fund-details"

    first, second = api.get(f"{path}?count=2")
    (third,) = api.get(f"{path}?after={second['entry_id']}")
    assert [each["amount_fen"] for each in (first, second, third)] == [1, 2, 3]

    newest = api.get(f"{path}?newest=true&count=2")
    (oldest,) = api.get(f"{path}?newest=true&after={newest[-1]['entry_id']}")
    assert [*newest, oldest] == [third, second, first]


@pytest.mark.parametrize(
    "query", ["after=first", "after=-", "after=(0", "after=1-2-3", "after=", "count=0", "count=1001", "count=all"]
)
def test_a_page_that_cannot_be_is_422(api: Caller, query: str) -> None:
    """An invalid entry id, and a page of size zero or too large, are refused before the store is asked."""
    assert api.not_shown(f"/api/creators/{api.creator()}/fund-details?{query}") == (422, "bad_field", "")
