"""A latency histogram with fixed buckets: cheap to add to, to merge and to send, and fine enough below 10 ms."""

from dataclasses import dataclass, field


def bucket_ms(latency_ms: float) -> float:
    """Return the bucket of a latency: steps of 0.1 ms below 10 ms, of 1 ms below 100, then two significant digits."""
    if latency_ms < 10:
        return round(latency_ms, 1)
    if latency_ms < 100:
        return float(round(latency_ms))
    if latency_ms < 1_000:
        return float(round(latency_ms, -1))
    if latency_ms < 10_000:
        return float(round(latency_ms, -2))
    return float(round(latency_ms, -3))


@dataclass(slots=True)
class Tally:
    """
    Latencies in milliseconds, by bucket, with their exact count, sum, least and most.

    ``untimed`` are further requests, of which nobody knows how long they took.
    """

    buckets: dict[float, int] = field(default_factory=dict)
    count: int = 0
    total_ms: float = 0.0
    min_ms: float = 0.0
    max_ms: float = 0.0
    total_bytes: int = 0
    untimed: int = 0

    def add(self, latency_ms: float, size_bytes: int = 0) -> None:
        """Count one latency and the size of the message it ended with."""
        bucket = bucket_ms(latency_ms)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        if not self.count or latency_ms < self.min_ms:
            self.min_ms = latency_ms
        self.max_ms = max(self.max_ms, latency_ms)
        self.count += 1
        self.total_ms += latency_ms
        self.total_bytes += size_bytes
