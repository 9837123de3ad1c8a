"""A user's own class is found in a folder, and nothing there takes the place of what is installed."""

import sys
from pathlib import Path

import pytest

from server.user_class import BadClass, import_class


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("user_mine", "user_broken", "user_leaves", "user_needs", "user_package", "user_package.inside"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_class_of_the_folder_is_imported_and_the_path_stays(tmp_path: Path) -> None:
    (tmp_path / "user_mine.py").write_text("class Mine: pass\n")
    (tmp_path / "user_package").mkdir()
    (tmp_path / "user_package/inside.py").write_text("class Deep: pass\n")
    before = list(sys.path)
    assert import_class("user_mine:Mine", tmp_path).__name__ == "Mine"
    assert import_class("user_package.inside:Deep", tmp_path).__name__ == "Deep"
    assert sys.path == before


def test_what_is_installed_wins(tmp_path: Path) -> None:
    (tmp_path / "fractions.py").write_text("class Fraction: mine = True\n")
    assert not hasattr(import_class("fractions:Fraction", tmp_path), "mine")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("user_mine", "is no package.module:Class"),
        ("user_mine:", "is no package.module:Class"),
        ("../x:Mine", "is no package.module:Class"),
        ("user_nowhere:Mine", "there is no module user_nowhere in"),
        ("user_mine:Nobody", "user_mine has no class Nobody"),
        ("user_mine:number", "user_mine has no class number"),
        ("user_broken:Mine", "user_broken cannot be imported: SyntaxError"),
        ("user_leaves:Mine", "user_leaves cannot be imported: SystemExit"),
        ("user_needs:Mine", "user_needs cannot be imported: No module named 'user_nowhere'"),
    ],
)
def test_what_cannot_be_imported_is_said(spec: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "user_mine.py").write_text("class Mine: pass\nnumber = 1\n")
    (tmp_path / "user_broken.py").write_text("class Mine(\n")
    (tmp_path / "user_leaves.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "user_needs.py").write_text("import user_nowhere\n")
    with pytest.raises(BadClass, match=said):
        import_class(spec, tmp_path)
