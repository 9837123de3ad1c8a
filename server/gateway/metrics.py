"""What the gateway counts: plain integers, so that counting costs the hot path an addition."""

from dataclasses import dataclass, field

from server.core.packets.claim import ClaimStatus


@dataclass(slots=True)
class Metrics:
    """Counters since the process started, but for ``connected``, which goes up and down."""

    connected: int = 0
    joined: int = 0
    refused: int = 0  # connections that were answered with an HTTP error
    resumed: int = 0
    frames_in: int = 0
    frames_out: int = 0
    bytes_out: int = 0
    malformed: int = 0
    comments_in: int = 0
    comments_dropped: int = 0  # more were said in a window than are told, or the store was away
    likes_in: int = 0
    trail_events: int = 0  # appended to orders' trails through this process; a repetition is none
    trail_messages: int = 0  # told to buyers that are connected here
    messages_dropped: int = 0  # not queued for viewers that are behind; never a fact, never a receipt
    too_slow: int = 0  # viewers cut off with 4008
    timed_out: int = 0  # requests that did not come in whole, and viewers that fell silent
    store_unavailable: int = 0
    grabs: dict[ClaimStatus, int] = field(default_factory=lambda: dict.fromkeys(ClaimStatus, 0))
