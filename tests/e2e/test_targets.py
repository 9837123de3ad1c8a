"""Storms on services of outsiders: a racing one is caught, a correct one passes, over every way and with all books."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.storming import storm
from tests.examples.targets.line_service import Desk
from tests.loadtest.targets.described import OPENSSL, a_certificate
from tests.loadtest.targets.free_port import free_port, wait_for

EXAMPLES = Path(__file__).parents[1] / "examples"
SERVICES = EXAMPLES / "grab_services"
RACES = ("A1", "A3")
RUNS_OF_CONTRACT = 18
_packets = count()


@contextmanager
def _running(name: str, database: Path, cert: tuple[Path, Path] | None) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port), "--log-level", "warning"]
    if cert is not None:
        command += ["--ssl-certfile", str(cert[0]), "--ssl-keyfile", str(cert[1])]
    environment = {"COUPONS_DB": str(database), "PATH": os.defpath}
    with subprocess.Popen(command, cwd=SERVICES, env=environment) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate that only the scenario's ca_file vouches for."""
    if OPENSSL is None:
        pytest.skip("openssl is not installed: no certificate can be made here")
    return a_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def coupons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[int, Path]]]:
    """Run each coupon service once; a packet of any name is a new one there."""
    folder = tmp_path_factory.mktemp("coupons")
    running: dict[str, int] = {}
    with ExitStack() as stack:

        def start(name: str) -> tuple[int, Path]:
            database = folder / f"{name}.sqlite"
            if name not in running:
                running[name] = stack.enter_context(_running(name, database, None))
            return running[name], database

        yield start


def a_scenario(folder: Path, example: str, *changes: tuple[str, str], books: bool = False) -> Path:
    """Write an example with fewer and quicker viewers, and a packet of its own where the service takes any."""
    text = (EXAMPLES / example).read_text("utf-8")
    if books:
        text = re.sub(r"^# (\[target\.books\]|source|rows|columns)", r"\1", text, flags=re.MULTILINE)
    quick = (("viewers = 1_000", "viewers = 240"), ("reaction_median_ms = 500", "reaction_median_ms = 60"))
    for before, after in (*quick, *changes):
        assert before in text, before
        text = text.replace(before, after)
    path = folder / example
    path.write_text(text, "utf-8")
    return path


def a_packet() -> tuple[str, str]:
    return 'packet_id = "p1"', f'packet_id = "p{next(_packets) + 100}"'


def check_race(code: int, result: dict[str, Any]) -> None:
    """Check that the verdict names the race with both receipts that show it."""
    assert (code, result["verdict"]) == (10, "fail")
    named = [violation for violation in result["violations"] if violation["invariant"] in RACES]
    granted = [
        {line["request_id"] for line in violation["evidence"] if line.get("status") == "granted"} for violation in named
    ]
    assert max(map(len, granted)) >= 2, named


def check_pass(code: int, result: dict[str, Any], *, shares: int = 100) -> None:
    assert (code, result["verdict"], result["violations"]) == (0, "pass", []), result["reasons"]
    assert (result["granted"], result["packets"][0]["sold_out"]) == (shares, True)


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    """Return the outcome of each invariant."""
    return {one["invariant"]: one["outcome"] for one in result["invariants"]}


@pytest.mark.parametrize(("engine", "books"), [("locust", False), ("swarm", True)])
def test_a_racing_http_service_is_caught(
    engine: str, books: bool, coupons: Callable[[str], tuple[int, Path]], tmp_path: Path
) -> None:
    """Without books by what viewers were told alone; with books from an address as well."""
    port, _ = coupons("coupons_bad")
    path = a_scenario(tmp_path, "http.toml", a_packet(), books=books)
    code, result = storm(tmp_path / "run", str(path), "--target", f"http://127.0.0.1:{port}", "--engine", engine)
    check_race(code, result)
    assert (outcomes(result)["A4"] == "not_checkable") is (not books)


@pytest.mark.parametrize(("engine", "books"), [("locust", True), ("swarm", False)])
def test_a_correct_http_service_passes(
    engine: str, books: bool, coupons: Callable[[str], tuple[int, Path]], tmp_path: Path
) -> None:
    """And what cannot be checked without books is said to be that."""
    port, _ = coupons("coupons_good")
    path = a_scenario(tmp_path, "http.toml", a_packet(), books=books)
    code, result = storm(tmp_path / "run", str(path), "--target", f"http://127.0.0.1:{port}", "--engine", engine)
    check_pass(code, result)
    assert outcomes(result)["A1"] == outcomes(result)["A3"] == "pass"
    assert outcomes(result)["A5"] == ("pass" if books else "not_checkable")


