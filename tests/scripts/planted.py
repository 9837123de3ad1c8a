"""A small house of two rules, planted into a folder: a page, a server and tests that carry them."""

from pathlib import Path

PAGE = """
| id | rule | from |
|---|---|---|
| DY-LAU-3 | A relative launch opens 2 to 15 minutes from now. | DY 2.3.2(1) |
| KS-CLM-1 | A packet comes as a popup. | KS 2.3 |
| KS-2 | A worked example. |
| AMB-7 | What we took. |
"""

LAUNCH = '''"""Launches (KS-CLM-1): what a module's docstring says is only an introduction."""

def lead_ms() -> int:
    """Return how long a launch waits (DY-LAU-3)."""
    return 120_000
'''

SURFACE = """#!lua
-- surface.lua: say how a packet comes (KS-CLM-1).
"""

TESTS = """
import pytest


@pytest.mark.rule("DY-LAU-3")
def test_a_launch_waits() -> None: ...


@pytest.mark.parametrize("gap", [1, pytest.param(2, marks=pytest.mark.rule("KS-CLM-1"))])
def test_a_popup_comes(gap: int) -> None: ...
"""


def plant(folder: Path, *, launch: str = LAUNCH, surface: str = SURFACE, tests: str = TESTS) -> Path:
    """Write the house into *folder* and return it."""
    for path, text in {
        "pyproject.toml": "",
        "docs/rules.md": PAGE,
        "server/core/packets/launch.py": launch,
        "server/store/lua/surface.lua": surface,
        "tests/core/packets/test_launch.py": tests,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder
