"""
The module counts the Python instructions of the process that imports it (``scripts.gate.instructions``).

Python imports it as it starts. At SIGUSR2 it writes how many there have been since the first one into a file beside
itself, named like the process. It is copied into a folder of its own and stands alone: the build that imports it may be
any revision.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

HERE = os.path.dirname(__file__)
Tracer = Callable[[FrameType, str, Any], Any]


class _Count:
    instructions = 0
    asked = 0


def _count(frame: FrameType, event: str, argument: object) -> Tracer | None:
    """Count one instruction."""
    if event == "opcode":
        _Count.instructions += 1
    return _count


def _enter(frame: FrameType, event: str, argument: object) -> Tracer | None:
    """Have each instruction of a function counted that is called from now on, but for those of this module."""
    if frame.f_code.co_filename == __file__:
        return None
    frame.f_trace_lines, frame.f_trace_opcodes = False, True
    return _count


def _tell(number: int, frame: FrameType | None) -> None:
    """Write the count, whole or not at all, and count from now on."""
    _Count.asked += 1
    place = os.path.join(HERE, str(os.getpid()))
    with open(f"{place}.new", "w", encoding="ascii") as file:
        file.write(f"{_Count.asked} {_Count.instructions}")
    os.replace(f"{place}.new", place)
    sys.settrace(_enter)


signal.signal(signal.SIGUSR2, _tell)
