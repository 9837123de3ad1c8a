"""The live figures of grabs: each is what the measures of the history say afterwards."""

import orjson

from client_sim.behaviour import ABSENT, Behaviour
from client_sim.grab_figures import GrabFigures, shown_ms
from client_sim.observations import SentGrab
from loadtest.record.history_writer import line_of
from loadtest.verdict.measures import crowd_measures, offered_and_lost
from server.core.ids import PacketId, RequestId, ViewerId
from tests.client_sim.room_talk import MS
from tests.loadtest.in_memory import history_from

FLAKY, EAGER = Behaviour.FLAKY, Behaviour.EAGER
CASES: list[tuple[Behaviour, str, int, int | None, str, int | None]] = [
    # behaviour, request, planned (ms), answered (ms), status, index
    (EAGER, "0-0", 100, 104, "granted", 0),
    (EAGER, "0-1", 200, None, "", None),  # no receipt: sent again with its id, and it is still one tap
    (EAGER, "0-1", 900, 904, "repeated", 0),
    (EAGER, "1-0", 100, 103, "unavailable", None),  # the first answer counts
    (EAGER, "1-0", 300, 1_400, "granted", 1),
    (FLAKY, "2-0", 100, None, "", None),  # its receipt was lost on purpose, and the retry tells of the share
    (FLAKY, "2-0", 1_900, 1_904, "repeated", 2),
    (Behaviour.SLOW_READER, "3-0", 100, 2_900, "exhausted", None),
    (Behaviour.BOT, "4-0", 100, 101, "exhausted", None),
]


def _grabs() -> list[SentGrab]:
    grabs = []
    for i, (behaviour, request_id, planned, answered, status, index) in enumerate(CASES):
        seat = request_id.partition("-")[0]
        grab = SentGrab(
            i, f"{seat}.0", ViewerId(f"v{seat}"), PacketId("a.p"), RequestId(request_id), behaviour,
            planned * MS, planned * MS,
        )  # fmt: skip
        if answered is not None:
            grab.t_reply = answered * MS
            grab.reply = {"status": status, "index": index, "amount_fen": None if index is None else 10}
            grab.payload = b"{}"
        grabs.append(grab)
    return grabs


def test_every_live_figure_is_that_of_the_result() -> None:
    """Slow readers and flaky viewers, retries, repeats and unknown outcomes count as they do in the verdict."""
    figures = GrabFigures()
    grabs = _grabs()
    for grab in grabs:
        figures.sent(grab)
        figures.unanswered(grab) if grab.t_reply is None else figures.answered_with(grab)
    lines = [*(line_of(grab) for grab in grabs), {"kind": "end", "grabs": len(grabs), "conns": 0}]
    history = history_from([orjson.loads(orjson.dumps(line)) for line in lines])
    measures = crowd_measures(history)
    assert figures.answered == measures["grabs"] == 7
    assert (figures.offered, figures.lost) == offered_and_lost(measures["statuses"]) == (9, 1)
    assert figures.granted == 3
    latencies = measures["grab_latency_ms"]
    assert figures.latencies == {1.0: 1, 3.0: 1, 4.0: 1, 704.0: 1}
    assert shown_ms(latencies.p99) == max(figures.latencies) == figures.max_ms == latencies.max


def test_absent_viewers_are_those_who_are_absent_on_purpose() -> None:
    """They stop reading, or drop their connection."""
    assert {Behaviour.SLOW_READER, Behaviour.FLAKY} == ABSENT


def test_a_share_is_told_of_once() -> None:
    """A share that the service names only by its claim, or not at all, is counted once too."""
    figures = GrabFigures()
    for request_id, reply in (
        ("0-0", {"status": "granted", "claim_id": "c1"}),
        ("0-1", {"status": "repeated", "claim_id": "c1"}),
        ("0-2", {"status": "repeated"}),
        ("0-3", {"status": "granted", "claim_id": "c2"}),
    ):
        grab = SentGrab(0, "0.0", ViewerId("v"), PacketId("p"), RequestId(request_id), EAGER, 0, 0)
        figures.sent(grab)
        grab.t_reply, grab.reply = MS, reply
        figures.answered_with(grab)
    assert figures.granted == 2
    assert figures.take_new_shares() == [("p", "v", "c1"), ("p", "v", "c2")]
    assert figures.take_new_shares() == []
