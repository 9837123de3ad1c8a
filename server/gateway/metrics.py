"""The gateway's counters: plain integers, so that counting costs the hot path one addition."""

from dataclasses import dataclass, field

from server.core.packets.claim import ClaimStatus


@dataclass(slots=True)
class Metrics:
    """Counters since the process started, except ``connected``, a gauge."""

    connected: int = 0
    joined: int = 0
    refused: int = 0  # connections that were answered with an HTTP error
    resumed: int = 0
    frames_in: int = 0
    frames_out: int = 0
    bytes_out: int = 0
    malformed: int = 0
    comments_in: int = 0
    comments_dropped: int = 0  # above the limit of a window, or the store was unavailable
    likes_in: int = 0
    trail_events: int = 0  # appended to orders' trails by this process, repetitions not counted
    trail_messages: int = 0  # sent to buyers connected to this process
    messages_dropped: int = 0  # not queued for slow consumers; never a fact or a receipt
    too_slow: int = 0  # viewers closed with 4008
    timed_out: int = 0  # requests not completed in time, and viewers that fell silent
    store_unavailable: int = 0  # steps given up because the store was unavailable
    task_failures: dict[str, int] = field(default_factory=dict)  # of long-lived tasks, each of which was started again
    turned_away: dict[str, int] = field(default_factory=dict)  # requests that the door refused, by code
    grabs: dict[ClaimStatus, int] = field(default_factory=lambda: dict.fromkeys(ClaimStatus, 0))

    def turn_away(self, code: str) -> None:
        """Count a request that the door refused."""
        self.refused += 1
        self.turned_away[code] = self.turned_away.get(code, 0) + 1
