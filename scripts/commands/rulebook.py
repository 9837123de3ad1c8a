"""Shows the limits of a platform: each field of its rulebook with value, unit and rules."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from loadtest.verdict.weigh import Exit
from scripts.commands.rule_coverage import PLAIN_WIDTH
from scripts.output import console, failed, write_json
from server.core.rulebooks.overrides import BadRulebooks
from server.core.rulebooks.rulebook_view import limits_of
from server.rulebook_file import load_rulebooks


def run_rulebook(platform: str, json: str | None, overrides: Path | None = None) -> int:
    """Show the limits of a platform, or write them as JSON, and return the exit code; *overrides* is as for serve."""
    try:
        rulebooks = load_rulebooks(overrides)
    except BadRulebooks as bad:
        return failed(bad, Exit.USAGE)
    if platform not in rulebooks:
        return failed(f"platform: must be one of {', '.join(rulebooks)}", Exit.USAGE)
    rulebook = rulebooks[platform]
    limits = list(limits_of(rulebook))
    if json is not None:
        shown = {"platform": platform, "profile": rulebook.profile, "limits": [asdict(limit) for limit in limits]}
        write_json(json, shown)
        return Exit.PASS
    table = Table("limit", "value", "unit", "rules", "meaning", title=f"{platform} ({rulebook.profile})")
    for limit in limits:
        said = _said(limit.value) + (" (overridden)" if limit.overridden else "")
        table.add_row(limit.name, said, limit.unit, ", ".join(limit.rules), limit.doc)
    console(None, PLAIN_WIDTH).print(table)
    return Exit.PASS


def _said(value: Any) -> str:
    match value:
        case None:
            return "no limit"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list():
            return "\n".join(value) or "none"
    return str(value)
