"""The house rules that neither the linter nor the types can see; each test lists every place that breaks its rule."""

import ast
import io
import re
import subprocess
import sys
import tempfile
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
THIS_FILE = "tests/test_tidy.py"

LINES_OF_FILE_MAX = 400  # more than one concept, by then
LINES_OF_FUNCTION_MAX = 60  # what a screen shows
RULES, SILENCES = 123, 58  # of the platforms' texts; what has no rule is ours and is no rule
PROSE = {".md", ".lock"}
RUNS = ("loadtest/", "client_sim/", "scripts/", "server/")
RULES_IN_WHEEL = "scripts/commands/rules.md"  # where the build puts docs/rules.md
NOT_OURS = {".git", ".venv", ".redrain", "__pycache__", "dist", "build"}

WITHOUT_MIRROR = {
    "loadtest/locustfile.py": "Locust loads it by its path, which a test of the whole does",
}

NAMES_WITHOUT_A_CONCEPT = re.compile(r"(?:util|helper|common|base|manager|service)s?")
NOT_OUR_WORDS = re.compile(r"envelope|prize|lottery", re.IGNORECASE)
LATER = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
REGISTRY = re.compile(
    r"py[p]i\.(?:org|python)|pythonhoste[d]|npmj[s]|index-ur[l]|artifactor[y]|devp[i]|/simple/", re.IGNORECASE
)
HOME = re.compile(r"(?<![\w.~-])(?:/home/\w|/Users/\w|/root\b|[A-Za-z]:\\Users)")


CODE_PATH = re.compile(r"(?<![\w./-])((?:[a-z_]+/)*[a-z_]+(?:\.py|\.lua|\.toml)\b|(?:[a-z_]+/)+(?=`))")


@cache
def tracked() -> tuple[str, ...]:
    """Return the files of the repository, as paths from its root; without git, those of the tree."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    paths = listed.split("\0") if listed else [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")]
    return tuple(sorted(path for path in paths if (ROOT / path).is_file() and not is_rubbish(path)))


def is_rubbish(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part in NOT_OURS or part.endswith(("_cache", ".egg-info")) for part in parts)


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of the tracked files with one of the suffixes, or of all that are text."""
    for path in tracked():
        if suffixes and PurePosixPath(path).suffix not in suffixes:
            continue
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            yield path, content.decode()


