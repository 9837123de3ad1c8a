"""The demo as people start it: a round shows everything it promises, and however it ends it leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from client_sim.talk import PHRASES, Mood
from loadtest.demo.errands import WARES
from loadtest.demo.programme import ROOMS
from loadtest.run.nemesis import StoreOfRun
from scripts.cli import main
from tests.waiting import until

TIMEOUT_S = 60.0
SPEED = 180  # a round takes half a minute, and is still long enough for people's reactions
VIEWERS = 60


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def _demo(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo as a terminal would, with its own folder for what is temporary."""
    environment = {"PATH": os.defpath, "TMPDIR": str(folder), "COLUMNS": "300"}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "scripts.cli", "demo", "--port", "0", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the tests have no threads that hold a lock here
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _url_of(process: "subprocess.Popen[str]", before: list[str]) -> str:
    """Read what the demo says until it has told where the console is; return the server's URL."""
    assert process.stdout is not None
    for text in process.stdout:
        before.append(text)
        if found := re.search(r"(http://[^\s/]+)/console", text):
            return found[1]
    pytest.fail("".join(before))


def _of(folder: Path) -> list[str]:
    """Return the command lines of all processes that were told of the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if any(f"{folder}/" in word for word in words) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


class Witness:
    """Sees one round from outside: what the rooms are told, and the books as they were last."""

    def __init__(self, url: str) -> None:
        self.facts: dict[str, Counter[str]] = {room: Counter() for room in ROOMS}
        self.comments: set[str] = set()
        self.packets: dict[str, dict[str, Any]] = {}
        self.effects: dict[str, dict[str, Any]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.trails: dict[str, dict[str, Any]] = {}
        self.products: list[str] = []
        self.journal: Counter[str] = Counter()
        self._url = url
        self._threads = [threading.Thread(target=self._listen, args=(room,)) for room in ROOMS]
        self._threads.append(threading.Thread(target=self._read))
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(TIMEOUT_S)

    def _listen(self, room: str) -> None:
        address = f"ws{self._url.removeprefix('http')}/ws/rooms/{room}?viewer=witness"
        with suppress(WebSocketException, OSError), connect(address, proxy=None) as socket:
            for text in socket:
                heard = json.loads(text)
                self.facts[room][heard["type"]] += 1
                self.comments |= {each["text"] for each in heard.get("comments", ())}

    def _read(self) -> None:
        with suppress(requests.RequestException):
            self.products = [each["product_id"] for each in self._get("/api/products")]
            while True:
                for creator in ("xiaoman", "ali", "platform"):
                    for packet in self._get(f"/api/packets?creator_id={creator}"):
                        self.packets[packet["name"]] = packet
                        self.effects[packet["name"]] = self._get(f"/api/packets/{packet['packet_id']}/effects")
                    for order in self._get(f"/api/orders?creator_id={creator}"):
                        self.orders[order["order_id"]] = self._get(f"/api/orders/{order['order_id']}")
                        self.trails[order["order_id"]] = self._get(f"/api/trails/{order['order_id']}")
                    details = self._get(f"/api/creators/{creator}/fund-details?count=1000")
                    self.journal |= Counter(each["kind"] for each in details)
                time.sleep(0.5)

    def _get(self, path: str) -> Any:
        answer = requests.get(self._url + path, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="module")
def round_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[Witness, int, str, Path]:
    """Watch the one round of a demo: what was seen, its exit code, what it said, and where it kept its files."""
    folder = tmp_path_factory.mktemp("demo")
    said: list[str] = []
    with _demo(folder, "--once", "--speed", str(SPEED), "--viewers", str(VIEWERS)) as process:
        witness = Witness(_url_of(process, said))
        rest, _ = process.communicate(timeout=120)
        witness.join()
    return witness, process.returncode, "".join(said) + rest, folder


def test_one_round_shows_everything(round_of: tuple[Witness, int, str, Path]) -> None:
    """As the rooms were told and the books say, not only by the lines of the demo."""
    seen, code, said, _ = round_of
    assert code == 0, said
    for room in ROOMS:
        assert seen.facts[room]["welcome"] == 1
        assert seen.facts[room]["warmup"] >= 2
        assert seen.facts[room]["open"] >= 2
        assert seen.facts[room]["result"] >= 2
        assert seen.facts[room]["popup"] >= 2
    assert seen.facts["tea"]["sold_out"] >= 1
    assert seen.facts["tea"]["voided"] == seen.facts["hall"]["voided"] == 1
    assert seen.facts["home"]["asset_widget"] == 1
    assert seen.facts["home"]["reopened"] == 1

    states = Counter(packet["state"] for packet in seen.packets.values())
    assert states == {"settled": 7, "voided": 3}, "two that are taken back, and the one whose launch was refused"
    assert seen.packets["三连红包"]["warmup_at_ms"] is None
    assert seen.packets["连发红包"]["surface"] == "asset_widget"
    assert seen.packets["宠爱红包"]["edition"] == 2
    assert all(
        effects["best_luck"] for name, effects in seen.effects.items() if seen.packets[name]["state"] == "settled"
    )
    assert seen.effects["开场红包雨"]["sold_out_seconds"] > 0
    assert {"recharge", "fund", "edit", "reverse"} <= set(seen.journal)
    assert "三连红包" not in said, "the line says what it was, not its name"
    assert "DY-LAU-9" in said


def test_winners_order_and_are_refunded(round_of: tuple[Witness, int, str, Path]) -> None:
    """Goods from the table with a waterfall of discounts; one refund in part, one in full; trails of six steps."""
    seen, _, said, _ = round_of
    assert len(seen.orders) == 2, said
    part = next(order for order in seen.orders.values() if order["creator_id"] == "xiaoman")
    full = next(order for order in seen.orders.values() if order["creator_id"] == "ali")
    assert part["state"] == "paid"
    assert sum(part["refunded_by_line"].values()) > 0
    assert (full["state"], full["kept_fen"]) == ("refunded", 0)
    for order in (part, full):
        kinds = {deduction["kind"] for deduction in order["quote"]["deductions"]}
        assert kinds >= {"creator_packet", "shop_coupon", "platform_coupon", "full_reduction"}
        trail = seen.trails[order["order_id"]]
        assert (trail["completed"], trail["missing"]) == (6, [])
    sold = {line["product_id"] for order in seen.orders.values() for line in order["quote"]["lines"]}
    assert sold == {product for wares in WARES.values() for product, _, _ in wares} == set(seen.products)


def test_the_audience_comments_on_what_happens(round_of: tuple[Witness, int, str, Path]) -> None:
    """Waiting, cheering, groaning; and whoever names an amount has got it."""
    seen, *_ = round_of
    for mood in (Mood.WATCHING, Mood.WAITING, Mood.CHEERING):
        assert seen.comments & {text for texts in PHRASES[mood] for text in texts}, mood
    amounts = {found[0] for text in seen.comments for found in re.finditer(r"\u00a5\d+\.\d\d", text)}
    assert amounts, seen.comments


def test_a_demo_that_has_ended_has_left_nothing(round_of: tuple[Witness, int, str, Path]) -> None:
    *_, said, folder = round_of
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
    assert _of(folder) == []


def _stopped(process: "subprocess.Popen[str]", number: signal.Signals, url: str, folder: Path) -> None:
    """Stop a demo as people do; nothing of it must be left: no process, no file, no listener."""
    os.killpg(process.pid, number)
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert "nothing is left" in rest
    assert list(folder.iterdir()) == []
    assert _of(folder) == []
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=TIMEOUT_S)


def test_what_is_broken_on_purpose_shows(tmp_path: Path) -> None:
    """A naive packet turns the badge red by two receipts, a killed store comes back; Ctrl-C still leaves nothing."""
    said: list[str] = []
    with _demo(tmp_path, "--viewers", "30", "--speed", str(SPEED)) as process:
        url = _url_of(process, said)
        page = requests.get(f"{url}/dashboard", timeout=TIMEOUT_S).text
        dashboard = re.search('data-dashboard="([^"]+)"', page)
        assert dashboard
        with connect(dashboard[1].replace("http", "ws").replace("dashboard", "watch"), proxy=None) as pictures:
            first = _picture_with(pictures, lambda picture: picture["badge"]["light"] == "green")
            assert first["controls"] == ["naive", "kill_store"]
            _press(dashboard[1], "naive")
            red = _picture_with(pictures, _is_proven)
            one, other = red["badge"]["proofs"][0]["witnesses"]
            assert (one["index"], one["packet_id"]) == (other["index"], other["packet_id"])
            assert one["viewer_id"] != other["viewer_id"]
            assert red["badge"]["over"] > 0
            _picture_with(pictures, lambda picture: not picture["busy"])
            _press(dashboard[1], "forget")
            _picture_with(pictures, lambda picture: picture["badge"]["light"] == "green")
            (home,) = tmp_path.glob("redrain-demo-*/home")
            before = StoreOfRun(home).pid()
            _press(dashboard[1], "kill_store")
            back = _picture_with(pictures, lambda picture: dict(picture["store"]["steps"]).get("books") is not None)
            assert [step for step, _ in back["store"]["steps"]] == ["killed", "process", "answers", "ready", "books"]
            assert StoreOfRun(home).pid() != before
            _picture_with(pictures, lambda picture: picture["badge"]["light"] == "green")
        _stopped(process, signal.SIGINT, url, tmp_path)


def _is_proven(picture: dict[str, Any]) -> bool:
    """Tell whether the badge is red by two receipts; the first cut may know the claims alone."""
    proofs = picture["badge"]["proofs"] if picture["badge"]["light"] == "red" else []
    return bool(proofs) and [each["kind"] for each in proofs[0]["witnesses"]] == ["receipt", "receipt"]


def _press(dashboard: str, name: str) -> None:
    answer = requests.post(dashboard.replace("dashboard", f"controls/{name}"), json={}, timeout=TIMEOUT_S)
    assert answer.status_code == 202


def _picture_with(pictures: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first picture of a dashboard that is as wanted."""
    shown: list[dict[str, Any]] = [{}]

    def look() -> bool:
        shown.append(json.loads(pictures.recv(timeout=TIMEOUT_S)))
        return wanted(shown[-1])

    until(look, "such a picture")
    return shown[-1]


