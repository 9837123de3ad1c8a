"""The phone page against a server: what a viewer sees and does, from the countdown to a refund."""

import gzip
import json
import os
import re
import signal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from loadtest.run.server_process import ServerProcess
from tests.api.caller import DAY_MS, Caller
from tests.browser.conftest import RULEBOOKS, SPEED, NewPage, pages_of, scrolls_sideways, serious_findings
from tests.waiting import until

TOUCH = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "reduced_motion": "no-preference"}
BUDGET = 150 * 1024
HOSTILE = "<img src=x onerror=alert(1)>עברית 👩‍👩‍👧‍👦" + "a" * 58
HOUR_MS = 3_600_000
PATIENCE_MS = 20_000
CALM = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}


class Stage:
    """A room with its host, who launches packets by hand."""

    def __init__(self, api: Caller, platform: str = "stage", name: str = "Xiaoman Tea") -> None:
        self.api = api
        self.host = api.creator(1_000_000, platform)
        api.ask("PUT", f"/api/creators/{self.host}/profile", raw=json.dumps({"name": name}))
        self.room = api.room(self.host)

    def path(self, lang: str = "en") -> str:
        return f"/live/{self.room}?lang={lang}"

    def launch(self, mode: str = "manual", share_count: int = 10, **launch: object) -> str:
        """Launch a packet of so many shares, and return its id."""
        packet = self.api.packet(self.host, share_count=share_count, total_fen=share_count * 1000, use_for_ms=DAY_MS)
        self.api.post(f"/api/packets/{packet}/launch", {"room_id": self.room, "mode": mode, **launch})
        return packet


@pytest.fixture
def stage(api: Caller) -> Stage:
    return Stage(api)


def opened(new_page: NewPage, path: str, **options: Any) -> Page:
    """Open the page of a room and wait until the viewer is in it."""
    page = new_page(path, **(options or CALM))
    expect.set_options(timeout=PATIENCE_MS)
    expect(page.locator(".badge small")).to_contain_text(re.compile("[1-9]"))
    return page


def viewer_of(page: Page) -> str:
    name: str = page.evaluate("JSON.parse(sessionStorage.getItem('redrain.viewer')).viewerId")
    return name


def test_two_phones_count_down_alike_though_one_has_a_wrong_clock(new_page: NewPage, api: Caller) -> None:
    """A device that is two seconds off shows the same second; the last three fill the screen."""
    stage = Stage(api, "douyin")
    wrong = "const real = Date.now; Date.now = () => real() + 2000;"
    phones = [opened(new_page, stage.path()), opened(new_page, stage.path("zh"), script=wrong, **CALM)]
    stage.launch("relative", delay_ms=7 * SPEED * 1000, claim_window_ms=HOUR_MS)
    for phone in phones:
        expect(phone.locator(".widget time")).to_have_text(re.compile(r"00:0\d"))
    until(lambda: len({phone.locator(".widget time").inner_text() for phone in phones}) == 1)
    expect(phones[0].locator(".big3 b")).to_have_text(re.compile("[123]"))
    for phone in phones:
        expect(phone.locator(".rain")).to_be_visible()


def test_a_tap_on_a_falling_packet_wins_once(new_page: NewPage, stage: Stage, api: Caller) -> None:
    """A touch hits a packet that moves; the amount is that of the books; another tap changes nothing."""
    phone = opened(new_page, stage.path(), **TOUCH)
    packet = stage.launch()
    box = phone.locator(".rain .p").nth(20)
    expect(box).to_be_attached()
    won = phone.get_by_role("heading", name="You got it!")

    def hit() -> bool:
        spot = phone.evaluate("""() => [...document.querySelectorAll('.rain .p')]
            .map((packet) => packet.getBoundingClientRect())
            .map((box) => [box.x + box.width / 2, box.y + box.height / 2])
            .find(([x, y]) => x > 60 && x < 330 && y > 200 && y < 600)""")
        if spot:
            phone.touchscreen.tap(*spot)
            phone.wait_for_timeout(1_000)  # by the time a busy page is tapped, the packet may be elsewhere
        return won.is_visible()

    until(hit)
    claim = api.get(f"/api/packets/{packet}/claims?viewer_id={viewer_of(phone)}")["claims"][0]
    assert claim["mine"]
    amount = f"{claim['amount_fen'] // 100}.{claim['amount_fen'] % 100:02}"
    expect(phone.locator(".amt span")).to_have_text(amount)
    phone.keyboard.press("Escape")
    expect(phone.locator(".widget em")).to_have_text(f"¥{amount}")
    phone.locator(".widget").click()
    expect(phone.get_by_role("heading", name="Yours already")).to_be_visible()
    expect(phone.locator(".amt span")).to_have_text(amount)
    phone.reload()
    expect(phone.locator(".widget em")).to_have_text(f"¥{amount}")


