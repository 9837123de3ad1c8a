"""A packet's lifecycle in a room, from its launch to its result: what is due next, and what was published already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.core.ids import PacketId, ViewerId
from server.core.packets.claim import Share
from server.core.packets.packet import Packet, PacketState, Phase, Schedule
from server.core.rooms import messages
from server.core.rooms.feed import Cue, FactKind

COUNTDOWN_MS = (60_000, 30_000, 10_000, 5_000, 3_000)  # real time before the opening (DY-CLM-1)
COUNT_EVERY_MS = 200  # real; the remaining count is published at most five times a second
COUNT_QUIET_MAX_MS = 1_000  # real; longest interval between counts while nobody grabs
COUNT_PATIENCE_MS = 2_000  # real; an unanswered count is retried after this
PATIENCE_MS = 500  # real; a proposal not read back by then is retried, then after twice as long ...
PATIENCE_MAX_MS = 5_000  # ... up to this
TOO_EARLY_MS = 10  # real; our estimate of the store's clock is ahead by less than this
BEST_LUCK_COUNT = 10


@dataclass(frozen=True, slots=True)
class Propose:
    """Propose a cue to the store, which decides whether it becomes a fact."""

    cue: Cue


@dataclass(frozen=True, slots=True)
class Publish:
    """Send a message to every viewer in the room; ``seq`` is 0 if the message is not a fact."""

    text: bytes
    seq: int = 0


@dataclass(frozen=True, slots=True)
class CountShares:
    """Ask the store how many shares of a packet are left."""

    packet_id: PacketId


@dataclass(frozen=True, slots=True)
class Settle:
    """Settle a packet whose window is over, and read its result."""

    packet_id: PacketId


@dataclass(frozen=True, slots=True)
class LookUp:
    """Read a packet from the store."""

    packet_id: PacketId


Effect = Propose | Publish | CountShares | Settle | LookUp

_STEPS = (FactKind.WARMUP, FactKind.OPEN, FactKind.CLOSED, FactKind.RESULT)


@dataclass(slots=True)
class _PendingRequest:
    """A request to the store: when to send it (again), and how often it was sent."""

    at_ms: int
    times: int = 0

    def asked(self, now_ms: int, real: int) -> None:
        self.at_ms = now_ms + real * min(PATIENCE_MS << min(self.times, 8), PATIENCE_MAX_MS)
        self.times += 1


class PacketLifecycle:
    """
    The lifecycle of one packet in a room. Instants are room milliseconds; *real* is how many make a real one.

    The facts of a packet form a chain (warm-up, open, closed, result): the next one is proposed when it is due and the
    previous one was read back. ``sold_out`` and ``reopened`` come between; ``voided`` ends the chain anywhere.
    """

    def __init__(
        self, packet_id: PacketId, screen: Mapping[str, Any], schedule: Schedule, surface: str, real: int
    ) -> None:
        self.packet_id = packet_id
        self.surface = surface
        self._screen = dict(screen)
        self._schedule = schedule
        self._real = real
        self._told: set[FactKind] = set()
        self._step = 0
        self._next = _PendingRequest(schedule.warmup_at_ms)
        self._marks: list[int] = []
        self._remaining: int | None = None
        self._count: _PendingRequest | None = None
        self._counted_at_ms = 0
        self._count_every_ms = COUNT_EVERY_MS
        self._hinted = False
        self._sold_out: _PendingRequest | None = None
        self._sold_out_after_ms = 0
        self._result: dict[str, Any] | None = None
        self._void_reason: str | None = None
        self._ended = False
        self._never_shown = False
        self._reopening: _PendingRequest | None = None
        self._reopened_body: dict[str, Any] = {}
        self._claimable_at_ms = 0

    @classmethod
    def of(cls, packet: Packet, real: int) -> "PacketLifecycle":
        """Return the lifecycle of a launched packet."""
        assert packet.schedule is not None
        return cls(packet.packet_id, messages.packet_on_screen(packet), packet.schedule, packet.surface, real)

    @classmethod
    def of_warmup(cls, screen: Mapping[str, Any], real: int) -> "PacketLifecycle":
        """Return the lifecycle of a packet from the body of its ``warmup``."""
        schedule = Schedule(screen["warmup_at_ms"], screen["grab_at_ms"], screen["claim_end_at_ms"])
        return cls(PacketId(screen["packet_id"]), screen, schedule, screen["surface"], real)

    @property
    def ended(self) -> bool:
        """Return whether this packet has left the screen."""
        return self._step == len(_STEPS) or FactKind.VOIDED in self._told or self._never_shown

    def knows(self, kind: FactKind) -> bool:
        """Return whether the fact *kind* of this packet was read back."""
        return kind in self._told

    def on_screen(self) -> dict[str, Any] | None:
        """Return the packet's public state, or None if it was not published yet."""
        if FactKind.WARMUP not in self._told or self.ended:
            return None
        sold_out = FactKind.SOLD_OUT in self._told
        return {**self._screen, "phase": self._phase(), "remaining": self._remaining, "sold_out": sold_out}

    def next_wakeup_ms(self) -> int | None:
        """Return the next instant at which this packet needs to be woken, or None."""
        if self.ended:
            return None
        instants = [wish.at_ms for wish in self._wishes() if wish is not None]
        if self._closing_waits():
            instants.remove(self._next.at_ms)
        return min(instants + self._marks[:1])

    def _wishes(self) -> tuple[_PendingRequest | None, ...]:
        return self._next, self._count, self._sold_out, self._reopening

    def wake(self, now_ms: int) -> list[Effect]:
        """Return the effects due at *now_ms*."""
        if self.ended:
            return []
        effects: list[Effect] = list(self._count_down(now_ms))
        if self._sold_out is not None and self._sold_out.at_ms <= now_ms:
            self._sold_out.asked(now_ms, self._real)
            body = {"packet_id": self.packet_id, "elapsed_ms": self._sold_out_after_ms}
            effects.append(Propose(Cue(FactKind.SOLD_OUT, self.packet_id, body)))
        if self._reopening is not None and self._reopening.at_ms <= now_ms:
            self._reopening.asked(now_ms, self._real)
            effects.append(self._propose(FactKind.REOPENED, self._reopened_body))
        if self._count is not None and self._count.at_ms <= now_ms:
            effects += self._count_from_now(self._count, now_ms)
        if self._next.at_ms <= now_ms and not self._closing_waits():
            self._next.asked(now_ms, self._real)
            effects.append(self._take_step())
        return effects

    def count_along(self, now_ms: int) -> list[Effect]:
        """Have the shares of a quiet packet counted a little early, because others are counted now."""
        interval_ms = COUNT_EVERY_MS * self._real
        if (
            self._count is None
            or not self._counted_at_ms + interval_ms <= now_ms < self._count.at_ms <= now_ms + interval_ms
        ):
            return []
        return self._count_from_now(self._count, now_ms)

    def _count_from_now(self, count: _PendingRequest, now_ms: int) -> list[Effect]:
        count.at_ms = now_ms + self._real * COUNT_PATIENCE_MS
        self._counted_at_ms = now_ms
        return [CountShares(self.packet_id)]

    def published(self, kind: FactKind, now_ms: int) -> None:
        """Note a fact of this packet that was read back."""
        self._told.add(kind)
        match kind:
            case FactKind.WARMUP:
                opening = self._schedule.grab_at_ms
                self._marks = [m for left in COUNTDOWN_MS if (m := opening - left * self._real) > now_ms]
            case FactKind.OPEN:
                self._marks = []
                self._count = _PendingRequest(now_ms + COUNT_EVERY_MS * self._real)
            case FactKind.SOLD_OUT:
                self._remaining = 0
                self._count = self._sold_out = None
            case FactKind.REOPENED:
                self._told.discard(FactKind.SOLD_OUT)
                self._reopening = self._sold_out = None
                self._count = _PendingRequest(now_ms) if FactKind.OPEN in self._told else None
            case FactKind.CLOSED | FactKind.RESULT | FactKind.VOIDED:
                self._marks = []
                self._count = self._sold_out = self._reopening = None
        if kind in _STEPS:
            self._step = _STEPS.index(kind) + 1
            due_ms = self._due_at_ms()
            self._next = _PendingRequest(min(due_ms, now_ms) if kind == FactKind.CLOSED else due_ms)

    def counted(self, remaining: int, now_ms: int) -> list[Effect]:
        """Note how many shares are left; publish the number if it changed and is not 0."""
        if self._count is None:
            return []
        remaining = max(0, remaining)  # an allocator under test may grant more than there are
        if remaining == 0:
            self._count = None
            self._sold_out = _PendingRequest(now_ms)
            self._sold_out_after_ms = max(0, now_ms - self._schedule.grab_at_ms)
        else:
            quiet = remaining == self._remaining
            self._count_every_ms = min(2 * self._count_every_ms, COUNT_QUIET_MAX_MS) if quiet else COUNT_EVERY_MS
            self._count.at_ms = self._counted_at_ms + self._count_every_ms * self._real
            self._hinted = False
        if remaining in (0, self._remaining):
            return []  # the last one is told together with ``sold_out``
        self._remaining = remaining
        claimable_at_ms = self._claimable_at_ms if now_ms < self._claimable_at_ms else None
        return [Publish(messages.progress(self.packet_id, remaining, claimable_at_ms))]

    def note_activity(self) -> None:
        """Count at the usual interval again, because somebody has grabbed."""
        if self._count is not None and self._count_every_ms > COUNT_EVERY_MS:
            self._count_every_ms = COUNT_EVERY_MS
            self._count.at_ms = min(self._count.at_ms, self._counted_at_ms + COUNT_EVERY_MS * self._real)

    def count_now(self, now_ms: int) -> None:
        """Request the remaining count at once, unless done already, because no share was left for somebody."""
        if self._count is not None and not self._hinted:
            self._hinted = True
            self._count.at_ms = now_ms

    def turned_down(self, kind: FactKind, *, too_early: bool, now_ms: int) -> list[Effect]:
        """Handle a refused proposal: retry soon if it was too early, else look the packet up."""
        if kind == FactKind.SOLD_OUT:
            if not too_early:
                self._sold_out = None
                self._count = _PendingRequest(now_ms + COUNT_EVERY_MS * self._real)
            return []
        if kind == FactKind.REOPENED:
            return [LookUp(self.packet_id)]
        if too_early:
            self._next.at_ms = now_ms + TOO_EARLY_MS * self._real
            return []
        return [LookUp(self.packet_id)]

    def looked_up(self, packet: Packet, now_ms: int) -> None:
        """
        Update the lifecycle from the packet as the store has it now.

        For a voided packet the void is proposed, for a settled one the result is read, an ended one closes at once. For
        an edited one (KS-EDT-1) the new issuance is proposed if shares were added; otherwise it is only counted again.
        """
        if packet.state is PacketState.VOIDED and self._void_reason is None:
            self._void_reason = "voided"
            self._next = _PendingRequest(now_ms)
        elif packet.state is PacketState.SETTLED and _STEPS[self._step] == FactKind.RESULT and self._result is None:
            self._next.at_ms = now_ms
        elif packet.ended_at_ms is not None and _STEPS[self._step] != "result":
            self._end(now_ms)
        if packet.state is PacketState.LAUNCHED and packet.edition > self._screen["edition"]:
            self._edited(packet, now_ms)

    def _end(self, now_ms: int) -> None:
        """Close a packet that was published at once; drop one that was not (KS-END-1)."""
        if self._ended:
            return
        self._ended = True
        self._never_shown = FactKind.WARMUP not in self._told
        self._step, self._next, self._marks = _STEPS.index(FactKind.CLOSED), _PendingRequest(now_ms), []
        self._count = self._sold_out = self._reopening = None

    def _edited(self, packet: Packet, now_ms: int) -> None:
        screen = messages.packet_on_screen(packet)
        # Shares added by one edit and removed by the next need not be published.
        came = any(
            each.share_count and each.first_index < packet.terms.share_count
            for each in packet.editions
            if each.edition > self._screen["edition"]
        )
        if FactKind.WARMUP not in self._told:
            self._screen = screen
            self._next = _PendingRequest(max(now_ms, self._due_at_ms()))
        elif not came:
            self._screen = screen
            self._reopening = None
            if FactKind.OPEN in self._told and FactKind.SOLD_OUT not in self._told:
                self._count = _PendingRequest(now_ms)
        elif self._reopened_body.get("edition") != packet.edition:
            self._reopened_body = messages.issuance(packet, now_ms)
            self._reopening = _PendingRequest(now_ms)

    def reissued(self, body: Mapping[str, Any]) -> None:
        """Take the issuance of a ``reopened`` that was read back, unless a newer one is known."""
        if body["edition"] > self._screen["edition"]:
            self._claimable_at_ms = body["at_ms"]
            self._screen.update({name: body[name] for name in ("edition", "share_count", "total_fen", "editions")})

    def settled(self, body: dict[str, Any], now_ms: int) -> None:
        """Take the result and propose it at once."""
        self._result = body
        self._next = _PendingRequest(now_ms)

    def _phase(self) -> Phase:
        """Return the published phase, which follows the schedule by a few milliseconds."""
        if FactKind.CLOSED in self._told:
            return Phase.CLAIM_CLOSED
        return Phase.GRABBING if FactKind.OPEN in self._told else Phase.WARMING

    def _due_at_ms(self) -> int:
        schedule = self._schedule
        ends = schedule.claim_end_at_ms
        return (schedule.warmup_at_ms, schedule.grab_at_ms, ends, ends, ends)[self._step]

    def _closing_waits(self) -> bool:
        """Return whether the next fact must wait for ``sold_out``, after which only the end may come."""
        return self._sold_out is not None and self._void_reason is None

    def _take_step(self) -> Effect:
        if self._void_reason is not None:
            return self._propose(FactKind.VOIDED, {"packet_id": self.packet_id, "reason": self._void_reason})
        match _STEPS[self._step]:
            case FactKind.WARMUP:
                return self._propose(FactKind.WARMUP, {"packet": self._screen})
            case FactKind.RESULT:
                return Settle(self.packet_id) if self._result is None else self._propose(FactKind.RESULT, self._result)
            case FactKind.CLOSED if self._ended:
                return self._propose(FactKind.CLOSED, {"packet_id": self.packet_id, "reason": "ended"})
            case kind:
                return self._propose(kind, {"packet_id": self.packet_id})

    def _propose(self, kind: FactKind, body: dict[str, Any]) -> Propose:
        return Propose(Cue(kind, self.packet_id, body))

    def _count_down(self, now_ms: int) -> list[Effect]:
        passed = [mark for mark in self._marks if mark <= now_ms]
        if not passed:
            return []
        self._marks = self._marks[len(passed) :]
        left_ms = self._schedule.grab_at_ms - now_ms
        return [Publish(messages.countdown(self.packet_id, left_ms))] if left_ms > 0 else []


def result_body(
    packet_id: PacketId, claims: Mapping[ViewerId, Share], seed: bytes, editions: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """
    Return the body of ``result``: the number of claims, the ten best (ties: the earlier claim), the revealed seed.

    ``seed`` is the first edition's; *editions* has all seeds.
    """
    best = sorted(claims.items(), key=lambda claim: (-claim[1].amount_fen, claim[1].index))[:BEST_LUCK_COUNT]
    return {
        "packet_id": packet_id,
        "granted_count": len(claims),
        "best_luck": [{"viewer_id": v, "amount_fen": s.amount_fen, "index": s.index} for v, s in best],
        "seed": seed.hex(),
        "editions": list(editions),
    }
