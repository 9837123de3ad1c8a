"""A user's own allocator: the class that ``package.module:Class`` names, or a sentence that says why there is none."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from server.core.packets.capabilities import Capabilities
from server.store.allocators.port import Allocator

COROUTINES = {"open": 0, "close": 0, "claim": 3}  # each with the arguments that it is called with
FUNCTIONS = {"observe": 1, "forget": 1}


class BadAllocator(Exception):  # noqa: N818 - said to a person
    """There is no such allocator, or it is none; the text says which and what to do."""


def load_class(spec: str, folder: Path) -> type[Allocator]:
    """
    Import the allocator class *spec*, ``package.module:Class``, from an installed package or from *folder*.

    The folder is seen by this import alone, after everything that is installed: nothing in it can take the place of a
    module of ours, of Python or of a library. Raises BadAllocator.
    """
    module_name, _, class_name = spec.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), class_name)):
        raise BadAllocator(f"{spec!r} is no package.module:Class")
    found = getattr(_imported(module_name, folder), class_name, None)
    if not inspect.isclass(found):
        raise BadAllocator(f"{module_name} has no class {class_name}")
    if problem := _lack_of(found):
        raise BadAllocator(f"{spec} is no allocator: {problem} (see docs/allocators.md)")
    return cast(type[Allocator], found)


def _imported(module_name: str, folder: Path) -> Any:
    try:
        with _importing_from(folder):
            return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise BadAllocator(f"there is no module {error.name} in {folder} or among what is installed") from None
        raise BadAllocator(f"{module_name} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:
        raise BadAllocator(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    place = str(folder)
    sys.path.append(place)
    try:
        yield
    finally:
        sys.path.reverse()  # the last one is ours: the folder may have been on the path before
        sys.path.remove(place)
        sys.path.reverse()


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
