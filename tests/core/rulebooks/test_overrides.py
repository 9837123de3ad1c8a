"""Overrides: a deployment's tables change what they name and nothing else, and a wrong one says what it must be."""

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from server.core.money.channel import Channel
from server.core.packets.blackout import BlackoutMode, Enforcement, MonthDay
from server.core.rulebooks.overrides import BadRulebooks, overridable, overridden
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB, RULEBOOKS
from server.core.rulebooks.rulebook import LaunchMode, LimitMeta, Rulebook

ROOT = Path(__file__).parents[3]


def _read(text: str) -> dict[str, Rulebook]:
    return overridden(RULEBOOKS, tomllib.loads(text))


def test_nothing_said_changes_nothing() -> None:
    """No table, and an empty one, leave the books as they are; ours are never touched."""
    assert overridden(RULEBOOKS, {}) == _read("[douyin]\n[lab]\n") == RULEBOOKS
    assert _read("[douyin]\noverlap_max = 3\n") == {**RULEBOOKS, "douyin": replace(DOUYIN, overlap_max=3)}
    assert DOUYIN.overlap_max == 2


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("exact_lead_strict = false", "exact_lead_strict", False),
        ('overlap_max = "none"', "overlap_max", None),
        ('immediate_warmup_of = "grab"', "immediate_warmup_of", "grab"),
        ('launch_modes = ["manual", "exact"]', "launch_modes", frozenset({LaunchMode.MANUAL, LaunchMode.EXACT})),
        ('channels = "none"', "channels", None),
        (
            'channels = [{name = "wechat", fee_bp = 60}, {name = "bank"}]',
            "channels",
            (Channel("wechat", 60), Channel("bank")),
        ),
        ('withdraw_channels = ["bank"]', "withdraw_channels", ("bank",)),
        ("withdraw_channels = []", "withdraw_channels", ()),
        ('best_of_shop = ["shop_coupon"]', "best_of_shop", ("shop_coupon",)),
        ("goods_excluded = []", "goods_excluded", frozenset()),
    ],
)
def test_each_type_is_read(line: str, name: str, value: object) -> None:
    """Truths, words, lists, tables, and the word for no limit."""
    book = _read(f"[douyin]\n{line}\n")["douyin"]
    assert getattr(book, name) == value
    assert type(getattr(book, name)) is type(value) or isinstance(value, str)