def test_the_keyboard_takes_a_packet_and_nothing_moves_for_who_wants_no_motion(new_page: NewPage, stage: Stage) -> None:
    phone = opened(new_page, stage.path(), **CALM)
    stage.launch()
    expect(phone.locator(".rain .p").first).to_be_visible()
    assert phone.evaluate("document.querySelector('.rain .p').getAnimations().length") == 0
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="You got it!")).to_be_visible()
    assert phone.locator("canvas.conf").count() == 0


def test_who_is_too_slow_sees_how_fast_it_went_and_who_won(new_page: NewPage, stage: Stage, api: Caller) -> None:
    """Sold out before one's eyes; then the list of winners, whose shares the browser recomputes."""
    phone = opened(new_page, stage.path())
    packet = stage.launch(share_count=3)
    expect(phone.locator(".rain")).to_be_visible()
    for viewer in ("vera", "wei", "tom"):
        api.grab(stage.room, packet, viewer)
    expect(phone.get_by_role("heading", name=re.compile(r"All gone in \d+\.\d seconds"))).to_be_visible()
    phone.get_by_role("button", name="All winners").click()
    expect(phone.get_by_text("Sealed before the opening")).to_be_visible()
    expect(phone.locator(".rows li")).to_have_count(3)
    expect(phone.locator(".rows")).to_contain_text("v**a")
    phone.keyboard.press("Escape")
    expect(phone.locator(".sheet")).to_have_count(0)


def test_the_browser_verifies_what_was_promised(new_page: NewPage, api: Caller) -> None:
    """After the end the seed is out: both editions of the packet are recomputed and match their commitments."""
    stage = Stage(api, "lab")
    phone = opened(new_page, stage.path())
    packet = stage.launch(share_count=3, claim_window_ms=DAY_MS)
    expect(phone.locator(".rain")).to_be_visible()
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="You got it!")).to_be_visible()
    api.post(f"/api/packets/{packet}/issuance", {"share_count": 5})
    until(lambda: api.grab(stage.room, packet, "wei")["status"] in {"granted", "repeated"})
    api.post(f"/api/packets/{packet}/end")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name=re.compile("Best luck")).click()
    phone.get_by_role("button", name="Verify", exact=True).click()
    expect(phone.get_by_text("Verified on this device")).to_be_visible()
    expect(phone.locator(".ver")).to_contain_text("5 shares recomputed")
    expect(phone.locator(".ver code")).to_have_count(2)


def test_a_tap_before_the_time_is_not_counted_and_a_void_is_said(new_page: NewPage, api: Caller) -> None:
    stage = Stage(api, "lab")
    phone = opened(new_page, stage.path())
    packet = stage.launch("relative", delay_ms=DAY_MS, claim_window_ms=HOUR_MS)
    phone.locator(".widget").click()
    expect(phone.locator(".toast")).to_contain_text("Your tap was not counted")
    api.post(f"/api/packets/{packet}/void")
    expect(phone.get_by_role("heading", name="The host took this packet back")).to_be_visible()
    phone.get_by_role("button", name="Back to the room").click()
    expect(phone.locator(".card")).to_have_count(0)


