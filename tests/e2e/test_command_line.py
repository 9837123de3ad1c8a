"""Each error on the command line gives a readable message and an exit code, and changes nothing."""

import json
import socket
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from loadtest.verdict.weigh import Exit
from scripts.cli import main
from server.api.credentials import Credentials
from server.core.credential import Caller, Role
from server.core.refusal import Refused
from server.gateway.signing import Signer
from server.store.connection import Durability
from server.store.embedded.process import EmbeddedStore
from tests.e2e.conftest import Redrain
from tests.loadtest.foreign_run import a_grab, a_run_of
from tests.loadtest.judged_foreign_run import kept_foreign


def _redrain(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "scripts.cli", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _ended(*arguments: str) -> object:
    """Carry out a command in this process, which saves the start of another; return the code it would end with."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_a_storm_refuses_settings_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable that would have changed its server, or was meant to, is named before anything starts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDRAIN_WORKERS", "2")
    assert _ended("storm", "smoke") == Exit.USAGE
    assert "REDRAIN_WORKERS" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["storm", "evenign"], "no such scenario"),
        (["storm", "--viewers", "many"], "viewers"),
        (["storm", "--viewers", "0"], "audience.viewers"),
        (["storm", "smoke", "--allocator", "mine"], "allocator"),
        (["storm", "smoke", "--durability", "always"], "durability"),
        (["storm", "smoke", "--target", "http://127.0.0.1:1", "--allocator", "naive"], "allocator"),
        (["storm", "smoke", "--target", "ftp://127.0.0.1"], "target"),
        (["storm", "smoke", "--target", "http://127.0.0.1:1?x=1"], "target"),
        (["storm", "smoke", "--target", "https://127.0.0.1", "--ca-file", "gone.pem"], "gone.pem"),
        (["storm", "smoke", "--ca-file", "mine.pem"], "ca-file"),
        (["swarm", "--target", "tcp://127.0.0.1:1"], "target"),
        (["serve", "--speed", "-1"], "speed"),
        (["serve", "--origin-ms", "1700000000000000000"], "origin_ms"),
        (["serve", "--trusted-proxies", "proxy.test"], "trusted_proxies"),
        (["serve", "--durability", "always"], "durability"),
        (["serve", "--port", "70000"], "port"),
        (["token", "--role", "king", "--subject", "anna"], "role"),
        (["token", "--role", "creator", "--subject", "an.na"], "creator_id"),
        (["token", "--role", "admin", "--subject", "root", "--expires-s", "0"], "expires-s"),
        (["token", "--role", "admin"], "subject"),
        (["launch"], "launch"),
        (["rules", "--platform", "taobao"], "platform"),
    ],
)
def test_wrong_usage_is_64_and_names_what_is_wrong(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A typing slip ends with 64, names the option, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    code = _ended(*arguments)
    told = capsys.readouterr().err
    assert code == 64, told
    assert said in told
    assert list(tmp_path.iterdir()) == []


def test_a_bad_scenario_file_is_64_and_names_the_line(tmp_path: Path, redrain: Redrain) -> None:
    """An error in a scenario names the file, the line, the field and the rule."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[audience]\nviewers = -3\n', "utf-8")
    done = redrain("storm", str(path), folder=tmp_path)
    assert done.returncode == 64
    assert "mine.toml:3: audience.viewers" in done.stderr


def test_a_taken_port_is_30_and_says_what_to_do(tmp_path: Path, redrain: Redrain) -> None:
    """A second server on a port does not start silently."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = redrain("serve", "--insecure", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert done.returncode == 30
    assert "--port" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_public_address_is_30(tmp_path: Path, redrain: Redrain) -> None:
    """An insecure server may only speak to its own machine."""
    done = redrain("serve", "--insecure", "--host", "0.0.0.0", folder=tmp_path)  # noqa: S104
    assert done.returncode == 30
    assert "loopback" in done.stderr


def test_a_server_without_a_secret_is_30(tmp_path: Path, redrain: Redrain) -> None:
    """A plain serve asks for credentials, so it must be told what they are signed with."""
    done = redrain("serve", "--port", "0", folder=tmp_path)
    assert done.returncode == 30
    assert "REDRAIN_SECRET" in done.stderr
    assert "--insecure" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_home_or_a_run_of_a_newer_format_is_30(tmp_path: Path, redrain: Redrain) -> None:
    """Files of a newer format are refused, and the message names the formats that this version reads."""
    store, run = tmp_path / "home/store", tmp_path / "run"
    store.mkdir(parents=True)
    run.mkdir()
    (store / "format_version").write_text("2\n", "utf-8")
    (run / "run.json").write_text('{"format_version": 2}', "utf-8")
    for command in (
        ["serve", "--insecure", "--port", "0", "--home", str(tmp_path / "home")],
        ["audit", str(run)],
        ["verify", "--run", str(run)],
    ):
        done = redrain(*command, folder=tmp_path)
        assert done.returncode == 30, done.stderr
        assert "reads up to 1" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_token_without_a_secret_is_30(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither none nor one that is too short signs anything, and the message says what to set."""
    for secret in (None, "short"):
        monkeypatch.delenv("REDRAIN_SECRET", raising=False)
        if secret is not None:
            monkeypatch.setenv("REDRAIN_SECRET", secret)
        code = _ended("token", "--role", "admin", "--subject", "root")
        said = capsys.readouterr()
        assert (code, said.out) == (30, "")
        assert "REDRAIN_SECRET" in said.err


def test_a_token_is_written_where_a_shell_can_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """It stands alone on standard output, or with what it says in JSON; a server with the secret knows its bearer."""
    secret = "a secret of at least 32 bytes....."
    asked = ["token", "--role", "creator", "--subject", "anna", "--expires-s", "60"]
    plain = _redrain(*asked, folder=tmp_path, REDRAIN_SECRET=secret)
    monkeypatch.setenv("REDRAIN_SECRET", secret)
    code = _ended(*asked, "--json", "-")
    assert (plain.returncode, plain.stderr, code) == (0, "", 0)
    made = json.loads(capsysbinary.readouterr().out)
    assert (made["role"], made["subject"], made["expires_s"]) == ("creator", "anna", 60)
    now_ms = time.time_ns() // 1_000_000
    credentials = Credentials(Signer(secret.encode()))
    for credential in (plain.stdout.removesuffix("\n"), made["token"]):
        assert credentials.read(credential, now_ms) == Caller(Role.CREATOR, "anna")
        with pytest.raises(Refused, match="has expired"):
            credentials.read(credential, now_ms + 61_000)


def test_an_unreachable_store_is_30(tmp_path: Path, redrain: Redrain) -> None:
    """The message names the address and what to do."""
    done = redrain("serve", "--insecure", "--port", "0", folder=tmp_path, REDRAIN_STORE_URL="redis://127.0.0.1:1")
    assert done.returncode == 30
    assert "127.0.0.1:1" in done.stderr


def test_a_store_that_evicts_is_30(tmp_path: Path, redrain: Redrain) -> None:
    """A store that may drop claims is refused before anything is written into it."""
    store = EmbeddedStore.start(tmp_path / "store", durability=Durability.DURABLE)
    try:
        import redis

        plain = redis.Redis.from_url(store.url)
        plain.config_set("maxmemory-policy", "allkeys-lru")
        done = redrain("serve", "--insecure", "--port", "0", folder=tmp_path, REDRAIN_STORE_URL=store.url)
        assert done.returncode == 30
        assert "noeviction" in done.stderr
        assert plain.dbsize() == 0
        plain.close()
    finally:
        store.stop()


def test_an_audit_of_nothing_is_30(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without a run cannot be audited, and that is said."""
    assert _ended("audit", str(tmp_path)) == 30
    assert "run" in capsys.readouterr().err


def test_an_audit_of_a_foreign_run_needs_no_books(tmp_path: Path, redrain: Redrain) -> None:
    """Two shares of one viewer are exit 10 with both receipts; a report is written, and nothing can be verified."""
    grabs = [a_grab("v1", "granted", claim_id="c1"), a_grab("v1", "granted", 1_150, claim_id="c2", request_id="r2")]
    folder = kept_foreign(a_run_of(*grabs), tmp_path)
    done = redrain("audit", str(tmp_path), folder=tmp_path)
    assert done.returncode == 10, done.stderr
    assert all(told in done.stdout for told in ("A3 one share per viewer", "claim_id c1", "claim_id c2"))
    assert folder.report.exists()
    assert redrain("verify", "--run", str(tmp_path), folder=tmp_path).returncode == 30


def test_a_verification_without_a_run_is_64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There must be a run to verify."""
    monkeypatch.chdir(tmp_path)
    assert _ended("verify") == 64
    assert "--run" in capsys.readouterr().err


def test_the_version_is_the_one_of_the_project(tmp_path: Path) -> None:
    """pyproject.toml is its only source: command and API say what stands there."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    done = _redrain("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"redrain {project['version']}\n")
    assert metadata.version("redrain") == project["version"]
