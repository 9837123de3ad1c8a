"""The host's console in a real browser: what a creator does there, by the rules that the server decides."""

import json
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.api.caller import Caller
from tests.browser.conftest import NewPage, pages_of, scrolls_sideways, serious_findings
from tests.waiting import until

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
HOSTILE = "<img onerror=a()>ع🎉"
"""A name with markup, a right-to-left letter and an emoji; 19 characters, of 20 that a packet may have."""

LATER = "const now = performance.now.bind(performance); window.later = 0; performance.now = () => now() + window.later;"
"""A clock of the device that can be moved on, by which the page knows the rooms' time."""


def shanghai(ms: int) -> str:
    """Return an instant as a field for date and time holds it, to the second before."""
    return datetime.fromtimestamp((ms + 8 * HOUR_MS) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def a_creator(api: Caller, platform: str = "douyin", name: str = "Rain") -> tuple[str, str]:
    """Return a funded creator with a room and one packet, and the packet's id."""
    creator = api.creator(1_000_000, platform)
    api.room(creator)
    return creator, api.packet(creator, name=name, platform=platform)


def row(page: Page, text: str) -> Locator:
    return page.locator("tbody tr", has_text=text)


def operation(page: Page, packet: str, name: str) -> Locator:
    return row(page, packet).locator(f"[data-op={name}]")


def now_ms(api: Caller) -> int:
    now: int = api.get("/api/clock")["room_ms"]
    return now


@pytest.mark.rule("DY-UI-1")
@pytest.mark.rule("DY-UI-2")
@pytest.mark.rule("DY-UI-3")
def test_a_host_recharges_creates_launches_is_refused_and_voids(new_page: NewPage, api: Caller) -> None:
    """A new creator's way from an empty wallet to a packet on its way, called off again before its warm-up."""
    creator = f"c{secrets.token_hex(5)}"
    page = new_page(f"/console?creator={creator}&lang=en")

    page.get_by_role("button", name="Recharge").click()
    page.get_by_label("Platform").select_option("douyin")
    page.get_by_label("Amount ¥").fill("1000")
    page.get_by_role("dialog").get_by_role("button", name="Recharge").click()
    expect(page.locator(".funds .tot")).to_have_text("¥1,000.00")
    expect(page.locator(".cr li")).to_have_text(["Marketing"])

    page.get_by_role("link", name="Send red packets").click()
    expect(page.locator(".cr li")).to_have_text(["Live management", "Live control panel", "Live tools"])
    page.get_by_role("button", name="+ New red packet").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator(".hist rect").first).to_be_visible()
    box = drawer.bounding_box()
    assert box is not None
    assert page.viewport_size is not None
    assert abs(box["width"] * 2 - page.viewport_size["width"]) <= 2
    drawer.get_by_label("Total ¥").fill("5000")
    expect(drawer.locator(".verdict")).to_contain_text("between ¥1.00 and ¥2,000.00 ALL-CRE-2")
    drawer.get_by_label("Total ¥").fill("200")
    expect(drawer.locator(".verdict")).to_contain_text("Can be split")
    drawer.get_by_role("textbox", name="Name").fill("Evening rain")
    drawer.get_by_role("button", name="Create and fund").click()
    expect(row(page, "Evening rain").locator("td").last).to_contain_text("Launch")
    expect(page.locator("thead th").last).to_have_text("Operations")
    assert api.get(f"/api/creators/{creator}/funds")["available_fen"] == 80_000

    operation(page, "Evening rain", "launch").click()  # without a room one is opened first
    page.get_by_role("dialog").get_by_role("button", name="New room").click()
    dialog = page.get_by_role("dialog", name="Launch")
    expect(dialog.get_by_role("tab")).to_have_text(["By period", "Exact time"])
    confirm = dialog.get_by_role("button", name="Launch")
    now = now_ms(api)
    dialog.get_by_label("Warm-up starts").fill(shanghai(now - HOUR_MS))
    dialog.get_by_label("Grab opens").fill(shanghai(now + 8 * 24 * HOUR_MS))
    expect(dialog.get_by_role("alert")).to_contain_text("DY-LAU-4")
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Warm-up starts").fill(shanghai(now + 3 * HOUR_MS))
    dialog.get_by_label("Grab opens").fill(shanghai(now + 3 * HOUR_MS + 5 * MINUTE_MS))
    expect(dialog.locator(".tlx .own").first).to_be_visible()
    expect(confirm).to_be_enabled()
    confirm.click()
    expect(row(page, "Evening rain")).to_contain_text("Scheduled")
    launch = operation(page, "Evening rain", "launch")
    expect(launch).to_have_attribute("aria-disabled", "true")
    expect(launch).to_have_attribute("title", re.compile("DY-LAU-1"))
    expect(row(page, "Evening rain").get_by_role("timer")).to_have_text(re.compile(r"^\d\d:\d\d$"))

    operation(page, "Evening rain", "void").click()
    page.get_by_role("dialog").get_by_role("button", name="Void for good").click()
    expect(row(page, "Evening rain").locator(".chip")).to_have_text("Voided")
    expect(operation(page, "Evening rain", "void")).to_have_attribute("title", re.compile("DY-VOI-1"))
    until(lambda: api.get(f"/api/creators/{creator}/funds")["available_fen"] == 100_000)