@pytest.mark.parametrize("dropped", [0, 1])
def test_an_export_that_drops_a_claim_is_caught(
    dropped: int, coupons: Callable[[str], tuple[int, Path]], tmp_path: Path
) -> None:
    """The books are a CSV file that is written when they are asked for; whole they pass."""
    port, database = coupons("coupons_good")
    old, new = a_packet()
    source = ('"GET /admin/claims"', '"file:claims.csv"')
    path = a_scenario(tmp_path, "http.toml", (old, new), source, books=True)
    os.mkfifo(tmp_path / "claims.csv")
    packet = new.partition('"')[2].strip('"')
    export = threading.Thread(target=_export, args=(database, packet, tmp_path / "claims.csv", dropped))
    export.start()
    code, result = storm(tmp_path / "run", str(path), "--target", f"http://127.0.0.1:{port}", "--engine", "swarm")
    export.join()
    if not dropped:
        check_pass(code, result)
        return
    assert (code, result["verdict"]) == (10, "fail")
    assert {violation["invariant"] for violation in result["violations"]} & {"A4", "A5"}
    assert "granted" in {line.get("status") for each in result["violations"] for line in each["evidence"]}


def _export(database: Path, packet: str, path: Path, dropped: int) -> None:
    with path.open("w", encoding="utf-8") as file, sqlite3.connect(database) as db:  # opens when somebody reads
        rows = db.execute("SELECT packet_id, user, cents, id FROM claims WHERE packet_id = ?", (packet,)).fetchall()
        lines = ["packet_id,user,cents,id", *(f"{p},{u},{c},c{n}" for p, u, c, n in rows[dropped:])]
        file.write("\n".join(lines) + "\n")


@pytest.mark.parametrize("engine", ["locust", "swarm"])
def test_a_racing_websocket_service_is_caught(engine: str, tmp_path: Path) -> None:
    path = a_scenario(tmp_path, "websocket.toml")
    with _running("packets_ws_bad", tmp_path / "claims.sqlite", None) as port:
        code, result = storm(tmp_path / "run", str(path), "--target", f"ws://127.0.0.1:{port}", "--engine", engine)
    check_race(code, result)


