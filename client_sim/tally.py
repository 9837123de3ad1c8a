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
    """Latencies in milliseconds, by bucket, with their exact count, sum, least and most."""

    buckets: dict[float, int] = field(default_factory=dict)
    count: int = 0
    total_ms: float = 0.0
    min_ms: float = 0.0
    max_ms: float = 0.0
    total_bytes: int = 0

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

    def merge(self, other: "Tally") -> None:
        """Add the counts of *other*."""
        if not other.count:
            return
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.min_ms = min(self.min_ms, other.min_ms) if self.count else other.min_ms
        self.max_ms = max(self.max_ms, other.max_ms)
        self.count += other.count
        self.total_ms += other.total_ms
        self.total_bytes += other.total_bytes

    def percentile(self, fraction: float) -> float | None:
        """Return the lowest bucket at or below which *fraction* of the latencies lie, or None if there are none."""
        left = fraction * self.count
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return bucket
        return None
