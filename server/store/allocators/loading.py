"""A user's own allocator: the class that ``package.module:Class`` names, or a sentence that says why there is none."""

import inspect
from pathlib import Path
from typing import Any, cast

from server.core.packets.capabilities import Capabilities
from server.store.allocators.port import Allocator
from server.user_class import BadClass, import_class

COROUTINES = {"open": 0, "close": 0, "claim": 3}  # each with the arguments that it is called with
FUNCTIONS = {"observe": 1, "forget": 1}


class BadAllocator(Exception):  # noqa: N818 - said to a person
    """There is no such allocator, or it is none; the text says which and what to do."""


def load_class(spec: str, folder: Path) -> type[Allocator]:
    """Import the allocator class *spec*, from an installed package or from *folder*. Raises BadAllocator."""
    try:
        found = import_class(spec, folder)
    except BadClass as error:
        raise BadAllocator(str(error)) from error
    if problem := _lack_of(found):
        raise BadAllocator(f"{spec} is no allocator: {problem} (see docs/allocators.md)")
    return cast(type[Allocator], found)


def _lack_of(found: type[Any]) -> str:
    """Return why a class is no allocator, or nothing."""
    if not isinstance(getattr(found, "capabilities", None), Capabilities):
        return "it needs capabilities = Capabilities(...), which it has if it inherits from Allocator"
    for name, arguments in {**COROUTINES, **FUNCTIONS}.items():
        method = getattr(found, name, None)
        if not callable(method) or getattr(method, "__isabstractmethod__", False):
            return f"it has no method {name}"
        if name in COROUTINES and not inspect.iscoroutinefunction(method):
            return f"{name} must be an async def"
        if not _takes(method, arguments + 1):
            return f"{name} must take {arguments} argument{'' if arguments == 1 else 's'} besides self"
    if not _takes(found, 1):
        return "its constructor must take one argument, the AllocatorContext"
    return ""


def _takes(function: Any, arguments: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except (TypeError, ValueError):
        return False
    return True
