"""The files that this process may have open: each connection is one."""

import resource
from typing import Final

FILES_KEPT: Final = 100  # for the store's connections, logs, archives and the like


def files_max() -> int:
    """Return how many files the process may have open, after it has asked for as many as it may ask for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 30
