"""Import a user's class, named ``package.module:Class``, from an installed package or from one folder."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any


class BadClass(Exception):  # noqa: N818 - said to a person
    """The class cannot be imported; the text says what is missing."""


def import_class(spec: str, folder: Path) -> type[Any]:
    """
    Import the class *spec*, ``package.module:Class``, from an installed package or from *folder*.

    The folder is seen by this import alone, after everything that is installed: nothing in it can take the place of a
    module of ours, of Python or of a library. Raises BadClass.
    """
    module_name, _, class_name = spec.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), class_name)):
        raise BadClass(f"{spec!r} is no package.module:Class")
    found = getattr(_imported(module_name, folder), class_name, None)
    if not inspect.isclass(found):
        raise BadClass(f"{module_name} has no class {class_name}")
    return found


def _imported(module_name: str, folder: Path) -> Any:
    try:
        with _importing_from(folder):
            return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise BadClass(f"there is no module {error.name} in {folder} or among what is installed") from None
        raise BadClass(f"{module_name} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:
        raise BadClass(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error


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
