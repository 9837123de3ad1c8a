"""The catalogue has a text in both languages for every code that the server can say, and for nothing else."""

import ast
import inspect
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

import server
from server.api import errors
from server.api.catalogue import TEXTS, Language, language_of, refusal_told, told
from server.core.orders.asset import AssetState
from server.core.orders.discount import DiscountKind, Funder, Stage
from server.core.orders.inbox import MessageKind
from server.core.orders.order import OrderState
from server.core.orders.pricing import Unused
from server.core.orders.purchase import Entrance, GoodsKind
from server.core.orders.stacking import ExclusionReason
from server.core.orders.trail import TrailStep
from server.core.packets.claim import ClaimStatus
from server.core.packets.operations import CLOSED
from server.core.packets.packet import Activity, Denomination, GoodsScope, PacketState, Phase, Surface
from server.core.refusal import NO_RULE, Refused, RuleId
from server.core.rulebooks.page import Operation
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook import RULE_FIELDS, LaunchMode, Permission
from server.store import transfers
from server.store.coupon_budgets import BudgetState
from server.store.invoices import InvoiceState
from server.store.withdrawals import WithdrawalState

STATUSES: dict[str, type[StrEnum]] = {
    "claim_status": ClaimStatus,
    "packet_state": PacketState,
    "phase": Phase,
    "activity": Activity,
    "operation": Operation,
    "denomination": Denomination,
    "launch_mode": LaunchMode,
    "surface": Surface,
    "goods_scope": GoodsScope,
    "entrance": Entrance,
    "goods": GoodsKind,
    "permission": Permission,
    "asset_state": AssetState,
    "order_state": OrderState,
    "exclusion": ExclusionReason,
    "unused": Unused,
    "discount": DiscountKind,
    "stage": Stage,
    "funder": Funder,
    "withdrawal_state": WithdrawalState,
    "coupon_budget_state": BudgetState,
    "invoice_state": InvoiceState,
    "message": MessageKind,
    "trail": TrailStep,
    "trail_text": TrailStep,
}
COMPUTED = {
    "server/commands/void_packet.py": "refused.code",  # of the refusal that it completes
    "server/core/orders/selection.py": "reason",  # an ExclusionReason
    "server/core/packets/operations.py": "code",  # of CLOSED
    "server/store/transfers.py": "word",  # of _REFUSALS
}
"""Where a refusal's code is no constant, and the expression: the codes are found where the comment says."""


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield path, name of the function and node of every call in the server."""
    root = Path(server.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(root.parent).as_posix(), ast.unparse(node.func).rpartition(".")[2], node


def constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def refusal_codes() -> set[str]:
    """Return every code of a refusal, of an error message, of a handshake and of a failed request."""
    codes = {outcome.rpartition(" ")[2] for outcome in [*transfers._REFUSALS, *CLOSED]}
    codes |= {*ExclusionReason} | {*errors._HTTP_CODES.values()}
    text = inspect.getsource(errors)
    codes |= {*re.findall(r'_failed\((?:\w+), "(\w+)"', text), *re.findall(r'partial\(_failed, \d+, "(\w+)"', text)}
    codes |= {"http_error"}
    for path, name, call in calls():
        if name in {"Refused", "Raced", "BadMessage"} or ast.unparse(call.func).startswith("(Raced if"):
            code = constant(call.args[0])
            assert code or COMPUTED.get(path) == ast.unparse(call.args[0]), (path, ast.unparse(call))
            codes |= {code} if code else set()
        elif name == "Rejection":
            code = constant(call.args[1])
            assert code or ast.unparse(call.args[1]) == "refused.code", (path, ast.unparse(call))
            codes |= {code} if code else set()
        elif ast.unparse(call.func) == "messages.error" and (code := constant(call.args[0])):
            codes.add(code)
    return codes


def rules() -> set[str]:
    """Return every rule by which a built-in platform can refuse or exclude."""
    named = {rule for _, _, rule in transfers._REFUSALS.values() if rule} | {rule for _, rule in CLOSED.values()}
    plain: set[str] = set()
    for _, name, call in calls():
        if name == "rule" and call.args and (rule := constant(call.args[0])):
            named.add(rule)
        if name == "RuleId" and (rule := constant(call.args[0])):
            plain.add(rule)
    found = {str(book.rule(rule)) for book in RULEBOOKS.values() for rule in named}
    found |= {str(book.rule(getattr(book, field))) for book in RULEBOOKS.values() for field in RULE_FIELDS}
    return (found | plain) - {""}


@pytest.mark.parametrize("group", STATUSES)
def test_every_status_has_a_text(group: str) -> None:
    """A new member of an enumeration needs its line, and one that is gone leaves the catalogue."""
    assert set(TEXTS[Language.EN][group]) == {*STATUSES[group]}


def test_every_code_of_a_refusal_has_a_text() -> None:
    """They are found where they are said, not in a list; a code that is computed says where it comes from."""
    assert set(TEXTS[Language.EN]["refusal"]) == refusal_codes()
    assert set(errors.STATUS) <= refusal_codes()


def test_every_rule_that_refuses_has_a_text() -> None:
    """By the id under which each platform says it."""
    assert set(TEXTS[Language.EN]["rule"]) == rules()


def test_both_languages_say_everything() -> None:
    """English without Chinese characters, Chinese with some; nothing is empty."""
    assert {*TEXTS} == {*Language}
    assert {*TEXTS[Language.EN]} == {*TEXTS[Language.ZH]} == {*STATUSES, "refusal", "rule"}
    for group, codes in TEXTS[Language.EN].items():
        for code, text in codes.items():
            chinese = TEXTS[Language.ZH][group][code]
            assert re.fullmatch(r"[ -~×]+", text), (group, code)
            assert re.search(r"[\u4e00-\u9fff]", chinese), (group, code)


def test_the_words_of_a_trail_are_those_of_the_product() -> None:
    """Label and text of each step stand in the source of the rules (LT-a to LT-f)."""
    for step in TrailStep:
        assert TEXTS[Language.ZH]["trail"][step] == step.label
        assert TEXTS[Language.ZH]["trail_text"][step] == step.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh", "zh"),
        ("ZH-tw", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.7", "zh"),
        ("fr, zh;q=0.1", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=much", "en"),
        ("zh;level=1", "en"),
    ],
)
def test_the_preferred_language_is_chosen(accepted: str, language: str) -> None:
    """By its weight; English if neither is asked for."""
    assert language_of(accepted) == language


def test_english_has_the_values_and_chinese_the_words() -> None:
    """The field stands before the sentence in both; a rule that says more stands behind it."""
    refused = Refused("out_of_range", "must come at 7 at the latest", field="grab_at_ms", rule=RuleId("DY-LAU-4"))
    assert refusal_told(refused, Language.EN) == "grab_at_ms: must come at 7 at the latest"
    assert refusal_told(refused, Language.ZH) == "grab_at_ms: 数值超出允许范围(需在 7 天内,精确至秒)"
    short = Refused("insufficient_funds", "the funds do not cover it", rule=RuleId("DY-ACC-6"))
    assert refusal_told(short, Language.ZH) == "可用红包资金不足,请先充值"
    assert refusal_told(Refused("voided", "it is", rule=NO_RULE), Language.ZH) == "红包已作废"
    assert refusal_told(Refused("expired", "it is", rule=RuleId("ACME-LAU-9")), Language.ZH) == "红包已过期"
    assert told("of_an_allocator", "its own words", Language.ZH) == "its own words"
