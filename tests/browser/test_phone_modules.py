"""The pure modules of the phone page, each in the browser that runs them: state, scene, bill, split and proof."""

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from server.core.packets.packet import Denomination, Terms
from server.core.packets.split import commitment, split
from tests.browser.conftest import pages_of

PACKET = {
    "packet_id": "anna.1", "name": "rain", "creator_id": "anna", "platform": "douyin", "share_count": 3,
    "total_fen": 30, "warmup_at_ms": 0, "grab_at_ms": 100_000, "claim_end_at_ms": 200_000, "surface": "popup",
    "editions": [],
}  # fmt: skip
FAMILY = "👩‍👩‍👧‍👦"  # one glyph of seven characters


@pytest.fixture(scope="module")
def page(browser: Browser, page_server: str) -> Iterator[Page]:
    with pages_of(browser, page_server) as open_page:
        yield open_page("/?lang=en")


def run(page: Page, script: str, *modules: str, **given: object) -> Any:
    """Run *script*, the body of a function, with *given* and with modules (``folder/file``), each by its file."""
    imports = "".join(f"const {path.split('/')[1]} = await import('/static/x/{path}.js');" for path in modules)
    return page.evaluate(f"async (given) => {{ {imports} {script} }}", given)


def test_the_digests_are_those_of_the_standard_library(page: Page) -> None:
    """Every length around the edges of a block, and keys that are shorter and longer than one."""
    lengths = [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]
    messages = [random.Random(n).randbytes(n) for n in lengths]
    keys = [random.Random(-n).randbytes(n) for n in (1, 32, 64, 65, 200)]
    script = """const bytes = (text) => sha256.unhex(text);
      return given.messages.map((m) => [sha256.hex(sha256.sha256(bytes(m))),
        ...given.keys.map((k) => sha256.hex(sha256.hmac(bytes(k))(bytes(m))))]);"""
    told = run(page, script, "shared/sha256", messages=[m.hex() for m in messages], keys=[k.hex() for k in keys])
    assert told == [
        [hashlib.sha256(m).hexdigest(), *(hmac.digest(k, m, "sha256").hex() for k in keys)] for m in messages
    ]


def terms_of(draw: random.Random) -> Terms:
    """Draw terms, among them sums beyond what one word of the stream can choose from."""
    count, least = draw.choice([1, 2, 3, 10, 200]), draw.choice([1, 10, 100])
    most = least + draw.choice([0, 1, 5, 200, 100_000, 10**10, 10**12])
    total = draw.randint(count * least, count * most)
    return Terms(Denomination.RANDOM, count, total, least, most)


def as_json(terms: Terms) -> dict[str, object]:
    """Return terms as the browser takes them."""
    names = ("denomination", "share_count", "total_fen", "min_share_fen", "max_share_fen")
    return {name: getattr(terms, name) for name in names}


def test_the_browser_splits_as_the_server_does(page: Page) -> None:
    draw = random.Random(7)
    cases = [(terms_of(draw), draw.randbytes(32)) for _ in range(40)]
    script = "return given.cases.map(([terms, seed]) => [split.split(terms, seed), split.commitment(terms, seed)]);"
    told = run(page, script, "shared/split", cases=[(as_json(terms), seed.hex()) for terms, seed in cases])
    assert told == [[split(terms, seed), commitment(terms, seed)] for terms, seed in cases]


def test_a_proof_finds_a_wrong_amount_and_a_wrong_seed(page: Page) -> None:
    """Two editions, of which the second takes back what the first had from its index on."""
    first, second = Terms(Denomination.RANDOM, 5, 50, 1, 20), Terms(Denomination.RANDOM, 4, 44, 1, 20)
    seeds = bytes(32), bytes(range(32))
    shares = split(first, seeds[0])[:3] + split(second, seeds[1])
    editions = [
        {"edition": n + 1, "first_index": at, "share_count": terms.share_count, "total_fen": terms.total_fen,
         "commitment": commitment(terms, seed), "seed": seed.hex()}
        for n, (terms, seed, at) in enumerate(((first, seeds[0], 0), (second, seeds[1], 3)))
    ]  # fmt: skip
    packet = {**PACKET, **as_json(first), "result": {"editions": editions}}
    claims = [{"index": index, "amount_fen": fen} for index, fen in enumerate(shares)]
    script = "return verify.verified(given.packet, given.promised, given.claims);"

    def verdict(promised: list[dict[str, Any]], seen: list[dict[str, int]]) -> Any:
        return run(page, script, "phone/verify", packet=packet, promised=promised, claims=seen)

    right = verdict(editions, claims)
    assert (right["shares"], right["compared"], right["wrong"], right["broken"]) == (7, 7, [], [])
    wrong = [*claims[:4], {"index": 4, "amount_fen": claims[4]["amount_fen"] + 1}, *claims[5:]]
    assert verdict(editions, wrong)["wrong"] == [4]
    forged = [editions[0], {**editions[1], "commitment": "0" * 64}]
    assert verdict(forged, claims)["broken"] == [2]


