"""The words of a comparison, the same in the terminal, in a summary and on a page."""

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "pass": "not slower",
    "improvement": "better",
    "regression": "regression",
    "inconclusive": "not to be told",
}


def conclusion_word(conclusion: str) -> str:
    """Return what a conclusion is called before people."""
    return _WORDS[conclusion]


def change_text(comparison: Mapping[str, Any]) -> str:
    """Return by how much the head is worse, with the interval if there is one: ``+2.1% (-0.4% to +4.8%)``."""
    if not comparison["pairs"]:
        return "-"
    text = f"{comparison['change']:+.1%}"
    if comparison["low"] is None:
        return text
    return f"{text} ({comparison['low']:+.1%} to {comparison['high']:+.1%})"


def leg_text(comparison: Mapping[str, Any], side: str) -> str:
    """Return the median of a side's legs, ``base`` or ``head``, or "-" if no pair was compared."""
    return f"{comparison[side]:,.2f}" if comparison["pairs"] else "-"


def uncompared(result: Mapping[str, Any]) -> str:
    """Return what a gate has not compared, as its verdict has to say it, or ""; a violation decides without it."""
    gate = result.get("gate")
    if not gate or result["violations"] or gate["comparison"]:
        return ""
    if not gate["base"]:
        return f"nothing was compared: {gate.get('not_compared') or 'no base was given'}"
    return "" if any(each["met"] is False for each in gate["counters"]) else "timing was left out: --budget 0"
