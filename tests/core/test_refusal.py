"""A refusal: readable by people, and by programs."""

import re

from scripts.commands.rule_coverage import SERVER
from server.core.refusal import Refused, RuleId


def test_a_refusal_reads_as_a_sentence_about_its_field() -> None:
    """The text names the field, if there is one; the parts stay apart for programs."""
    refused = Refused("out_of_range", "must be positive", field="amount_fen", rule=RuleId("DY-ACC-6"))
    assert str(refused) == "amount_fen: must be positive"
    assert (refused.code, refused.detail, refused.field, refused.rule) == (
        "out_of_range",
        "must be positive",
        "amount_fen",
        "DY-ACC-6",
    )
    assert str(Refused("not_found", "no such packet")) == "no such packet"


def test_rules_are_told_by_a_rulebook() -> None:
    """Types let no other text refuse; where no platform decides, the id is made by hand, in these places alone."""
    made = {
        (path.relative_to(SERVER).as_posix(), rule)
        for path in SERVER.rglob("*.py")
        for rule in re.findall(r"RuleId\((.*?)\)", path.read_text("utf-8"))
    }
    assert made == {
        ("core/refusal.py", '""'),
        ("core/rulebooks/rulebook.py", "source_id"),
        ("core/rulebooks/rulebook.py", "f\"{self.prefix}-{source_id.removeprefix(f'{self.source}-'"),
        ("core/orders/asset.py", '"ALL-ELG-1"'),  # whose a share is
        ("core/orders/trail.py", '"LT-6"'),  # logistics are no platform's
        ("core/packets/split.py", '"ALL-CRE-2"'),  # arithmetic
    }
