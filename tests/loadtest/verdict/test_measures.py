"""Measures: each number by its definition."""

import pytest

from loadtest.verdict.measures import measure
from loadtest.verdict.metrics import Measures, Percentiles
from loadtest.verdict.samples import percentiles
from tests.loadtest.written_run import NS_PER_MS, WrittenRun, a_run


def _measured(run: WrittenRun) -> Measures:
    return measure(*run.read())


def test_a_correct_run_has_nothing_over_under_twice_or_lost() -> None:
    """The granted amounts equal the issued ones."""
    run = a_run(viewers=20)
    claims = run.of("claim")

    measured = _measured(run)

    assert measured.granted <= len(claims) == 12  # a winner whose reply was lost may never have heard
    assert measured.issued_fen == sum(claim["amount_fen"] for claim in claims)
    assert measured.grabs == sum(1 for grab in run.of("grab") if grab["t_reply"] is not None)
    assert measured.over_issued_fen == measured.under_issued_fen == 0
    assert measured.duplicate_claims == measured.lost_acks == 0
    assert [result.sold_out for result in measured.packets] == [True, True]
    assert all(result.granted == result.share_count for result in measured.packets)


def test_shares_given_twice_are_over_issued() -> None:
    """Two viewers who hold one index make its amount superfluous, even if the total is not reached."""
    run = a_run(flaw="check then act", share_count=60, viewers=24)
    claims = run.of("claim")
    first: set[tuple[str, int]] = set()
    superfluous = 0
    for claim in claims:
        key = (claim["packet_id"], claim["index"])
        superfluous += claim["amount_fen"] if key in first else 0
        first.add(key)

    assert superfluous > 0
    assert _measured(run).over_issued_fen == superfluous


def test_more_money_than_there_is_is_over_issued() -> None:
    """One fen too much in one claim is one fen over-issued."""
    run = a_run()
    run.of("claim")[0]["amount_fen"] += 1

    assert _measured(run).over_issued_fen == 1


def test_sold_out_too_soon_is_under_issued() -> None:
    """The shares that nobody got though viewers were told that nothing is left."""
    run = a_run(flaw="sold out too soon")

    assert _measured(run).under_issued_fen == sum(sum(line["amounts"]) for line in run.of("left")) > 0


def test_a_second_share_is_a_duplicate() -> None:
    """A viewer that owns two shares counts once."""
    run = a_run()
    one, other = run.of("claim", packet_id="c1.p0")[:2]
    other["viewer_id"] = one["viewer_id"]

    # The books' new owner holds two; the one who had been told lost its own.
    assert _measured(run).duplicate_claims == 1
    assert _measured(run).lost_acks == 1


def test_a_claim_that_vanished_is_a_lost_ack() -> None:
    """Told of a share, but not in the books."""
    run = a_run()
    told = run.of("grab", status="granted")[0]
    run.drop(run.of("claim", viewer_id=told["viewer"], packet_id=told["packet"])[0])

    assert _measured(run).lost_acks == 1


