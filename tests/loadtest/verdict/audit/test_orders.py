"""The audit of orders: a sound one passes, and every fen that goes astray is found."""

from typing import Any

import pytest

from tests.loadtest.written_run import Line, WrittenRun, a_run

ORDER = "c1.order"
PRICE_FEN, REDUCED_FEN, SHIPPING_FEN, CREDIT_FEN = 10_000, 1_000, 600, 50


def a_run_with_an_order(state: str = "final") -> WrittenRun:
    """Write down a run in which the first winner orders with its share, pays, and the order is over or not yet."""
    run = a_run(share_count=40)
    share = run.of("claim", packet_id="c1.p0")[0]
    face_fen = share["amount_fen"]
    goods_fen = PRICE_FEN - REDUCED_FEN - face_fen - CREDIT_FEN
    base_fen = PRICE_FEN - REDUCED_FEN - CREDIT_FEN
    payable_fen = goods_fen + SHIPPING_FEN
    commission_fen, fee_fen = (base_fen * 2_000 + 5_000) // 10_000, (base_fen * 500 + 5_000) // 10_000
    line: Line = {
        "kind": "order", "order_id": ORDER, "creator_id": "c1", "viewer_id": share["viewer_id"],
        "merchant_id": "shop", "platform": "douyin", "state": state, "created_at_ms": 1, "paid_at_ms": 2,
        "payable_fen": payable_fen, "goods_paid_fen": goods_fen, "shipping_fen": SHIPPING_FEN,
        "refunded_goods_fen": 0, "refunded_extras_fen": 0, "commission_rate": 2_000, "service_fee_rate": 500,
        "subsidies": {"creator": 0, "platform": 0, "unstated": CREDIT_FEN}, "packets_used_fen": face_fen,
        "packets": [[f"c1.p0:{share['index']}", face_fen, face_fen, "redeemed"]],
    }  # fmt: skip
    steps: list[tuple[str, list[list[str | int]]]] = [
        ("submit", [["assets:c1.p0", "locked:c1.p0", face_fen]]),
        (
            "pay",
            [
                [f"buyer:{share['viewer_id']}", f"clearing:{ORDER}", payable_fen],
                ["locked:c1.p0", "redeemed:c1.p0", face_fen],
            ],
        ),
    ]
    packet, counter = run.of("packet", packet_id="c1.p0")[0], "redeemed"
    if state == "final":
        counter = "final"
        finish: list[list[str | int]] = [
            [f"clearing:{ORDER}", "merchant:shop", payable_fen],
            ["redeemed:c1.p0", "merchant:shop", face_fen],
            ["subsidy:unstated", "merchant:shop", CREDIT_FEN],
            ["merchant:shop", "commission:c1", commission_fen],
            ["merchant:shop", "service:platform", fee_fen],
        ]
        steps.append(("finish", finish))
    packet |= {counter: 1, f"{counter}_fen": face_fen}
    last = run.of("journal")[-1]
    at = run.books.index(last) + 1
    bare = {**last, "packet_id": "", "debit": "", "credit": "", "order_id": ORDER, "balance_fen": None}
    for number, (movement, postings) in enumerate(steps):
        sum_fen = sum(int(posting[2]) for posting in postings)
        names = {"entry_id": f"{3000 + number}-0", "movement": movement, "transfer_id": f"{movement}:1"}
        run.books.insert(at + number, {**bare, **names, "postings": postings, "amount_fen": sum_fen})
    run.of("creator")[0]["journal_last_id"] = f"{3000 + len(steps) - 1}-0"
    run.books.insert(len(run.books) - 1, line)
    return run


@pytest.mark.rule("DY-SET-1")
@pytest.mark.parametrize("state", ["final", "paid"])
def test_a_sound_order_is_explained(state: str) -> None:
    """A correct order passes in every state, final or not."""
    assert a_run_with_an_order(state).audit() == []


