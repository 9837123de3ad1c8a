"""Handle signals for a while: the handlers from before are put back."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_signals(handle: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """Call *handle* for each of these signals while the block runs."""
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
