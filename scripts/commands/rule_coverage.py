"""Shows each rule of docs/rules.md with its code and its tests, and lists the missing ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import server
from loadtest.verdict.weigh import Exit
from scripts.commands.rule_index import (
    ABOUT_PAGES,
    Marks,
    RulesPage,
    SourcePlace,
    marks_of_code,
    marks_of_tests,
    outcomes_of,
    read_page,
)
from scripts.output import console, failed, write_json

SERVER = Path(server.__file__).parent
IN_WHEEL = Path(__file__).parent / "rules.md"  # where the build puts the page
PLAIN_WIDTH = 160  # columns, if the output is not a terminal


@dataclass(frozen=True, slots=True)
class Carried:
    """A rule with its code and tests. ``tests`` and ``ran`` are None if the tests are not installed."""

    rule: str
    said: str
    code: Sequence[SourcePlace]
    tests: Sequence[SourcePlace] | None
    ran: str | None  # passed, failed (at least one did), or no


@dataclass(frozen=True, slots=True)
class Survey:
    """All rules, and the ids in code or tests that are not on the page, each with its place."""

    rules: Sequence[Carried]
    strays: Sequence[str]

    def missing(self, *, must_run: bool = False) -> dict[str, list[str]]:
        """Return the rules that lack code, a test or, if *must_run*, a run of their tests that passed."""
        lacking = {
            "code": [one.rule for one in self.rules if not one.code],
            "test": [one.rule for one in self.rules if one.tests is not None and not one.tests],
        }
        if must_run:
            lacking["passed run"] = [one.rule for one in self.rules if one.ran not in {"passed", None}]
        return lacking

    def exit_code(self, *, must_run: bool = False) -> Exit:
        """Return 0 if nothing is missing, 10 if anything is, 20 if only the code could be checked."""
        if self.strays or any(self.missing(must_run=must_run).values()):
            return Exit.INVARIANT
        return Exit.UNKNOWN if any(one.tests is None for one in self.rules) else Exit.PASS


def survey(page: RulesPage, code: Marks, tests: Marks | None, outcomes: dict[str, set[str]]) -> Survey:
    """Join the rules of the page with their marks. *tests* is None if the tests are not installed."""
    rules = [
        Carried(
            rule,
            said,
            _page_first(rule, code.get(rule, [])),
            None if tests is None else _page_first(rule, tests.get(rule, [])),
            None if tests is None else _ran(outcomes.get(rule, set())),
        )
        for rule, said in page.rules.items()
    ]
    unknown = {rule: places for marks in (code, tests or {}) for rule, places in marks.items()}
    return Survey(rules, [f"{rule} at {unknown[rule][0]}" for rule in sorted(unknown.keys() - page.known)])


def _page_first(rule: str, places: Sequence[SourcePlace]) -> Sequence[SourcePlace]:
    """Return the places of a rule; of one about pages (DY-UI, KS-UI) the pages and the browser's tests come first."""
    if ABOUT_PAGES not in rule:
        return places
    return sorted(places, key=lambda place: not place.path.startswith(("server/pages/", "tests/browser/")))


def run_rules(*, must_run: bool, json: str | None, code: Path = SERVER) -> int:
    """
    Show every rule with its code and tests, or write them as JSON, and return the exit code.

    *code* is the server's folder. In a checkout, page, tests and their record are beside it.
    """
    checkout = code.parent
    in_checkout = (checkout / "pyproject.toml").is_file() and (checkout / "tests").is_dir()
    where = checkout / "docs/rules.md" if in_checkout else IN_WHEEL
    if not where.is_file():
        return failed(f"{where.name} is not where it should be: install redrain again", Exit.ENVIRONMENT)
    found = survey(
        read_page(where.read_text("utf-8")),
        marks_of_code(code),
        marks_of_tests(checkout / "tests") if in_checkout else None,
        outcomes_of(checkout) if in_checkout else {},
    )
    say = console(json, PLAIN_WIDTH)
    if json is None:
        say.print(_table(found))
    else:
        _write(json, found, must_run=must_run)
    _conclude(found, say, must_run=must_run)
    return found.exit_code(must_run=must_run)


def _ran(outcomes: set[str]) -> str:
    return "failed" if "failed" in outcomes else "passed" if "passed" in outcomes else "no"


def _table(found: Survey) -> Table:
    table = Table("rule", "code", "tests", "ran")
    for one in found.rules:
        table.add_row(one.rule, _first_of(one.code), _first_of(one.tests), one.ran or "?")
    return table


def _first_of(places: Sequence[SourcePlace] | None) -> str:
    if places is None:
        return "?"
    if not places:
        return "[red]none[/]"
    return str(places[0]) + (f" [dim]+{len(places) - 1}[/]" if len(places) > 1 else "")


def _conclude(found: Survey, say: Console, *, must_run: bool) -> None:
    """Print the missing parts, and those that could not be checked."""
    for what, rules in found.missing(must_run=must_run).items():
        if rules:
            say.print(f"[red]no {what}[/] ({len(rules)} of {len(found.rules)}): {', '.join(rules)}")
    for stray in found.strays:
        say.print(f"[red]not on the page[/]: {stray}")
    if any(one.tests is None for one in found.rules):
        say.print("the tests are not installed: run this in a checkout to check them")
    if found.exit_code(must_run=must_run) is Exit.PASS:
        say.print(f"{len(found.rules)} rules, each with code and test")


def _write(json: str, found: Survey, *, must_run: bool) -> None:
    figures: dict[str, Any] = {
        "rules": [asdict(one) for one in found.rules],
        "missing": found.missing(must_run=must_run),
        "not_on_the_page": found.strays,
        "exit_code": int(found.exit_code(must_run=must_run)),
    }
    write_json(json, figures)