@pytest.mark.rule("DY-LAU-9")
def test_a_launch_that_is_refused_is_offered_the_nearest_time(new_page: NewPage, api: Caller) -> None:
    """Two packets are on later; a third is refused with its rule, and a button takes over a time that is free."""
    creator, packet = a_creator(api, name="Third")
    (room,) = [room["room_id"] for room in api.get("/api/rooms") if room["creator_id"] == creator]
    grab = now_ms(api) // MINUTE_MS * MINUTE_MS + 6 * HOUR_MS
    for name in ("First", "Second"):
        other = api.packet(creator, name=name, platform="douyin")
        times = {"warmup_at_ms": grab - 5 * MINUTE_MS, "grab_at_ms": grab}
        api.post(f"/api/packets/{other}/launch", {"room_id": room, "mode": "exact", **times})
    page = new_page(f"/console?creator={creator}&view=send&lang=en")
    operation(page, packet, "launch").click()
    dialog = page.get_by_role("dialog", name="Launch")
    dialog.get_by_label("Warm-up starts").fill(shanghai(grab - MINUTE_MS))
    dialog.get_by_label("Grab opens").fill(shanghai(grab + MINUTE_MS))
    expect(dialog.get_by_role("alert")).to_contain_text("DY-LAU-9")
    expect(dialog.locator(".ru")).to_contain_text("Overlaps with “First”")
    expect(dialog.locator(".tlx .clash")).to_have_count(2)
    expect(dialog.get_by_role("button", name="Launch")).to_be_disabled()
    dialog.get_by_role("button", name="Use ").click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    dialog.get_by_role("button", name="Launch").click()
    expect(row(page, packet)).to_contain_text("Scheduled")
    assert api.get(f"/api/packets/{packet}")["warmup_at_ms"] >= grab + 10 * MINUTE_MS


def test_a_launch_that_nobody_touched_keeps_ahead_of_the_clock(new_page: NewPage, api: Caller) -> None:
    """At 60 times the speed there is half a minute to read the dialog, and who reads longer is offered a later time."""
    creator, packet = a_creator(api, name="Read")
    page = new_page(f"/console?creator={creator}&view=send&lang=en", script=LATER)
    operation(page, packet, "launch").click()
    dialog = page.get_by_role("dialog", name="Launch")
    warmup = dialog.get_by_label("Warm-up starts")
    first = warmup.input_value()
    assert first >= shanghai(now_ms(api) + 30 * MINUTE_MS)
    page.evaluate("() => { window.later = 30_000; }")
    expect(warmup).not_to_have_value(first)
    assert warmup.input_value() >= shanghai(now_ms(api) + 60 * MINUTE_MS)
    dialog.get_by_role("button", name="Launch").click()
    expect(row(page, packet)).to_contain_text("Scheduled")