@pytest.mark.rule("DY-BLK-2")
def test_the_platforms_latest_plan_is_data() -> None:
    """Blackouts come as a calendar reads them, with mode and enforcement (AMB-10)."""
    book = _read(
        '[douyin]\nblackout_mode = "overlap"\nblackout_enforcement = "warn"\n'
        'blackouts = [{date_from = "11-01", date_to = "11-11", slots = ["20:00-21:00"]}]\n'
    )["douyin"]
    assert (book.blackout_mode, book.blackout_enforcement) == (BlackoutMode.OVERLAP, Enforcement.WARN)
    (season,) = book.blackouts.seasons
    assert (season.first, season.last, season.slots[0].length_ms) == (MonthDay(11, 1), MonthDay(11, 11), 3_600_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[taobao]\n", "taobao: no such platform; there are douyin, kuaishou, lab"),
        ("douyin = 3\n", "douyin: must be a table of fields"),
        ("[douyin]\noverlap = 3\n", "douyin.overlap: no such field"),
        ('[douyin]\nplatform = "lab"\n', "douyin.platform: no such field"),
        ('[douyin]\nuse_rule = "DY-LAU-1"\n', "douyin.use_rule: no such field"),
        (
            "[douyin]\noverlap_max = 0\n",
            'douyin.overlap_max: must be a whole number from 1 to 9007199254740991 or "none", not 0',
        ),
        ("[douyin]\noverlap_max = true\n", "douyin.overlap_max: must be a whole number"),
        ("[douyin]\noverlap_max = 2.0\n", "douyin.overlap_max: must be a whole number"),
        (
            '[douyin]\nname_length_max = "none"\n',
            "douyin.name_length_max: must be a whole number from 1 to 1000, not 'none'",
        ),
        ("[lab]\nshare_count_max = 1_000_001\n", "lab.share_count_max: must be a whole number from 1 to 1000000"),
        ("[lab]\nexact_grab_step_ms = 0\n", "lab.exact_grab_step_ms: must be a whole number from 1"),
        ("[lab]\nreversal_delay_ms = -1\n", "lab.reversal_delay_ms: must be a whole number from 0"),
        ("[douyin]\nexact_lead_strict = 1\n", "douyin.exact_lead_strict: must be true or false, not 1"),
        ('[douyin]\nfee_mode = "gratis"\n', "douyin.fee_mode: must be on_top or deducted, not 'gratis'"),
        ('[douyin]\nlaunch_modes = "exact"\n', "douyin.launch_modes: must be a list, not 'exact'"),
        ("[douyin]\nlaunch_modes = []\n", "douyin.launch_modes: must name at least one"),
        ('[douyin]\nlaunch_modes = ["exact", "exact"]\n', "douyin.launch_modes: must name each once"),
        ('[douyin]\nfund_order = ["gold_coin"]\n', "douyin.fund_order: must name each of creator_packet"),
        ("[douyin]\nwithdraw_channels = [3]\n", 'douyin.withdraw_channels: must be a word or "none", not [3]'),
        (
            '[douyin]\nchannels = [{name = "x", fee_bp = 10_001}]\n',
            "douyin.channels: must be a whole number from 0 to 10000",
        ),
        ('[douyin]\nchannels = [{name = "x", fee = 1}]\n', "douyin.channels: must be a list of tables with name"),
        ("[douyin]\nblackouts = [3]\n", "douyin.blackouts: must be a list of tables"),
        (
            "[douyin]\nblackouts = [{date_from = 1, date_to = 1, slots = []}]\n",
            "douyin.blackouts: must have dates such as 08-01",
        ),
        (
            '[douyin]\nblackouts = [{date_from = "08-40", date_to = "08-41", slots = []}]\n',
            "douyin.blackouts: blackout: 08-40",
        ),
        ("[douyin]\nmax_share_fen = 5\nmin_share_fen = 6\n", "douyin.min_share_fen: must be at most max_share_fen, 5"),
        ("[lab]\nrelative_lead_max_ms = 5\nrelative_lead_min_ms = 6\n", "lab.relative_lead_min_ms: must be at most"),
        (
            "[kuaishou]\npackets_per_order_max = 11\npacket_candidates_max = 10\n",
            "kuaishou.packets_per_order_max: must be at most packet_candidates_max, 10",
        ),
        (
            "[kuaishou]\npacket_candidates_max = 9\n",
            "kuaishou.packet_candidates_max: must be at least packets_per_order_max, 10",
        ),
        ('[taobao]\nbase = "jd"\n', "taobao.base: must be one of douyin, kuaishou, lab, not 'jd'"),
        ("[taobao]\nbase = 3\n", "taobao.base: must be one of"),
        ('[douyin]\nbase = "lab"\n', "douyin.base: douyin is built in"),
        ('[Acme]\nbase = "lab"\n', "Acme: must be 1 to 20 lower-case letters, digits or dashes"),
        ('["8"]\nbase = "lab"\n', "8: must be 1 to 20 lower-case letters, digits or dashes, first a letter"),
        ('[aaaaaaaaaaaaaaaaaaaaa]\nbase = "lab"\n', "aaaaaaaaaaaaaaaaaaaaa: must be 1 to 20"),
        ('[ks]\nbase = "douyin"\n', "ks: must not end in ks; rules of docs/rules.md begin with KS-"),
        ('[acme-all]\nbase = "douyin"\n', "acme-all: must not end in all"),
        ('[a]\nbase = "a"\n', "a.base: must not lead back to a (a <- a)"),
        ('[a]\nbase = "b"\n[b]\nbase = "a"\n', "a.base: must not lead back to a (a <- b <- a)"),
        ('[a]\nbase = "b"\n[b]\noverlap_max = 1\n', "b: no such platform"),
        ('[acme]\nbase = "douyin"\noverlap = 1\n', "acme.overlap: no such field"),
        ('[acme]\nbase = "douyin"\nprefix = "X"\n', "acme.prefix: no such field"),
        ('[acme]\nbase = "douyin"\nmin_share_fen = 20_001\n', "acme.min_share_fen: must be at most max_share_fen"),
    ],
)
def test_a_wrong_table_names_the_field_and_what_it_must_be(text: str, said: str) -> None:
    """One sentence that a person can act on."""
    with pytest.raises(BadRulebooks) as bad:
        _read(text)
    assert str(bad.value).startswith(said)


