"""Sales: what is written down is read again, and what is cut off or malformed is refused."""

from pathlib import Path

import pytest

from client_sim.buyer import Deed, Habit
from loadtest.record.sales import AnswerRecord, SaleRecord, Sales, SalesFile, read_sales
from loadtest.record.shape import BadRecord, Line, evidence_of
from server.core.ids import CreatorId, OrderId, ViewerId
from server.core.orders.order import OrderState
from tests.loadtest.in_memory import sales_from

ANSWER = AnswerRecord(
    asset_id="anna.p0:1",
    viewer_id=ViewerId("v1"),
    habit=Habit.PAY,
    deed=Deed.PAY,
    name="pay",
    order_id=OrderId("anna.o1"),
    room_ms=5,
    code="",
    state="paid",
    payable_fen=900,
    kept_fen=900,
    asked_fen=None,
    shown=None,
    repeated=False,
)
SALE = SaleRecord(
    order_id=OrderId("anna.o1"),
    creator_id=CreatorId("anna"),
    viewer_id=ViewerId("v1"),
    merchant_id="shop",
    habit=Habit.PAY,
    state=OrderState.FINAL,
    paid_at_ms=5,
    payable_fen=900,
    kept_fen=900,
    packets=(("anna.p0:1", 100, "redeemed"),),
    timeline=3,
)


def lines_of(*records: tuple[str, AnswerRecord | SaleRecord]) -> list[Line]:
    """Return a whole file's lines."""
    answers = sum(kind == "answer" for kind, _ in records)
    lines = [evidence_of(kind, record) for kind, record in records]
    return [*lines, {"kind": "end", "answers": answers, "sales": len(records) - answers}]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every field comes back, and refusals are counted by what was wanted."""
    file = SalesFile(tmp_path / "orders.jsonl")
    refused = ANSWER._replace(code="expired", state=None)
    file.answer(ANSWER)
    file.answer(refused)
    file.sale(SALE)
    file.end()
    file.close()
    assert file.refusals == {"pay: expired": 1}
    assert read_sales(tmp_path / "orders.jsonl") == Sales([ANSWER, refused], [SALE])


def test_a_run_without_a_shop_has_none(tmp_path: Path) -> None:
    """A file that is not there is no fault."""
    assert read_sales(tmp_path / "orders.jsonl") == Sales()


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """The shop may have ended before everything was final: nothing is judged by that."""
    file = SalesFile(tmp_path / "orders.jsonl")
    file.answer(ANSWER)
    file.close()
    with pytest.raises(BadRecord, match="cut off"):
        read_sales(tmp_path / "orders.jsonl")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "offer"}, "no such kind"),
        ({"deed": "steal"}, "deed must be one of"),
        ({"payable_fen": "many"}, "payable_fen must be"),
    ],
)
def test_a_wrong_answer_is_told_by_its_field(change: Line, sentence: str) -> None:
    """Where it stands and what is wrong."""
    lines = lines_of(("answer", ANSWER))
    lines[0].update(change)
    with pytest.raises(BadRecord, match=sentence):
        sales_from(lines)


@pytest.mark.parametrize("packets", [[["anna.p0:1", "much", "redeemed"]], [["anna.p0:1", 5]]])
def test_packets_of_a_sale_are_whole(packets: list[list[object]]) -> None:
    """Each is an id, a sum and a state."""
    lines = lines_of(("sale", SALE))
    lines[0]["packets"] = packets
    with pytest.raises(BadRecord, match="packets must be lists of"):
        sales_from(lines)


def test_the_end_promises_what_stands_there() -> None:
    """A line that was lost is noticed, and one too many as well."""
    lines = lines_of(("answer", ANSWER), ("sale", SALE))
    with pytest.raises(BadRecord, match="promises 1 answers and 1 sales"):
        sales_from(lines[1:])
    with pytest.raises(BadRecord, match="after the end"):
        sales_from([*lines, lines[0]])
