"""The figures behind the page, each from a small written run."""

from itertools import pairwise
from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.report.claims import runs_of
from loadtest.report.fanout import hearings_of, room_skews
from loadtest.report.figure import thinned
from loadtest.report.findings import counterexamples_of
from loadtest.report.happenings import curtain_ms
from loadtest.report.money import (
    CLAIMED,
    COLUMN_PX,
    VOIDED,
    creators_of,
    flows_of,
    money_figure,
    orders_figure,
)
from loadtest.report.orders import (
    BUYERS,
    HELD,
    LET_GO,
    MERCHANTS,
    RESIDUAL,
    SENT_BACK,
    UNSETTLED,
    USED,
    claimed_ends,
    merchant_links,
    orders_of,
)
from loadtest.report.over_time import BINS_MAX, bin_width, over_time_figure, spans_of
from loadtest.report.shares import share_figures, sizes_of
from loadtest.report.spectrum import spectrum
from loadtest.report.timebase import Timebase, shanghai, timebase_of
from tests.loadtest.in_memory import history_from
from tests.loadtest.verdict.audit.test_orders import a_run_with_an_order
from tests.loadtest.written_run import NS_PER_MS, T0_NS, WrittenRun, a_run


def timebase(run: WrittenRun) -> Timebase:
    return timebase_of(*run.read())


def test_room_time_and_the_audience_meet_on_one_axis() -> None:
    """An opening at 2,000 ms of room time lies where its news was heard, less the quickest news' delay, and back."""
    run = a_run()
    tied = timebase(run)
    at = tied.seconds_of_room(2_000)
    assert at is not None
    heard = tied.seconds(T0_NS + 2_000 * NS_PER_MS)
    assert 0 <= at - heard <= 0.001
    assert tied.room_ms(at) == pytest.approx(2_000, abs=1)


def test_speed_shortens_the_axis() -> None:
    """At speed 60 a minute of room time is a second of the axis."""
    run = a_run()
    run.of("clock")[0]["speed"] = 60
    tied = timebase(run)
    one, other = tied.seconds_of_room(0), tied.seconds_of_room(60_000)
    assert one is not None
    assert other is not None
    assert other - one == pytest.approx(1.0)


def test_without_news_nothing_ties_the_clocks() -> None:
    """An audience that heard nothing and won nothing leaves the room time unknown instead of wrong."""
    books, _ = a_run().read()
    tied = timebase_of(books, history_from([{"kind": "end", "grabs": 0, "conns": 0}]))
    assert tied.seconds_of_room(2_000) is None
    assert tied.room_ms(1.0) is None


def test_the_wall_clock_is_shanghais() -> None:
    """5 August 2023, 19:10 in Shanghai is 11:10 UTC."""
    assert shanghai(1_691_233_800_000, "%Y-%m-%d %H:%M:%S") == "2023-08-05 19:10:00"


def test_the_spectrum_ends_with_the_slowest() -> None:
    """Percentiles rise, latencies never fall, and the last point is the maximum."""
    points = spectrum([number * NS_PER_MS for number in range(1, 5_001)])
    assert points[-1][1] == 5_000
    assert len(points) < 300
    assert all(one[0] < other[0] and one[1] <= other[1] for one, other in pairwise(points))
    assert all(ms == pytest.approx(percentile * 50) for percentile, ms in points[:-1])


def test_one_tap_is_a_spectrum_too() -> None:
    """A single latency is its own maximum."""
    assert spectrum([7 * NS_PER_MS]) == [(50.0, 7.0)]


@pytest.mark.parametrize("seconds", [0.4, 1.0, 59.9, 3_600.0])
def test_bins_are_round_and_few(seconds: float) -> None:
    """Any run is cut into at most so many bins, of a width of 1, 2 or 5 times a power of ten."""
    width = bin_width(seconds)
    assert seconds / width <= BINS_MAX
    assert f"{width:e}"[0] in "125"


def test_every_answer_is_in_a_bar() -> None:
    """The bars of all statuses together count every grab once."""
    books, history = a_run().read()
    figure = over_time_figure(books, history, timebase_of(books, history), [])
    assert figure is not None
    counted = sum(sum(trace["y"]) for trace in figure.traces if trace["type"] == "bar" and "orientation" not in trace)
    assert counted == len(history.grabs)


