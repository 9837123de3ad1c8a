"""The pictures of the host's console: a creator of Douyin and a streamer of Kuaishou, after an evening with packets."""

import time

from playwright.sync_api import Locator, Page

from tests.browser.pictures.camera import DESKTOP, Camera, take
from tests.browser.pictures.studio import DAY_MS, HOUR_MS, MINUTE_MS, Studio
from tests.browser.test_console import shanghai

DRAWN_MS = 1_200
PAYEE = {"name": "林小满", "account": "xiaoman@example.com"}


def console_pictures(studio: Studio, camera: Camera) -> None:
    """Take all pictures of the console."""
    opened, draft = _evening(studio)
    _activities(studio)
    page = camera.open("/?lang=en", **DESKTOP)
    _funds(studio, page)
    _packets(studio, page, opened, draft)
    _effects(page, opened)
    _kuaishou(studio, page)
    _narrow(camera)


def _look(page: Page, name: str) -> None:
    page.wait_for_timeout(DRAWN_MS)
    take(page, name)


def _go(page: Page, creator: str, view: str, lang: str = "en", theme: str = "light") -> None:
    page.goto(f"/console?creator={creator}&view={view}&lang={lang}&theme={theme}")
    page.get_by_role("heading", level=1).wait_for()


def _operation(page: Page, packet: str, name: str) -> Locator:
    return page.locator("tbody tr", has_text=packet).locator(f"[data-op={name}]")


def _evening(studio: Studio) -> tuple[str, str]:
    """Let a packet be claimed and used in orders, and leave others in every state; return that one and a draft."""
    studio.api.post("/api/creators/xiaoman/recharge", {"amount_fen": 500_000})
    time.sleep(10)  # in which viewers watch without a packet
    packets = [studio.packet("xiaoman", name, 60, 19_200, min_share_fen=20) for name in ("开场红包雨", "二场红包雨")]
    for packet in packets:
        studio.launch(packet, "tea", delay_ms=2 * MINUTE_MS, claim_window_ms=12 * MINUTE_MS)
    time.sleep(9)
    winners = studio.api.get(f"/api/packets/{packets[0]}/claims?limit=100")["claims"]
    for claim in winners[:7]:
        order = studio.buy(claim["viewer"], "xiaoman", "tea")
        studio.api.post(f"/api/orders/{order}/pay")
    called_off = studio.packet("xiaoman", "夜场红包", 50, 9_400)
    studio.launch_exact(called_off, "tea", warmup_in_ms=10 * HOUR_MS, grab_in_ms=10 * HOUR_MS + 5 * MINUTE_MS)
    studio.api.post(f"/api/packets/{called_off}/void")
    time.sleep(7)
    for number, name in enumerate(("周末红包雨", "返场红包雨")):
        start_ms = (20 + number) * HOUR_MS
        packet = studio.packet("xiaoman", name, 200, 60_000)
        studio.launch_exact(packet, "tea", warmup_in_ms=start_ms, grab_in_ms=start_ms + 5 * MINUTE_MS)
    running = studio.packet("xiaoman", "宠粉红包雨", 300, 88_800)
    studio.launch(running, "tea", delay_ms=2 * MINUTE_MS, claim_window_ms=8 * HOUR_MS)
    return packets[0], studio.packet("xiaoman", "压轴红包雨", 188, 66_000, min_share_fen=20)


