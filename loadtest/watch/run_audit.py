"""The slow half of watching a run: its receipts, its cuts of the books, its generator and its store."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import replace

from loadtest.record.books import Books, read_books
from loadtest.record.declared import Declarations
from loadtest.record.history import FactRecord, GrabRecord, Grabs, HealthRecord, History
from loadtest.record.history_tail import HistoryTail
from loadtest.record.run_folder import RunFolder
from loadtest.verdict.generator_check import check_generator
from loadtest.verdict.samples import send_debt_ms
from loadtest.watch.cut import ShownCut, cut_of
from loadtest.watch.foreign_live_audit import ForeignLiveAudit
from loadtest.watch.live_audit import Badge, LiveAudit
from loadtest.watch.picture import GeneratorPicture, StorePicture
from loadtest.watch.store_probe import StoreProbe

WINDOW_NS = 10_000_000_000
REST = 10  # times as long as a check took, nothing is checked: it must not take CPU from what it watches
_NS_PER_MS = 1_000_000


class RunAudit:
    """
    Follows the folder of a run; *declared* are the packets of a foreign service.

    ``badge``, ``cut``, ``generator`` and ``store`` are the newest; whoever reads them from another thread gets one
    that was whole.
    """

    def __init__(self, folder: RunFolder, durability: str, declared: Declarations | None) -> None:
        self.badge = Badge()
        self.cut: ShownCut | None = None
        self.generator: GeneratorPicture | None = None
        self.store = StorePicture(durability=durability)
        self._folder = folder
        self._tail = HistoryTail(folder.path)
        self._probe = StoreProbe(folder.home, durability)
        self._foreign = None if declared is None else ForeignLiveAudit(declared, _ahead_ns() // _NS_PER_MS)
        self._ours = LiveAudit(_ahead_ns() // _NS_PER_MS)
        self._grabs: deque[GrabRecord] = deque()
        self._healths: deque[HealthRecord] = deque()
        self._cuts = 0
        self._books: Books | None = None
        self._cut_took_ms: int | None = None
        self._next_ns = 0

    def look(self, facts: Collection[FactRecord], waiting: int) -> None:
        """Take in what is new, and check if there is a new cut; *waiting* grabs have no answer yet."""
        ended = self._folder.books.exists()  # before the histories are read: they are whole by then
        self.store = replace(self.store, state="stopped") if ended else self._asked()
        new = self._tail.new()
        self._see_generator(new)
        started_ns = time.monotonic_ns()
        if self._foreign is not None:
            self._foreign.hear(new.grabs)
            if started_ns < self._next_ns:
                return
            self.badge = self._foreign.check(started_ns, waiting)
        else:
            self._ours.hear(new.grabs)
            new_books = self._newest_books(ended=ended)
            if new_books is None or (started_ns < self._next_ns and not ended):
                return
            books, asked_ns = new_books
            self.badge, self.cut = self._ours.check(books, asked_ns, facts), cut_of(books)
        self._next_ns = time.monotonic_ns() + REST * (time.monotonic_ns() - started_ns)

    def _asked(self) -> StorePicture:
        return replace(self._probe.ask(), cut_took_ms=self._cut_took_ms)

    def _newest_books(self, *, ended: bool) -> tuple[Books, int] | None:
        """Return books that were not read yet, and when they were asked for, which is the time of their file."""
        if ended:
            if self.cut is not None and self.cut.books.final:
                return None
            return read_books(self._folder.books), time.monotonic_ns()
        paths = self._folder.snapshots()
        if len(paths) <= self._cuts:
            return None
        for path in paths[self._cuts :]:
            books = read_books(path)
            self._books = books if self._books is None else books.after(self._books)
        assert self._books is not None
        self._cuts = len(paths)
        times = paths[-1].stat()
        self._cut_took_ms = max(0, times.st_ctime_ns - times.st_mtime_ns) // _NS_PER_MS
        return self._books, times.st_mtime_ns - _ahead_ns()

    def _see_generator(self, new: History) -> None:
        """Judge the generator by the last seconds in which anybody tapped."""
        self._grabs += new.grabs
        self._healths += new.healths
        newest_ns = max((grab.t_sent for grab in new.grabs), default=None)
        if newest_ns is None:
            return
        while self._grabs and self._grabs[0].t_sent < newest_ns - WINDOW_NS:
            self._grabs.popleft()
        while self._healths and self._healths[0].t < newest_ns - WINDOW_NS:
            self._healths.popleft()
        seen = History(grabs=Grabs(self._grabs), healths=list(self._healths))
        debt = send_debt_ms(seen)
        valid = check_generator(seen, debt)
        self.generator = GeneratorPicture(
            ok=valid.ok,
            notes=tuple(valid.notes),
            send_debt_p99_ms=round(debt.p99, 2),
            lag_p99_ms=round(valid.generator_lag_ms.p99, 2),
            cpu=valid.generator_cpu,
        )


def _ahead_ns() -> int:
    """Return how far real time is ahead of the history's clock."""
    return time.time_ns() - time.monotonic_ns()
