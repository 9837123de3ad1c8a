"""The shop floor against a real server: everybody who has won is served, and in the end nothing can move any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from client_sim.buyer import Deed, Habit
from loadtest.record.books import Books, read_books
from loadtest.record.history import History
from loadtest.record.sales import Sales, read_sales
from loadtest.run.shop_driver import ShopDriver
from loadtest.targets.requester import SetUpFailed
from loadtest.verdict.audit.orders import check_orders
from loadtest.verdict.audit.sales import check_sales
from loadtest.verdict.audit.violation import Findings
from loadtest.verdict.sometimes import counted
from tests.loadtest.live_shop import a_scenario, a_server, performed

ALL = dict.fromkeys((habit.value for habit in Habit), 1.0)
WANTED = (
    "order_paid",
    "order_cancelled",
    "refunded_fully",
    "refunded_in_part",
    "packet_expired",
    "platform_packet_used",
    "abandoned_order_cancelled",
    "trail_shown",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_server(tmp_path_factory.mktemp("server")) as address:
        yield address


def books_of(url: str, path: Path) -> Books:
    path.write_bytes(requests.get(f"{url}/api/books", params={"final": "true"}, timeout=30).content)
    return read_books(path)


def test_every_habit_has_its_way_and_all_comes_to_its_end(url: str, tmp_path: Path) -> None:
    """Whatever buyers do, with a creator's packets and the platform's, the journal moved what they were told."""
    scenario = a_scenario("anna", "platform", viewers=72, shop={"mix": ALL, "buyers_max": 36})
    # The platform's packet is valid for ever: on a busy machine a validity may be over before its winners are served.
    hers, the_platforms = scenario.packets
    packets = (hers, the_platforms.model_copy(update={"use_for_ms": None}))
    scenario = scenario.model_copy(update={"packets": packets})
    with performed(url, scenario) as director:
        floor = ShopDriver(url, scenario, director, tmp_path / "orders.jsonl")
        floor.run(lambda: False)
    sales, books = read_sales(tmp_path / "orders.jsonl"), books_of(url, tmp_path / "books.jsonl")
    assert all(counted(WANTED, books, History(), sales=sales).values())
    assert {sale.state for sale in sales.sales} == {"cancelled", "refunded", "final"}
    assert {answer.habit for answer in sales.answers} == set(Habit) - {Habit.EXPIRE}
    assert any(answer.repeated for answer in sales.answers)
    for packet_id, packet in books.packets.items():
        assert (packet.locked, packet.redeemed) == (0, 0)
        unused = packet.given - (packet.final or 0) - (packet.expired or 0)
        assert unused > 0 if packet_id.startswith("platform.") else unused == 0
    findings = Findings()
    check_sales(findings, sales, books)
    check_orders(findings, books)
    assert all(answer.asked for answer in sales.answers if answer.deed is Deed.ORDER)
    assert books.rulebooks.keys() >= {order.platform for order in books.orders.values() if order.purchase}
    assert findings.violations() == []
    assert "36 orders" not in floor.status
    assert floor.status.endswith("0 packets not used up")


def test_no_more_winners_come_than_are_wanted(url: str, tmp_path: Path) -> None:
    """However many have won, ``buyers_max`` of a packet are served; the others' packets expire."""
    scenario = a_scenario("bea", viewers=6, shop={"buyers_max": 2})
    with performed(url, scenario) as director:
        ShopDriver(url, scenario, director, tmp_path / "orders.jsonl").run(lambda: False)
    sales = read_sales(tmp_path / "orders.jsonl")
    assert len(sales.sales) == len({answer.viewer_id for answer in sales.answers}) == 2


def test_a_refusal_that_nobody_expected_ends_it(url: str, tmp_path: Path) -> None:
    """With what the server said; the file then counts as cut off."""
    scenario = a_scenario("cleo", viewers=1, shop={"products": [{"product_id": "a b", "price_fen": 900}]})
    with (
        performed(url, scenario) as director,
        pytest.raises(SetUpFailed, match=r"in the shop, v0 wanted to order: .*bad_id"),
    ):
        ShopDriver(url, scenario, director, tmp_path / "orders.jsonl").run(lambda: False)
    assert b'"end"' not in (tmp_path / "orders.jsonl").read_bytes()


def test_what_does_not_come_to_its_end_is_told(url: str, tmp_path: Path) -> None:
    """A scenario that leaves too little time is no pass, and the message names what is left."""
    scenario = a_scenario("dora", viewers=1, shop={"final_within_ms": 1})
    with performed(url, scenario) as director, pytest.raises(SetUpFailed, match=r"is final in time: dora\."):
        ShopDriver(url, scenario, director, tmp_path / "orders.jsonl").run(lambda: False)


def test_it_ends_when_it_is_told_to(url: str, tmp_path: Path) -> None:
    """Nothing is waited for any more, and nothing pretends to be whole."""
    scenario = a_scenario("emma", viewers=1)
    with performed(url, scenario) as director:
        ShopDriver(url, scenario, director, tmp_path / "orders.jsonl").run(lambda: True)
        assert (tmp_path / "orders.jsonl").read_bytes() == b""
        assert Sales() == Sales([], [])
        broken = tmp_path / "broken.jsonl"
        ShopDriver(url, scenario, director, broken, broken_off=lambda: True).run(lambda: True)
        assert broken.read_bytes(), "a run that ended early by its own thresholds is judged: the file is whole"
        assert read_sales(broken) == Sales()


def test_a_report_is_no_step_of_the_order(url: str, tmp_path: Path) -> None:
    """The merchant's reports are shown and change no order (LT-5)."""
    scenario = a_scenario("fay", viewers=2)
    with performed(url, scenario) as director:
        ShopDriver(url, scenario, director, tmp_path / "orders.jsonl").run(lambda: False)
    sales = read_sales(tmp_path / "orders.jsonl")
    reports = [answer for answer in sales.answers if answer.deed is Deed.REPORT]
    assert reports
    assert all(answer.shown and answer.state is None for answer in reports)
    assert all(sale.timeline > 1 for sale in sales.sales)


class StandingClock:
    """A programme whose room time stands still."""

    packet_ids: dict[int, str] = {}  # noqa: RUF012 - as the protocol has it

    def room_ms(self, _: float) -> int | None:
        return 1_000_000

    def instant_s(self, _: int) -> float | None:
        return 0.0


def test_a_packet_that_nobody_can_use_any_more_is_left_out(tmp_path: Path) -> None:
    """A shop that lags behind in a long programme asks only about shares that can still be used."""
    scenario = a_scenario("anna", viewers=2, shop={})
    lasts_ms = scenario.packets[0].use_for_ms
    assert lasts_ms is not None
    floor = ShopDriver("http://127.0.0.1:9", scenario, StandingClock(), tmp_path / "orders.jsonl")
    try:
        floor._closes_ms = {0: 1_000_000 - lasts_ms}
        assert not floor._expired(0)
        floor._closes_ms = {0: 1_000_000 - lasts_ms - 1}
        assert floor._expired(0)
    finally:
        floor._stopped.set()
        for clerk in floor._clerks:
            clerk.join()
        floor._file.close()