def test_a_refusal_names_the_field_that_it_is_about(new_page: NewPage, api: Caller) -> None:
    creator, _ = a_creator(api)
    page = new_page(f"/console?creator={creator}&lang=en")
    page.get_by_role("button", name="New red packet").click()
    dialog = page.get_by_role("dialog", name="New red packet")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Name: must be 1 to 20 characters")


@pytest.mark.rule("KS-UI-1")
@pytest.mark.rule("KS-UI-2")
def test_a_streamer_edits_ends_and_recharges(new_page: NewPage, api: Caller) -> None:
    """Kuaishou's list has edit and end, and recharge leads to a page of its own, which names channel and fee."""
    creator, packet = a_creator(api, "kuaishou", "Favor")
    page = new_page(f"/console?creator={creator}&lang=zh")
    expect(page.locator(".cr li")).to_have_text(["快手小店", "营销中心", "全部工具"])
    expect(row(page, packet).locator(".chip")).to_have_text("待开始")
    expect(page.locator(".seg button")).to_have_text(["全部", "待开始", "进行中", "已结束"])
    operation(page, packet, "edit").click()
    page.get_by_label("新的发行量").fill("20")
    page.get_by_role("dialog").get_by_role("button", name="编辑").click()
    expect(row(page, packet)).to_contain_text("20 个")
    operation(page, packet, "end").click()
    page.get_by_role("dialog").get_by_role("button", name="确认结束").click()
    expect(row(page, packet).locator(".chip")).to_have_text("已结束")
    expect(operation(page, packet, "edit")).to_have_attribute("title", re.compile("KS-EDT-1"))

    page.locator(".tool").get_by_role("link", name="充值").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("营销钱包")
    page.get_by_label("金额").fill("100")
    page.get_by_label("渠道").select_option("wechat")
    page.get_by_role("button", name="充值", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="手续费 ¥1.00")).to_be_visible()


@pytest.mark.rule("KS-CRE-1")
def test_an_activity_is_created_with_its_launch(new_page: NewPage, api: Caller) -> None:
    creator, _ = a_creator(api, "kuaishou")
    page = new_page(f"/console?creator={creator}&lang=en")
    page.get_by_role("button", name="+ New activity").click()
    page.get_by_role("textbox", name="Name").fill("Closing gift")
    page.get_by_role("button", name="Create activity").click()
    expect(row(page, "Closing gift")).to_contain_text("At a set time")
    (made,) = [each for each in api.get(f"/api/packets?creator_id={creator}") if each["name"] == "Closing gift"]
    assert (made["phase"], made["launch_mode"]) == ("scheduled", "scheduled")


@pytest.mark.rule("DY-CPY-1")
def test_a_copy_is_filled_in_already(new_page: NewPage, api: Caller) -> None:
    creator, packet = a_creator(api)
    page = new_page(f"/console?creator={creator}&view=send&lang=en")
    operation(page, packet, "copy").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("textbox", name="Name")).to_have_value("")
    expect(drawer.get_by_label("Total ¥")).to_have_value("10.00")
    expect(drawer.get_by_role("textbox", name="Shares")).to_have_value("10")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(operation(page, packet, "copy")).to_be_focused()


@pytest.mark.rule("DY-ACC-7")
def test_a_withdrawal_names_its_payee(new_page: NewPage, api: Caller) -> None:
    creator, _ = a_creator(api)
    page = new_page(f"/console?creator={creator}&lang=en")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount ¥").fill("50")
    dialog.get_by_role("button", name="Withdraw").click()
    expect(dialog.get_by_role("alert")).to_contain_text("DY-ACC-7")
    dialog.get_by_label("Payee's name").fill("Anna")
    dialog.get_by_label("Payee's account").fill("anna@example.com")
    dialog.get_by_role("button", name="Withdraw").click()
    page.get_by_role("tab", name="Withdrawals").click()
    expect(row(page, "Anna")).to_contain_text("an****@example.com")
    page.get_by_role("tab", name="Fund details").click()
    expect(row(page, "Withdrawal")).to_contain_text("−¥50.00")