WARMUP = {"type": "warmup", "packet": PACKET}
OPEN = {"type": "open", "packet_id": "anna.1"}
TAPPED = {"type": "tapped", "packetId": "anna.1", "requestId": "q", "atMs": 1000}
SOLD_OUT = {"type": "sold_out", "packet_id": "anna.1", "elapsed_ms": 2300}
DISMISSED = {"type": "dismissed", "packetId": "anna.1"}


def receipt(status: str, amount_fen: int | None = None) -> dict[str, object]:
    index = None if amount_fen is None else 1
    return {"type": "receipt", "request_id": "q", "packet_id": "anna.1", "status": status, "amount_fen": amount_fen,
            "index": index}  # fmt: skip


def welcome(*, resync: bool, **changes: object) -> dict[str, object]:
    return {"type": "welcome", "viewer_id": "v", "resync": resync, "speed": 1, "audience": 2,
            "packets": [{**PACKET, "phase": "warming", "remaining": 3, "sold_out": False, **changes}]}  # fmt: skip


SCENES = [
    ("a warm-up leaves the room as it is", [WARMUP], 50_000, 0, ["room", None], ["countdown", 1]),
    ("the last three seconds", [WARMUP], 97_000, 0, ["count", None], ["countdown", 1]),
    ("it rains at zero, before the fact is there", [WARMUP], 100_000, 0, ["rain", None], ["claim", 1]),
    ("Kuaishou pops up", [{**WARMUP, "packet": {**PACKET, "platform": "kuaishou"}}, OPEN], 100_000, 0,
     ["popup", None], ["claim", 1]),
    ("no popup so soon: the widget", [WARMUP, OPEN, {"type": "asset_widget", "packet_id": "anna.1"}], 100_000, 0,
     ["room", None], ["claim", 1]),
    ("who closes the rain finds it in the widget", [WARMUP, OPEN, DISMISSED], 100_000, 0, ["room", None], ["claim", 1]),
    ("a tap turns the coin", [WARMUP, OPEN, TAPPED], 100_001, 1100, ["opening", False], ["claim", 1]),
    ("at least once, however fast the answer", [WARMUP, OPEN, TAPPED, receipt("granted", 12)], 100_001, 1900,
     ["opening", False], ["mine", 1]),
    ("the answer", [WARMUP, OPEN, TAPPED, receipt("granted", 12)], 100_002, 2000, ["card", "granted"], ["mine", 1]),
    ("still opening", [WARMUP, OPEN, TAPPED], 100_002, 2200, ["opening", True], ["claim", 1]),
    ("an unknown outcome goes on turning", [WARMUP, OPEN, TAPPED, receipt("unavailable")], 100_002, 3000,
     ["opening", True], ["claim", 1]),
    ("yours already", [WARMUP, OPEN, TAPPED, receipt("repeated", 9)], 100_002, 2000, ["card", "repeated"], ["mine", 1]),
    ("too early counts for nothing", [WARMUP, TAPPED, receipt("too_early")], 50_000, 2000,
     ["room", None], ["countdown", 1]),
    ("nothing opens while an early tap waits", [WARMUP, TAPPED], 50_000, 1100, ["room", None], ["countdown", 1]),
    ("too fast, and it still rains", [WARMUP, OPEN, TAPPED, receipt("rate_limited")], 100_002, 2000,
     ["rain", None], ["claim", 1]),
    ("sold out before one's eyes", [WARMUP, OPEN, SOLD_OUT], 100_003, 0, ["card", "exhausted"], ["gone", 1]),
    ("sold out before one came", [welcome(resync=False, phase="grabbing", sold_out=True)], 100_003, 0,
     ["room", None], ["gone", 1]),
    ("a later edition opens it again", [WARMUP, OPEN, TAPPED, SOLD_OUT, receipt("exhausted"), DISMISSED,
     {"type": "reopened", "packet_id": "anna.1", "at_ms": 1, "share_count": 4, "total_fen": 40, "editions": []}],
     100_004, 3000, ["rain", None], ["claim", 1]),
    ("voided", [WARMUP, {"type": "voided", "packet_id": "anna.1"}], 50_000, 0, ["card", "voided"], None),
    ("voided and put away", [WARMUP, {"type": "voided", "packet_id": "anna.1"}, DISMISSED], 50_000, 0,
     ["room", None], None),
    ("a void gives way to the next rain", [WARMUP, {"type": "voided", "packet_id": "anna.1"},
     {"type": "warmup", "packet": {**PACKET, "packet_id": "anna.2"}}], 100_000, 0, ["rain", None], ["claim", 1]),
    ("what one has tapped for does not", [WARMUP, OPEN, TAPPED, receipt("granted", 12),
     {"type": "warmup", "packet": {**PACKET, "packet_id": "anna.2"}}], 100_000, 9000,
     ["card", "granted"], ["claim", 1]),
    ("the time is over by the clock", [WARMUP, OPEN], 200_000, 0, ["room", None], None),
    ("closed early", [WARMUP, OPEN, {"type": "closed", "packet_id": "anna.1"}], 100_005, 0, ["room", None], None),
    ("a share from before the reload", [welcome(resync=False, phase="grabbing"),
     {"type": "held", "shares": [{"packet_id": "anna.1", "asset_id": "anna.1:4", "face_fen": 9, "usable": True}]}],
     100_005, 0, ["room", None], ["mine", 1]),
    ("a share at last: the answer of a lost line", [WARMUP, OPEN, TAPPED, welcome(resync=False),
     receipt("granted", 5)], 100_005, 9000, ["card", "granted"], ["mine", 1]),
    ("facts that cannot be sent are forgotten", [WARMUP, OPEN, SOLD_OUT, welcome(resync=True)], 50_000, 0,
     ["room", None], ["countdown", 1]),
]  # fmt: skip


