"""A clerk against a real server: one act after the other, each in its time, and refusals that are no wonder."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import requests

from client_sim.buyer import Act, BasketLine, Deed, Errand, Habit, Won
from loadtest.record.sales import AnswerRecord, SalesFile, read_sales
from loadtest.run.buyer_worker import BuyerWorker
from loadtest.run.director import Director
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.requester import SetUpFailed
from server.core.ids import CreatorId, OrderId, RoomId, ViewerId
from tests.loadtest.live_shop import MINUTE, a_scenario, a_server, performed
from tests.waiting import until

BASKET = (BasketLine("1", "tea", 1_000, 2), BasketLine("2", "pin", 40, 1))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_server(tmp_path_factory.mktemp("server")) as address:
        yield address


@dataclass
class Desk:
    """A clerk with its file, and the packet of each viewer."""

    clerk: BuyerWorker
    director: Director
    file: SalesFile
    path: Path
    stopped: threading.Event
    won: list[Won]
    orders: dict[OrderId, Errand] = field(default_factory=dict)

    def now_ms(self) -> int:
        now_ms = self.director.room_ms(time.monotonic())
        assert now_ms is not None
        return now_ms

    def serve(self, number: int, habit: Habit, *acts: Act) -> None:
        self.clerk.serve(Errand(self.won[number], habit, BASKET, acts), Random(1))

    def answers(self) -> list[AnswerRecord]:
        """Wait until all is done and return what the buyers were told."""

        def done() -> bool:
            self.clerk.check()
            return self.clerk.idle

        until(done)
        self.file.end()
        self.file.close()
        return read_sales(self.path).answers


@pytest.fixture
def desks(url: str, tmp_path: Path) -> Iterator["Desks"]:
    made = Desks(url, tmp_path)
    yield made
    for desk in made.made:
        desk.stopped.set()
        desk.clerk.join()


@dataclass
class Desks:
    """Makes desks for scenarios; each creator is used once."""

    url: str
    path: Path
    made: list[Desk] = field(default_factory=list)

    def open(self, creator: str, director: Director, scenario: Scenario) -> Desk:
        assert scenario.shop is not None
        orders: dict[OrderId, Errand] = {}
        stopped, path = threading.Event(), self.path / "orders.jsonl"
        requests.post(f"{self.url}/api/isvs/erp", json={"integrated": True}, timeout=30).raise_for_status()
        file = SalesFile(path)
        clerk = BuyerWorker(
            self.url, scenario.shop, director, run="r", file=file, orders=orders.__setitem__, stopped=stopped
        )
        won = [_won(self.url, creator, seat.viewer_id, scenario.packets[0].platform) for seat in scenario.seats()]
        self.made.append(Desk(clerk, director, file, path, stopped, won, orders))
        return self.made[-1]


def _won(url: str, creator: str, viewer: str, platform: str) -> Won:
    answer = requests.get(f"{url}/api/viewers/{viewer}/assets", params={"creator_id": creator}, timeout=30)
    (asset,) = [each for each in answer.json() if each["creator_id"] == creator]
    return Won(ViewerId(viewer), asset["asset_id"], CreatorId(creator), RoomId(f"{creator}-live"), platform)


def told(answers: list[AnswerRecord]) -> list[tuple[Deed, str | None, str, bool]]:
    return [(answer.deed, answer.state, answer.code, answer.repeated) for answer in answers]


def test_acts_are_done_in_their_time_and_twice_where_they_are_repeated(url: str, desks: "Desks") -> None:
    """An order is paid and refunded, and what is sent again is answered as the first time."""
    scenario = a_scenario("anna", viewers=1)
    with performed(url, scenario) as director:
        desk = desks.open("anna", director, scenario)
        now_ms = desk.now_ms()
        desk.serve(
            0,
            Habit.REFUND_FULLY,
            Act(now_ms, Deed.ORDER, "order", repeated=True),
            Act(now_ms + MINUTE, Deed.PAY, "pay", repeated=True),
            Act(now_ms + 2 * MINUTE, Deed.REFUND, "refund-500", 500, repeated=True),
            Act(now_ms + 3 * MINUTE, Deed.REFUND, "refund-1000", 1000, extras=True),
        )
        answers = desk.answers()
    order, pay, refund = Deed.ORDER, Deed.PAY, Deed.REFUND
    unpaid = "submitted_unpaid"
    assert told(answers) == [
        (order, unpaid, "", False), (order, unpaid, "", True), (pay, "paid", "", False), (pay, "paid", "", True),
        (refund, "paid", "", False), (refund, "paid", "", True), (refund, "refunded", "", False),
    ]  # fmt: skip
    assert [answer.room_ms >= now_ms + at * MINUTE for answer, at in zip(answers[::2], range(4), strict=True)]
    assert [answer.kept_fen for answer in answers[2:4]] == [answers[0].payable_fen] * 2
    assert answers[-1].kept_fen == 0
    assert len(desk.orders) == 1


def test_who_pays_too_late_cancels(url: str, desks: "Desks") -> None:
    """The packet has expired meanwhile: that is expected, counted, and the order is cancelled (DY-USE-7)."""
    use_for_ms = 40 * MINUTE  # four seconds, in which the order is made; it may be paid for much longer
    scenario = a_scenario("bea", viewers=1, use_for_ms=use_for_ms, platform="patient")
    with performed(url, scenario) as director:
        desk = desks.open("bea", director, scenario)
        now_ms = desk.now_ms()
        late_ms = now_ms + use_for_ms
        asks = [Act(now_ms, Deed.ORDER, "order"), Act(late_ms, Deed.PAY, "pay"), Act(late_ms, Deed.REFUND, "r", 1000)]
        desk.serve(0, Habit.REFUND_FULLY, *asks)
        answers = desk.answers()
    assert told(answers)[1:] == [(Deed.PAY, None, "expired", False), (Deed.CANCEL, "cancelled", "", False)]
    assert desk.file.refusals == {"pay: expired": 1}


def test_a_refund_of_next_to_nothing_is_left_out(url: str, desks: "Desks") -> None:
    """Where no part can be asked for, nothing is, and the errand goes on."""
    scenario = a_scenario("cleo", viewers=1, total_fen=5_000)
    with performed(url, scenario) as director:
        desk = desks.open("cleo", director, scenario)
        now_ms = desk.now_ms()
        acts = [Act(now_ms, Deed.ORDER, "order"), Act(now_ms, Deed.PAY, "pay")]
        acts += [Act(now_ms, Deed.REFUND, "refund-10", 10), Act(now_ms, Deed.REFUND, "refund-1000", 1000)]
        desk.serve(0, Habit.REFUND_FULLY, *acts)
        answers = desk.answers()
    assert [answer.name for answer in answers] == ["order", "pay", "refund-1000"]
    assert (answers[0].payable_fen, answers[-1].state, answers[-1].kept_fen) == (320, "refunded", 320)


def test_what_nobody_expects_ends_its_work(url: str, desks: "Desks") -> None:
    """To cancel what is paid is refused, and no buyer plans it; the clerk says who wanted it."""
    scenario = a_scenario("dora", viewers=1)
    with performed(url, scenario) as director:
        desk = desks.open("dora", director, scenario)
        now_ms = desk.now_ms()
        acts = [Act(now_ms, deed, deed.value) for deed in (Deed.ORDER, Deed.PAY, Deed.CANCEL)]
        desk.serve(0, Habit.CANCEL, *acts)
        with pytest.raises(SetUpFailed, match=r"in the shop, v0 wanted to cancel: .*not_cancellable"):
            desk.answers()
    desk.file.close()