def test_the_list_goes_in_pages(new_page: NewPage, api: Caller) -> None:
    creator, first = a_creator(api, name="Oldest")
    for number in range(10):
        api.packet(creator, name=f"No {number}", platform="douyin")
    page = new_page(f"/console?creator={creator}&lang=en")
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(row(page, first)).to_have_count(0)
    page.get_by_role("button", name="Next page").click()
    expect(row(page, first)).to_be_visible()
    expect(page.locator(".pg")).to_contain_text("11–11 of 11")
    page.get_by_role("button", name="Voided", exact=True).click()
    expect(page.locator("tbody")).to_contain_text("No packet here")


@pytest.mark.rule("KS-MON-1")
def test_effects_are_drawn(new_page: NewPage, api: Caller) -> None:
    """The figures and the plots of a packet that was claimed; plotly.js comes from the server, and only now."""
    creator, room, packet = api.on_air(HOUR_MS)
    api.grab(room, packet, "vera")
    until(lambda: api.get(f"/api/packets/{packet}/effects")["claims"] == 1)
    page = new_page(f"/console?creator={creator}&view=control&lang=en")
    assert page.evaluate("typeof Plotly") == "undefined"
    page.get_by_role("link", name="Effects").click()
    page.get_by_label("Packet", exact=True).select_option(packet)
    expect(page.locator(".plot.js-plotly-plot:visible")).to_have_count(4)
    expect(page.locator(".kp")).to_contain_text("Claim rate")
    assert serious_findings(page) == []
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert not scrolls_sideways(page), width


VIEWS = {
    "douyin": ("control", "send", "manage", "coupons", "orders"),
    "kuaishou": ("tools", "manage", "wallet"),
}


@pytest.mark.parametrize("platform", VIEWS)
def test_every_view_fits_and_has_no_serious_finding(new_page: NewPage, api: Caller, platform: str) -> None:
    """Narrow and wide, in both languages and themes, with a name that is made to break things."""
    creator, _ = a_creator(api, platform, HOSTILE)
    page = new_page("/?lang=en")
    for number, view in enumerate(VIEWS[platform]):
        lang, theme = ("en", "zh")[number % 2], ("dark", "light")[number // 2 % 2]
        page.goto(f"/console?creator={creator}&view={view}&lang={lang}&theme={theme}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if view in {"send", "manage"}:
            expect(page.locator("bdi", has_text=HOSTILE).first).to_be_visible()
            assert page.locator("main img").count() == 0
        assert serious_findings(page) == [], view
        for width in (360, 768, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert not scrolls_sideways(page), (view, width)


def test_drawer_and_dialog_have_no_serious_finding(new_page: NewPage, api: Caller) -> None:
    creator, packet = a_creator(api)
    page = new_page(f"/console?creator={creator}&view=send&lang=en&theme=dark")
    page.get_by_role("button", name="+ New red packet").click()
    expect(page.locator(".hist rect").first).to_be_visible()
    assert serious_findings(page) == []
    page.keyboard.press("Escape")
    operation(page, packet, "launch").click()
    expect(page.locator(".tlx .own").first).to_be_visible()
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert not scrolls_sideways(page), width
    assert serious_findings(page) == []


@pytest.fixture(scope="module")
def module_page(browser: Browser, page_server: str) -> Iterator[Page]:
    with pages_of(browser, page_server) as open_page:
        yield open_page("/?lang=en")


def run(page: Page, module: str, script: str) -> Any:
    """Run *script*, the body of a function, with a module of the console as ``m``."""
    return page.evaluate(f"async () => {{ const m = await import('/static/x/console/{module}.js'); {script} }}")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_instants_are_those_of_shanghai_on_any_device(new_page: NewPage, zone: str) -> None:
    """20:08:14 in Shanghai, typed and shown, wherever the device is."""
    script = """const ms = 1786536494000;
      return [m.dayAndTime(ms, 'zh'), m.dayAndTime(ms, 'en'), m.fieldOf(ms), m.instantOf(m.fieldOf(ms)) === ms,
        m.instantOf('2026-08-12T20:08') === ms - 14000, m.instantOf(''), m.hourAndMinute(m.midnight(ms))];"""
    page = new_page("/?lang=en", timezone_id=zone)
    shown = ["8月12日 20:08:14", "12 Aug 20:08:14", "2026-08-12T20:08:14", True, True, None, "00:00"]
    assert run(page, "times", script) == shown


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0 s"), (90_000, "1 min 30 s"), (86_400_000, "1 d"), (90_061_000, "1 d 1 h"), (499, "0 s")]
)
def test_a_span_is_said_in_its_largest_units(module_page: Page, ms: int, text: str) -> None:
    assert run(module_page, "times", f"return m.span({ms}, 'en')") == text


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("delay_ms: must be from 120000 to 900000", "must be from 2 min to 15 min"),
        ("min_share_fen: must be from 1 to 20000", "must be from ¥0.01 to ¥200.00"),
        ("share_count: must be from 1 to 100000", "must be from 1 to 100,000"),
        ("3 packets would be on at 1786536494000; at most 2", "3 packets would be on at 12 Aug 20:08:14; at most 2"),
        ("total_fen: the funds do not cover it", "the funds do not cover it"),
    ],
)
def test_a_refusal_is_said_in_the_units_of_the_page(module_page: Page, detail: str, text: str) -> None:
    assert run(module_page, "form", f"return m.plainly({detail!r})") == text