def test_packets_that_overlap_hang_in_lanes_of_their_own() -> None:
    """Two windows of one room at the same time do not cover each other; those apart share a lane."""
    run = a_run(packets=3)
    first, second, _ = run.of("packet")
    second["warmup_at_ms"], second["grab_at_ms"] = first["warmup_at_ms"], first["grab_at_ms"]
    books, history = run.read()
    lanes = {str(span.packet.packet_id): span.lane for span in spans_of(books, timebase_of(books, history))}
    assert lanes["c1.p0"] != lanes["c1.p1"]
    assert lanes["c1.p2"] == 0


def test_a_claim_timeline_counts_every_share() -> None:
    """It ends at the number of shares given, and nothing is superfluous in a correct run."""
    books, _ = a_run().read()
    for run in runs_of(books):
        assert run.steps[-1][1] == run.packet.given
        assert run.superfluous == []


def test_a_share_given_twice_is_marked() -> None:
    """A check-then-act race leaves marks on the claim timeline."""
    books, _ = a_run(flaw="check then act", share_count=30, viewers=80).read()
    assert any(run.superfluous for run in runs_of(books))


def test_sizes_are_recomputed_from_the_seed() -> None:
    """The claims of a sold-out packet equal the shares of its seed, and a changed amount is reported."""
    run = a_run()
    books, _ = run.read()
    for sizes in sizes_of(books):
        assert sizes.committed is not None
        assert sorted(sizes.claimed) == sorted(sizes.committed[: len(sizes.claimed)])
        assert not sizes.problems
    run.of("claim")[0]["amount_fen"] += 1
    books, _ = run.read()
    assert any(sizes.problems for sizes in sizes_of(books))


def test_a_histogram_counts_every_share_once() -> None:
    """Bars sum to the claimed shares, the outline to the committed ones."""
    books, _ = a_run(share_count=40, viewers=60).read()
    for sizes, figure in share_figures(sizes_of(books)):
        outline, bars = figure.traces
        assert sum(bars["y"]) == len(sizes.claimed)
        assert sum(outline["y"][1:-2]) == len(sizes.committed or ())


def test_money_goes_somewhere() -> None:
    """The money put into packets was claimed, swept, voided or is still in escrow; the wallet adds up."""
    books, _ = a_run(packets=3, void_last=True).read()
    flows = flows_of(books)
    (creator,) = creators_of(books, flows)
    assert sum(flow.amount_fen for flow in flows) == creator.wallet.spent_fen
    assert creator.claimed_fen == sum(flow.amount_fen for flow in flows if flow.end == CLAIMED)
    assert any(flow.end == VOIDED for flow in flows)
    assert creator.balanced


def test_money_of_orders_goes_on() -> None:
    """Claimed money is used or still held; merchants' receipts equal what they kept and paid on."""
    books, _ = a_run_with_an_order().read()
    (creator,) = creators_of(books, flows_of(books))
    (order,) = books.orders.values()
    face_fen = order.packets[0].face_fen
    assert claimed_ends(books, creator.claimed_fen) == {USED: face_fen, HELD: creator.claimed_fen - face_fen}
    links = merchant_links(books)
    received = sum(fen for (_, target), fen in links.items() if target == MERCHANTS)
    assert received == sum(fen for (source, _), fen in links.items() if source == MERCHANTS)
    assert received == order.payable_fen + face_fen + order.subsidies["unstated"]
    (shown,) = orders_of(books)
    assert (shown.orders, shown.paid_fen, shown.used_fen) == (1, order.payable_fen, face_fen)
    assert links[MERCHANTS, "commission of c1"] == shown.commission_fen


def test_money_of_an_order_that_is_not_over_is_on_its_way() -> None:
    """Unsettled payments reach no merchant, and the packet's share counts as still held."""
    books, _ = a_run_with_an_order("paid").read()
    (order,) = books.orders.values()
    assert merchant_links(books) == {(BUYERS, UNSETTLED): order.payable_fen}
    assert claimed_ends(books, 500) == {HELD: 500}


