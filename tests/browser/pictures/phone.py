"""The pictures of the phone: a viewer's evening, from the warm-up to a refund, in both languages."""

import re

from playwright.sync_api import Page

from loadtest.demo.errands import WARES
from tests.browser.pictures.camera import CALM, LET_TIME_RUN, PHONE, STOP_TIME, Camera, take
from tests.browser.pictures.studio import HOUR_MS, MINUTE_MS, STEPS, Studio

VIEWER = "lili"
WORDS = {
    "en": {"use": "Use it now", "winners": "See who got what", "verify": "Verify", "buy": "Place order"},
    "zh": {"use": "立即使用", "winners": "看看大家的手气", "verify": "验证", "buy": "提交订单"},
}
DRAWN_MS = 1_500  # entrances, counts and confetti are over by then, or at their best


def phone_pictures(studio: Studio, camera: Camera) -> None:
    """Take all pictures of the phone; the last of them costs the server its life."""
    phone = _entered(camera, "tea", "en", VIEWER)
    chinese = _entered(camera, "tea", "zh", "xiaoyu")
    desktop = camera.open("/live/tea?lang=en&viewer=mia", viewport={"width": 1280, "height": 900})
    calm = camera.open("/live/tea?lang=en&viewer=coco", **CALM)
    _before(studio, phone, chinese, desktop)
    desktop.close()
    _rain(studio, phone, chinese, calm)
    calm.close()
    _sold_out(studio, phone, chinese)
    chinese.close()
    _favor(studio, _entered(camera, "home", "zh", VIEWER))
    _shopping(studio, phone)
    _offline(studio, phone)


def _entered(camera: Camera, room: str, lang: str, viewer: str) -> Page:
    page = camera.open(f"/live/{room}?lang={lang}&viewer={viewer}", **PHONE)
    page.locator(".badge small").filter(has_text=re.compile("[1-9]")).wait_for()
    return page


def _before(studio: Studio, phone: Page, chinese: Page, desktop: Page) -> None:
    """The countdown goes on, somebody is too early, and the platform takes the packet back."""
    for name, life_ms in (("平台补贴", HOUR_MS), ("平台红包雨", 48 * HOUR_MS)):
        packet = studio.packet("platform", name, 40, 20_000, use_for_ms=life_ms)
        studio.launch(packet, "hall", delay_ms=2 * MINUTE_MS)
    packet = studio.packet("xiaoman", "开场红包雨", 200, 66_600, min_share_fen=20)
    studio.launch_exact(packet, "tea", warmup_in_ms=MINUTE_MS, grab_in_ms=135 * MINUTE_MS)
    for page in (phone, chinese, desktop):
        page.locator(".widget[data-kind=countdown]").wait_for()
    for waiting in studio.api.get("/api/packets?creator_id=platform"):
        studio.api.grab("hall", waiting["packet_id"], VIEWER)
    phone.wait_for_timeout(6_000)
    take(phone, "phone-warmup")
    take(chinese, "phone-warmup-zh")
    take(desktop, "phone-desktop")
    phone.locator(".widget").click()
    phone.locator(".toast").wait_for()
    take(phone, "phone-early")
    studio.api.post(f"/api/packets/{packet}/void", {"by": "platform"})
    for page in (phone, chinese):
        page.locator(".card").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-voided")
    for page in (phone, chinese):
        page.keyboard.press("Escape")


