"""The recorder: what it writes down, when it writes, and what it counts."""

from io import BytesIO

from client_sim.behaviour import Behaviour
from client_sim.recorder import Recorder
from loadtest.record.history_writer import HistoryWriter
from server.core.packets.claim import ClaimStatus
from tests.client_sim.room_talk import MS, PACKET, ROOM, Sitting, fact, on_screen, receipt, seat, warmup
from tests.loadtest.in_memory import history_from


def two_sittings() -> tuple[Sitting, Sitting]:
    one = Sitting(Behaviour.WATCHER)
    other = Sitting(Behaviour.WATCHER, number=1, recorder=one.recorder)
    for sitting in (one, other):
        sitting.connect()
    return one, other


def test_a_whole_history_is_read_back() -> None:
    """Every kind of line has the fields that the reader of the audit wants, and the end counts them."""
    one, other = two_sittings()
    for sitting in (one, other):
        sitting.hear(warmup(1, grab_in_ms=1_000), 1)
    tapper = Sitting(number=2, recorder=one.recorder)
    tapper.connect(on_screen(grab_in_ms=1_000, phase="warming"), at_ms=2, seq=1)
    at_ms, request_id = tapper.next_tap()
    tapper.hear(receipt(request_id, ClaimStatus.GRANTED), at_ms + 2)
    other.hear(fact("open", 2, at_ms=-1), 1_000)
    one.hear(fact("open", 2), 1_001)
    one.viewer.closed(2_000 * MS, 1000)
    lines = one.history()
    history = history_from(lines)
    kinds = {"grab", "conn", "fact", "run", "differ", "arrival", "welcome", "end"}
    assert {line["kind"] for line in lines} == kinds
    assert [(grab.type, grab.index, grab.t_reply) for grab in history.grabs] == [("ok", 0, round((at_ms + 2) * MS))]
    assert len(history.grabs[0].receipt or "") == 16
    assert lines[-1] == {"kind": "end", "grabs": 1, "conns": 3}
    closed, *still_open = sorted(history.conns, key=lambda conn: conn.t_close is None)
    assert (closed.conn, closed.t_close, closed.code) == ("0.0", 2_000 * MS, 1000)
    assert [conn.t_close for conn in still_open] == [None, None]


def test_a_gap_a_repeat_and_a_step_back_each_begin_a_new_run() -> None:
    """The runs of a connection say exactly what came, in order."""
    one, _ = two_sittings()
    for seq in (1, 2, 4, 5, 5, 3):
        one.hear(fact("open", seq), seq)
    runs = [(line["first_seq"], line["last_seq"]) for line in one.lines("run")]
    assert runs == [(1, 2), (4, 5), (5, 5), (3, 3)]


def test_a_fact_is_kept_once_with_its_arrivals() -> None:
    """Arrivals are counted over the connections that were in the room before the fact came."""
    one, other = two_sittings()
    one.hear(fact("open", 1), 10)
    late = Sitting(Behaviour.WATCHER, number=2, recorder=one.recorder)
    late.connect(at_ms=11)
    late.hear(fact("open", 1), 12)
    other.hear(fact("open", 1), 14)
    (line,) = one.lines("fact")
    assert (line["room"], line["epoch"], line["seq"], line["type"], line["packet"]) == (ROOM, "e1", 1, "open", PACKET)
    assert (line["t_first"], line["t_last"], line["count"]) == (10 * MS, 14 * MS, 2)


def test_only_what_comes_live_is_a_push_latency() -> None:
    """Facts replayed after a resume do not count in delivery times."""
    one, _ = two_sittings()
    one.hear(fact("open", 1, at_ms=9), 10)
    late = Sitting(Behaviour.WATCHER, number=2, recorder=one.recorder)
    late.connect(at_ms=500)
    late.hear(fact("open", 1, at_ms=9), 501)
    series, _ = one.recorder.take_series()
    assert series["PUSH", "open"].buckets == {1.0: 1}


def test_a_message_that_others_heard_differently_is_on_record() -> None:
    """The same number with other bytes is told apart by its hash."""
    one, other = two_sittings()
    one.hear(fact("open", 1), 1)
    other.hear(fact("closed", 1), 2)
    (differ,) = one.lines("differ")
    assert (differ["conn"], differ["seq"]) == ("1.0", 1)
    (kept,) = one.lines("fact")[:1]
    assert kept["hash"] != differ["hash"]


def test_unanswered_grabs_are_unknown_at_the_end() -> None:
    """finish() writes them as info; that the run ended is nobody's failure."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    sitting.next_tap()
    (grab,) = sitting.lines("grab")
    assert (grab["type"], grab["t_reply"], grab["receipt"]) == ("info", None, None)
    assert sitting.recorder.failed == 0


def test_lines_are_written_in_batches() -> None:
    """flush() writes as many records as it may, and says how many are left."""
    file = BytesIO()
    recorder = Recorder(HistoryWriter(file))
    for number in range(5):
        recorder.closed(recorder.opened(seat(number=number), 0, number), 10, 1000)
    assert file.getvalue() == b""
    assert recorder.flush(limit=3) == 2
    assert len(file.getvalue().splitlines()) == 3
    assert recorder.flush() == 0


def test_latency_counts_from_the_planned_tap() -> None:
    """A tap that the engine was late to send is late for the viewer too."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    planned_ms = 0.0
    while not sitting.recorder.figures.offered:
        wake_ns = sitting.viewer.next_wakeup_ns() or 0
        planned_ms = wake_ns / MS
        sitting.viewer.wake(wake_ns + 30 * MS)
    sitting.hear(receipt("0-0", ClaimStatus.EXHAUSTED), planned_ms + 35)
    (grab,) = sitting.lines("grab")
    assert (grab["t_sent"] - grab["t_intended"]) == 30 * MS
    series, _ = sitting.recorder.take_series()
    assert series["WS", "grab"].buckets == {35.0: 1}


def test_counters_follow_the_run() -> None:
    """Progress can be told from them: connected, offered, answered, granted."""
    sitting = Sitting()
    sitting.connect()
    sitting.hear(warmup(1, grab_in_ms=1_000), 0)
    at_ms, request_id = sitting.next_tap()
    recorder = sitting.recorder
    assert (recorder.connected, recorder.figures.offered, recorder.figures.answered) == (1, 1, 0)
    sitting.hear(receipt(request_id, ClaimStatus.GRANTED), at_ms + 1)
    sitting.viewer.closed(9_000 * MS, 1000)
    assert (recorder.connected, recorder.figures.answered, recorder.figures.granted) == (0, 1, 1)
    assert recorder.figures.latencies.total() == 1


def test_without_a_file_nothing_is_kept() -> None:
    """A run without a history does not fill the memory with one."""
    sitting = Sitting(recorder=Recorder())
    sitting.connect()
    sitting.viewer.closed(5, 1000)
    assert sitting.recorder.flush() == 0


def test_every_failure_counts_as_a_request() -> None:
    """Whatever fails is a request of its series too, without a time if nobody knows it."""
    recorder = Recorder()
    recorder.failure("WS", "connect", "lost: 1006")
    recorder.failure("WS", "connect", "refused", 12.0)
    series, failures = recorder.take_series()
    assert (series["WS", "connect"].untimed, series["WS", "connect"].count) == (1, 1)
    assert failures.total() == recorder.failed == 2
