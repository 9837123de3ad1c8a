"""The messages of the rooms as lines of the log, each once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from loadtest.record.history import FactRecord
from loadtest.watch.picture import LogLine
from server.core.ids import PacketId

_NS_PER_MS = 1_000_000


class FactsLog:
    """Remembers which messages are in the log; *ahead_ms* is how far real time is ahead of the history's clock."""

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms
        self._told: set[tuple[str, str, int]] = set()

    def lines(self, facts: Iterable[FactRecord], name_of: Callable[[PacketId], str]) -> list[LogLine]:
        """Return the lines of the messages that are new."""
        lines = []
        for fact in facts:
            key = (fact.room, fact.epoch, fact.seq)
            if key not in self._told:
                self._told.add(key)
                values = {"packet": name_of(fact.packet), "room": fact.room}
                lines.append(LogLine(self._ahead_ms + fact.t_first // _NS_PER_MS, code=fact.type, values=values))
        return lines


def named(line: LogLine, names: Mapping[PacketId, str]) -> LogLine:
    """Return the line with the name of its packet, if it was written before the name was known."""
    name = names.get(PacketId(line.values.get("packet", "")))
    return line if name is None else replace(line, values={**line.values, "packet": name})
