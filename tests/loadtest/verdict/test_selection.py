"""Selections: the figures of a part of a run are those of a run that had only this part."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from loadtest.record.books import Books
from loadtest.record.history import Grabs, History
from loadtest.verdict.measures import measure
from loadtest.verdict.selection import RunFigures, of_our_own
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.thresholds import Judged, judge
from tests.loadtest.written_run import ROOM, WrittenRun, a_run


def a_mixed_run() -> WrittenRun:
    """Return a run with two packets of different names in two rooms, and viewers of two behaviours."""
    run = a_run(packets=2, viewers=20)
    run.of("packet")[1] |= {"name": "红包, late", "room_id": "r2"}
    for line in (*run.of("grab", packet="c1.p1"), *run.of("fact", packet="c1.p1")):
        line.update({"room": "r2"} if line["kind"] == "fact" else {"conn": f"{line['conn']}-r2"})
    conns = [line | {"conn": f"{line['conn']}-r2", "room": "r2"} for line in run.of("conn")]
    run.history[-1:-1] = conns
    run.history[-1]["conns"] += len(conns)
    for line in run.of("grab"):
        line["behaviour"] = "bot" if line["viewer"] in ("v1", "v2") else "eager"
    return run


def judged(run: WrittenRun, *lines: str) -> list[Judged]:
    books, history = run.read()
    thresholds = [parse_line(line) for line in lines]
    figures = RunFigures(asdict(measure(books, history)), of_our_own(books, history), thresholds)
    return judge(thresholds, figures, timing_is_valid=True)


def value(run: WrittenRun, term: str) -> float | None:
    (one,) = judged(run, f"{term} > -1")
    assert one.met is (None if one.value is None else True)
    return one.value


def alone(run: WrittenRun, **only: str) -> dict[str, Any]:
    """Return the measures of the same run without all other taps (and packets, if one is named)."""
    books, history = run.read()
    part = History(
        grabs=Grabs(each for each in history.grabs if all(getattr(each, name) == it for name, it in only.items())),
        facts=[each for each in history.facts if each.packet == only.get("packet", each.packet)],
        arrivals=[each for each in history.arrivals if each.packet == only.get("packet", each.packet)],
    )
    packets = [each for each in books.packets if each == only.get("packet", each)]
    return asdict(measure(Books(books.clock, books.final, **_of(books, packets)), part))


def _of(books: Books, packets: list[Any]) -> Mapping[str, Any]:
    return {
        "packets": {each: books.packets[each] for each in packets},
        "claims": {each: books.claims[each] for each in packets if each in books.claims},
    }


PACKET_METRICS = [
    "grabs", "granted", "granted_fen", "issued_fen", "over_issued_fen", "under_issued_fen", "duplicate_claims",
    "lost_acks", "grabs_per_second", "grabs_per_second_peak",
]  # fmt: skip


@pytest.mark.parametrize("metric", PACKET_METRICS)
@pytest.mark.parametrize("selector", ['packet:"红包, late"', "packet:c1.p1", "room:r2", "room:r2, packet:c1.p1"])
def test_a_number_of_a_packet_or_a_room_is_that_of_its_part(metric: str, selector: str) -> None:
    run = a_mixed_run()
    run.drop(run.of("claim", packet_id="c1.p1")[0])
    assert value(run, f"{metric}{{{selector}}}") == alone(run, packet="c1.p1")[metric]


@pytest.mark.parametrize(
    "metric", ["grab_latency_ms", "grab_latency_from_send_ms", "send_debt_ms", "fanout_skew_ms", "start_skew_ms"]
)
def test_a_distribution_of_a_packet_is_that_of_its_part(metric: str) -> None:
    run = a_mixed_run()
    assert value(run, f"{metric}{{packet:c1.p1}}.p(99)") == alone(run, packet="c1.p1")[metric]["p99"]


def test_behaviours_part_the_whole() -> None:
    run = a_mixed_run()
    bots, eager = (value(run, f"grabs{{behaviour:{name}}}") or 0 for name in ("bot", "eager"))
    assert bots == alone(run, behaviour="bot")["grabs"] > 0
    assert bots + eager == value(run, "grabs")
    assert value(run, "grab_latency_ms{behaviour:bot}.max") == alone(run, behaviour="bot")["grab_latency_ms"]["max"]


def test_phases_part_the_whole_but_for_the_first_second() -> None:
    run = a_mixed_run()
    parts = [value(run, f"grab_latency_ms{{phase:{name}}}.count") for name in ("warm_up", "open", "sold_out", "after")]
    assert sum(each or 0 for each in parts) == value(run, "grab_latency_ms.count")
    assert all(parts[:3])
    window = value(run, "grab_latency_ms{phase:first_second}.count")
    assert window == (parts[1] or 0) + (parts[2] or 0), "the window of this run lasts a second"


def test_a_tap_that_is_sent_again_keeps_its_phase() -> None:
    """It is one tap, as planned the first time, however late the second request."""
    run = a_mixed_run()
    lost = run.of("grab", packet="c1.p0", t_reply=None)[0]
    again = next(each for each in run.of("grab", request_id=lost["request_id"]) if each is not lost)
    before = value(run, "grab_latency_ms{phase:after}.count")
    again["t_intended"] = again["t_sent"] = again["t_reply"] = again["t_reply"] + 10**12
    assert value(run, "grab_latency_ms{phase:after}.count") == before


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ("grabs{room:r3}", "no room is called r3; there are r1, r2"),
        ("grab_latency_ms{packet:nope}.p(99)", "no packet is called nope; there are evening, 红包, late"),
        ("over_issued_fen{packet:nope}", "no packet is called nope; there are evening, 红包, late"),
        ("grabs{behaviour:flaky}", "nothing was measured of grabs{behaviour:flaky}.value"),
        ("grab_latency_ms{behaviour:flaky}.max", "nothing was measured of grab_latency_ms{behaviour:flaky}.max"),
        ("lost_acks{room:r1, packet:c1.p1}", "nothing was measured of lost_acks{packet:c1.p1, room:r1}.value"),
    ],
)
def test_a_selection_of_nothing_is_never_met(term: str, why: str) -> None:
    """Neither from above nor from below."""
    for one in judged(a_mixed_run(), f"{term} < 1000000", f"{term} >= 0", f"{term} == 0"):
        assert (one.value, one.met, one.why) == (None, None, why)


def test_a_number_may_be_none_where_there_were_taps() -> None:
    """A viewer that tapped and won nothing has won 0 shares, which is a value."""
    run = a_mixed_run()
    for line in run.of("grab", behaviour="bot", type="ok"):
        line |= {"type": "fail", "status": "exhausted", "index": None, "amount_fen": None, "claim_id": None}
    assert value(run, "granted{behaviour:bot}") == 0


def test_a_distribution_of_the_whole_run_without_samples_is_not_known() -> None:
    """Nobody was slow, for nobody tapped: that meets no limit."""
    run = a_run()
    for line in run.of("grab"):
        run.drop(line)
    (one,) = judged(run, "grab_latency_ms p(99) < 50")
    assert (one.value, one.met, one.why) == (None, None, "nothing was measured of grab_latency_ms.p(99)")


def test_a_rate_is_per_second_of_answering() -> None:
    run = a_mixed_run()
    granted, rate = (value(run, term) for term in ("granted", "granted.rate"))
    assert granted
    assert rate
    assert rate > granted / 2, "two windows of a second each"
    for line in run.of("grab"):
        run.drop(line)
    assert value(run, "granted.rate") is None


def test_a_threshold_compares_two_selections() -> None:
    run = a_mixed_run()
    (one,) = judged(run, "grabs{packet:c1.p0} + grabs{packet:c1.p1} == grabs")
    assert (one.met, one.value) == (True, value(run, "grabs"))


def test_rooms_are_those_of_this_run() -> None:
    assert value(a_run(), f"grabs{{room:{ROOM}}}") == value(a_run(), "grabs")
