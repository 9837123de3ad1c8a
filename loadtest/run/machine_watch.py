"""A watch over the machine, in a thread of its own beside a run."""

import threading


class MachineWatch:
    """Watches from ``start`` to ``stop``; what is watched, and what is kept of it, is a subclass's."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        """Watch until ``_over`` is set."""
        raise NotImplementedError