def test_every_field_takes_the_value_it_has() -> None:
    """No limit of ours is out of the range that an override must keep."""
    least = {field.name: field.metadata[LimitMeta].least for field in fields(LAB) if field.metadata}
    for book in RULEBOOKS.values():
        for name in overridable():
            value: Any = getattr(book, name)
            if type(value) is int or value is None or isinstance(value, bool | str):
                said = "none" if value is None else value
                assert overridden(RULEBOOKS, {book.platform: {name: said}}) == RULEBOOKS
            if type(value) is int:
                assert value >= least[name]


def test_what_a_platform_is_called_and_refuses_by_stays() -> None:
    """Names, pages and rule ids are no limits."""
    kept = {field.name for field in fields(LAB)} - set(overridable())
    own = {"platform", "profile", "source", "prefix", "base", "own_rules", "stands_for", "page"}
    assert own <= kept
    assert all(name.endswith("_rule") for name in kept - own)


def test_a_table_with_a_base_makes_a_platform() -> None:
    """It has what its base has on this server, in whatever order the tables stand, and what it says itself."""
    books = _read('[beta]\nbase = "acme"\n[acme]\nbase = "douyin"\noverlap_max = 3\n[douyin]\nname_length_max = 9\n')
    assert list(books) == ["douyin", "kuaishou", "lab", "acme", "beta"]
    for name in ("acme", "beta"):
        book = books[name]
        assert (book.platform, book.base, book.overlap_max, book.name_length_max) == (name, "douyin", 3, 9)
        assert book.blackouts == DOUYIN.blackouts
    assert {**books, "acme": None, "beta": None} == {
        **_read("[douyin]\nname_length_max = 9\n"),
        "acme": None,
        "beta": None,
    }


@pytest.mark.parametrize(
    ("base", "source_id", "told"),
    [
        ("douyin", "DY-LAU-9", "ACME-LAU-9"),
        ("douyin", "KS-EDT-1", "ACME-KS-EDT-1"),
        ("douyin", "ALL-CRE-1", "ACME-ALL-CRE-1"),
        ("kuaishou", "KS-LAU-1", "ACME-LAU-1"),
        ("kuaishou", "DY-LAU-9", "ACME-LAU-2"),
        ("kuaishou", "DY-VOI-2", "ACME-ALL-REV-1"),
        ("lab", "DY-LAU-3", "ACME-LAU-3"),
        ("lab", "AMB-27", "ACME-AMB-27"),
    ],
)
def test_a_platform_is_refused_by_its_own_prefix(base: str, source_id: str, told: str) -> None:
    """It stands for that of the base, and before all others, so that no two rules are told by one id."""
    books = _read(f'[acme]\nbase = "{base}"\n')
    assert books["acme"].rule(source_id) == told
    assert books[base].rule(source_id) == RULEBOOKS[base].rule(source_id)


def test_kuaishou_cites_no_rule_of_douyins() -> None:
    """It refuses by a rule of its own, or by the one that says whose hold where its text is silent."""
    rules = re.findall(r"^\| (DY-[A-Z]{3}-\d+) \|", (ROOT / "docs/rules.md").read_text("utf-8"), re.MULTILINE)
    assert len(rules) > 50
    assert {KUAISHOU.rule(rule).partition("-")[0] for rule in rules} == {"KS", "ALL", "AMB"}
    assert set(KUAISHOU.stands_for) - {""} <= set(rules)
    assert [DOUYIN.rule(rule) for rule in rules] == rules
