"""The judge: every invariant, over every packet, connection and wallet."""

from collections.abc import Collection, Iterable, Sequence

from loadtest.record.books import Books
from loadtest.record.history import History
from loadtest.record.sales import Sales
from loadtest.verdict.audit.answers import check_answers
from loadtest.verdict.audit.case import PacketCase, cases_of
from loadtest.verdict.audit.circumstances import ORDINARY, Circumstances, room_times
from loadtest.verdict.audit.comments import check_comments
from loadtest.verdict.audit.creators import check_created
from loadtest.verdict.audit.fanout import check_fanout
from loadtest.verdict.audit.followers import with_late_followers
from loadtest.verdict.audit.issuance import check_counters, check_drain, check_issuance
from loadtest.verdict.audit.momentary import Momentary
from loadtest.verdict.audit.money import check_money, check_packet_money
from loadtest.verdict.audit.orders import check_orders
from loadtest.verdict.audit.payouts import check_payouts
from loadtest.verdict.audit.prices import used_packets
from loadtest.verdict.audit.publications import Publications
from loadtest.verdict.audit.realtime import check_realtime, check_window
from loadtest.verdict.audit.receipts import check_asked, check_one_each, check_receipts, check_winners
from loadtest.verdict.audit.refusals import Refusals, check_rates
from loadtest.verdict.audit.results import check_results
from loadtest.verdict.audit.sales import check_sales
from loadtest.verdict.audit.shares import check_shares
from loadtest.verdict.audit.stalls import Flights, Stalls
from loadtest.verdict.audit.violation import Findings, Violation
from loadtest.verdict.audit.welcomes import ShownCounts, check_welcomes
from server.core.ids import PacketId


def audit(
    books: Books,
    history: History | None,
    snapshots: Iterable[Books] = (),
    sales: Sales | None = None,
    unrelated: Collection[PacketId] = (),
    *,
    run: Circumstances = ORDINARY,
) -> list[Violation]:
    """
    Check every invariant and return what does not hold, each with a minimal counterexample; nothing is a clean run.

    *snapshots* are books taken during the run, *sales* the answers to buyers if there was a shop. *unrelated* packets,
    those of other runs on the same store, are checked as without a history: only A1, A3, A8, A10 and the window of A7,
    which the books alone can show (docs/invariants.md). *run* says what excuses or bounds the server.
    """
    findings = Findings()
    for at, snapshot in enumerate(snapshots, start=1):
        for packet in snapshot.packets.values():
            check_counters(findings, packet, f"at snapshot {at}")
    books = with_late_followers(books, used_packets(books))
    told = None if history is None else _AudienceJudge(books, history, run)
    for case in cases_of(books, history):
        if case.packet_id in unrelated:
            case.receipts = None
        check_issuance(findings, case)
        check_drain(findings, case)
        check_one_each(findings, case)
        check_receipts(findings, case)
        check_winners(findings, case)
        if run.unrecorded:
            check_window(findings, case)
        else:
            check_asked(findings, case)
            check_realtime(findings, case, None if told is None else told.times)
        check_shares(findings, case)
        check_packet_money(findings, case)
        if told is not None:
            told.check(case)
    check_created(findings, books, run)
    if told is not None:
        told.settle(findings)
    check_money(findings, books)
    check_orders(findings, books)
    check_payouts(findings, books, run.happenings)
    if sales is not None:
        check_sales(findings, sales, books, all_over=not run.broken_off)
    return findings.violations()


class _AudienceJudge:
    """Checks what the audience was told: refusals (A13) and facts (A14) packet by packet, and in the end all else."""

    def __init__(self, books: Books, history: History, run: Circumstances) -> None:
        self.times = room_times(history, books.clock)
        self._history, self._run = history, run
        self._stalls = Stalls(history, run)
        self._flights = None if self.times is None else Flights(self.times, run, self._stalls)
        self._refused, self._of_results, self._heard = Findings(), Findings(), Findings()
        self._refusals = Refusals(self._refused, books, history, run)
        self._publications = Publications(books, history, run)
        self._momentary = Momentary(self._heard, history, self._flights)
        self._counts = ShownCounts(history, self._flights)

    def check(self, case: PacketCase) -> None:
        """Check what was told of one packet."""
        self._refusals.check(case)
        self._publications.check(case)
        check_results(self._of_results, case)
        self._momentary.check(case)
        self._counts.take(case)

    def settle(self, findings: Findings) -> None:
        """Add what was found so far, and check what goes over all packets."""
        check_fanout(findings, self._history)
        check_answers(findings, self._history, self._run.absences)
        findings.take(self._refused)
        check_rates(findings, self._history, self._run)
        self._publications.settle(findings)
        findings.take(self._of_results)
        findings.take(self._heard)
        check_welcomes(findings, self._history, self._counts.left, self._flights)
        check_comments(findings, self._history, self._run, self._stalls)


def audit_cut(books: Books, cases: Sequence[PacketCase]) -> list[Violation]:
    """
    Check what a cut of the books in the middle of a run can show, with receipts from before the cut in *cases*.

    Left out is what only a whole history proves: that every share was tapped for (A4), the order of taps (A7), what
    every viewer heard (A9), and the orders.
    """
    findings = Findings()
    for case in cases:
        check_issuance(findings, case)
        check_drain(findings, case)
        check_one_each(findings, case)
        check_receipts(findings, case)
        check_window(findings, case)
        check_shares(findings, case)
        check_packet_money(findings, case)
    check_money(findings, books)
    return findings.violations()
