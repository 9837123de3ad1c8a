"""Metrics for Prometheus: they are parsed by its own parser, and they count."""

from prometheus_client.parser import text_string_to_metric_families

from tests.api.caller import Caller


def _samples(api: Caller) -> dict[tuple[str, str], float]:
    answer = api.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, sample.labels.get("status", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_grab_is_counted_by_its_status(api: Caller) -> None:
    """One granted grab and one repeated one are one each, and their frames are frames."""
    before = _samples(api)
    _, room_id, packet_id = api.on_air(600_000)
    assert api.grab(room_id, packet_id, "vera")["status"] == "granted"
    assert api.grab(room_id, "nobody.nothing", "vera")["status"] == "not_found"
    after = _samples(api)

    def grown(name: str, status: str = "") -> float:
        return after[name, status] - before.get((name, status), 0)

    assert grown("redrain_grabs_total", "granted") == 1
    assert grown("redrain_grabs_total", "not_found") == 1
    assert grown("redrain_frames_received_total") >= 2
    assert grown("redrain_frames_sent_total") >= 4  # a welcome and a receipt each
    assert grown("redrain_bytes_sent_total") > 100


def test_the_promised_metrics_are_there(api: Caller) -> None:
    """A dashboard may count on these names."""
    names = {name for name, _ in _samples(api)}
    assert {"redrain_connections", "redrain_frames_received_total", "redrain_malformed_frames_total"} <= names
