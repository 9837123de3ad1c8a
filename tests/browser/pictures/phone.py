"""The pictures of the phone: a viewer's evening, from the warm-up to a refund, in both languages."""

import re

from playwright.sync_api import Page

from tests.browser.pictures.camera import CALM, HOLD_THE_ROOM, LET_TIME_RUN, PHONE, STOP_TIME, Camera, take
from tests.browser.pictures.studio import HOUR_MS, MINUTE_MS, STEPS, Studio

VIEWER = "lili"
DRAWN_MS = 1_200  # entrances are over by then
FALLING = ".rain .p:nth-of-type(20)"
WON_MS = 700  # and confetti is at its best
HOLD_A_SECOND = (
    STOP_TIME
    + """, window.held = [];
  document.querySelector(".big3 b").getAnimations().forEach((each) => (each.pause(), each.currentTime = 500))"""
)
WINDOW_MS = 120_000
"""How long to wait in real time for the end of a claim window, which is 75 s after the opening here."""

LET_GO = LET_TIME_RUN + "; window.held.splice(0).forEach((hear) => hear()); delete window.held"


def phone_pictures(studio: Studio, camera: Camera) -> None:
    """Take all pictures of the phone; the last of them costs the server its life."""
    phone = _entered(camera, "tea", "en", VIEWER)
    chinese = _entered(camera, "tea", "zh", "xiaoyu")
    desktop = camera.open("/live/tea?lang=en&viewer=mia", viewport={"width": 1280, "height": 900})
    calm = camera.open("/live/tea?lang=en&viewer=coco", **CALM)
    _before(studio, phone, chinese, calm, desktop)
    desktop.close()
    _rain(studio, phone, chinese, calm)
    calm.close()
    _sold_out(studio, phone, chinese)
    chinese.close()
    _favor(studio, _entered(camera, "home", "zh", VIEWER))
    _shopping(studio, phone)
    _offline(studio, phone)


def _entered(camera: Camera, room: str, lang: str, viewer: str) -> Page:
    page = camera.open(f"/live/{room}?lang={lang}&viewer={viewer}", script=HOLD_THE_ROOM, **PHONE)
    page.locator(".badge small").filter(has_text=re.compile("[1-9]")).wait_for()
    return page


def _before(studio: Studio, phone: Page, chinese: Page, calm: Page, desktop: Page) -> None:
    """The countdown goes on, somebody is too early, and the platform takes the packet back."""
    for name, life_ms in (("平台补贴", HOUR_MS), ("平台红包雨", 48 * HOUR_MS)):
        packet = studio.packet("platform", name, 150, 60_000, use_for_ms=life_ms)
        studio.launch(packet, "hall", delay_ms=2 * MINUTE_MS)
    packet = studio.packet("xiaoman", "开场红包雨", 200, 66_600, min_share_fen=20)
    studio.launch_exact(packet, "tea", warmup_in_ms=4 * MINUTE_MS, grab_in_ms=135 * MINUTE_MS)
    for page in (phone, chinese, desktop):
        page.locator(".widget[data-kind=countdown]").wait_for()
    for waiting in studio.api.get("/api/packets?creator_id=platform"):
        studio.win("hall", waiting["packet_id"], VIEWER)
    phone.wait_for_timeout(6_000)
    take(phone, "phone-warmup.jpg")
    take(chinese, "phone-warmup-zh.jpg")
    take(desktop, "phone-desktop.jpg")
    phone.locator(".widget").click()
    phone.locator(".toast").wait_for()
    take(phone, "phone-early.jpg")
    studio.api.post(f"/api/packets/{packet}/void", {"by": "platform"})
    for page in (phone, chinese, calm):
        page.locator(".card").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-voided.jpg")
    for page in (phone, chinese, calm):
        close(page)


def _rain(studio: Studio, phone: Page, chinese: Page, calm: Page) -> None:
    """The last seconds, the rain, the coin, the amount, and in the end the list of winners with its proof."""
    packet = studio.packet("xiaoman", "开场红包雨", 200, 66_600, min_share_fen=20)
    studio.launch(packet, "tea", delay_ms=8 * MINUTE_MS, claim_window_ms=75 * MINUTE_MS)
    phone.locator(".big3 b", has_text="2").wait_for()
    phone.evaluate(HOLD_A_SECOND)
    take(phone, "phone-countdown3.jpg")
    phone.evaluate(LET_GO)
    phone.locator(".rain").wait_for()
    phone.wait_for_timeout(900)
    take(phone, "phone-rain.jpg")
    take(calm, "phone-calm.jpg")
    phone.evaluate(STOP_TIME)
    phone.locator(FALLING).dispatch_event("pointerdown")
    take(phone, "phone-opening.jpg")
    phone.evaluate(LET_TIME_RUN)
    _won(phone, "phone-won.jpg")
    phone.locator(".widget[data-kind=mine]").dispatch_event("click")
    phone.locator(".card").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-already.jpg")
    close(phone)
    take(chinese, "phone-rain-zh.jpg")
    chinese.locator(FALLING).dispatch_event("pointerdown")
    _won(chinese, "phone-won-zh.jpg")
    for page, verify, name in ((phone, "Verify", "phone-winners.jpg"), (chinese, "验证", "phone-winners-zh.jpg")):
        page.locator(".luck").click(timeout=WINDOW_MS)  # the result comes when the claim window is over
        page.get_by_role("button", name=verify, exact=True).click()
        page.locator(".ver[role=status]").wait_for()
        page.wait_for_timeout(DRAWN_MS)
        take(page, name)
        _back(page)