@pytest.mark.parametrize("engine", ["locust", "swarm"])
def test_a_correct_websocket_service_passes_over_tls(
    engine: str, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """Its books are CSV from an address, under the same certificate."""
    ca_file = ('kind = "websocket"', f'kind = "websocket"\nca_file = "{certificate[0]}"')
    path = a_scenario(tmp_path, "websocket.toml", ca_file, books=True)
    with _running("packets_ws_good", tmp_path / "claims.sqlite", certificate) as port:
        code, result = storm(tmp_path / "run", str(path), "--target", f"wss://127.0.0.1:{port}", "--engine", engine)
    check_pass(code, result)
    assert outcomes(result)["A4"] == outcomes(result)["A5"] == outcomes(result)["A8"] == "pass"


class TimedDesk(Desk):
    """Remembers when it was asked, by the clock of its loop."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def answer(self, user: str, packet: str, request: str) -> str:
        self.asked.append(asyncio.get_running_loop().time())
        return super().answer(user, packet, request)


@pytest.fixture
def lines() -> Iterator[tuple[TimedDesk, int]]:
    """Run the service that speaks lines, in a thread."""
    desk, port = TimedDesk(), free_port()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with await asyncio.start_server(desk.serve, "127.0.0.1", port) as server:
            with suppress(asyncio.CancelledError):
                await server.serve_forever()

    serving = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    wait_for(port)
    yield desk, port
    loop.call_soon_threadsafe(serving.cancel)
    thread.join()
    loop.close()


@pytest.mark.parametrize("engine", ["locust", "swarm"])
def test_a_users_adapter_storms_at_no_more_than_the_rate(
    engine: str, lines: tuple[TimedDesk, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class stands in the working directory; 72 taps at 60 a second take more than a second."""
    desk, port = lines
    shutil.copytree(EXAMPLES / "targets", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    url = f"tcp://127.0.0.1:{port}"
    code, result = storm(tmp_path / "run", "lines.toml", "--target", url, "--engine", engine, "--max-rate", "60")
    check_pass(code, result, shares=10)
    assert result["target"] == "lines:LineTarget"
    assert len(desk.asked) >= 60
    busiest = max(sum(1 for at in desk.asked if start <= at < start + 0.5) for start in desk.asked)
    assert busiest <= 60, "half a second has 30 of them, and some that came late; at once they would be 72"
    assert desk.asked[-1] - desk.asked[0] >= 0.6
    assert len((tmp_path / "lines.py").read_text("utf-8").splitlines()) <= 40


@pytest.fixture
def plain_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the contract's pytest load no plugins: it needs none, and ours take most of the start."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def contract(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "loadtest.contracts.options", "--pyargs"]
    command += ["loadtest.contracts.target", *arguments, "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.usefixtures("plain_pytest")
def test_the_contract_holds_for_every_kind(
    coupons: Callable[[str], tuple[int, Path]], lines: tuple[TimedDesk, int], tmp_path: Path
) -> None:
    """A user's class by itself, and what scenarios describe: all cases pass."""
    port, _ = coupons("coupons_good")
    shutil.copytree(EXAMPLES / "targets", tmp_path, dirs_exist_ok=True)
    for example in ("http.toml", "websocket.toml"):
        shutil.copy(EXAMPLES / example, tmp_path)
    with _running("packets_ws_good", tmp_path / "claims.sqlite", None) as socket_port:
        runs = [
            ("lines.toml", f"tcp://127.0.0.1:{lines[1]}"),
            ("http.toml", f"http://127.0.0.1:{port}"),
            ("websocket.toml", f"ws://127.0.0.1:{socket_port}"),
        ]
        with ThreadPoolExecutor(len(runs)) as pool:  # nearly all of it is the start of Python
            arguments = [("--target-scenario", scenario, "--target", url) for scenario, url in runs]
            for done in pool.map(lambda each: contract(tmp_path, *each), arguments):
                assert done.returncode == 0, done.stdout
                assert done.stdout.count(".") >= RUNS_OF_CONTRACT, done.stdout


BROKEN = """
from lines import LineSession, LineTarget as Whole

class Forgetful(LineSession):
    def feed(self, data):
        self.rest = b""  # forgets what has come of a line
        return super().feed(data)

class LineTarget(Whole):
    def name_of(self, viewer_id):
        return "everybody"

    def session(self, viewer, address):
        return Forgetful(viewer.seat.viewer_id)
"""


@pytest.mark.usefixtures("plain_pytest")
def test_the_contract_finds_what_is_wrong(lines: tuple[TimedDesk, int], tmp_path: Path) -> None:
    """All viewers under one name, and lines that are read only when they come whole."""
    shutil.copytree(EXAMPLES / "targets", tmp_path, dirs_exist_ok=True)
    (tmp_path / "broken.py").write_text(BROKEN, "utf-8")
    arguments = ["--target-scenario", "lines.toml", "--target", f"tcp://127.0.0.1:{lines[1]}"]
    done = contract(tmp_path, *arguments, "--target-adapter", "broken:LineTarget", "-k", "survive or welcomed")
    assert done.returncode == 1, done.stdout
    failed = set(re.findall(r"^FAILED \S*::(\w+(?:\[[\w ]+\])?)", done.stdout, re.MULTILINE))
    assert failed == {"test_names_survive", "test_a_viewer_enters_and_is_welcomed_once[byte by byte]"}, done.stdout


@pytest.mark.usefixtures("plain_pytest")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say which scenario has your [target]"),
        (["--target-scenario", "lines.toml", "--target", "tcp://192.0.2.1:7"], "is not on this machine"),
    ],
)
def test_what_cannot_be_held_against_the_contract_is_said(arguments: list[str], said: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "targets", tmp_path, dirs_exist_ok=True)
    done = contract(tmp_path, *arguments, "-x", "-k", "test_names_survive")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_answers_that_nothing_maps_are_told_as_they_are(
    coupons: Callable[[str], tuple[int, Path]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A wrong path: nothing can be read, that is the reason, and the 404 stands where its reader looks."""
    port, _ = coupons("coupons_good")
    changes = (("POST /packets/{packet}/grab", "POST /api/{packet}/grab"), ("viewers = 240", "viewers = 20"))
    path = a_scenario(tmp_path, "http.toml", a_packet(), *changes)
    code, result = storm(tmp_path / "run", str(path), "--target", f"http://127.0.0.1:{port}", "--engine", "swarm")
    assert (code, result["verdict"], result["reasons"], result["grabs"]) == (20, "unknown", ["not_read"], 0)
    (kind,) = result["not_read"]
    assert (kind["what"], kind["said"], kind["count"] >= 20) == ("HTTP 404", '{"detail":"Not Found"}', True)
    said = capfd.readouterr()
    assert 'x HTTP 404 {"detail":"Not Found"}: map it in [target.receipt].http, or mend' in said.out + said.err