@pytest.mark.parametrize("case", [case[1:] for case in SCENES], ids=[case[0] for case in SCENES])
def test_one_thing_is_lit(page: Page, case: tuple[object, ...]) -> None:
    """The scene and the widget after some events, at an instant of the room and one of the device."""
    events, room_ms, local_ms, lit, widget = case
    script = """
      const reached = given.events.reduce(state.after, state.before('room'));
      const seen = scene.sceneAt(reached, given.room, given.local), side = scene.widgetAt(reached, given.room);
      return [[seen.kind, seen.kind === 'opening' ? seen.slow : seen.card ?? null],
        side && [side.kind, side.waiting]];"""
    told = run(page, script, "phone/state", "phone/scene", events=events, room=room_ms, local=local_ms)
    assert told == [lit, widget]


def test_the_last_seconds_are_real_ones_at_any_speed(page: Page) -> None:
    """At speed 60 the last three seconds are the last three minutes of the room."""
    fast = {**welcome(resync=False), "speed": 60, "packets": [{**PACKET, "phase": "warming", "grab_at_ms": 600_000,
            "claim_end_at_ms": 900_000}]}  # fmt: skip
    script = """const reached = state.after(state.before('room'), given.fast);
      return [419999, 420000].map((room) => scene.sceneAt(reached, room, 0).kind);"""
    assert run(page, script, "phone/state", "phone/scene", fast=fast) == ["room", "count"]


def test_a_bill_has_its_stages_in_order_and_adds_up(page: Page) -> None:
    """The vector KS-1 of the rules: item, shop beside platform, money one after the other, and shipping."""
    off = [("flash_price", "item", 5000), ("shop_coupon", "shop", 2000), ("full_reduction", "shop", 1000),
           ("platform_coupon", "platform", 800), ("creator_packet", "funds", 1200), ("gold_coin", "funds", 300),
           ("cash_subsidy", "funds", 500), ("consumption_credit", "funds", 200)]  # fmt: skip
    deductions = [{"discount_id": kind, "kind": kind, "stage": stage, "funder": "merchant", "amount_fen": fen}
                  for kind, stage, fen in off]  # fmt: skip
    quote = {"lines": [{"line_id": "1", "list_fen": 20000}], "deductions": deductions, "shipping_fen": 600,
             "service_fee_fen": 0, "payable_fen": 9600}  # fmt: skip
    script = "return [waterfall.billOf(given.quote), waterfall.savedFen(given.quote)];"
    rows, saved = run(page, script, "phone/waterfall", quote=quote)
    assert [row.get("stage") or row.get("what") or row["row"] for row in rows] == [
        "goods", "item", "off", "coupons", "off", "off", "off", "funds", "off", "off", "off", "off", "never",
        "shipping", "payable",
    ]  # fmt: skip
    assert [row["number"] for row in rows if row["row"] == "stage"] == [1, 2, 3, 4]
    assert rows[0]["fen"] - saved + 600 == rows[-1]["fen"] == 9600


@pytest.mark.parametrize(
    ("name", "short", "hidden"),
    [("Kay", "Kay", "K**y"), ("桃子小满", "桃子小满", "桃**满"), ("x" * 30, "x" * 19 + "…", "x**x"), ("A", "A", "A**"),
     ("", "", "**"), (FAMILY * 25, FAMILY * 19 + "…", f"{FAMILY}**{FAMILY}"), ("v**a", "v**a", "v**a")],
)  # fmt: skip
def test_a_name_is_cut_and_masked_by_glyphs(page: Page, name: str, short: str, hidden: str) -> None:
    script = "return [names.shortened(given.name), names.masked(given.name)];"
    assert run(page, script, "phone/names", name=name) == [short, hidden]


def test_both_languages_have_the_same_words_with_the_same_places(page: Page) -> None:
    script = """
      const places = (word) => [...word.matchAll(/\\{(\\w+)\\}/g)].map(([, name]) => name).sort().join();
      const {en, zh} = words.WORDS;
      return [Object.keys(en).sort().join() === Object.keys(zh).sort().join(), Object.keys(en).filter((key) =>
        places(en[key]) !== places(zh[key]))];"""
    assert json.loads(json.dumps(run(page, script, "phone/words"))) == [True, []]
