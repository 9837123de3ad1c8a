"""docs/api.md is carried out from top to bottom, and whatever it says wrong is found."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.credential import Role
from tests.api.test_access import routes
from tests.conftest import free_port
from tests.e2e.page_session import Example, agrees, differences, examples

PAGE = Path(__file__).parents[2] / "docs/api.md"
TOOLS = ("bash", "curl", "openssl")
CURL_MIN = (7, 76)  # the first that can fail with the body shown
STOP = "kill $server\nwait $server\n"


@pytest.fixture(scope="module")
def tools() -> None:
    """Skip where a tool of the page is missing: to install it is not ours."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not on the path: {', '.join(missing)}")
    said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < CURL_MIN:
        pytest.skip(f"curl is {version}, the page needs {CURL_MIN}")


def on_free_ports(page: str) -> str:
    """Return the page with ports that are free here, in place of those that a reader is told."""
    for told in ("8000", "8001"):
        page = re.sub(rf"(?<=127\.0\.0\.1:){told}\b|(?<=--port ){told}\b", str(free_port()), page)
    return page


@pytest.mark.usefixtures("tools")
def test_the_page_prints_what_it_says(tmp_path: Path) -> None:
    """The whole life of a packet, command by command, against a server with a store of its own."""
    wrong = list(differences(examples(on_free_ports(PAGE.read_text("utf-8"))), tmp_path))
    assert not wrong, "\n".join(wrong)


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    "plants",
    [
        pytest.param(
            {
                '"credited_fen": 10000, "fee_fen": 100}]': '"credited_fen": 10000, "fee_fen": 101}]',
                "409\n```": "422\n```",
                "douyin kuaishou lab": "douyin kuaishou",
            },
            id="what is printed",
        ),
        pytest.param({"$api/creators/mei/fee-invoice": "$api/creators/mei/invoice"}, id="a path"),
        pytest.param({"-w '\\n%{http_code}\\n' || true": ""}, id="a success that is none"),
    ],
)
def test_what_the_page_says_wrong_is_found(tmp_path: Path, plants: dict[str, str]) -> None:
    """The page's own beginning, with something in it that is not so: each wrong thing is told by its line."""
    page = PAGE.read_text("utf-8").partition("## A room")[0]
    for told, planted in plants.items():
        assert told in page
        page = page.replace(told, planted, 1)
    wrong = list(differences([*examples(on_free_ports(page)), Example(0, STOP)], tmp_path))
    assert len(wrong) == len(plants), wrong


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("```sh\necho 1\necho 2\n```\n```json\n1\n2\n```\n", []),
        ("```sh\necho 1\n```\n```json\n2\n```\n", [2]),
        ("```sh\necho unsaid\n```\n", [2]),
        ("```sh\ntrue\n```\n```text\nsomething\n```\n", [2]),
        ("```sh\none=1\n```\nText.\n```sh\necho $one\n```\n```text\n1\n```\n", []),
        ("```sh\nfalse | true\n```\n```sh\necho never\n```\n", [2]),
        ("```sh\necho $nobody\n```\n", [2]),
        ("```sh\nif\n```\n", [2]),
        ("```sh\nexit 0\n```\n```sh\necho never\n```\n", [5]),
        ("```sh\necho 1\n```\n```json\n2\n```\n```sh\nfalse\n```\n", [2, 8]),
    ],
)
def test_a_session_is_strict(tmp_path: Path, page: str, lines: list[int]) -> None:
    """Each block that prints something else, or fails anywhere in a pipe, is told by its line; a failure is the end."""
    told = [int(re.findall(r"\d+", difference)[0]) for difference in differences(examples(page), tmp_path)]
    assert told == lines


@pytest.mark.parametrize(
    "page",
    ["```json\n1\n```\n", "```sh\ntrue\n```\n```json\n1\n```\n```json\n1\n```\n", "```console\n$ true\n```\n"],
)
def test_a_block_that_nothing_prints_is_no_example(page: str) -> None:
    """Output stands right behind its commands, once; a block of another kind would go unchecked."""
    with pytest.raises(AssertionError, match="line"):
        examples(page)


@pytest.mark.parametrize(
    ("kind", "told", "actual", "agreed"),
    [
        ("json", '{"a": 1, "b": [1, 2]}', '{"b":[1,2],"a":1}', True),
        ("json", '{"a": 1, …}', '{"b":[1,2],"a":1}', True),
        ("json", '{"a": 1}', '{"b":[1,2],"a":1}', False),
        ("json", '{"a": 1, "c": …, …}', '{"b":[1,2],"a":1}', False),
        ("json", '{"a": …, "b": […]}', '{"b":[1,2],"a":{"c":null}}', True),
        ("json", '[{"a": 1}, …]', '[{"a":1},{"a":2}]', True),
        ("json", '[…, {"a": 2}, …]', '[{"a":1},{"a":2}]', True),
        ("json", '[…, {"a": 3}, …]', '[{"a":1},{"a":2}]', False),
        ("json", "[1]", "[1,2]", False),
        ("json", "[1, 2]", "[1]", False),
        ("json", "[]", "[]", True),
        ("json", '"anna.…:0"', '"anna.12ab:0"', True),
        ("json", '"anna.…:0"', '"anna.12ab:1"', False),
        ("json", '"1.5"', '"1x5"', False),
        ("json", "true", "1", False),
        ("json", "18.0", "18", False),
        ("json", "1\n2", "1\n2\n", True),
        ("json", "1", "1\n2\n", False),
        ("json", "1", "no JSON", False),
        ("text", "one … three", "one two three\n", True),
        ("text", "one", "one\ntwo\n", False),
        ("", "", "\n", True),
        ("", "", "something\n", False),
    ],
)
def test_three_dots_stand_for_anything_and_the_rest_for_itself(kind: str, told: str, actual: str, agreed: bool) -> None:
    """JSON is compared as JSON, with keys in any order; text word for word."""
    assert agrees(kind, told, actual) is agreed


def test_the_table_of_routes_is_that_of_the_server() -> None:
    """Each route with the roles that it declares: a new one has its line, one that is gone has none."""
    rows = re.findall(r"^\| `(\w+) (\S+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    expected = [
        (method, path, ", ".join(role for role in Role if role in roles) if roles else "everybody")
        for (method, path), roles in sorted(routes(), key=lambda route: route[0][::-1])
        if method != "HEAD"
    ]
    lines = "\n".join(f"| `{method} {path}` | {who} |" for method, path, who in expected)
    assert rows == expected, f"the table should be\n{lines}"


def called(page: str) -> Iterator[tuple[str, str]]:
    """Yield method and path of every call of the API on the page, with what stands for an id as it is."""
    for example in examples(page):
        commands = re.sub(r"\$\(field [^)]*\)", "ID", example.commands)
        for call in re.split(r"\bcurl (?=[-$\"])", commands)[1:]:
            if path := re.search(r"\$api(/[^\s\"?]*)", call):
                method = re.search(r"-X (\w+)", call)
                posts = re.search(r" -d ", call) is not None
                yield method[1] if method else "POST" if posts else "GET", f"/api{path[1]}"


def test_every_route_of_the_api_is_called() -> None:
    """Whoever adds a route shows what it is good for."""
    calls = list(called(PAGE.read_text("utf-8")))
    unused = [
        (method, path)
        for (method, path), _ in routes()
        if path.startswith("/api")
        and not any(each == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), at) for each, at in calls)
    ]
    assert not unused
