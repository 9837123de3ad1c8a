"""Unread answers are told apart by what was answered, in bounded number and length."""

import pytest

from client_sim.message_cache import CachedMessage
from client_sim.unread_answers import KINDS_MAX, OTHERS, SAID_MAX, WHAT_MAX, UnreadAnswers, shortened
from loadtest.targets import canonical
from loadtest.targets.redrain import RedrainSession
from server.core.ids import RequestId
from tests.client_sim.room_talk import MS, Sitting, warmup


def _no_receipt(what: str, payload: bytes = b"{}") -> CachedMessage:
    return CachedMessage(payload, {"type": "no_receipt", "request_id": "r1", "reason": "why", "what": what})


def test_the_first_of_a_kind_has_an_excerpt() -> None:
    answers = UnreadAnswers()
    first, second = (answers.take(at, _no_receipt("HTTP 410", b'{"error": "sold_out"}')) for at in (0, 7))
    assert (first.grab, first.what, first.said) == (0, "HTTP 410", '{"error": "sold_out"}')
    assert (second.grab, second.what, second.said) == (7, "HTTP 410", None)


def test_a_reply_of_an_adapter_is_known_by_its_reason() -> None:
    message = CachedMessage(b"?", {"type": "no_receipt", "request_id": "r1", "reason": "no such word"})
    assert UnreadAnswers().take(0, message).what == "no such word"


def test_a_service_that_never_says_the_same_twice_is_bounded() -> None:
    answers = UnreadAnswers()
    kinds = {answers.take(at, _no_receipt(f"code {at}")).what for at in range(3 * KINDS_MAX)}
    assert len(kinds) == KINDS_MAX + 1
    assert OTHERS in kinds
    long = UnreadAnswers().take(0, _no_receipt("x" * 9_999, b"y" * 999_999))
    assert (len(long.what), len(long.said or "")) == (WHAT_MAX + 3, SAID_MAX + 3)


@pytest.mark.parametrize(
    ("payload", "told"),
    [(b"a\n\t b", "a b"), (b"\x1b[31m", "\\x1b[31m"), ("a\u202eb".encode(), "a\\u202eb"), (b"\xff", "�"), (b"", "")],
)
def test_what_moves_a_cursor_is_escaped(payload: bytes, told: str) -> None:
    assert shortened(payload, SAID_MAX) == told


def test_an_answer_that_cannot_be_read_is_recorded_and_the_tap_tried_again() -> None:
    """The history has what was answered, with the number of the grab, and the next try is sent when it is due."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    sitting.viewer.receive(_unread(request_id), round((at_ms + 2) * MS))
    assert [each for _, each in sitting.wait_until(at_ms + 300)] == [request_id]
    (answer,) = sitting.lines("unread")
    lost = next(line for line in sitting.lines("grab") if line["i"] == answer["grab"])
    assert (lost["type"], lost["t_reply"], lost["t_gave_up"]) == ("info", None, None)
    assert (answer["what"], answer["mend"], answer["said"]) == ("HTTP 410", "[target.receipt].http", '{"error":"gone"}')
    assert (sitting.recorder.figures.unread, sitting.recorder.failed) == (1, 1)


def test_a_tap_whose_answer_may_have_been_an_unmapped_message_is_not_left_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody can say that it was not answered: its viewer did not give up, but could not read."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    monkeypatch.setattr(RedrainSession, "unmapped", _unread(request_id))
    sitting.wait_until(at_ms + 5_001)
    assert [line["t_gave_up"] for line in sitting.lines("grab")][:1] == [None]
    assert [line["what"] for line in sitting.lines("unread")] == ["HTTP 410"]


def _unread(request_id: str) -> CachedMessage:
    reply = b'{"error":"gone"}'
    return canonical.no_receipt(
        RequestId(request_id), reply, "HTTP 410 is not listed", what="HTTP 410", mend="[target.receipt].http"
    )
