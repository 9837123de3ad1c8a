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
        yield CounterMetricFamily("redrain_comments_received", "Comments of viewers.", value=metrics.comments_in)
        yield CounterMetricFamily(
            "redrain_comments_dropped",
            "Comments dropped: too many in a window, or the store was unavailable.",
            value=metrics.comments_dropped,
        )
        yield CounterMetricFamily("redrain_likes_received", "Likes of viewers.", value=metrics.likes_in)
        yield CounterMetricFamily(
            "redrain_trail_events", "Events appended to logistics trails.", value=metrics.trail_events
        )
        yield CounterMetricFamily(
            "redrain_trail_messages", "Service messages to buyers that are connected.", value=metrics.trail_messages
        )
        yield CounterMetricFamily(
            "redrain_messages_dropped",
            "Messages not sent to slow consumers; never a fact or a receipt.",
            value=metrics.messages_dropped,
        )
        yield CounterMetricFamily("redrain_frames_received", "Frames from viewers.", value=metrics.frames_in)
        yield CounterMetricFamily("redrain_frames_sent", "Frames to viewers.", value=metrics.frames_out)
        yield CounterMetricFamily("redrain_bytes_sent", "Bytes to viewers.", value=metrics.bytes_out)
        yield CounterMetricFamily(
            "redrain_store_unavailable",
            "Steps given up because the store was unavailable.",
            value=metrics.store_unavailable,
        )
        failures = CounterMetricFamily(
            "redrain_task_failures", "Failures of long-lived tasks, each of which was started again.", labels=["task"]
        )
        for task, count in metrics.task_failures.items():
            failures.add_metric([task], count)
        yield failures
        yield CounterMetricFamily("redrain_malformed_frames", "Frames that were no message.", value=metrics.malformed)
