"""A server as it runs, without a storm: figures from its metrics and rooms, the badge from its books."""

import re
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import requests

from loadtest.engines.progress import Progress, ProgressFiles
from loadtest.record.books import Books, books_from
from loadtest.record.history import FactRecord
from loadtest.record.history_tail import HistoryTail
from loadtest.record.shape import BadRecord
from loadtest.targets.access import Access
from loadtest.watch.cut import ShownCut, cut_of
from loadtest.watch.facts_log import FactsLog
from loadtest.watch.figures import RateHistory
from loadtest.watch.live_audit import Badge, Light, LiveAudit
from loadtest.watch.packet_board import packet_board
from loadtest.watch.picture import LivePicture, LogLine, RoomPicture, StorePicture, latency_of
from loadtest.watch.store_probe import StoreProbe
from server.core.ids import PacketId

METRICS_TIMEOUT_S = 2.0
BOOKS_TIMEOUT_S = 30.0
CUT_EVERY_S = 2.0
REST = 10  # times as long as a cut took, none is taken: whoever looks must not be the load
BOOKS_OLD_MS = 15_000
PACKETS_SHOWN = 40
WINDOW_S = 60.0
LOG_LINES = 40
_METRIC = re.compile(r"^(redrain_\w+?)(?:_total)?(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_NS_PER_MS = 1_000_000


class ServerSource:
    """
    The server at *url*, into which *access* is an administrator's.

    *audience* is the folder of a simulated audience of ours, which knows latencies and what the rooms were told; *home*
    that of the server's embedded store. Both are on this machine or None. ``steps`` yields those of a recovery.
    """

    def __init__(
        self, url: str, access: Access, *, title: str = "", audience: Path | None = None, home: Path | None = None
    ) -> None:
        self.steps: Callable[[], tuple[tuple[str, int | None], ...]] = tuple
        self.checked_ns = 0
        self._url = url.rstrip("/")
        self._title = title
        self._looking, self._checking = access.session(), access.session()
        self._audience = None if audience is None else ProgressFiles(audience)
        self._window = _RecentLatencies()
        self._counts: Mapping[str, int] = {}
        self._grabs, self._talk = RateHistory(), RateHistory()
        self._answers = True
        self._rooms: tuple[RoomPicture, ...] = ()
        self._probe = None if home is None else StoreProbe(home)
        self._store = StorePicture()
        self._cut_took_ms: int | None = None
        self._ahead_ms = (time.time_ns() - time.monotonic_ns()) // _NS_PER_MS
        self._audit = LiveAudit(self._ahead_ms)
        self._facts = FactsLog(self._ahead_ms)
        self._tails: list[HistoryTail] = []
        self._told: Collection[FactRecord] = ()
        self._newest: ShownCut | None = None
        self._badge = Badge()
        self._forgiven: frozenset[PacketId] = frozenset()
        self._next_cut_s = 0.0
        self._log: deque[LogLine] = deque(maxlen=LOG_LINES)

    def say(self, code: str, **values: Any) -> None:
        """Write a happening into the log."""
        self._log.append(LogLine(time.time_ns() // _NS_PER_MS, code=code, values=values))

    def hear(self, folder: Path) -> None:
        """Hold the receipts of a history in this folder against the books too, as it grows."""
        self._tails = [*self._tails, HistoryTail(folder)]

    def forgive(self, allocator: str) -> None:
        """Leave packets of this allocator out of the badge from now on: it was broken on purpose, and was seen."""
        cut = self._newest
        if cut is not None:
            broken = (packet.packet_id for packet in cut.books.packets.values() if packet.allocator == allocator)
            self._forgiven = self._forgiven | frozenset(broken)
            self._next_cut_s = 0.0

    @property
    def is_red(self) -> bool:
        """Tell whether something is proved wrong."""
        return self._badge.light is Light.RED

    def look(self) -> LivePicture:
        """Return the newest picture."""
        counts = self._metrics()
        progress = Progress() if self._audience is None else self._window.over(self._audience.look())
        waiting = progress.offered - progress.answered - progress.lost
        now_s = time.monotonic()
        self._grabs.see(now_s, counts.get("redrain_grabs", 0) + waiting, counts.get("redrain_grabs", 0))
        self._talk.see(now_s, counts.get("redrain_comments_received", 0), counts.get("redrain_likes_received", 0))
        comments, likes = (self._talk.rates() or [(0.0, 0.0)])[-1]
        cut, now_ms = self._newest, time.time_ns() // _NS_PER_MS
        self._told = progress.facts
        board = packet_board({}, progress, cut, now_ms)
        names = {PacketId(packet.packet_id): packet.name for packet in board}
        told = self._facts.lines(progress.facts, lambda packet_id: names.get(packet_id, packet_id))
        self._log.extend(told)
        return LivePicture(
            title=self._title or self._url,
            subtitle="",
            at_ms=now_ms,
            kind="server",
            connected=counts.get("redrain_connections"),
            offered=None if self._audience is None else counts.get("redrain_grabs", 0) + waiting,
            answered=counts.get("redrain_grabs", 0),
            granted=counts.get("granted"),
            rates=tuple((None if self._audience is None else more, less) for more, less in self._grabs.rates()),
            comments_per_second=comments,
            likes_per_second=likes,
            latency=latency_of(progress),
            rooms=self._rooms,
            packets=board[-PACKETS_SHOWN:],
            money=None if cut is None else cut.money,
            badge=self._shown_badge(now_ms),
            store=self._store_now(now_ms),
            log=tuple(self._log),
        )

    def check(self) -> None:
        """Take a cut of the books if it is time, and hold it against the receipts from before it."""
        if self._probe is not None:
            self._store = replace(self._probe.ask(), cut_took_ms=self._cut_took_ms)
        for tail in self._tails:
            self._audit.hear(tail.new().grabs)
        began_s = time.monotonic()
        if began_s < self._next_cut_s:
            return
        asked_ns = time.monotonic_ns()
        try:
            self._rooms = self._rooms_now()
            books = self._cut()
        except (requests.RequestException, BadRecord):
            self._answers = False
            return
        took_ms = (time.monotonic_ns() - asked_ns) // _NS_PER_MS
        self._answers = True
        badge = self._audit.check(books, asked_ns, self._told, self._forgiven)
        self._badge, self._newest, self.checked_ns = badge, cut_of(books, self._forgiven), asked_ns
        self._cut_took_ms = took_ms
        self._next_cut_s = time.monotonic() + max(CUT_EVERY_S, REST * (time.monotonic() - began_s))

    def _metrics(self) -> Mapping[str, int]:
        """Return the counts of the server; the last ones if it does not answer."""
        try:
            answer = self._looking.get(f"{self._url}/metrics", timeout=METRICS_TIMEOUT_S)
            answer.raise_for_status()
        except requests.RequestException:
            return self._counts
        sums: Counter[str] = Counter()
        for name, value in _METRIC.findall(answer.text):
            sums[name] += round(float(value))
        granted = re.search(r'^redrain_grabs_total\{status="granted"\} ([0-9.e+]+)$', answer.text, re.MULTILINE)
        self._counts = {**sums, **({} if granted is None else {"granted": round(float(granted[1]))})}
        return self._counts

    def _cut(self) -> Books:
        answer = self._checking.get(f"{self._url}/api/books", timeout=BOOKS_TIMEOUT_S)
        answer.raise_for_status()
        try:
            return books_from(orjson.loads(line) for line in answer.content.splitlines())
        except orjson.JSONDecodeError as error:
            raise BadRecord(f"the books were cut off: {error}") from None

    def _rooms_now(self) -> tuple[RoomPicture, ...]:
        answer = self._checking.get(f"{self._url}/api/rooms", timeout=METRICS_TIMEOUT_S)
        answer.raise_for_status()
        return tuple(
            RoomPicture(room["room_id"], room["title"], room["audience"], room["creator_id"]) for room in answer.json()
        )

    def _shown_badge(self, now_ms: int) -> Badge:
        badge = self._badge
        if badge.light is not Light.GREEN:
            return badge
        if self._store.state == "away" or not self._answers:
            return replace(badge, light=Light.AMBER, why="store_away")
        old_ms = BOOKS_OLD_MS + REST * (self._cut_took_ms or 0)
        old = badge.checked_at_ms is None or now_ms - badge.checked_at_ms > old_ms
        return replace(badge, light=Light.AMBER, why="books_old") if old else badge

    def _store_now(self, now_ms: int) -> StorePicture:
        store = replace(self._store, steps=self.steps())
        if store.state == "unknown" and not self._answers:
            return replace(store, state="away", away_since_ms=now_ms)
        return store


class _RecentLatencies:
    """The latencies of the last minute: an evening's percentiles would not show what happens now."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[float, int]]] = deque()

    def over(self, progress: Progress) -> Progress:
        """Return the progress with only the latencies of the last minute."""
        now_s = time.monotonic()
        if not self._seen or now_s - self._seen[-1][0] >= 1.0:
            self._seen.append((now_s, dict(progress.latencies)))
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - WINDOW_S:
            self._seen.popleft()
        before = self._seen[0][1] if now_s - self._seen[0][0] >= WINDOW_S else {}
        counts = {ms: count - before.get(ms, 0) for ms, count in progress.latencies.items()}
        recent = {ms: count for ms, count in counts.items() if count}
        return replace(progress, latencies=recent, max_ms=max(recent, default=0.0))
