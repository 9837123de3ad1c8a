"""Marks of rules are found where they count, and nowhere else."""

import json
import textwrap
from pathlib import Path

import pytest

from scripts.commands.rule_index import (
    RECORD,
    RULE_ID,
    SourcePlace,
    digest_of,
    marks_of_code,
    marks_of_tests,
    outcomes_of,
    read_page,
)
from tests.scripts.planted import PAGE, plant


def _names_of(source: str, folder: Path) -> dict[str, list[tuple[int, str]]]:
    (folder / "server").mkdir()
    (folder / "server/packet.py").write_text(textwrap.dedent(source), "utf-8")
    marks = marks_of_code(folder / "server")
    return {rule: [(place.line, place.name) for place in places] for rule, places in marks.items()}


def test_a_page_is_read_by_its_rows() -> None:
    """Rules are the rows whose id is one; vectors and ambiguities may be named but count for nothing."""
    page = read_page(PAGE)
    assert page.rules == {
        "DY-LAU-3": "A relative launch opens 2 to 15 minutes from now.",
        "KS-CLM-1": "A packet comes as a popup.",
    }
    assert page.known == {"DY-LAU-3", "KS-CLM-1", "KS-2", "AMB-7"}


@pytest.mark.parametrize("said", ["DY-1", "KS-2", "AMB-7", "ALL-CRE", "XDY-LAU-3", "LT-g", "DY-LAU-3x"])
def test_what_is_no_id_is_not_taken_for_one(said: str) -> None:
    """Vectors, ambiguities and words that only look like an id are none."""
    assert RULE_ID.search(said) is None


def test_marks_stand_beside_functions_and_scripts(tmp_path: Path) -> None:
    """A docstring is its function's, and a script is one transition; a module's docstring carries nothing."""
    marks = marks_of_code(plant(tmp_path) / "server")
    assert marks == {
        "DY-LAU-3": [SourcePlace("server/core/packets/launch.py", 4, "lead_ms")],
        "KS-CLM-1": [SourcePlace("server/store/lua/surface.lua", 2, "surface.lua")],
    }


def test_a_module_of_pages_carries_what_its_comments_name(tmp_path: Path) -> None:
    """Rules about pages count in comments of each form, but not in code; a page carries no other rule."""
    folder = tmp_path / "server/pages"
    folder.mkdir(parents=True)
    lines = ["/**", " * The menu (DY-UI-1).", " */", 'const id = "DY-UI-2"; // by LT-1', "/** KS-UI-1 */"]
    (folder / "menu.js").write_text("\n".join(lines), "utf-8")
    assert marks_of_code(tmp_path / "server") == {
        "DY-UI-1": [SourcePlace("server/pages/menu.js", 2, "menu.js")],
        "KS-UI-1": [SourcePlace("server/pages/menu.js", 5, "menu.js")],
    }


def test_a_comment_belongs_to_the_field_it_stands_beside(tmp_path: Path) -> None:
    """Behind a field or above it, in a class, in a call and in the open; below a field its docstring."""
    source = """
        class Book:
            '''All of them (LT-1).'''

            lead_ms: int = 2  # DY-LAU-3
            # Why so is a long story,
            # told in ALL-CRE-1.
            window_ms: int = 3

        BOOK = Book(
            lead_ms=4,  # KS-LAU-2
        )
        SLOTS = ()
        '''The platform's own (DY-BLK-1).'''
        """
    assert _names_of(source, tmp_path) == {
        "LT-1": [(3, "Book")],
        "DY-LAU-3": [(5, "Book.lead_ms")],
        "ALL-CRE-1": [(7, "Book.window_ms")],
        "KS-LAU-2": [(11, "BOOK.lead_ms")],
        "DY-BLK-1": [(14, "SLOTS")],
    }


def test_a_function_carries_what_is_said_within_and_above_it(tmp_path: Path) -> None:
    """Comments, docstrings of several lines and the rule of a refusal are the function's, each function named once."""
    source = '''
        class Desk:
            # KS-END-1
            @property
            def end(self) -> None:
                """
                End it.

                Twice is once (KS-EDT-1, LT-a).
                """
                if self.over:  # KS-EDT-1
                    raise Refused("too_late", rule="DY-VOI-2")
        '''
    assert _names_of(source, tmp_path) == {
        "KS-END-1": [(3, "Desk.end")],
        "KS-EDT-1": [(9, "Desk.end")],
        "LT-a": [(9, "Desk.end")],
        "DY-VOI-2": [(12, "Desk.end")],
    }


def test_a_string_that_only_mentions_a_rule_carries_none(tmp_path: Path) -> None:
    """Ids in messages or data do not count as marks."""
    assert _names_of('WARNING = "overlaps (DY-LAU-9)"\nprint(f"{WARNING} DY-LAU-8")\n', tmp_path) == {}


def test_marks_of_tests_are_those_of_functions_parameters_classes_and_modules(tmp_path: Path) -> None:
    """Wherever pytest would see a mark, so does the command; a helper, a comment and another mark are none."""
    tests = """
        import pytest

        pytestmark = [pytest.mark.rule("LT-1")]

        @pytest.mark.rule("DY-LAU-3")
        def helper() -> None: ...

        @pytest.mark.rule("DY-REV-1")
        class TestVoid:
            @pytest.mark.rule("DY-VOI-1")
            async def test_it(self) -> None: ...

        @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.rule("KS-CLM-1"))])
        @pytest.mark.slow("DY-LAU-9")
        def test_popup(n: int) -> None:
            "@pytest.mark.rule('DY-LAU-8')"  # @pytest.mark.rule("DY-LAU-7")
        """
    marks = marks_of_tests(plant(tmp_path, tests=textwrap.dedent(tests)) / "tests")
    assert {rule: [(place.line, place.name) for place in places] for rule, places in marks.items()} == {
        "LT-1": [(12, "test_it"), (16, "test_popup")],
        "DY-REV-1": [(12, "test_it")],
        "DY-VOI-1": [(12, "test_it")],
        "KS-CLM-1": [(16, "test_popup")],
    }


def test_a_run_counts_as_long_as_the_test_is_the_same(tmp_path: Path) -> None:
    """Tests that ran in a file changed or deleted since do not count."""
    house = plant(tmp_path)
    test = house / "tests/core/packets/test_launch.py"
    node_id = "tests/core/packets/test_launch.py::test_a_launch_waits"
    record = {
        node_id: [["DY-LAU-3"], "passed", digest_of(test)],
        f"{node_id}[gone]": [["DY-LAU-3"], "failed", "another"],
        "tests/test_gone.py::test_it": [["LT-1"], "passed", "another"],
    }
    (house / RECORD).parent.mkdir(parents=True)
    (house / RECORD).write_text(json.dumps(record), "utf-8")
    assert outcomes_of(house) == {"DY-LAU-3": {"passed"}}

    test.write_text("# changed\n", "utf-8")
    assert outcomes_of(house) == {}


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"a": 1}', '{"a": ["DY-LAU-3"]}'])
def test_without_a_readable_record_nothing_ran(text: str | None, tmp_path: Path) -> None:
    """A record that is missing, cut off or of another shape is no record."""
    if text is not None:
        (tmp_path / RECORD).parent.mkdir(parents=True)
        (tmp_path / RECORD).write_text(text, "utf-8")
    assert outcomes_of(tmp_path) == {}
