"""Answers that could not be read: what was answered, how often, and where the scenario would explain it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from client_sim.unread_answers import OTHERS, SAID_MAX, WHAT_MAX, shortened
from loadtest.record.history import History, UnreadRecord

KINDS_MAX, KINDS_SHOWN = 20, 3


@dataclass(frozen=True, slots=True)
class NotRead:
    """One kind of answer that the scenario does not explain; ``said`` is an excerpt of one of them."""

    what: str
    count: int
    said: str
    mend: str


def not_read(history: History) -> list[NotRead]:
    """Return the kinds of answers that could not be read, the most frequent first; the rarest count together."""
    counts = Counter(answer.what for answer in history.unread)
    others = counts.pop(OTHERS, 0)
    kinds = counts.most_common(KINDS_MAX)
    others += counts.total() - sum(count for _, count in kinds)
    first: dict[str, UnreadRecord] = {}
    for answer in history.unread:
        if answer.said is not None or answer.what not in first:
            first.setdefault(answer.what, answer)
    found = [_kind(first[what], count) for what, count in kinds]
    return [*found, NotRead(OTHERS, others, "", "")] if others else found


def _kind(answer: UnreadRecord, count: int) -> NotRead:
    """Return a kind of answer by its first one; a history may be of anybody's making."""
    return NotRead(
        shortened(answer.what, WHAT_MAX),
        count,
        shortened(answer.said or "", SAID_MAX),
        shortened(answer.mend, WHAT_MAX),
    )


def unread_count(result: Mapping[str, Any]) -> int:
    """Return how many grabs of a result had an answer that could not be read."""
    return sum(kind["count"] for kind in result.get("not_read", ()))


def not_read_text(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Return in one line what could not be read and where to explain it, or ""."""
    told = [_told(kind) for kind in kinds[:KINDS_SHOWN]]
    if rest := kinds[KINDS_SHOWN:]:
        told.append(f"{sum(kind['count'] for kind in rest):,} of {len(rest)} further kinds, in the result")
    return "; ".join(told)


def _told(kind: Mapping[str, Any]) -> str:
    told = f"{kind['count']:,} x {kind['what']} {kind['said']}".rstrip()
    return f"{told}: map it in {kind['mend']}" if kind["mend"] else told