def test_kuaishou_pops_up_once_and_then_waits_in_the_widget(new_page: NewPage, api: Caller) -> None:
    stage = Stage(api, "kuaishou", "阿栗家居")
    phone = opened(new_page, stage.path("zh"))
    for _ in range(2):
        stage.launch()
    phone.get_by_role("button", name="开红包").click()
    expect(phone.get_by_role("heading", name="抢到了!")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(phone.locator(".coach")).to_contain_text("有红包待领取")
    phone.locator(".widget").click()
    expect(phone.get_by_role("dialog", name="开红包")).to_be_visible()


def test_from_a_packet_to_a_refund(new_page: NewPage, stage: Stage, api: Caller) -> None:
    """Buy with what was won: bill, order, payment, a step of the logistics, part of the money back, then all."""
    product = f"tea-{stage.room[-6:]}"
    body = {"title": "Oolong", "list_price_fen": 20_000, "creator_id": stage.host}
    api.ask("PUT", f"/api/products/{product}", raw=json.dumps(body))
    phone = opened(new_page, stage.path())
    packet = stage.launch()
    expect(phone.locator(".rain")).to_be_visible()
    phone.keyboard.press("Enter")
    phone.get_by_role("button", name="Use it now").click()
    expect(phone.locator(".about")).to_contain_text("Oolong")
    won = api.get(f"/api/packets/{packet}/claims?viewer_id={viewer_of(phone)}")["claims"][0]["amount_fen"]
    off = f"−¥{won // 100}.{won % 100:02}"
    expect(phone.locator(".wf li", has_text="Xiaoman Tea")).to_contain_text(off)
    expect(phone.locator(".wf li", has_text="Xiaoman Tea")).to_contain_text("Host")
    phone.get_by_role("button", name="Place order").click()
    expect(phone.get_by_text("Locked by this order")).to_be_visible()
    phone.get_by_role("button", name=re.compile("Pay ¥")).click()
    expect(phone.get_by_role("status").filter(has_text="Paid")).to_be_visible()
    [order] = api.get(f"/api/orders?creator_id={stage.host}")
    phone.get_by_role("button", name="Order logistics").click()
    expect(phone.locator(".tl .now")).to_contain_text("Paid")
    api.post("/api/isvs/erp", {"integrated": True})
    event = {"event_id": "e1", "type": "accepted", "source": "erp", "occurred_at_ms": api.get("/api/clock")["room_ms"]}
    api.post(f"/api/trails/{order['order_id']}/events", event)
    expect(phone.locator(".tl .now")).to_contain_text("The merchant has taken the order")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Refund part").click()  # with nothing typed, nothing is paid back
    expect(phone.get_by_text("Enter an amount from ¥0.01")).to_be_visible()
    phone.get_by_label("Part of the goods’ price, in yuan").fill("10")
    phone.get_by_role("button", name="Refund part").click()
    expect(phone.get_by_text("In part: packets come back once all goods are refunded.")).to_be_visible()
    phone.get_by_role("button", name=re.compile("Refund all")).click()
    expect(phone.get_by_text("Usable again")).to_be_visible()
    assert api.get(f"/api/orders/{order['order_id']}")["kept_fen"] == 0
    phone.get_by_role("button", name="Order logistics").click()
    expect(phone.get_by_text("The order ended; nothing more is sent.")).to_be_visible()
    expect(phone.locator(".tl .wait")).to_have_count(0)
    phone.keyboard.press("Escape")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="My packets").click()
    phone.get_by_role("tab", name="Usable 1").click()
    expect(phone.locator(".tk")).to_have_count(1)
    assert serious_findings(phone) == []
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Service messages").click()
    expect(phone.locator(".inbox .fresh").first).to_be_visible()
    expect(phone.locator(".inbox")).to_contain_text("The merchant has taken the order")
    assert serious_findings(phone) == []
    phone.get_by_role("button", name="Mark all as read").click()
    expect(phone.locator(".inbox .fresh")).to_have_count(0)


def test_an_unpaid_order_is_cancelled_and_its_packet_is_free_again(new_page: NewPage, stage: Stage) -> None:
    phone = opened(new_page, stage.path())
    stage.launch()
    expect(phone.locator(".rain")).to_be_visible()
    phone.keyboard.press("Enter")
    phone.get_by_role("button", name="Use it now").click()
    phone.get_by_role("button", name="Place order").click()
    phone.get_by_role("button", name="Cancel the order").click()
    expect(phone.get_by_role("status").filter(has_text="Cancelled")).to_be_visible()
    expect(phone.get_by_text("Usable again")).to_be_visible()
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="My orders").click()
    expect(phone.locator(".row")).to_contain_text("Cancelled")


