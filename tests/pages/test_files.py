"""The files of the pages: what is read, and that their version follows their bytes."""

import gzip
from pathlib import Path

from server.pages.files import PageFiles


def test_files_are_known_by_path_type_and_content() -> None:
    files = PageFiles()
    dom = files.get("shared/dom.js")
    assert dom is not None
    assert dom.media_type == "text/javascript"
    assert gzip.decompress(dom.zipped) == dom.content
    style = files.get("shared/tokens.css")
    assert style is not None
    assert style.media_type == "text/css"


def test_the_library_of_plots_comes_from_its_package() -> None:
    plotly = PageFiles().get("plotly.min.js")
    assert plotly is not None
    assert plotly.media_type == "text/javascript"
    assert gzip.decompress(plotly.zipped) == plotly.content
    assert b"plotly.js v" in plotly.content[:200]


def test_what_was_not_there_at_the_start_is_not_served(tmp_path: Path) -> None:
    """No path leads out of the folder: the files are a table."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/a.js").write_text("1")
    files = PageFiles(tmp_path / "inside")
    (tmp_path / "inside/b.js").write_text("2")
    assert list(files) == ["a.js"]
    assert files.get("b.js") is None
    assert files.get("../inside/a.js") is None


def test_the_version_changes_with_any_byte_or_name(tmp_path: Path) -> None:
    versions = set()
    for number, (name, content) in enumerate([("a.js", "1"), ("a.js", "2"), ("b.js", "1")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(content)
        versions.add(PageFiles(folder).version)
    assert len(versions) == 3
    assert PageFiles().version == PageFiles().version
