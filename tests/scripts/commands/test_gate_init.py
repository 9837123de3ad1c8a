"""`redrain gate --init`: what it writes a storm accepts, and it overwrites nothing unasked."""

import importlib.util
import json
from pathlib import Path

import pytest

from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.target_scenario import TargetScenario, read_scenario
from loadtest.targets.registry import target_of
from loadtest.verdict.weigh import Exit
from scripts.cli import main
from scripts.commands import gate_init
from scripts.commands.gate_init import run_init
from scripts.gate.options import GateOptions

SERVICE = Path(__file__).parents[2] / "examples/grab_services/coupons_good.py"


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description that FastAPI makes of the example service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUPONS_DB", "unused")
        spec = importlib.util.spec_from_file_location("coupons_good", SERVICE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(__import__("sys").modules, "coupons_good", module)  # its annotations are looked up there
        spec.loader.exec_module(module)
        path = tmp_path_factory.mktemp("service") / "openapi.json"
        path.write_text(json.dumps(module.app.openapi()), "utf-8")
    return path


def _init(folder: Path, openapi: str | Path = "", kind: str = "") -> int:
    return run_init(GateOptions(str(folder)), str(openapi), kind, yes=True)


def _read(folder: Path) -> TargetScenario:
    scenario = read_scenario(str(folder / "redrain.toml"))
    assert isinstance(scenario, TargetScenario)
    target_of(scenario, host="", folder=folder)
    return scenario


def test_the_example_service_describes_itself(openapi: Path, tmp_path: Path) -> None:
    """Its own document gives the grab and the login that tests/examples/http.toml has, and a storm accepts them."""
    assert _init(tmp_path, openapi) == Exit.PASS
    written, known = _read(tmp_path).target, read_scenario("tests/examples/http.toml")
    assert isinstance(known, TargetScenario)
    assert written.kind == known.target.kind == "http"
    assert written.login is not None
    assert known.target.login is not None
    assert written.login.model_dump(exclude={"take"}) == known.target.login.model_dump(exclude={"take"})
    assert written.grab.model_dump(exclude={"timeout_ms"}) == known.target.grab.model_dump(exclude={"timeout_ms"})
    assert (tmp_path / ".github/workflows/redrain.yml").exists()


def test_the_command_line_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of the gate that nobody gave do not stand in its way."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["gate", "--init", "--yes"])
    assert ended.value.code == Exit.PASS
    assert _read(tmp_path).target.kind == "http"


@pytest.mark.parametrize("kind", ["", "http", "websocket"])
def test_a_storm_accepts_what_defaults_make(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Examples are named as places to edit."""
    assert _init(tmp_path, kind=kind) == Exit.PASS
    assert _read(tmp_path).target.kind == (kind or "http")
    assert "redrain.toml, [target" in capsys.readouterr().out


def test_nothing_is_overwritten_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --yes a file that is there stays, and that is said; the other one is written."""
    mine = tmp_path / "redrain.toml"
    mine.write_text("mine", "utf-8")
    assert _init(tmp_path) == Exit.PASS
    assert mine.read_text("utf-8") == "mine"
    assert f"kept     {mine}" in capsys.readouterr().out
    assert (tmp_path / ".github/workflows/redrain.yml").exists()


def test_who_wants_a_file_replaced_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal it is asked for each file by its path."""
    mine = tmp_path / "redrain.toml"
    mine.write_text("mine", "utf-8")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(gate_init, "_asked", lambda _, asked, default: "yes" if str(mine) in asked else default)
    assert run_init(GateOptions(str(tmp_path)), "", "", yes=False) == Exit.PASS
    assert _read(tmp_path).packets[0].packet_id == "p1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("openapi: 3.0.0", "is no JSON"),
        ('{"swagger": "2.0"}', "is no OpenAPI 3 document"),
        ("[]", "is no OpenAPI 3 document"),
        ('{"openapi": "3.1.0", "paths": {"/grab": {"post": {"parameters": [1]}}}}', "is not as OpenAPI 3 has it"),
        ('{"openapi": "3.1.0", "servers": [1]}', "is not as OpenAPI 3 has it"),
        (None, "cannot be read"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(
    text: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written then."""
    document, folder = tmp_path / "openapi.json", tmp_path / "theirs"
    folder.mkdir()
    if text is not None:
        document.write_text(text, "utf-8")
    assert _init(folder, document) == Exit.ENVIRONMENT
    assert told in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((GateOptions("."), "", "grpc", True), "kind: must be http or websocket"),
        ((GateOptions("."), "x.json", "websocket", True), "openapi: describes HTTP"),
        ((GateOptions("missing"), "", "", True), "there is no folder missing"),
        ((GateOptions(".", base="main", slower=5.0), "", "", True), "--yes, not --base and --slower"),
        ((GateOptions("."), "", "", False), "--yes takes every default"),
    ],
)
def test_wrong_usage_is_named(
    given: tuple[GateOptions, str, str, bool], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Tests have no terminal, and so nobody to ask."""
    monkeypatch.chdir(tmp_path)
    *texts, yes = given
    assert run_init(*texts, yes=yes) == Exit.USAGE  # type: ignore[arg-type]
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_storm_refuses_what_names_no_viewer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is written all the same, to be edited, and nobody can storm with it by mistake."""
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps({"openapi": "3.0.0", "paths": {"/packets/grab": {"post": {}}}}), "utf-8")
    assert _init(tmp_path, document) == Exit.PASS
    _, _, after = capsys.readouterr().out.partition("edit next:")
    assert after.split("\n")[1].startswith("  redrain.toml, [target.grab]: EDIT: {viewer}")
    with pytest.raises(BadScenario, match=r"redrain\.toml:[0-9]+: target\.grab: nothing says which viewer grabs"):
        _read(tmp_path)