@pytest.mark.parametrize(
    ("movement", "postings", "end"),
    [
        ("refund", [["redeemed:c1.p0", "reversing:c1", 7]], SENT_BACK),
        ("cancel", [["locked:c1.p0", "reversing:c1", 7]], LET_GO),
        ("finish", [["redeemed:c1.p0", "merchant:shop", 90], ["redeemed:c1.p0", "reversing:c1", 7]], RESIDUAL),
        ("follow", [["redeemed:c1.p0", "merchant:shop", 90], ["redeemed:c1.p0", "funds:c1", 7]], RESIDUAL),
        ("follow", [["redeemed:c1.p0", "reversing:c1", 7]], SENT_BACK),
    ],
)
def test_every_way_back_has_its_name(movement: str, postings: list[list[Any]], end: str) -> None:
    """The figure tells an unused residual from a share that had expired when it was unlocked."""
    run = a_run_with_an_order("paid")
    last = run.of("journal")[-1]
    run.books.insert(-1, {**last, "movement": movement, "postings": postings, "transfer_id": "t"})
    assert claimed_ends(run.read()[0], 500)[end] == 7


def test_the_pictures_have_a_column_for_every_station() -> None:
    """Packets in two columns more than without orders, orders in three, as wide as their words need it."""
    plain, _ = a_run().read()
    books, _ = a_run_with_an_order().read()
    before, after, orders = (
        money_figure(flows_of(plain), plain),
        money_figure(flows_of(books), books),
        orders_figure(books),
    )
    assert before is not None
    assert after is not None
    assert orders is not None
    assert [each.min_width_px // COLUMN_PX for each in (before, after, orders)] == [3, 4, 3]
    assert orders_figure(plain) is None
    for figure in (before, after, orders):
        (trace,) = figure.traces
        ends = {*trace["link"]["source"], *trace["link"]["target"]}
        assert ends == set(range(len(trace["node"]["label"])))


def test_a_wallet_that_does_not_add_up_is_told() -> None:
    """One fen too many in the available funds is seen."""
    run = a_run()
    run.of("creator")[0]["wallet"]["available_fen"] += 1
    books, _ = run.read()
    assert [creator.balanced for creator in creators_of(books, flows_of(books))] == [False]


def test_skew_is_told_per_room_and_per_thousand() -> None:
    """Three milliseconds over twelve listeners are 250 per thousand."""
    _, history = a_run(viewers=12).read()
    (room,) = room_skews(hearings_of(history))
    assert (room.listeners, room.p50_ms, room.max_ms) == (12, 3.0, 3.0)
    assert room.max_ms_per_thousand == pytest.approx(250)


def test_the_curtain_is_where_acts_left_their_traces() -> None:
    """A void that was booked 100 ms after its place in the programme puts the curtain at 100 ms at the latest."""
    run = a_run(packets=2, void_last=True)
    books = books_from(run.books)
    (void,) = [entry for entry in books.journal if entry.movement == "void"]
    done = {"at_ms": void.at_ms - 100, "action": "void", "packet_id": void.packet_id, "outcome": "voided"}
    assert curtain_ms(books, [done]) == 100
    assert curtain_ms(books, []) is None


def test_records_become_tables_that_can_be_read() -> None:
    """Nanoseconds become seconds, room time a wall clock, large numbers groups of three; ids stay as they are."""
    tied = timebase(a_run())
    violation = {
        "invariant": "A8",
        "packet_id": "c1.p0",
        "detail": "10000 claims of 123456 fen, v12345 among them",
        "evidence": [
            {"kind": "grab", "packet": "c1.p0", "t_sent": tied.zero_ns + 1_500_000_000, "amount_fen": 12_345, "i": 1},
            {"kind": "journal", "packet_id": "c1.p0", "at_ms": 1_691_233_800_007, "claim": {"viewer_id": "v1"}},
        ],
    }
    (example,), others = counterexamples_of([violation], tied)
    assert others == []
    assert example.detail == "10,000 claims of 123,456 fen, v12345 among them"
    grab, journal = example.tables
    assert dict(zip(grab.columns, grab.rows[0], strict=True)) == {"sent (s)": "1.500000", "amount fen": "12,345"}
    assert journal.rows == [["19:10:00.007", "v1"]]


def test_thinning_keeps_both_ends() -> None:
    """However few points are left, the first and the last are among them."""
    assert thinned(range(1_000), 10)[0] == 0
    assert thinned(range(1_000), 10)[-1] == 999
    assert len(thinned(range(1_000), 10)) == 10
    assert thinned([1, 2], 10) == [1, 2]
