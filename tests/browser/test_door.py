"""The door in a real browser: a page of elsewhere, of nowhere, or under a rebound name changes nothing."""

import functools
import json
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.api.caller import Caller

REBOUND = "rebound.example"
"""A name that the attacker's DNS has pointed at the loopback address by now."""

TRIES = """async ([base, creator, room]) => {
  const path = `${base}/api/creators/${creator}/recharge`;
  const body = JSON.stringify({amount_fen: 777});
  const sent = [];
  const send = (name, options) => fetch(path, {method: "POST", body, ...options}).then(
    (answer) => sent.push([name, answer.status]), () => sent.push([name, 0]));
  await send("json", {headers: {"Content-Type": "application/json"}});
  await send("simple", {mode: "no-cors", headers: {"Content-Type": "text/plain"}});
  await send("form", {mode: "no-cors", body: new URLSearchParams({amount_fen: "777"})});
  await send("nothing", {mode: "no-cors", body: undefined});
  sent.push(["beacon", navigator.sendBeacon(path, body) ? 1 : 0]);
  const form = document.createElement("form");
  form.method = "POST"; form.action = path; form.target = "frame"; form.enctype = "text/plain";
  const frame = document.createElement("iframe"); frame.name = "frame";
  const loaded = new Promise((done) => { frame.onload = done; setTimeout(done, 2000); });
  document.body.append(frame, form); form.submit(); await loaded;
  const socket = new WebSocket(`${base.replace("http", "ws")}/ws/rooms/${room}?viewer=mallory`);
  sent.push(["socket", await new Promise((done) => {
    socket.onopen = () => done("open"); socket.onclose = () => done("closed");
  })]);
  return Object.fromEntries(sent);
}"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an empty page on another port of this machine: another origin, of the same site."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<title>elsewhere</title><body></body>", "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Silent(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
        """Say nothing."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a browser that knows nothing of the server; what its console says is part of being refused."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def prey(api: Caller) -> tuple[str, str]:
    """Return a creator with funds, and its room."""
    creator = api.creator(1000)
    room = f"{creator}-live"
    api.post("/api/rooms", {"room_id": room, "creator_id": creator})
    return creator, room


def nothing_changed(api: Caller, creator: str, room: str) -> bool:
    """Tell whether the creator's funds and the room are as they were."""
    funds = api.get(f"/api/creators/{creator}/funds")
    return bool(funds["recharged_fen"] == 1000 and api.get(f"/api/rooms/{room}")["audience"] == 0)


def test_a_page_of_the_server_itself_may(page: Page, api: Caller, page_server: str) -> None:
    """The tries would succeed if the door let them: from the server's own page the JSON and the socket do."""
    creator, room = prey(api)
    page.goto(page_server)
    policy_allows = page.evaluate(
        """async ([base, creator, room]) => {
          const answer = await fetch(`${base}/api/creators/${creator}/recharge`, {method: "POST",
            body: JSON.stringify({amount_fen: 777}), headers: {"Content-Type": "application/json"}});
          const socket = new WebSocket(`${base.replace("http", "ws")}/ws/rooms/${room}?viewer=vera`);
          const state = await new Promise((done) => {
            socket.onopen = () => done("open"); socket.onclose = () => done("closed"); });
          return [answer.status, state];
        }""",
        [page_server, creator, room],
    )
    assert policy_allows == [200, "open"]
    assert api.get(f"/api/creators/{creator}/funds")["recharged_fen"] == 1777


def test_a_page_on_another_port_changes_nothing(page: Page, api: Caller, page_server: str, elsewhere: str) -> None:
    creator, room = prey(api)
    page.goto(elsewhere)
    sent = page.evaluate(TRIES, [page_server, creator, room])
    assert sent["json"] == 0
    assert sent["socket"] == "closed"
    assert nothing_changed(api, creator, room)


def test_a_page_without_an_origin_changes_nothing(page: Page, api: Caller, page_server: str, elsewhere: str) -> None:
    """A sandboxed frame has the origin null, and so has a file."""
    creator, room = prey(api)
    page.goto(elsewhere)
    page.set_content(f"<iframe sandbox='allow-scripts allow-forms' src={json.dumps(elsewhere)}></iframe>")
    page.wait_for_load_state("networkidle")
    frame = page.frames[1]
    assert frame.evaluate("self.origin") == "null"
    sent = frame.evaluate(TRIES, [page_server, creator, room])
    assert (sent["json"], sent["socket"]) == (0, "closed")
    assert nothing_changed(api, creator, room)


def test_a_file_changes_nothing(page: Page, api: Caller, page_server: str, tmp_path: Path) -> None:
    creator, room = prey(api)
    (tmp_path / "page.html").write_text("<title>file</title><body></body>", "utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    sent = page.evaluate(TRIES, [page_server, creator, room])
    assert (sent["json"], sent["socket"]) == (0, "closed")
    assert nothing_changed(api, creator, room)


def test_a_rebound_name_reaches_nothing(page: Page, api: Caller, page_server: str) -> None:
    """The attacker's page has the server's address under its own name: for the browser the same origin, for us none."""
    creator, room = prey(api)
    rebound = f"http://{REBOUND}:{urlsplit(page_server).port}"
    answer = page.goto(f"{rebound}/console")
    assert answer is not None
    assert answer.status == 403
    assert answer.json()["code"] == "host_not_allowed"
    sent = page.evaluate(TRIES, [rebound, creator, room])
    assert (sent["json"], sent["socket"]) == (403, "closed")
    assert nothing_changed(api, creator, room)
