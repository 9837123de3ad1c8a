"""The lines that a demo prints: when and where something happens, in plain words of either language."""

from datetime import UTC, datetime, timedelta
from typing import Final

from client_sim.creator import PlannedPacket

LANGUAGES: Final = ("en", "zh")
_BEIJING: Final = timedelta(hours=8)

TITLES: Final = {"en": "Three live rooms", "zh": "三个直播间"}

TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "rain": "red-packet rain in {seconds}: {shares} shares, {sum}",
        "scheduled": "a red packet pops up in {seconds}: {shares} shares, {sum}",
        "exact": "“{packet}” is scheduled: on screen in {seconds}",
        "manual": "a red packet pops up now: {shares} shares, {sum}",
        "refused": "a third packet at the same time is refused ({rule})",
        "in_the_way": "“{packet}” cannot be launched ({rule}): somebody else has used the time or the packet",
        "edited": "more of “{packet}”: {shares} shares now",
        "voided_by_creator": "the host takes “{packet}” back, before its warm-up",
        "voided_by_platform": "the platform takes “{packet}” back, while everybody waits for it",
        "popup": "“{packet}” is open: tap it",
        "asset_widget": "“{packet}” is open, too soon for another popup: it waits in the corner",
        "sold_out": "“{packet}” sold out in {seconds}",
        "settled": "“{packet}” is over: {claims} of {shares} claimed, best luck {best} for {viewer}",
        "ordered": "{viewer} orders with a packet: {paid} to pay, {off} less by discounts",
        "paid": "{viewer} has paid, and the merchant packs",
        "refunded_in_part": "{viewer} gets a part back: {refund}",
        "refunded": "{viewer} gets all back: {refund}, and the packet",
        "trail": "the parcel of {viewer} is on its way, all six steps told",
        "disturbed": "the round was disturbed, the next one begins: {why}",
    },
    "zh": {
        "rain": "红包雨 {seconds}后开抢:{shares} 份,共 {sum}",
        "scheduled": "红包 {seconds}后弹出:{shares} 份,共 {sum}",
        "exact": "“{packet}”已定时,{seconds}后预热",
        "manual": "红包现在弹出:{shares} 份,共 {sum}",
        "refused": "同一时段第三个红包被拒绝({rule})",
        "in_the_way": "“{packet}”无法投放({rule}):时段或红包已被他人占用",
        "edited": "“{packet}”追加发行,现有 {shares} 份",
        "voided_by_creator": "主播在预热前作废“{packet}”",
        "voided_by_platform": "平台作废“{packet}”,大家正在等",
        "popup": "“{packet}”开抢啦",
        "asset_widget": "“{packet}”开抢,离上次弹窗太近,只在角落显示挂件",
        "sold_out": "“{packet}”{seconds}抢光",
        "settled": "“{packet}”结束:领取 {claims}/{shares},手气最佳 {viewer} {best}",
        "ordered": "{viewer} 用红包下单:应付 {paid},优惠 {off}",
        "paid": "{viewer} 已支付,商家配货中",
        "refunded_in_part": "{viewer} 部分退款 {refund}",
        "refunded": "{viewer} 全额退款 {refund},红包退回",
        "trail": "{viewer} 的订单已发货,六个节点全部送达",
        "disturbed": "这一轮被打断,重新开始:{why}",
    },
}
"""Each line by its kind; both languages have the same kinds and the same places."""


def line(language: str, room_ms: int, title: str, kind: str, **places: object) -> str:
    """Return one line: the room's time of day, its name, and what happens there."""
    at = datetime.fromtimestamp(room_ms / 1000, UTC) + _BEIJING
    return f"{at:%H:%M} {named(title, language)}: {TEXTS[language][kind].format(**places)}"


def named(title: str, language: str) -> str:
    """Return the part of a room's title in one language: titles have the Chinese name first, then the English one."""
    chinese, _, english = title.partition(" ")
    return chinese if language == "zh" or not english else english


def yuan(fen: int) -> str:
    """Return an amount as people read it, exact to the fen."""
    return f"¥{fen // 100:,}.{fen % 100:02}"


def seconds(room_ms: float, speed: int, language: str) -> str:
    """Return a span of room time in real seconds; short ones to a tenth."""
    real_s = room_ms / 1000 / speed
    shown = f"{real_s:.1f}" if real_s < 10 else f"{real_s:.0f}"
    return f"{shown} 秒" if language == "zh" else f"{shown} s"


def launched(plan: PlannedPacket) -> tuple[str, int]:
    """Return the kind of the line about a launch, and the room ms until what it announces."""
    match plan.mode:
        case "relative":
            return "rain", plan.delay_ms or 0
        case "exact":
            return "exact", (plan.warmup_at_ms or 0) - plan.launch_at_ms
        case "scheduled":
            return "scheduled", (plan.grab_at_ms or 0) - plan.launch_at_ms
    return "manual", 0
