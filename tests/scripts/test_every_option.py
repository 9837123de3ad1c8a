"""Every option of every command, given what nobody can use: a documented exit code and a message, never a traceback."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from loadtest.record.run_folder import RunFolder
from loadtest.scenarios.crowd_scenario import shipped_names
from loadtest.verdict.weigh import Exit
from scripts import cli, output
from scripts.output import told_of
from server.store.connection import Durability
from server.store.embedded.process import EmbeddedStore
from tests.loadtest.foreign_run import a_grab, a_run_of
from tests.loadtest.judged_foreign_run import kept_foreign

NOWHERE = "http://127.0.0.1:9"
BASE: dict[str, list[str]] = {  # what makes each command end at once by itself, and before its work
    "serve": ["--insecure", "--port", "0", "--host", "0.0.0.0"],  # noqa: S104 - refused
    "store": ["--durability", "nope"],
    "store accept-loss": ["--nope"],
    "token": ["--role", "king", "--subject", "anna"],
    "storm": ["smoke", "--target", NOWHERE],
    "gate": ["smoke", "--engine", "nope"],
    "demo": ["--lang", "nope"],
    "swarm": ["--target", NOWHERE],
    "watch": ["--target", NOWHERE],
    "audit": ["nothing-here"],
    "verify": ["--run", "nothing-here"],
    "bench": ["nothing"],
    "targets": ["--nope"],
    "allocators": ["--nope"],
    "metrics": ["--nope"],
    "rules": ["--platform", "nope"],
    "compare": ["nothing", "there"],
    "runs list": ["--nope"],
    "runs show": ["nothing-here"],
    "runs open": ["nothing-here"],
    "runs trend": ["nope"],
    "runs prune": ["--nope"],
}
PATHS = ["/dev/null/x", "/proc/nope/x.json", "missing/folder/x", "x" * 5_000, "\udcff", "/proc/self/mem", ""]
NUMBERS = [str(10**30), str(-(10**30)), "many", "", "1e400", "nan"]
TEXTS = ["", "x" * 5_000, "红包", "\udcff", "http://[::1", "http://127.0.0.1:99999", "://", "..", "/dev/null/x", "{x}"]


def _commands(group: object, prefix: str = "") -> Iterator[tuple[str, list[object]]]:
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield f"{prefix}{name}", command.params
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command.params


def _cases() -> Iterator[tuple[str, str, str]]:
    for command, parameters in _commands(typer.main.get_command(cli.app)):
        for parameter in parameters:
            kind = parameter.bare_type  # type: ignore[attr-defined]
            if kind is bool:
                continue
            is_path = kind is Path or parameter.name == "json"  # type: ignore[attr-defined]
            values = NUMBERS if kind in (int, float) else PATHS if is_path else TEXTS
            options = [each for each in parameter.opts if each.startswith("--")]  # type: ignore[attr-defined]
            for value in values:
                yield command, options[0] if options else "", value


CASES = list(_cases())


def _ended(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_every_command_and_kind_of_option_is_tried() -> None:
    """The walk finds each command of the program, and a new one must say how it ends at once."""
    commands = {command for command, _, _ in CASES}
    assert commands == set(BASE)
    assert {"--out", "--json", "--home", "--history", "--port", "--seed", "--target"} <= {name for _, name, _ in CASES}


@pytest.mark.parametrize("command", sorted(BASE))
def test_what_nobody_can_use_is_refused(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each option of a command alone is given each impossible value; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDRAIN_TOKEN", raising=False)
    wrong = []
    for _, option, value in (case for case in CASES if case[0] == command):
        with pytest.raises(SystemExit) as ended:
            cli.main([*command.split(), *([*BASE[command], f"{option}={value}"] if option else ["--", value])])
        told, code = capsys.readouterr().err, ended.value.code
        usage = "port" in option or value in NUMBERS[:2]
        fine = code == Exit.USAGE if usage else code in set(Exit) - {Exit.PASS}
        if not fine or "Traceback" in told or not told.strip() or os.listdir(tmp_path):
            wrong.append((option, value[:20], code, told[-300:], os.listdir(tmp_path)))
    assert ascii(wrong) == "[]"


def test_a_known_verdict_is_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is full when result, report and JSON are written changes nothing of the verdict, and is told."""
    grabs = [a_grab("v1", "granted", claim_id="c1"), a_grab("v1", "granted", 1_150, claim_id="c2", request_id="r2")]
    folder = kept_foreign(a_run_of(*grabs), tmp_path)
    for path in (folder.result, folder.report):
        path.unlink(missing_ok=True)
    opened = os.open

    def full(path: str, flags: int, mode: int = 0o777) -> int:
        return opened("/dev/full", os.O_WRONLY) if flags & os.O_EXCL else opened(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    assert _ended(["audit", str(tmp_path), "--json", "/dev/full"]) == Exit.INVARIANT
    said = capsys.readouterr()
    assert "A3 one share per viewer" in said.out
    assert said.err.count("the disk is full: ") == 3
    assert said.err.count("the verdict is fail") == 3


def test_a_storm_on_a_full_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything starts, and without a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "FREE_BYTES_MIN", 2**62)
    assert _ended(["storm", "smoke"]) == Exit.ENVIRONMENT
    assert "the disk is full: " in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_an_unwritable_file_of_a_run_is_told_by_its_disk(tmp_path: Path) -> None:
    """A process that fails on a full disk is not blamed itself; other errors of files name the file and the reason."""
    assert told_of(OSError(28, "No space left on device", "x"), tmp_path).startswith("the disk is full: x ")
    assert told_of(ValueError("the audience ended"), tmp_path) == "the audience ended"
    assert told_of(PermissionError(13, "Permission denied", "y")) == "y: Permission denied"


