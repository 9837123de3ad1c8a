"""Places of templates by the names of fields: who a viewer is, what is grabbed, and which request it is."""

import re

VIEWER = "{viewer}"
_PERSON = (
    "user|viewer|member|customer|account|acct|buyer|player|person|participant|consumer|subscriber|client|guest|shopper|"
    "claimer|claimant|grabber|receiver|recipient|principal|identity|subject|login|用户|会员|玩家|观众|账号|账户|客户"
)
_PERSONS = re.compile(
    f"({_PERSON})(id|uid|uuid|guid|name|no|num|number|code|ref|identifier|phone|mobile|号|名|编号)?|(uid|userid|openid|unionid)"
)
_CONTACTS = re.compile("phone|mobile|phonenumber|mobilenumber|name|nickname|sub|who")
_OTHERS = {"inviter", "referrer", "sender", "owner", "creator", "admin", "target", "friend", "to", "bank", "service"}
_REQUESTS = re.compile(r"(x|client|biz|out)*(request|idempotency|trace|client|biz)(id|key|no|token)")
_PACKETS = re.compile(r".*(packet|coupon|voucher|hongbao|envelope|bonus|activity|campaign|红包|券).*")
_TIMES = re.compile(r"(request)?(timestamp|ts|time)")
_IDS = ("id", "uuid", "no", "number", "code")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def place_of(name: str, *, is_login: bool = False) -> str:
    """Return the place of a template for a field of this name, or ""."""
    words = [word.lower() for word in _WORDS.findall(name)]
    plain = "".join(words)
    if is_viewer(words):
        return VIEWER
    if plain.endswith("email"):
        return f"{VIEWER}@example.com"
    if plain == "nonce":
        return "{nonce}"
    if _TIMES.fullmatch(plain):
        return "{timestamp_ms}"
    if is_login:  # it comes before any grab
        return ""
    if _REQUESTS.fullmatch(plain):
        return "{request_id}"
    return "{packet}" if _PACKETS.fullmatch(plain) else ""


def is_viewer(words: list[str]) -> bool:
    """Tell whether a name ends in a person's, whatever stands before it, but for another person."""
    if _CONTACTS.fullmatch("".join(words)):
        return True
    ends = ("".join(words[at:]) for at in range(len(words)) if not _OTHERS & set(words[:at]))
    return any(map(_PERSONS.fullmatch, ends)) or _PERSONS.fullmatch("".join(words).removeprefix("x")) is not None


def place_within(holder: str, name: str, *, is_login: bool = False) -> str:
    """Return the place of a field by its name or, if that is an id alone, by what holds it: ``users/{id}``."""
    own = place_of(name, is_login=is_login)
    if own or name.lower() not in _IDS:
        return own
    return place_of(f"{holder.removesuffix('s')}_{name}", is_login=is_login)
