"""
``redrain gate`` over a server with a planted bug: ``python -m tests.planted.gate NAME ARGUMENT...``.

Everything is the real command, but that each server that a storm starts has the bug.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from loadtest.engines.child_process import ChildProcess


@contextmanager
def servers_with(bug: str) -> Iterator[None]:
    """Plant the bug *bug* into every server that a storm starts meanwhile."""
    start = ChildProcess.__init__

    def planted(self: ChildProcess, name: str, module: str, arguments: Sequence[str], *rest: Any, **more: Any) -> None:
        if name == "server":
            module, arguments = "tests.planted.server", [bug, *arguments]
        start(self, name, module, arguments, *rest, **more)

    ChildProcess.__init__ = planted  # type: ignore[method-assign]
    try:
        yield
    finally:
        ChildProcess.__init__ = start  # type: ignore[method-assign]


if __name__ == "__main__":
    from scripts.cli import main

    with servers_with(sys.argv[1]):
        main(["gate", *sys.argv[2:]])