def test_percentiles_are_the_smallest_value_that_so_many_do_not_exceed() -> None:
    """Exact, in milliseconds; nothing measured is all zero."""
    thousand = percentiles(value * NS_PER_MS for value in range(1000, 0, -1))

    assert thousand == Percentiles(500.0, 900.0, 950.0, 990.0, 999.0, 1000.0)
    assert percentiles([3 * NS_PER_MS]) == Percentiles(3.0, 3.0, 3.0, 3.0, 3.0, 3.0)
    assert percentiles([]) == Percentiles(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _with_taps(*times_ms: tuple[float, float, float | None]) -> WrittenRun:
    """Keep only these taps: intended, sent, replied."""
    run = a_run()
    refused = next(grab for grab in run.of("grab") if grab["type"] == "fail")
    taps = []
    for number, (intended, sent, replied) in enumerate(times_ms):
        tap = refused | {"i": number, "request_id": f"r{number}"}
        tap |= {"t_intended": int(intended * NS_PER_MS), "t_sent": int(sent * NS_PER_MS)}
        tap |= {"t_reply": None, "type": "info"} if replied is None else {"t_reply": int(replied * NS_PER_MS)}
        taps.append(tap)
    run.history = [line for line in run.history if line["kind"] != "grab"]
    run.history = taps + run.history
    run.history[-1]["grabs"] = len(taps)
    return run


def test_latency_is_counted_from_the_intended_tap() -> None:
    """Planned tap to receipt, sending to receipt, and the debt between the two."""
    measured = _measured(_with_taps((0, 2, 10), (5, 5, 6), (7, 8, None)))

    assert (measured.grabs, measured.grab_latency_ms.max, measured.grab_latency_from_send_ms.max) == (2, 10.0, 8.0)
    assert measured.grab_latency_ms.p50 == 1.0
    assert (measured.send_debt_ms.p50, measured.send_debt_ms.max) == (1.0, 2.0)


def test_a_retry_is_still_the_first_tap() -> None:
    """A tap that was lost and sent again with its id took from the first intention to the first receipt."""
    run = _with_taps((0, 1, None), (100, 101, 110), (100, 102, 130))
    for tap in run.of("grab"):
        tap["request_id"] = "one"

    measured = _measured(run)

    assert measured.grab_latency_ms == percentiles([110 * NS_PER_MS])
    assert measured.grab_latency_from_send_ms == percentiles([109 * NS_PER_MS])


def test_grabs_per_second_are_counted_while_a_packet_is_answered() -> None:
    """The silence between two packets does not count; the peak is the fullest second."""
    run = _with_taps((0, 0, 0), (0, 0, 500), (0, 0, 1000), (0, 0, 60_000), (0, 0, 61_000))
    for number, tap in enumerate(run.of("grab")):
        tap |= {"packet": "c1.p0" if number < 3 else "c1.p1", "status": "exhausted"}
    late = run.of("grab")[0] | {"request_id": "late", "status": "too_late", "t_reply": 90_000 * NS_PER_MS}
    run.history = [late, *run.history]
    run.history[-1]["grabs"] += 1

    measured = _measured(run)

    assert measured.grabs_per_second == pytest.approx(5 / 2.0)
    assert measured.grabs_per_second_peak == 2


def test_fanout_skew_spans_all_processes() -> None:
    """From the first arrival anywhere to the last anywhere."""
    run = a_run()
    fact = run.of("fact")[0]
    late = fact | {"t_first": fact["t_first"] + 40 * NS_PER_MS, "t_last": fact["t_last"] + 50 * NS_PER_MS}
    run.history = [late, *run.history]

    assert _measured(run).fanout_skew_ms.max == 53.0
    assert _measured(run).fanout_skew_ms.p50 == 3.0


def test_start_skew_counts_either_way_and_statuses_by_behaviour() -> None:
    """Early or late is the same distance; unknown outcomes are counted as such."""
    run = a_run()
    measured = _measured(run)

    assert measured.start_skew_ms.max == 0.007
    assert sum(measured.statuses["eager"].values()) == len(run.of("grab"))
    assert measured.statuses["eager"]["unknown"] == len(run.of("grab", type="info"))


def test_who_is_absent_on_purpose_is_not_timed() -> None:
    """A dropped line and an unread receipt are their own doing; everybody else's lateness counts."""
    run = _with_taps((0, 10, 100), (0, 20, 200), (0, 30, 300))
    for tap, behaviour in zip(run.of("grab"), ("flaky", "slow_reader", "eager"), strict=True):
        tap["behaviour"] = behaviour
    measured = _measured(run)
    assert measured.grab_latency_ms == percentiles([300 * NS_PER_MS])
    assert measured.send_debt_ms == percentiles([30 * NS_PER_MS])


def test_fanout_skew_is_stated_per_thousand_viewers_too() -> None:
    """Twice the hearers at the same skew is half of it per thousand; the room's size stands beside it."""
    run = a_run()
    few = _measured(run)
    for fact in run.of("fact"):
        fact["count"] *= 2
    many = _measured(run)
    assert few.fanout_skew_ms_per_1000.p50 == pytest.approx(few.fanout_skew_ms.p50 * 1000 / few.room_viewers["r1"])
    assert many.fanout_skew_ms_per_1000.p50 == pytest.approx(few.fanout_skew_ms_per_1000.p50 / 2)
    assert many.room_viewers == {"r1": 2 * few.room_viewers["r1"]}
