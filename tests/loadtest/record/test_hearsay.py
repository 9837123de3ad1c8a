"""Hearsay is read back as it was written, and a broken server's message breaks no file."""

from io import BytesIO

import orjson
import pytest

from client_sim.message_cache import CachedMessage
from client_sim.observations import End, Fact, Greeting, Heard, Hushed, SentComment
from loadtest.record.hearsay import LuckRecord, ShownRecord
from loadtest.record.history_writer import HistoryWriter
from server.core.ids import PacketId, RoomId, ViewerId
from server.core.rooms import messages
from tests.loadtest.in_memory import history_from

ROOM = RoomId("r1")


def _read_back(*observed: Heard | Greeting | SentComment | Hushed | Fact) -> "list[list[object]]":
    file = BytesIO()
    HistoryWriter(file).write([*observed, End(0, 0)])
    history = history_from([orjson.loads(line) for line in file.getvalue().splitlines()])
    return [[*each] for each in (history.heard, history.welcomes, history.comments, history.hushed, history.facts)]


def _heard(payload: bytes) -> Heard:
    return Heard(ROOM, CachedMessage(payload), ViewerId("v0"), 1, 2, 3, ViewerId("v1"))


def test_everything_heard_and_said_is_read_back() -> None:
    """Each kind with its own fields."""
    said = messages.comments([(ViewerId("v2"), "hello")])
    shown = (PacketId("c1.p0"), "grabbing", 4, False)
    heard, welcomes, comments, hushed, _ = _read_back(
        _heard(said),
        Greeting(ROOM, "e1", 3, (shown,), 1, 2, 3),
        SentComment("0.0", ViewerId("v2"), ROOM, 5, "hello"),
        Hushed("0.0", 6),
    )
    assert [each.comments for each in heard] == [(("v2", "hello"),)]  # type: ignore[attr-defined]
    assert [each.packets for each in welcomes] == [(ShownRecord(*shown),)]  # type: ignore[attr-defined]
    assert [len(each) for each in (comments, hushed)] == [1, 1]


@pytest.mark.parametrize(
    ("best", "read"), [([{"viewer_id": "v1", "amount_fen": 9, "index": 0}], 1), ([{"viewer_id": 1}], 0), (None, 0)]
)
def test_a_result_is_read_back_as_far_as_it_is_one(best: object, read: int) -> None:
    """Names, amounts and places; what is none of that is left out."""
    body = {"type": "result", "seq": 4, "server_ms": 1, "packet_id": "c1.p0", "granted_count": "1", "best_luck": best}
    *_, facts = _read_back(Fact(ROOM, "e1", CachedMessage(orjson.dumps(body)), 1, 2, 3))
    (result,) = (fact.result for fact in facts)  # type: ignore[attr-defined]
    assert result.granted_count is None
    assert [type(each) for each in result.best_luck] == [LuckRecord] * read


@pytest.mark.parametrize("body", [{"remaining": "3"}, {"remaining": None}, {"comments": 5}, {"comments": [[1], {}]}])
def test_a_broken_message_is_read_back_without_what_is_broken(body: dict[str, object]) -> None:
    """The audit says what it lacks."""
    heard, *_ = _read_back(_heard(orjson.dumps({"type": "progress", "packet_id": "c1.p0", **body})))
    assert [(each.remaining, each.comments) for each in heard] == [(None, ())]  # type: ignore[attr-defined]
