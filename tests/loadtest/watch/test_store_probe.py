"""The probe of a store: up, away, and how long it was away, by a real store that is stopped and started again."""

from pathlib import Path

from loadtest.watch.store_probe import StoreProbe
from server.store.connection import Durability
from server.store.embedded.process import EmbeddedStore


def test_a_store_that_goes_and_comes_back_is_seen(tmp_path: Path) -> None:
    """One that was never there is not missed; one that was is away until it answers again."""
    probe = StoreProbe(tmp_path, "durable")
    assert (probe.ask().state, probe.ask().durability) == ("unknown", "durable")
    folder = tmp_path / "store"
    store = EmbeddedStore.start(folder, durability=Durability.RELAXED)
    up = probe.ask()
    assert (up.state, up.away_since_ms, up.recovered_in_ms, up.delayed_syncs) == ("up", None, None, 0)
    assert up.commands_per_second is not None
    noted = (folder / "store.lock").read_bytes()
    store.stop()
    (folder / "store.lock").write_bytes(noted)  # as after a SIGKILL
    away = probe.ask()
    assert (away.state, away.recovered_in_ms) == ("away", None)
    assert away.away_since_ms is not None
    assert StoreProbe(tmp_path).ask().away_since_ms is None, "it was not up before"
    store = EmbeddedStore.start(folder, durability=Durability.RELAXED)
    back = probe.ask()
    store.stop()
    assert (back.state, back.away_since_ms) == ("up", None)
    assert back.recovered_in_ms is not None