def _rain(studio: Studio, phone: Page, chinese: Page, calm: Page) -> None:
    """The last seconds, the rain, the coin, the amount, and in the end the list of winners with its proof."""
    packet = studio.packet("xiaoman", "开场红包雨", 120, 39_600, min_share_fen=20)
    studio.launch(packet, "tea", delay_ms=8 * MINUTE_MS)
    phone.locator(".big3 b", has_text="2").wait_for()
    phone.wait_for_timeout(250)
    take(phone, "phone-countdown3")
    phone.locator(".rain").wait_for()
    phone.wait_for_timeout(900)
    take(phone, "phone-rain")
    take(chinese, "phone-rain-zh")
    take(calm, "phone-calm")
    for page, name in ((phone, "phone-won"), (chinese, "phone-won-zh")):
        page.keyboard.press("Enter")
        if page is phone:
            page.wait_for_timeout(500)
            page.evaluate(STOP_TIME)
            take(page, "phone-opening")
            page.evaluate(LET_TIME_RUN)
        page.locator(".amt").wait_for()
        page.wait_for_timeout(DRAWN_MS)
        take(page, name)
        page.keyboard.press("Escape")
    phone.locator(".widget[data-kind=mine]").click()
    phone.locator(".card").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-already")
    phone.keyboard.press("Escape")
    for page, lang, name in ((phone, "en", "phone-winners"), (chinese, "zh", "phone-winners-zh")):
        page.locator(".luck").click(timeout=60_000)
        page.get_by_role("button", name=WORDS[lang]["verify"], exact=True).click()
        page.locator(".ver[role=status]").wait_for()
        page.wait_for_timeout(DRAWN_MS)
        take(page, name)
        page.keyboard.press("Escape")


def _sold_out(studio: Studio, phone: Page, chinese: Page) -> None:
    packet = studio.packet("xiaoman", "秒杀红包", 24, 6_600)
    studio.launch(packet, "tea", delay_ms=2 * MINUTE_MS, claim_window_ms=10 * MINUTE_MS)
    phone.locator(".card.mute").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-soldout")
    take(chinese, "phone-soldout-zh")
    phone.keyboard.press("Escape")


def _favor(studio: Studio, phone: Page) -> None:
    """Kuaishou's popup, the packet after it that waits in the corner, and a bill with all that Kuaishou takes off."""
    phone.wait_for_timeout(4_000)
    for name in ("宠爱红包", "连发红包"):
        packet = studio.packet("ali", name, 200, 60_000, min_share_fen=30)
        studio.launch(packet, "home", "manual", claim_window_ms=HOUR_MS)
    phone.locator(".coin").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-popup")
    phone.locator(".coin").click()
    phone.locator(".amt").wait_for()
    phone.keyboard.press("Escape")
    phone.locator(".coach").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-widget")
    phone.locator(".goods button").click()
    phone.locator(".pay button").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-checkout-kuaishou")
    phone.close()


def _shopping(studio: Studio, phone: Page) -> None:
    """Buy, pay, follow the parcel, take money back; another order holds a packet of the platform meanwhile."""
    phone.locator(".goods button").click()
    pay = phone.get_by_role("button", name="Place order")
    pay.wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-checkout")
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
    take(phone, "phone-trail")
    phone.keyboard.press("Escape")
    phone.get_by_label(re.compile("Part of the goods")).fill("20")
    phone.get_by_role("button", name="Refund part").click()
    phone.get_by_text(re.compile("^In part")).wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-refund")
    phone.keyboard.press("Escape")
    studio.buy(VIEWER, "xiaoman", "tea")
    for label, name in (
        ("My orders", "phone-orders"),
        ("My packets", "phone-packets"),
        ("Service messages", "phone-messages"),
    ):
        phone.get_by_role("button", name=label).click()
        phone.locator(".sheet").wait_for()
        phone.wait_for_timeout(DRAWN_MS)
        take(phone, name)
        phone.keyboard.press("Escape")
    assert WARES


def _offline(studio: Studio, phone: Page) -> None:
    packet = studio.packet("xiaoman", "返场红包雨", 100, 18_800)
    studio.launch_exact(packet, "tea", warmup_in_ms=MINUTE_MS, grab_in_ms=240 * MINUTE_MS)
    phone.locator(".widget[data-kind=countdown]").wait_for()
    studio.server.stop()
    phone.locator(".off").wait_for()
    phone.wait_for_timeout(DRAWN_MS)
    take(phone, "phone-offline")