def _won(phone: Page, name: str) -> None:
    phone.locator(".amt").wait_for()
    phone.wait_for_timeout(WON_MS)
    take(phone, name)
    close(phone)


def close(phone: Page) -> None:
    """Close what is lit, unless it has gone by itself."""
    phone.evaluate("document.querySelector('.xc')?.click()")


def _back(phone: Page) -> None:
    """Leave a sheet; by touch, as rings around what the keyboard reaches are for those who use one."""
    phone.locator(".sheet .h button").last.click()


def _sold_out(studio: Studio, phone: Page, chinese: Page) -> None:
    packet = studio.packet("xiaoman", "秒杀红包", 24, 6_600)
    studio.launch(packet, "tea", delay_ms=2 * MINUTE_MS, claim_window_ms=20 * MINUTE_MS)
    phone.locator(".card.mute").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-soldout.jpg")
    take(chinese, "phone-soldout-zh.jpg")
    close(phone)


def _favor(studio: Studio, phone: Page) -> None:
    """Kuaishou's popup, the packet after it that waits in the corner, and a bill with all that Kuaishou takes off."""
    phone.wait_for_timeout(4_000)
    for name in ("宠爱红包", "连发红包"):
        packet = studio.packet("ali", name, 200, 60_000, min_share_fen=30)
        studio.launch(packet, "home", "manual", claim_window_ms=HOUR_MS)
    phone.locator(".coin").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-popup.jpg")
    phone.locator(".coin").click()
    phone.locator(".amt").wait_for()
    close(phone)
    phone.locator(".coach").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-widget.jpg")
    phone.locator(".goods button").click()
    phone.locator(".pay button").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-checkout-kuaishou.jpg")
    phone.close()


def _shopping(studio: Studio, phone: Page) -> None:
    """Buy, pay, follow the parcel, take money back; another order holds a packet of the platform meanwhile."""
    phone.locator(".goods button").click()
    pay = phone.get_by_role("button", name="Place order")
    pay.wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-checkout.jpg")
    pay.click()
    phone.get_by_role("button", name=re.compile("^Pay ¥")).click()
    logistics = phone.get_by_role("button", name="Order logistics")
    logistics.wait_for()
    [order] = studio.api.get(f"/api/viewers/{VIEWER}/orders")["orders"]
    logistics.click()
    for step in STEPS:
        studio.report(order["order_id"], step)
        phone.wait_for_timeout(800)
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-trail.jpg")
    _back(phone)
    phone.get_by_label(re.compile("Part of the goods")).fill("20")
    phone.get_by_role("button", name="Refund part").click()
    phone.get_by_text(re.compile("^In part")).wait_for()
    phone.locator(".refund").scroll_into_view_if_needed()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-refund.jpg")
    _back(phone)
    packet = studio.packet("platform", "会场加码", 150, 60_000)
    studio.launch(packet, "hall", delay_ms=2 * MINUTE_MS)
    studio.win("hall", packet, VIEWER)
    studio.buy(VIEWER, "xiaoman", "tea")
    for label, name in (
        ("My orders", "phone-orders.jpg"),
        ("My packets", "phone-packets.jpg"),
        ("Service messages", "phone-messages.jpg"),
    ):
        phone.get_by_role("button", name=label).click()
        phone.locator(".sheet").wait_for()
        phone.wait_for_timeout(DRAWN_MS)
        take(phone, name)
        _back(phone)


def _offline(studio: Studio, phone: Page) -> None:
    packet = studio.packet("xiaoman", "返场红包雨", 100, 18_800)
    studio.launch_exact(packet, "tea", warmup_in_ms=4 * MINUTE_MS, grab_in_ms=240 * MINUTE_MS)
    phone.locator(".widget[data-kind=countdown]").wait_for()
    studio.server.stop()
    phone.locator(".off").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-offline.jpg")