def offences(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    """List every line of a tracked file in which the pattern is found, but for this file, which must spell them."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts(*suffixes)
        if path != THIS_FILE
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_is_long() -> None:
    """A file holds one concept, and a concept fits 400 lines."""
    long = [
        f"{path}: {len(text.splitlines())} lines"
        for path, text in texts()
        if PurePosixPath(path).suffix not in PROSE and len(text.splitlines()) > LINES_OF_FILE_MAX
    ]
    assert not long, "\n".join(long)


@cache
def definitions() -> tuple[tuple[type[ast.AST], str, str, int], ...]:
    """Return kind, name, place and lines of every function and class; each file is parsed once, and no tree is kept."""
    return tuple(
        (type(node), node.name, f"{path}:{node.lineno}", (node.end_lineno or 0) - node.lineno + 1)
        for path, text in texts(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )


def test_no_function_is_long() -> None:
    """A function can be read without scrolling."""
    long = [
        f"{place}: {name} has {lines} lines"
        for kind, name, place, lines in definitions()
        if kind is not ast.ClassDef and lines > LINES_OF_FUNCTION_MAX
    ]
    assert not long, "\n".join(long)


def test_every_module_has_its_mirror() -> None:
    """A module's tests are at its own path, or at that of the package whose front it is."""
    missing = [
        f"{path}: neither of {', '.join(mirrors(path))}"
        for path, text in texts(".py")
        if path.startswith(("server/", "client_sim/", "loadtest/"))
        and not path.endswith("__init__.py")
        and path not in WITHOUT_MIRROR
        and not any(mirror in tracked() for mirror in mirrors(path))
    ]
    assert not missing, "\n".join(missing)
    assert all(path in tracked() for path in WITHOUT_MIRROR)


def mirrors(path: str) -> list[str]:
    """Return where the tests of a module may stand: ``server/settings.py`` has ``tests/test_settings.py``."""
    module = PurePosixPath(path)
    folder = PurePosixPath("tests", *module.parts[1:-1]) if module.parts[0] == "server" else "tests" / module.parent
    possible = [str(folder / f"test_{module.name}")]
    depth_of_package = 4 if module.parts[0] == "server" else 3
    if len(module.parts) >= depth_of_package:
        possible.append(str(folder.parent / f"test_{folder.name}.py"))
    return possible


def test_every_script_of_the_store_opens_with_its_contract() -> None:
    """A Lua file says its name and purpose, every key and argument it uses, and its reply."""
    broken = [
        f"{path}: {what}" for path, text in texts(".lua") for what in contract_gaps(PurePosixPath(path).name, text)
    ]
    assert not broken, "\n".join(broken)


def contract_gaps(name: str, text: str) -> Iterator[str]:
    """Yield what the head of a Lua script leaves out."""
    shebang, *lines = text.splitlines()
    if shebang != "#!lua":
        yield "does not start with #!lua, which has errors refused before the first write"
    length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    head, body = lines[:length], re.sub(r"--.*", "", "\n".join(lines[length:]))
    if not head or not re.match(rf"-- {re.escape(name)}: \S", head[0]):
        yield f"its second line is not '-- {name}: ' and its purpose"
    for table in ("KEYS", "ARGV"):
        stated = "\n".join(line for line in head if line.startswith(f"-- {table}"))
        yield from (f"does not explain {use}" for use in unexplained(table, stated, body))
    if not any(re.match(r"-- Reply\b.*:", line) for line in head):
        yield "has no line '-- Reply: '"


def unexplained(table: str, stated: str, body: str) -> Iterator[str]:
    """Yield the uses of a field that no line explains; ``X[6...9]``, ``X[5...]`` and a bare ``X`` explain many."""
    explained = {int(number) for number in re.findall(rf"{table}\[(\d+)\]", stated)}
    open_ended = bool(re.search(rf"{table}(?!\[)", stated))
    for first, last in re.findall(rf"{table}\[(\d+)\.\.\.(\d*)\]", stated):
        explained.update(range(int(first), int(last or first) + 1))
        open_ended = open_ended or not last
    for index in dict.fromkeys(re.findall(rf"\b{table}\[([^\]]+)\]", body)):
        if not open_ended and not (index.isdigit() and int(index) in explained):
            yield f"{table}[{index}]"


def test_the_page_of_rules_has_every_rule_once() -> None:
    """The two products have 123 rules and their texts 58 silences, each a row of docs/rules.md, with a sentence."""
    page = (ROOT / "docs/rules.md").read_text("utf-8")
    rules = re.findall(r"^\| ((?:DY|KS|ALL)-[A-Z]{2,3}-\d+|LT-(?:\d|[a-f])) \| \S.*\. \| \S.* \|$", page, re.MULTILINE)
    assert (len(rules), len(set(rules))) == (RULES, RULES)
    silences = re.findall(r"^\| AMB-(\d+) \| \S.*\. \|$", page, re.MULTILINE)
    numbers = [int(number) for number in silences]
    assert numbers[:SILENCES] == list(range(1, SILENCES + 1))
    assert numbers == sorted(set(numbers))  # the amendments follow


def test_no_module_is_named_after_nothing() -> None:
    """If a function has no home, a concept has no name yet."""
    nameless = [
        path
        for path in tracked()
        if any(NAMES_WITHOUT_A_CONCEPT.fullmatch(part.split(".")[0]) for part in PurePosixPath(path).parts)
    ]
    assert not nameless, "\n".join(nameless)


def test_nothing_is_left_for_later() -> None:
    """Open work is in issues, not in code."""
    assert offences(LATER) == []


def test_the_locks_pin_versions_and_nothing_else() -> None:
    """A lock line is a name and a version: no address, no option, no range."""
    pin = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
    locks = dict(texts(".lock"))
    assert set(locks) == {"requirements.lock", "requirements-dev.lock"}
    assert [line for text in locks.values() for line in text.splitlines() if not pin.fullmatch(line)] == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    """A clone works anywhere: no registry, no home, and no path of this checkout stands in a file."""
    assert offences(REGISTRY) == []
    assert offences(HOME) == []
    here = {ROOT, ROOT.parent, Path.home(), Path(sys.prefix)} - {Path("/"), Path(tempfile.gettempdir())}
    places = "|".join(re.escape(str(place)) for place in here)
    assert offences(re.compile(rf"(?<![\w.~-])(?:{places})(?:/|\b(?![\w.-]))")) == []


def test_the_front_doors_are_empty() -> None:
    """Importing one part of a package must not import another, or gevent and asyncio would meet."""
    doors = ["server/__init__.py", "server/core/__init__.py", "client_sim/__init__.py", "loadtest/__init__.py"]
    assert [door for door in doors if (ROOT / door).read_text()] == []


def test_one_word_has_one_meaning() -> None:
    """A packet is not called by another name in code (one word, one meaning)."""
    strangers = offences(NOT_OUR_WORDS, ".lua", ".js", ".html", ".toml")
    for path, text in texts(".py"):
        if path == THIS_FILE or not NOT_OUR_WORDS.search(text):
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and NOT_OUR_WORDS.search(token.string):
                strangers.append(f"{path}:{token.start[0]}: {token.string}")
    assert not strangers, "\n".join(strangers)


def test_locust_loads_no_event_loop_but_its_own() -> None:
    """Importing the locustfile in a fresh process brings in none of asyncio, uvloop, redis and fastapi."""
    question = (
        "import sys, loadtest.locustfile\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'asyncio', 'uvloop', 'redis', 'fastapi'})"
    )
    answer = subprocess.run([sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []


def test_every_document_that_is_cited_is_in_the_repository() -> None:
    """A citation names a page by its path, or by the end of it; what nobody can open explains nothing."""
    pages = [path for path in tracked() if path.endswith(".md")]
    missing = [
        f"{path}:{number}: {cited}"
        for path, text in texts(".py", ".lua", ".md", ".toml", ".sh", ".html", ".js", ".yml", "")
        for number, line in enumerate(text.splitlines(), 1)
        for cited in re.findall(r"[\w./-]*\w\.md\b", line)
        if cited != RULES_IN_WHEEL and not any(f"/{page}".endswith(f"/{cited.lstrip('./')}") for page in pages)
    ]
    assert not missing, "\n".join(missing)


def test_every_dependency_is_pinned() -> None:
    """Every dependency in pyproject.toml, to run and to develop, has its version in a lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    pinned = {line.partition("==")[0].lower().replace("_", "-") for _, text in texts(".lock") for line in text.split()}
    assert [name for each in asked if (name := re.split(r"[<>=~!\[]", each)[0].lower()) not in pinned] == []


def test_every_package_says_that_it_is_typed() -> None:
    """A type checker believes the annotations of an installed package only if it has this file."""
    assert [name for name in packages() if f"{name}/py.typed" not in tracked()] == []


def packages() -> list[str]:
    """Return the names of what is installed: every package at the top but the tests."""
    return sorted({path.partition("/")[0] for path in tracked() if path.endswith("/__init__.py")} - {"tests"})


def test_every_module_of_every_package_is_in_an_import_contract() -> None:
    """Each package is the container of an exhaustive contract, which a module that is in no layer breaks."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    covered = [
        container
        for contract in contracts["contracts"]
        if contract["type"] == "layers" and contract.get("exhaustive")
        for container in contract["containers"]
    ]
    assert sorted(covered) == packages() == sorted(contracts["root_packages"])


def test_every_path_in_the_architecture_exists() -> None:
    """A path in ARCHITECTURE.md or CONTRIBUTING.md names a tracked file or folder, from the root or from a package."""
    known = tracked()
    wrong = [
        f"{page}: {path}"
        for page in ("ARCHITECTURE.md", "CONTRIBUTING.md")
        for path in sorted(set(CODE_PATH.findall((ROOT / page).read_text("utf-8"))))
        if not any(f"/{each}".endswith(f"/{path}") or f"/{path.rstrip('/')}/" in f"/{each}" for each in known)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_request_of_a_run_is_made_by_one_session() -> None:
    """Only loadtest/targets/access.py makes sessions, which no proxy, .netrc or bundle of the surroundings changes."""
    own = re.compile(r"requests\.(Session|session|request|get|head|post|put|patch|delete)\(|urlopen\(|import httpx")
    found = [f"{path}: {hit[0]}" for path, text in texts(".py") for hit in own.finditer(text) if path.startswith(RUNS)]
    assert found == ["loadtest/targets/access.py: requests.Session("]


def test_a_class_name_means_one_thing() -> None:
    """No two classes of the product share a name, with or without an underscore before it."""
    places: dict[str, list[str]] = {}
    for kind, name, place, _ in definitions():
        if kind is ast.ClassDef and not place.startswith("tests/"):
            places.setdefault(name.lstrip("_"), []).append(place)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_docstrings_are_sentences() -> None:
    """A docstring has a subject and a verb; one that begins with What, Who or That has to be read twice."""
    assert offences(re.compile(r'^\s*"""(?:What|Who|That|Whose|Whether) '), ".py") == []
