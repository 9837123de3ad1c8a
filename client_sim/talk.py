"""Talk: the comments and hearts that viewers send, in turn; a comment fits the viewer's mood, in its language."""

from collections.abc import Sequence
from enum import StrEnum

import orjson

HEARTS_MAX = 9  # hearts in one message
AMOUNT = "{amount}"  # in a comment: the sum that it is about


class Mood(StrEnum):
    """The mood of a viewer, after what it has seen last in its room."""

    WATCHING = "watching"
    WAITING = "waiting"
    CHEERING = "cheering"
    WON = "won"
    LOST = "lost"
    SOLD_OUT = "sold_out"
    MORE = "more"
    VOIDED = "voided"
    LUCK = "luck"
    LUCKIEST = "luckiest"


PHRASES: dict[Mood, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Mood.WATCHING: (
        (
            "来了来了",
            "主播好",
            "多少钱?",
            "红包在哪里",
            "支持支持",
            "这个有别的颜色吗",
            "上次买的很好用",
            "包邮吗?",
            "主播今天真精神",
        ),
        ("how much is it?", "first time here", "love this room", "does it ship today?", "hi everyone", "so pretty!"),
    ),
    Mood.WAITING: (
        ("等红包雨", "快开始了", "手指准备好了", "别眨眼", "倒计时了倒计时了", "这次一定抢到", "搓手等"),
        ("waiting for the rain", "almost time!", "fingers ready", "don't blink", "this time it's mine", "here we go"),
    ),
    Mood.CHEERING: (
        ("冲冲冲!", "开抢啦!", "红包雨来了!", "快抢快抢", "下红包啦", "手慢无"),
        ("go go go!", "it's raining!", "grab grab grab", "here it comes!", "yes!!"),
    ),
    Mood.WON: (
        ("我抢到 {amount}!", "到手 {amount},谢谢主播", "{amount} 到账,开心", "抢到了 {amount},下单去"),
        ("I got {amount}!", "{amount} for me, thank you!", "{amount}! straight to the basket", "yay, {amount}"),
    ),
    Mood.LOST: (
        ("没抢到啊", "又慢了一步", "手慢了", "一个都没有,哭了"),
        ("missed it again", "too slow...", "nothing for me", "nooo"),
    ),
    Mood.SOLD_OUT: (
        ("这就抢光了?", "秒没!", "太快了吧", "再来一轮!", "主播加一点嘛"),
        ("gone already?", "that was fast", "one more round please!", "awww, sold out"),
    ),
    Mood.MORE: (
        ("加了加了!", "主播大方", "还有!快去", "又有红包了"),
        ("more of them!", "how generous!", "there are more, quick", "second chance!"),
    ),
    Mood.VOIDED: (
        ("作废了??", "怎么没了", "说好的红包呢", "白等了..."),
        ("voided?!", "where did it go?", "but I was waiting...", "taken back? why?"),
    ),
    Mood.LUCK: (
        ("恭喜手气最佳 {amount}!", "哇,最佳 {amount}", "手气王 {amount},羡慕", "{amount} 也太多了吧"),
        ("best luck {amount}, wow!", "congratulations, {amount}!", "{amount}?! lucky you", "somebody got {amount}!"),
    ),
    Mood.LUCKIEST: (
        ("手气最佳是我!{amount}!", "我是手气王 {amount}"),
        ("best luck is me! {amount}!", "{amount}, I can't believe it!"),
    ),
}
"""The comments of each mood, in Chinese and in English."""

COMMENTS = (*PHRASES[Mood.WATCHING][0], *PHRASES[Mood.WATCHING][1])


def talk(nth: int, luck: float, comments: Sequence[str] = COMMENTS, amount_fen: int = 0) -> bytes:
    """Return a viewer's *nth* comment or hearts (from 1); *luck* in [0, 1) chooses the content."""
    if nth % 2:
        chosen = comments[int(luck * len(comments))]
        amount = f"¥{amount_fen // 100}.{amount_fen % 100:02}"
        return orjson.dumps({"type": "comment", "text": chosen.replace(AMOUNT, amount)})
    return b'{"type":"like","count":%d}' % (1 + int(luck * HEARTS_MAX))