def test_a_packet_that_opens_under_a_sheet_is_called_out(new_page: NewPage, stage: Stage) -> None:
    """A reader is not torn away, but told; one tap leads to the rain."""
    phone = opened(new_page, stage.path())
    phone.get_by_role("button", name="My packets").click()
    stage.launch()
    phone.get_by_role("button", name="A red packet opens now. Show me").click()
    expect(phone.locator(".sheet")).to_have_count(0)
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="You got it!")).to_be_visible()


def test_hostile_names_stay_text(new_page: NewPage, api: Caller) -> None:
    """
    A host, a product and a comment that would be markup, that turn the line around, or that are endless.

    Control characters are refused by the server.
    """
    stage = Stage(api, name="<b>مرحبا" + "w" * 20)
    product = {"title": HOSTILE[:60], "list_price_fen": 100, "creator_id": stage.host}
    assert api.ask("PUT", f"/api/products/h-{stage.room[-6:]}", raw=json.dumps(product)).ok
    phone = opened(new_page, stage.path(), viewport={"width": 360, "height": 640})
    expect(phone.locator(".goods p")).to_contain_text("<img")
    phone.get_by_label("Say something…").fill(HOSTILE)
    phone.keyboard.press("Enter")
    expect(phone.locator(".comments")).to_contain_text("<img src=x onerror=alert(1)>")
    assert phone.locator("img").count() == 0
    assert not scrolls_sideways(phone)
    assert phone.evaluate("document.querySelector('.badge').getBoundingClientRect().right") < 250


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_covers_the_room_has_no_serious_finding(new_page: NewPage, stage: Stage, lang: str) -> None:
    phone = opened(new_page, stage.path(lang), **CALM)
    for name in (
        ("My packets", "My orders", "Service messages") if lang == "en" else ("券和福利", "我的订单", "服务消息")
    ):
        phone.get_by_role("button", name=name).click()
        expect(phone.locator(".sheet")).to_be_visible()
        assert serious_findings(phone) == [], name
        phone.keyboard.press("Escape")
        expect(phone.get_by_role("button", name=name)).to_be_focused()
    stage.launch()
    expect(phone.locator(".rain")).to_be_visible()
    assert serious_findings(phone) == []
    phone.keyboard.press("Enter")
    expect(phone.locator(".card")).to_be_visible()
    assert serious_findings(phone) == []


def test_a_phone_resumes_after_its_server_was_killed(browser: Browser, tmp_path: Path) -> None:
    """The bar says so, the countdown goes on, and what happened meanwhile is there when the server is back."""
    options = ["--speed", "1", "--durability", "relaxed", "--limits", "load"]
    server = ServerProcess(tmp_path, options, RULEBOOKS)
    try:
        url = server.wait_until_ready()
        port = url.rsplit(":", 1)[1]
        with Caller(url) as api, pages_of(browser, url, "ERR_CONNECTION_REFUSED") as new_page:
            stage = Stage(api, "lab")
            phone = opened(new_page, stage.path())
            stage.launch("relative", delay_ms=HOUR_MS, claim_window_ms=HOUR_MS)
            expect(phone.locator(".widget time")).to_have_text(re.compile(r"59:\d\d"))
            os.kill(server.pid, signal.SIGKILL)
            server.stop()
            expect(phone.get_by_text(re.compile("Connection lost"))).to_be_visible()
            before = phone.locator(".widget time").inner_text()
            expect(phone.locator(".widget time")).not_to_have_text(before)
            server = ServerProcess(tmp_path, [*options, "--port", port], RULEBOOKS)
            server.wait_until_ready()
            expect(phone.locator(".off")).to_be_hidden()
            expect(phone.locator(".widget time")).to_have_text(re.compile(r"59:\d\d"))
    finally:
        server.stop()


def test_the_whole_page_is_small() -> None:
    """All its files, as they are sent, stay below 150 KiB; so does the document with them."""
    root = resources.files("server.pages")
    files = [root / "documents" / "phone.html", root / "documents" / "page.html"]
    for folder in ("phone", "shared"):
        files += list((root / "static" / folder).iterdir())
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= BUDGET
