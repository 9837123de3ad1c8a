"""
Finds the places of a rule of docs/rules.md: in the server's code, in tests, and in tests that have run.

Nothing is imported: the page is read by its table rows, Python by its syntax and comments, Lua and the modules of
pages by their lines.
"""

import ast
import hashlib
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RULE_ID = re.compile(r"\b(?:(?:DY|KS|ALL)-[A-Z]{2,3}-\d+|LT-(?:\d+|[a-f]))\b")
ABOUT_PAGES = "-UI-"
RECORD = Path(".pytest_cache/v/redrain/rules")  # what tests/conftest.py keeps, by pytest's own cache

_ROW = re.compile(r"^\| ([A-Z]+-[A-Za-z0-9-]+) \| (.+?) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """A line that names a rule, and its function, class, field, script or test."""

    path: str
    line: int
    name: str

    def __str__(self) -> str:
        """Return the place in a form that editors can open."""
        return f"{self.path}:{self.line} {self.name}"


@dataclass(frozen=True, slots=True)
class RulesPage:
    """The rules of docs/rules.md in their order, each with its sentence; and every id that a mark may name."""

    rules: Mapping[str, str]
    known: frozenset[str]


Marks = dict[str, list[SourcePlace]]


def read_page(text: str) -> RulesPage:
    """Read the table rows that begin with an id. Rows of vectors and ambiguities are known, but are no rules."""
    rows = dict(_ROW.findall(text))
    return RulesPage({name: said for name, said in rows.items() if RULE_ID.fullmatch(name)}, frozenset(rows))


def marks_of_code(folder: Path) -> Marks:
    """
    Return the ids in the Python, Lua and JavaScript files under *folder*, with paths relative to its parent.

    An id counts in the docstring of a function, a class or a field, in a comment within or before one, and in a
    string that is only the id, as in a refusal's ``rule``. The docstring of a module does not count.
    """
    marks: Marks = {}
    for path in sorted(folder.rglob("*")):
        if carried := _CARRIED.get(path.suffix):
            where = path.relative_to(folder.parent).as_posix()
            for rule, line, name in carried(path.read_text("utf-8"), path.name):
                places = marks.setdefault(rule, [])
                if not any((place.path, place.name) == (where, name) for place in places):
                    places.append(SourcePlace(where, line, name))
    return marks


def marks_of_tests(folder: Path) -> Marks:
    """Return the ids that ``@pytest.mark.rule("ID")`` puts on the tests under *folder*, their classes and modules."""
    marks: Marks = {}
    for path in sorted(folder.rglob("test_*.py")):
        where = path.relative_to(folder.parent).as_posix()
        module = ast.parse(path.read_text("utf-8"))
        of_module = [rule for node in module.body if _is_pytestmark(node) for rule in _marked(node)]
        for rule, test in _marked_tests(module, of_module):
            marks.setdefault(rule, []).append(SourcePlace(where, test.lineno, test.name))
    return marks


def outcomes_of(checkout: Path) -> dict[str, set[str]]:
    """
    Return for each id how its marked tests ended when they last ran: ``passed``, ``failed``, ``skipped``.

    Tests in a file that has changed since do not count. Without a record, or with a broken one, nothing ran.
    """
    try:
        record = json.loads((checkout / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    outcomes: dict[str, set[str]] = {}
    for rules, outcome, _ in still_true(record, checkout).values():
        for rule in rules:
            outcomes.setdefault(rule, set()).add(outcome)
    return outcomes


def still_true(record: object, checkout: Path) -> dict[str, tuple[list[str], str, str]]:
    """Return rules, outcome and digest by node id for each recorded test whose file is unchanged."""
    entries: dict[str, tuple[list[str], str, str]] = {}
    digests: dict[str, str] = {}
    for node_id, entry in record.items() if isinstance(record, dict) else ():
        path = node_id.partition("::")[0]
        if path not in digests:
            digests[path] = digest_of(checkout / path)
        match entry:
            case [list(rules), str(outcome), str(digest)] if digest == digests[path]:
                entries[node_id] = (rules, outcome, digest)
    return entries


def digest_of(path: Path) -> str:
    """Return a digest of the file, or "" if it does not exist."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def _carried_by_python(text: str, module: str) -> Iterator[tuple[str, int, str]]:
    """Yield id, line and name for each mention that counts, in the order of the lines."""
    tree = ast.parse(text)
    spans = list(_named_spans(tree, ""))
    docstrings = _docstrings(tree)
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            beside = line if lines[line - 1][: token.start[1]].strip() else _next_code(lines, line)
        elif token.type == tokenize.STRING and (line in docstrings or RULE_ID.fullmatch(token.string.strip("\"'"))):
            beside = line
        else:
            continue
        for found in RULE_ID.finditer(token.string):
            mentioned = line + token.string.count("\n", 0, found.start())
            yield found[0], mentioned, _innermost(spans, beside) or module


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the first lines of all docstrings except the module's own."""
    lines = {
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return lines if ast.get_docstring(tree) is None else lines - {tree.body[0].lineno}


def _next_code(lines: list[str], line: int) -> int:
    """Return the first line after *line* that is neither empty nor a comment: the code a comment refers to."""
    for number in range(line + 1, len(lines) + 1):
        said = lines[number - 1].strip()
        if said and not said.startswith("#"):
            return number
    return line


def _named_spans(node: ast.AST, prefix: str) -> Iterator[tuple[int, int, str]]:
    """Yield first line, last line and name of each function, class and field, the outer ones first."""
    last_field = ""
    for child in ast.iter_child_nodes(node):
        name = _name_of(child)
        if isinstance(child, ast.Expr) and last_field:  # the docstring of a field follows it
            name = last_field
        last_field = name if isinstance(child, ast.Assign | ast.AnnAssign) else ""
        if name and isinstance(child, ast.stmt | ast.keyword):
            assert child.end_lineno is not None
            first = min([child.lineno, *(one.lineno for one in getattr(child, "decorator_list", []))])
            yield first, child.end_lineno, f"{prefix}{name}"
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign):  # a field is one place
            yield from _named_spans(child, f"{prefix}{name}." if name else prefix)


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.keyword(arg=str(name)):
            return name
    return ""


def _innermost(spans: list[tuple[int, int, str]], line: int) -> str:
    """Return the innermost name around a line."""
    around = [name for first, last, name in spans if first <= line <= last]
    return around[-1] if around else ""


def _carried_by_lua(text: str, module: str) -> Iterator[tuple[str, int, str]]:
    """Yield the ids in the comments of a script, which is one transition with one name."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in RULE_ID.finditer(line.partition("--")[2]):
            yield found[0], number, module


def _carried_by_page(text: str, module: str) -> Iterator[tuple[str, int, str]]:
    """Yield the ids of rules about pages in the comments of a module of theirs: a page carries no other rule."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in RULE_ID.finditer(line[begun.start() :] if (begun := _COMMENT.search(line)) else ""):
            if ABOUT_PAGES in found[0]:
                yield found[0], number, module


_COMMENT = re.compile(r"//|/\*|^\s*\*")
_CARRIED = {".py": _carried_by_python, ".lua": _carried_by_lua, ".js": _carried_by_page}


def _marked_tests(
    scope: ast.Module | ast.ClassDef, inherited: list[str]
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from _marked_tests(node, inherited + [rule for one in node.decorator_list for rule in _marked(one)])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            own = [rule for one in node.decorator_list for rule in _marked(one)]
            yield from ((rule, node) for rule in dict.fromkeys(inherited + own))


def _marked(node: ast.AST) -> Iterator[str]:
    """Yield the ids of every ``pytest.mark.rule(...)`` in an expression, also in those of its parameters."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.rule":
            yield from (one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and _name_of(node) == "pytestmark"
