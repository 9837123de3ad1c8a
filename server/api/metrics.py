"""All metrics, collected from plain counters on request."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.gateway.metrics import Metrics


class GatewayCollector(Collector):
    """Converts the gateway's counters to Prometheus metrics; the hot path itself only adds to integers."""

    def __init__(self, metrics: Metrics, workers: int) -> None:
        self._metrics = metrics
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics of the server."""
        metrics = self._metrics
        yield GaugeMetricFamily("redrain_workers", "Processes that are counted here.", value=self._workers)
        yield GaugeMetricFamily("redrain_connections", "Viewers connected now.", value=metrics.connected)
        grabs = CounterMetricFamily("redrain_grabs", "Grabs answered, by status.", labels=["status"])
        for status, count in metrics.grabs.items():
            grabs.add_metric([str(status)], count)
        yield grabs
        failures = CounterMetricFamily(
            "redrain_task_failures", "Failures of long-lived tasks, each of which was started again.", labels=["task"]
        )
        for task, count in metrics.task_failures.items():
            failures.add_metric([task], count)
        yield failures
        refused = CounterMetricFamily(
            "redrain_requests_refused", "Requests refused by their Host, Origin or content type.", labels=["code"]
        )
        for code, count in metrics.turned_away.items():
            refused.add_metric([code], count)
        yield refused
        for name, field, meaning in _COUNTERS:
            yield CounterMetricFamily(f"redrain_{name}", meaning, value=getattr(metrics, field))


_COUNTERS = (
    ("comments_received", "comments_in", "Comments of viewers."),
    ("comments_dropped", "comments_dropped", "Comments dropped: too many in a window, or the store was unavailable."),
    ("likes_received", "likes_in", "Likes of viewers."),
    ("trail_events", "trail_events", "Events appended to logistics trails."),
    ("trail_messages", "trail_messages", "Service messages to buyers that are connected."),
    ("messages_dropped", "messages_dropped", "Messages not sent to slow consumers; never a fact or a receipt."),
    ("frames_received", "frames_in", "Frames from viewers."),
    ("frames_sent", "frames_out", "Frames to viewers."),
    ("bytes_sent", "bytes_out", "Bytes to viewers."),
    ("store_unavailable", "store_unavailable", "Steps given up because the store was unavailable."),
    ("malformed_frames", "malformed", "Frames that were no message."),
)