def _activities(studio: Studio) -> None:
    """Let a streamer of Kuaishou have activities that are to come, that are on, and that are over."""
    for channel, fen in (("wechat", 200_000), ("alipay", 50_000)):
        studio.api.post("/api/creators/ali/recharge", {"amount_fen": fen, "channel": channel})
    ended, active, pending = (
        studio.packet("ali", name, shares, 30_000, min_share_fen=30)
        for name, shares in (("开播红包", 100), ("宠爱红包", 300), ("下播红包", 120))
    )
    studio.launch(ended, "home", "manual", claim_window_ms=HOUR_MS)
    time.sleep(3)
    studio.api.post(f"/api/packets/{ended}/end")
    studio.launch(active, "home", "manual", claim_window_ms=20 * HOUR_MS)
    grab_at_ms = (studio.now_ms() // HOUR_MS + 24) * HOUR_MS
    studio.launch(pending, "home", "scheduled", grab_at_ms=grab_at_ms, claim_window_ms=HOUR_MS)
    studio.packet("ali", "周年红包", 200, 66_000)


def _funds(studio: Studio, page: Page) -> None:
    for amount_fen in (30_000, 12_000):
        asked = {"amount_fen": amount_fen, "payee": PAYEE}
        withdrawal = studio.api.post("/api/creators/xiaoman/withdrawals", asked)["withdrawal_id"]
        if amount_fen == 30_000:
            studio.api.post(f"/api/creators/xiaoman/withdrawals/{withdrawal}/paid")
    _go(page, "xiaoman", "manage")
    _look(page, "console-funds.png")
    page.get_by_role("tab", name="Fund details").click()
    _look(page, "console-fund-details.png")
    page.get_by_role("tab", name="Withdrawals").click()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount ¥").fill("500")
    dialog.get_by_label("Payee's name").fill(PAYEE["name"])
    dialog.get_by_label("Payee's account").fill(PAYEE["account"])
    _look(page, "console-withdraw.png")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Recharge", exact=True).click()
    page.get_by_role("dialog").get_by_label("Amount ¥").fill("1000")
    _look(page, "console-recharge.png")


def _packets(studio: Studio, page: Page, opened: str, draft: str) -> None:
    """The list in both themes, the drawer, and the launch: by period, by exact time, and refused."""
    _go(page, "xiaoman", "control")
    _look(page, "console-control.png")
    _go(page, "xiaoman", "send")
    page.locator("tbody tr", has_text=opened).wait_for()
    _look(page, "console-list.png")
    page.get_by_role("button", name="+ New red packet").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("textbox", name="Name").fill("周五红包雨")
    drawer.get_by_label("Total ¥").fill("888")
    drawer.get_by_role("textbox", name="Shares").fill("200")
    drawer.locator(".hist rect").first.wait_for()
    _look(page, "console-drawer.png")
    page.keyboard.press("Escape")
    _operation(page, draft, "launch").click()
    dialog = page.get_by_role("dialog", name="Launch")
    dialog.get_by_role("tab").first.click()
    dialog.locator(".tlx .own").first.wait_for()
    _look(page, "console-launch-period.png")
    dialog.get_by_role("tab").nth(1).click()
    start_ms = studio.now_ms() // MINUTE_MS * MINUTE_MS + 20 * HOUR_MS
    _times(dialog, start_ms - 10 * MINUTE_MS)
    _look(page, "console-launch-exact.png")
    _go(page, "xiaoman", "send", theme="dark")
    page.locator("tbody tr", has_text=opened).wait_for()
    _look(page, "console-list-dark.png")
    _operation(page, draft, "launch").click()
    dialog = page.get_by_role("dialog", name="Launch")
    _times(dialog, _slot(studio) + 5 * MINUTE_MS)
    dialog.get_by_role("alert").wait_for()
    _look(page, "console-refused.png")
    _go(page, "xiaoman", "send", lang="zh")
    page.locator("tbody tr", has_text=opened).wait_for()
    _look(page, "console-list-zh.png")


def _times(dialog: Locator, warmup_ms: int) -> None:
    dialog.get_by_label("Warm-up starts").fill(shanghai(warmup_ms))
    dialog.get_by_label("Grab opens").fill(shanghai(warmup_ms + 5 * MINUTE_MS))
    dialog.locator(".tlx .own").first.wait_for()


def _slot(studio: Studio) -> int:
    """Return when the next of the platform's own slots begins."""
    now_ms = studio.now_ms()
    path = f"/api/creators/xiaoman/timeline?from_ms={now_ms}&to_ms={now_ms + 7 * DAY_MS}"
    start: int = studio.api.get(path)["slots"][0]["from_ms"]
    return start


def _effects(page: Page, opened: str) -> None:
    _go(page, "xiaoman", "effects")
    page.locator(".plot.js-plotly-plot:visible").nth(3).wait_for()
    _look(page, "console-effects.png")
    page.get_by_label("Packet", exact=True).select_option(opened)
    page.locator(".plot.js-plotly-plot:visible").nth(3).wait_for()
    page.get_by_role("heading", level=3).last.scroll_into_view_if_needed()
    _look(page, "console-effects-packet.png")


def _kuaishou(studio: Studio, page: Page) -> None:
    """Kuaishou's way in, its list, the issuance that can be edited, and the wallet with its fees and invoices."""
    _go(page, "ali", "tools", lang="zh")
    _look(page, "console-tools.png")
    _go(page, "ali", "manage", lang="zh")
    page.locator("tbody tr", has_text="宠爱红包").wait_for()
    _look(page, "console-activities.png")
    _operation(page, "宠爱红包", "edit").click()
    page.get_by_label("新的发行量").fill("450")
    _look(page, "console-issuance.png")
    page.keyboard.press("Escape")
    period = {"from_ms": 0, "to_ms": studio.now_ms() - 1}
    number = studio.api.post("/api/creators/ali/invoices", period)["number"]
    studio.api.post(f"/api/creators/ali/invoices/{number}/issue")
    _go(page, "ali", "wallet", lang="zh")
    page.get_by_label("金额").fill("1000")
    page.get_by_label("渠道").select_option("wechat")
    _look(page, "console-wallet.png")
    page.get_by_role("button", name="申请开票").click()
    page.get_by_role("dialog").wait_for()
    _look(page, "console-invoice.png")


def _narrow(camera: Camera) -> None:
    page = camera.open("/console?creator=xiaoman&view=send&lang=en", viewport={"width": 390, "height": 1280})
    page.locator("tbody tr").first.wait_for()
    _look(page, "console-phone.png")