def test_phones_of_the_network_look_and_play_and_change_nothing(tmp_path: Path) -> None:
    """With an address a guest comes in; what changes something needs the printed token; other names are refused."""
    said: list[str] = []
    with _demo(tmp_path, "--viewers", "30", "--lan-address", "127.0.0.2", "--lang", "zh") as process:
        url = _url_of(process, said)
        assert url.startswith("http://127.0.0.2:")
        token = re.search(r"#token=(\S+)", said[-1])
        assert token
        assert requests.get(f"{url}/live/tea", timeout=TIMEOUT_S).status_code == 200
        guest = requests.post(
            f"{url}/api/guest-tickets", json={"room_id": "tea", "name": "Ann"}, timeout=TIMEOUT_S
        ).json()
        with connect(f"ws{url[4:]}/ws/rooms/tea?ticket={guest['ticket']}", proxy=None) as socket:
            assert json.loads(socket.recv())["type"] == "welcome"
        room = {"room_id": "mine", "creator_id": "xiaoman"}
        allowed = {"Authorization": f"Bearer {token[1]}"}
        for headers, status in (
            ({}, 401),
            ({"Authorization": f"Bearer {guest['token']}"}, 403),
            ({**allowed, "Host": "rebound.test"}, 403),
            ({**allowed, "Origin": "http://evil.test"}, 403),
            (allowed, 201),
        ):
            assert (
                requests.post(f"{url}/api/rooms", json=room, headers=headers, timeout=TIMEOUT_S).status_code == status
            )
        with pytest.raises(requests.ConnectionError):
            requests.get(url.replace("127.0.0.2", "127.0.0.1"), timeout=TIMEOUT_S)
        _stopped(process, signal.SIGTERM, url, tmp_path)


def test_what_a_killed_demo_has_started_ends_by_itself(tmp_path: Path) -> None:
    """Server, store and audience notice that nobody is left to stop them."""
    with _demo(tmp_path, "--viewers", "30") as process:
        _url_of(process, [])
        until(lambda: all(any(part in each for each in _of(tmp_path)) for part in ("valkey-server", "swarm_process")),
               "it has not begun")  # fmt: skip
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
    until(lambda: not _of(tmp_path), f"{_of(tmp_path)} runs on")


def test_a_taken_port_is_30(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the message says which, and what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["demo", "--port", (port := str(taken.getsockname()[1]))])
    said = capsys.readouterr().err
    assert ended.value.code == 30, said
    assert port in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