def test_overlaps_are_those_of_half_open_stretches(module_page: Page) -> None:
    """One that ends as the other begins does not overlap it."""
    own = {"warmup_at_ms": 100, "grab_at_ms": 150, "claim_end_at_ms": 200}
    others = [
        {"warmup_at_ms": start, "grab_at_ms": start, "claim_end_at_ms": end}
        for start, end in ((0, 100), (0, 101), (150, 160), (199, 300), (200, 300))
    ]
    found = run(module_page, "timeline_layout", f"return m.overlaps({json.dumps(own)}, {json.dumps(others)})")
    assert [(each["from_ms"], each["to_ms"]) for each in found] == [(100, 101), (150, 160), (199, 200)]


def test_packets_at_the_same_time_stand_on_lanes_of_their_own(module_page: Page) -> None:
    packets = [
        {"packet_id": str(at), "name": "x", "warmup_at_ms": start, "grab_at_ms": start, "claim_end_at_ms": end}
        for at, (start, end) in enumerate([(0, 10), (5, 15), (12, 20), (21, 30)])
    ]
    found = run(module_page, "timeline_layout", f"return m.lanes({json.dumps(packets)}, 2)")
    assert [each["lane"] for each in found] == [0, 1, 0, 1]


def test_the_drawing_goes_to_where_the_launch_is(module_page: Page) -> None:
    """From now on for a near launch, around it for one that is days away; both begin on half an hour."""
    script = """const hour = 3600000, now = 1786536494000;
      const at = (ms) => ({warmup_at_ms: ms, grab_at_ms: ms, claim_end_at_ms: ms + hour});
      return [null, at(now + hour), at(now + 72 * hour)].map((own) => {
        const {from_ms, to_ms} = m.evening(now, own);
        const held = !own || (from_ms <= own.warmup_at_ms && own.claim_end_at_ms <= to_ms);
        return [from_ms % (hour / 2), from_ms <= now, held, m.ticks({from_ms, to_ms}).length <= 11];
      });"""
    found = run(module_page, "timeline_layout", script)
    assert found == [[0, True, True, True], [0, True, True, True], [0, False, True, True]]
