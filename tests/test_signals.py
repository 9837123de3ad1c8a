"""Signals are handled for a while only."""

import os
import signal

from server.signals import on_signals


def test_handlers_are_put_back() -> None:
    """Within the block each signal calls the function; afterwards the handler from before is there again."""
    before, heard = signal.getsignal(signal.SIGUSR1), []
    with on_signals(lambda: heard.append("heard"), signal.SIGUSR1):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert (heard, signal.getsignal(signal.SIGUSR1)) == (["heard"], before)
