"""The audience's progress, read from the lines that every engine process appends while it runs."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from loadtest.record.growing_file import GrowingFile
from loadtest.record.history import FactRecord
from loadtest.record.shape import Shape
from server.core.ids import PacketId, RoomId


class LivePacket(NamedTuple):
    """A packet of the programme: its name, its number of shares by now, and the last action of its creator."""

    name: str
    share_count: int
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """
    The audience's state at one moment, over all its processes, by the definitions of the result.

    ``present`` are those of ``viewers`` who are in their rooms, ``rooms`` the same by room, ``came`` the most there
    have been; ``seats`` and ``connected`` count connections. ``lost`` are the grabs whose answer absent viewers did not
    wait for, ``unread`` those whose answer the scenario does not explain. ``latencies`` has for each latency how many
    taps it took; ``granted_of`` the shares that viewers were told of, by packet; ``facts`` the messages of the rooms,
    each as every process received it. ``leaving`` tells that the run sends everybody home.
    """

    seats: int = 0
    connected: int = 0
    viewers: int = 0
    present: int = 0
    came: int = 0
    leaving: bool = False
    offered: int = 0
    answered: int = 0
    lost: int = 0
    unread: int = 0
    comments: int = 0
    likes: int = 0
    failed: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    latencies: Mapping[float, int] = field(default_factory=dict)
    max_ms: float = 0.0
    granted_of: Mapping[PacketId, int] = field(default_factory=dict)
    rooms: Mapping[RoomId, int] = field(default_factory=dict)
    facts: Collection[FactRecord] = ()
    packets: Mapping[PacketId, LivePacket] = field(default_factory=dict)

    @property
    def granted(self) -> int:
        """Return how many shares viewers were told of."""
        return sum(self.granted_of.values())

    @property
    def p99_ms(self) -> float:
        """Return the latency that 99 % of the taps do not exceed; 0 without any."""
        return self.percentile_ms(990)

    def percentile_ms(self, per_mille: int) -> float:
        """Return the smallest latency that so many taps do not exceed, as ``measures.percentiles`` does."""
        left = max(1, -(-sum(self.latencies.values()) * per_mille // 1000))
        for ms in sorted(self.latencies):
            left -= self.latencies[ms]
            if left <= 0:
                return ms
        return 0.0


_FACT = Shape(FactRecord)


@dataclass(slots=True)
class ProgressFiles:
    """Reads ``progress-*.jsonl`` of a folder, each time only the new lines."""

    folder: Path
    _files: dict[Path, GrowingFile] = field(default_factory=dict)
    _latest: dict[Path, dict[str, Any]] = field(default_factory=dict)
    _latencies: dict[Path, dict[float, int]] = field(default_factory=dict)
    _shares: dict[PacketId, set[tuple[str, str]]] = field(default_factory=dict)
    _came: Counter[Path] = field(default_factory=Counter)
    _facts: dict[tuple[Path, str, str, int], FactRecord] = field(default_factory=dict)

    def look(self) -> Progress:
        """Return the newest state."""
        for path in self.folder.glob("progress-*.jsonl"):
            for line in self._files.setdefault(path, GrowingFile(path)).new_lines():
                self._take(path, orjson.loads(line))
        states = list(self._latest.values())
        counts = ["seats", "connected", "viewers", "present", "offered", "answered", "lost", "unread", "failed"]
        counts += ["comments", "likes"]
        latencies: Counter[float] = Counter()
        for of_process in self._latencies.values():
            latencies.update(of_process)
        failures: Counter[str] = Counter()
        for state in states:
            failures.update(state["failures"])
        rooms: Counter[RoomId] = Counter()
        for state in states:
            rooms.update(state["rooms"])
        return Progress(
            **{name: sum(state.get(name, 0) for state in states) for name in counts},
            came=self._came.total(),
            leaving=any(state["phase"] == "leaving" for state in states),
            failures=failures,
            latencies=latencies,
            max_ms=max((state["max_ms"] for state in states), default=0.0),
            granted_of={packet: len(shares) for packet, shares in self._shares.items()},
            rooms=rooms,
            facts=tuple(self._facts.values()),
        )

    def _take(self, path: Path, state: dict[str, Any]) -> None:
        self._latest[path] = state
        self._came[path] = max(self._came[path], state["present"])
        of_process = self._latencies.setdefault(path, {})
        of_process.update({float(ms): count for ms, count in state["latencies"].items()})
        for packet, viewer, name in state["shares"]:
            # Two processes may have heard of the share of one viewer with two devices.
            self._shares.setdefault(packet, set()).add((viewer, name))
        for line in state["facts"]:
            if line["seq"] is None:  # of a foreign service: a history skips them too
                continue
            fact = _FACT.read(line | {"process": list(self._latest).index(path)})
            self._facts[path, fact.room, fact.epoch, fact.seq] = fact
