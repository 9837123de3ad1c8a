"""The meaning of a service's 4xx and 5xx, as the descriptions of its document say it, where they do so clearly."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

TEXT_MAX = 120  # of a description that is shown
_ABOUT_THE_REQUEST = (400, 401, 405, 406, 411, 413, 414, 415, 422)  # our requests are right, or nothing works
_BY_NUMBER = {404: "not_found", 429: "rate_limited", 503: "unavailable"}  # what they mean by their definition
# The first that is found is taken out of the text before the next is looked for: "already sold out" is no repeat.
_CLEAR = {
    "exhausted": (
        r"(already |all |been |is |are )*(sold[ -]?out|exhausted|out of stock|used up|depleted)",
        r"fully (claimed|taken|redeemed)", r"\ball\b[^.,;]*\b(gone|taken|claimed|given|grabbed|redeemed)\b",
        r"\b(none|nothing|no [a-z ]+) ((is|are) )?(left|remain\w*)\b",
        r"\bno (more )?(stock|shares?|coupons?|packets?|vouchers?)\b", r"\b(ran|run) out\b", r"\bempty\b",
        "抢完|抢光|领完|售罄|已空|库存不足",
    ),
    "too_late": (
        r"(already |has |is |are )*(ended|closed|expired|too late)\b", r"\b(is|was) over\b", "已结束|已过期|已截止",
    ),
    "too_early": (
        r"\bnot (yet )?(been )?(started|open(ed)?|begun|live)\b( yet)?", r"\bhas ?n.t (started|opened|begun)\b( yet)?",
        "too early|未开始",
    ),
    "rate_limited": (r"too many", r"\brate\b", r"throttl\w*", r"too (fast|often|frequent\w*)", "slow down|频繁|限流"),
    "repeated": (
        r"\balready\b", r"\brepeat(ed)?\b", r"\bduplicated?\b", r"\btwice\b", "second time", "(one|once) per",
        r"(?<!try )\bagain\b", "已领|已抢|重复",
    ),
    "unavailable": ("unavailable", r"overload\w*", "maintenance", r"\bbusy\b", "维护|繁忙"),
    "not_found": ("not found", "no such", "does not exist", r"\bunknown\b", "不存在"),
    "not_eligible": (r"not (eligible|allowed|permitted|entitled)", "ineligible", "forbidden", "无资格|不符合"),
}  # fmt: skip
_WEAK = {"exhausted": (r"\bgone\b",), "repeated": (r"\bconflict\b",)}  # the standard's own words: they count alone


class OutcomesDraft(NamedTuple):
    """The status that an HTTP code means, and by code the descriptions that do not say it clearly."""

    http: Mapping[int, str]
    unclear: Mapping[int, str]


def outcomes_of(responses: Mapping[str, Mapping[str, Any]]) -> OutcomesDraft:
    """Return what a grab's responses say of the codes that are no success."""
    http: dict[int, str] = {}
    unclear: dict[int, str] = {}
    for code, response in sorted(responses.items()):
        if not re.fullmatch("[45][0-9][0-9]", str(code)):
            continue
        number, text = int(code), " ".join([str(response.get("description", "")), *_said(response.get("content", {}))])
        found = meanings_of(text)
        if len(found) == 1:
            http[number] = found[0]
        elif not found and number in _BY_NUMBER:
            http[number] = _BY_NUMBER[number]
        elif found or (number < 500 and number not in _ABOUT_THE_REQUEST):
            unclear[number] = " ".join(text.split())[:TEXT_MAX]
    for number in (429, 503):
        if number not in unclear:
            http.setdefault(number, _BY_NUMBER[number])
    return OutcomesDraft(dict(sorted(http.items())), unclear)


def meanings_of(text: str) -> list[str]:
    """Return the statuses of which a text speaks."""
    rest = re.sub(r"[\s_]+", " ", text).lower()
    for words in (_CLEAR, _WEAK):
        found = []
        for status, patterns in words.items():
            rest, times = re.subn("|".join(patterns), "|", rest)
            found += [status] if times else []
        if found:
            return found
    return []


def _said(content: Any) -> Iterator[str]:
    """Yield the words that examples and schemas of an answer have."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key in ("const", "default", "enum", "example", "value"):
                yield from _words(value)
            else:
                yield from _said(value)
    elif isinstance(content, list):
        for value in content:
            yield from _said(value)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _words(part)
