"""The figures of the dashboard: rates, histogram, and where the money is."""

from loadtest.record.books import books_from
from loadtest.watch.figures import BARS, RateHistory, histogram_of, money_flow
from tests.loadtest.written_run import a_run


def test_rates_are_those_between_looks_a_second_apart() -> None:
    history = RateHistory()
    for now_s, count in ((0.0, 0), (0.4, 50), (1.0, 100), (3.0, 500), (4.0, 20)):
        history.see(now_s, count, 2 * count)
    assert history.rates() == [(100.0, 200.0), (200.0, 400.0), (0.0, 0.0)], "a count that began anew is no rate below 0"


def test_only_the_last_two_minutes_are_kept() -> None:
    history = RateHistory()
    for second in range(300):
        history.see(float(second), second * second)
    assert len(history.rates()) == 120
    assert history.rates()[-1] == (299 + 298,)


def test_a_histogram_is_wide_enough_for_most_and_has_everybody() -> None:
    histogram = histogram_of({0.0: 3, 1.0: 5, 7.9: 1, 900.0: 1}, p99_ms=7.9)
    assert histogram is not None
    assert histogram.top_ms == 10
    assert (len(histogram.counts), sum(histogram.counts), histogram.counts[-1]) == (BARS, 10, 1)
    assert histogram_of({}, 0.0) is None


def test_the_flow_of_money_adds_up_to_what_was_funded() -> None:
    books = books_from(a_run(packets=3, void_last=True).books)
    flow = money_flow(books)
    assert flow.gap_fen == 0
    assert flow.funded_fen == sum(packet.total_fen for packet in books.packets.values())
    assert flow.funded_fen == flow.claimed_fen + flow.escrow_fen + flow.returned_fen
    assert flow.claimed_fen == flow.redeemed_fen + flow.hands_fen + flow.expired_fen > 0


def test_a_share_given_twice_is_more_than_was_funded_unless_its_packet_is_left_out() -> None:
    """The packet's counters may look right; the journal has both claims."""
    books = books_from(a_run(flaw="check then act", packets=1, viewers=30).books)
    assert money_flow(books).gap_fen > 0
    assert money_flow(books, without=set(books.packets)).funded_fen == 0
