"""A case: what belongs to one packet, joined from both sides."""

from loadtest.verdict.audit.case import cases_of
from tests.loadtest.written_run import a_run


def test_a_case_holds_all_of_its_packet_and_nothing_else() -> None:
    """Claims, journal, facts and receipts are told apart by packet."""
    run = a_run(viewers=20)
    books, history = run.read()

    one, other = cases_of(books, history)

    assert (one.packet_id, other.packet_id) == ("c1.p0", "c1.p1")
    assert {claim.packet_id for claim in one.claims} == {"c1.p0"}
    assert len(one.given) == len(one.claims) == 6
    assert {fact.packet for fact in one.facts} == {"c1.p0"}
    assert one.receipts is not None
    assert {grab.packet for grab in one.receipts.shares} == {"c1.p0"}
    assert len(one.receipts.asked) == 6


def test_the_earliest_sending_and_the_earliest_reply_count() -> None:
    """A tap that was sent again was asked for when it was sent first; a share is known from the first reply on."""
    run = a_run(viewers=20)
    books, history = run.read()
    (case, _) = cases_of(books, history)
    assert case.receipts is not None

    for (viewer, request_id), asked in case.receipts.asked.items():
        assert asked == min(grab["t_sent"] for grab in run.of("grab", viewer=viewer, request_id=request_id))
    for viewer, told in case.receipts.learned.items():
        replies = run.of("grab", viewer=viewer, packet="c1.p0", type="ok")
        assert told.t_reply == min(grab["t_reply"] for grab in replies)