@pytest.mark.parametrize("arguments", [["targets"], ["allocators"], ["rules", "--platform", "douyin"]])
def test_a_full_disk_is_called_so(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """/dev/full takes nothing, as a disk without space does."""
    assert _ended([*arguments, "--json", "/dev/full"]) == Exit.ENVIRONMENT
    assert "the disk is full: " in capsys.readouterr().err


def test_a_second_store_of_a_folder_is_30(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that runs already is named, with what to do."""
    store = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        assert _ended(["store", "--home", str(tmp_path)]) == Exit.ENVIRONMENT
    finally:
        store.stop()
    assert "a store runs in" in capsys.readouterr().err


def test_old_runs_are_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the newest go, with what they held; one that goes on, a link, and a folder of something else, stay."""
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / ".redrain/runs"
    for number in range(4):
        folder = RunFolder(runs / f"2026010{number}")
        folder.path.mkdir(parents=True)
        folder.scenario.write_bytes(b"x" * 1_000_000)
        if number:
            folder.result.write_text("{}")
    (runs / "notes").mkdir()
    (runs / "20250101").symlink_to(runs / "20260103")
    assert _ended(["runs", "prune", "--keep", "1", "--json", "told.json"]) == Exit.PASS
    assert {path.name for path in runs.iterdir()} == {"20250101", "20260100", "20260103", "notes"}
    assert "removed 2 runs of .redrain/runs, 2.0 MB; 2 are left, 2.0 MB" in capsys.readouterr().out
    told = json.loads((tmp_path / "told.json").read_text())
    assert [each["run"] for each in told["removed"]] == [".redrain/runs/20260102", ".redrain/runs/20260101"]


@pytest.mark.parametrize("arguments", [["storm", "smoke", "--target", NOWHERE], ["swarm", "--target", NOWHERE]])
def test_a_refused_storm_leaves_no_folder(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target that does not answer ends it before there is anything to keep."""
    monkeypatch.chdir(tmp_path)
    assert _ended(arguments) == Exit.ENVIRONMENT
    assert NOWHERE in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_the_help_of_a_storm_lists_scenarios_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """So does -h, which every command has."""
    assert _ended(["storm", "-h"]) == Exit.PASS
    told = capsys.readouterr().out
    for name in shipped_names():
        assert name in told
    for code in Exit:
        assert re.search(rf"\b{code}\b", told)
    for command in BASE:
        assert _ended([*command.split(), "-h"]) == Exit.PASS
    assert _ended(["-h"]) == _ended(["--version"]) == Exit.PASS
