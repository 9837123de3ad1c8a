"""A user's allocator is found in a folder or among what is installed, or a sentence says why not."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from server.store.allocators.loading import BadAllocator, load_class
from server.store.allocators.naive import NaiveAllocator
from server.store.allocators.port import Allocator

GOOD = """
from server.store.allocators.port import Allocator

class Mine(Allocator):
    def __init__(self, context):
        self.context = context

    async def claim(self, packet_id, room_id, grabs):
        return []
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(dedent(text), "utf-8")


def test_a_class_in_the_folder_is_loaded(tmp_path: Path) -> None:
    """The folder is on the path for that import alone, and its other modules are seen by it."""
    write(tmp_path, "loaded_sibling.py", "NAME = 'sibling'\n")
    write(tmp_path, "loaded_one.py", f"import loaded_sibling\n{GOOD}")
    before = list(sys.path)

    found = load_class("loaded_one:Mine", tmp_path)

    assert issubclass(found, Allocator)
    assert sys.path == before


def test_a_class_of_an_installed_package_is_loaded(tmp_path: Path) -> None:
    """One of ours does for it."""
    assert load_class("server.store.allocators.naive:NaiveAllocator", tmp_path) is NaiveAllocator


def test_nothing_in_the_folder_takes_the_place_of_what_is_installed(tmp_path: Path) -> None:
    """A folder may hold modules named like Python's or ours: they are not imported."""
    for name in ("colorsys.py", "server.py"):
        write(tmp_path, name, "raise AssertionError('the wrong one')\n")
    write(tmp_path, "loaded_two.py", f"import colorsys\n{GOOD}")
    assert load_class("loaded_two:Mine", tmp_path).__name__ == "Mine"


def test_a_class_need_not_inherit(tmp_path: Path) -> None:
    """All methods and the capabilities are enough."""
    write(tmp_path, "loaded_three.py", """
        from server.store.allocators.port import Capabilities
        class Mine:
            capabilities = Capabilities()
            def __init__(self, context): ...
            async def open(self): ...
            async def close(self): ...
            async def claim(self, packet_id, room_id, grabs): return []
            def observe(self, packet): ...
            def forget(self, packet_id=None): ...
    """)  # fmt: skip
    assert load_class("loaded_three:Mine", tmp_path).__name__ == "Mine"


@pytest.mark.parametrize(
    ("number", "text", "said"),
    [
        (0, "1/0", "bad0 cannot be imported: ZeroDivisionError: division by zero"),
        (1, "import nosuchmodule", "bad1 cannot be imported: No module named 'nosuchmodule'"),
        (2, "raise SystemExit(3)", "bad2 cannot be imported: SystemExit: 3"),
        (3, "def Mine(context): ...", "bad3 has no class Mine"),
        (4, "class Mine: ...", "it needs capabilities"),
        (5, GOOD.replace("async def claim", "async def claims"), "it has no method claim"),
        (6, GOOD.replace("async def claim", "def claim"), "claim must be an async def"),
        (7, GOOD.replace("packet_id, room_id, grabs", "packet_id, grabs"), "claim must take 3 arguments besides self"),
        (8, GOOD.replace("(self, context)", "(self)"), "its constructor must take one argument"),
        (9, "class Mine(", "bad9 cannot be imported: SyntaxError"),
    ],
)
def test_what_is_no_allocator_is_said(number: int, text: str, said: str, tmp_path: Path) -> None:
    """The module, the class, the method and its arguments: each in a plain sentence."""
    write(tmp_path, f"bad{number}.py", text)
    with pytest.raises(BadAllocator) as bad:
        load_class(f"bad{number}:Mine", tmp_path)
    assert said in str(bad.value)


@pytest.mark.parametrize("spec", ["mine:", ":Mine", "mi ne:Mine", "mine.:Mine", "mine:Mine:Mine", "../mine:Mine"])
def test_what_names_nothing_is_said(spec: str, tmp_path: Path) -> None:
    """The form is package.module:Class."""
    with pytest.raises(BadAllocator, match=r"is no package\.module:Class"):
        load_class(spec, tmp_path)


def test_a_module_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With the folder in which it was looked for."""
    with pytest.raises(BadAllocator, match=f"there is no module nosuch in {tmp_path}"):
        load_class("nosuch.deep:Mine", tmp_path)
