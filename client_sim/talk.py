"""Talk: the comments and hearts that viewers send, in turn."""

import orjson

HEARTS_MAX = 9  # hearts in one message
COMMENTS = ("来了来了", "主播好", "多少钱?", "红包在哪里", "手慢无", "支持支持", "how much is it?", "first time here")


def talk(nth: int, luck: float) -> bytes:
    """Return a viewer's *nth* comment or hearts (from 1); *luck* in [0, 1) chooses the content."""
    if nth % 2:
        return orjson.dumps({"type": "comment", "text": COMMENTS[int(luck * len(COMMENTS))]})
    return b'{"type":"like","count":%d}' % (1 + int(luck * HEARTS_MAX))