@pytest.mark.rule("DY-REV-9")
def test_shipping_that_came_back_after_the_goods_is_explained() -> None:
    """With the last goods it went to the merchant, and back from there (AMB-48); what does not come back is found."""
    run = a_run_with_an_order("paid")
    order, [submit, pay] = run.of("order")[0], [each for each in run.of("journal") if each.get("order_id")]
    asset_id, face_fen, used_fen, _ = order["packets"][0]
    goods_fen, clearing = order["goods_paid_fen"], f"clearing:{ORDER}"
    buyer = pay["postings"][0][0]
    refunds: list[list[list[str | int]]] = [
        [
            [clearing, buyer, goods_fen],
            [clearing, "merchant:shop", SHIPPING_FEN],
            ["redeemed:c1.p0", "assets:c1.p0", face_fen],
        ],
        [["merchant:shop", clearing, SHIPPING_FEN], [clearing, buyer, SHIPPING_FEN]],
    ]
    at = run.books.index(pay) + 1
    for number, postings in enumerate(refunds):
        sum_fen = sum(int(posting[2]) for posting in postings)
        names = {"entry_id": f"{3002 + number}-0", "movement": "refund", "transfer_id": f"refund:{number}"}
        run.books.insert(at + number, {**submit, **names, "postings": postings, "amount_fen": sum_fen})
    run.of("creator")[0]["journal_last_id"] = "3003-0"
    run.of("packet", packet_id="c1.p0")[0].update(redeemed=0, redeemed_fen=0)
    order |= {"state": "refunded", "refunded_goods_fen": goods_fen, "refunded_extras_fen": SHIPPING_FEN}
    order["packets"] = [[asset_id, face_fen, used_fen, "available"]]
    assert run.audit() == []

    order["refunded_extras_fen"] = 0
    assert any("the buyer's money to the merchant should come to 600" in found.detail for found in run.audit())


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("payable_fen", 1, "the buyer's payment should come to 1 fen"),
        ("refunded_goods_fen", 7, "what was refunded should come to 7 fen"),
        ("state", "paid", "the buyer's money to the merchant should come to 0 fen"),
        ("state", "cancelled", "the buyer's money to the merchant should come to 0 fen"),
        ("subsidies", {"creator": 1}, "subsidies should come to 1 fen"),
        ("commission_rate", 2_001, "the commission should come to"),
        ("service_fee_rate", 400, "the service fee should come to"),
        ("packets", [], "the faces locked should come to 0 fen"),
        ("packets", [["c1.p0:0", 10, 10, "available"]], "what viewers got back should come to 10 fen"),
        ("packets", [["c1.p0:0", 10, 10, "expired_returned"]], "what goes back to funders should come to 10 fen"),
    ],
)
def test_an_order_that_was_not_carried_out_as_agreed_is_a10(field: str, value: Any, said: str) -> None:
    """Each figure of the order's line is held against what was moved."""
    run = a_run_with_an_order()
    run.of("order")[0][field] = value
    found = run.audit()
    assert {violation.invariant for violation in found} == {"A10"}
    assert any(said in violation.detail for violation in found), found


def test_an_order_that_nobody_knows_is_a10() -> None:
    """Steps of an order that the books do not list; but packets that were held for nothing and let go are no fault."""
    run = a_run_with_an_order()
    run.drop(run.of("order")[0])
    assert any("which the books do not know" in found.detail for found in run.audit())

    run = a_run_with_an_order("paid")
    run.drop(run.of("order")[0])
    steps = run.of("journal", order_id=ORDER) if all("order_id" in line for line in run.of("journal")) else []
    steps = steps or [line for line in run.of("journal") if line.get("order_id")]
    submit, pay = steps
    submit["movement"] = "hold"
    back = [["locked:c1.p0", "assets:c1.p0", submit["amount_fen"]]]
    pay |= {"movement": "follow", "postings": back, "amount_fen": submit["amount_fen"]}
    run.of("packet", packet_id="c1.p0")[0].update(redeemed=0, redeemed_fen=0)
    assert run.audit() == []
