"""A watch runs beside its run, and is over when it was stopped."""

import threading

from loadtest.run.machine_watch import MachineWatch
from tests.waiting import PATIENCE_S


class _Noted(MachineWatch):
    def __init__(self) -> None:
        super().__init__("noted")
        self.began, self.is_over = threading.Event(), False

    def _watch(self) -> None:
        self.began.set()
        self.is_over = self._over.wait(PATIENCE_S)


def test_a_watch_lasts_from_start_to_stop() -> None:
    """Whoever stops it has all that it saw."""
    watch = _Noted()
    watch.start()
    assert watch.began.wait(PATIENCE_S)
    assert not watch.is_over
    watch.stop()
    assert watch.is_over
