"""
The grammar of thresholds: a comparison of two sums of measured values (docs/thresholds.md has it as a table).

    "grab_latency_ms{room:anna-live}" = ["p(95) < 200", "p(99) < 3 * p(50)"]
    granted = ["granted / grabs >= 0.3", "value > 100 abort after 5s"]
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NoReturn

from loadtest.verdict.leg_metrics import LEG_METRICS
from loadtest.verdict.metrics import METRICS, Metric, MetricKind, SelectorName
from loadtest.verdict.threshold_terms import (
    ABORT_AFTER_S_MAX,
    AGGREGATIONS,
    CLOSED,
    COMPARISONS,
    BadThreshold,
    Calculated,
    Constant,
    MeasuredTerm,
    Selection,
    Term,
    Threshold,
    named,
)

_TOKEN = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<word>[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|\S)", re.ASCII)
_SELECTED = re.compile(r'\s*(?:"([^"]*)"|([^,}"]*[^,}"\s]))\s*')


def parse(metric: str, expression: str, abort_after_s: float | None = None) -> Threshold:
    """Parse one threshold of *metric*, which may have selectors. Raises BadThreshold."""
    head = _ThresholdParser(metric)
    own, selection = head.metric(), head.selection()
    head.expect_end("an end of the metric")
    _check_selectors(head, own, selection)
    return _ThresholdParser(expression).threshold(own, tuple(sorted(selection)), abort_after_s)


def parse_line(line: str) -> Threshold:
    """Parse ``METRIC EXPRESSION``; a colon may stand between, or the metric be part of it. Raises BadThreshold."""
    parser = _ThresholdParser(line)
    own, selection = parser.metric(), parser.selection()
    _check_selectors(parser, own, selection)
    if not parser.take(":") and parser.sign in (*COMPARISONS, *"+-*/."):
        parser.go_to(0)
    return parser.threshold(own, tuple(sorted(selection)), None)


def parse_limit(line: str) -> Threshold:
    """Parse a limit on what a gate measures: ``METRIC EXPRESSION`` of leg metrics. Raises BadThreshold."""
    parser = _ThresholdParser(line, LEG_METRICS)
    own = parser.metric()
    if not parser.take(":") and parser.sign in (*COMPARISONS, *"+-*/"):
        parser.go_to(0)
    return parser.threshold(own, (), None)


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _check_selectors(parser: "_ThresholdParser", metric: str, selection: Selection) -> None:
    takes = parser.metrics[metric].selectors
    for name, _ in selection:
        if name not in takes:
            others = f"it can by {', '.join(takes)}" if takes else "it is of the whole run"
            parser.fail(f"{metric} cannot be selected by {name}; {others}", parser.mark)


class _ThresholdParser:
    """Reads a text from left to right; ``mark`` is where the last thing that may be wrong began."""

    def __init__(self, text: str, metrics: Mapping[str, Metric] = METRICS) -> None:
        self._text = text
        self.metrics = metrics
        self._names = sorted(name for name, metric in metrics.items() if metric.kind is not MetricKind.TABLE)
        self._own, self._selection = "", Selection()
        self.go_to(0)

    def go_to(self, position: int) -> None:
        """Read on from a position: find the next token, and where it begins."""
        self.start = self.mark = position + len(self._text[position:]) - len(self._text[position:].lstrip())
        found = _TOKEN.match(self._text, self.start)
        self._kind, self._next = (found.lastgroup, found[0]) if found else ("", "")

    @property
    def sign(self) -> str:
        """Return the sign that comes next, or nothing."""
        return self._next if self._kind == "sign" else ""

    def take(self, token: str) -> bool:
        """Read *token* if it comes next, and tell whether it does."""
        if self._next != token:
            return False
        self.go_to(self.start + len(token))
        return True

    def fail(self, why: str, position: int | None = None) -> NoReturn:
        """Raise BadThreshold with a caret below the position, or below what comes next."""
        at = self.start if position is None else position
        width = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in self._text[:at])
        raise BadThreshold(f"{self._text.strip()!r}: {why}\n    {self._text}\n    {' ' * width}^")

    def expected(self, what: str) -> NoReturn:
        """Raise BadThreshold: something else stands here."""
        self.fail(f"expected {what}, but {f'found {self._next!r}' if self._next else 'it ends'}")

    def expect(self, token: str, what: str) -> None:
        """Read *token*, or raise BadThreshold."""
        if not self.take(token):
            self.expected(what)

    def expect_end(self, what: str) -> None:
        """Raise BadThreshold unless all is read."""
        if self._next:
            self.expected(what)

    def number(self, what: str) -> str:
        """Read a number's digits, or raise BadThreshold."""
        digits = self._next
        if self._kind != "number":
            self.expected(what)
        self.go_to(self.start + len(digits))
        return digits

    def metric(self) -> str:
        """Read the name of a metric, or raise BadThreshold, which says which there are."""
        name, at = self._next, self.start
        if self._kind != "word":
            self.expected(f"a metric: {', '.join(self._names)}")
        if name not in self._names:
            near = "; it has no one value." if name in self.metrics else _nearest(name, self._names) or "."
            self.fail(f"no such metric: {name}{near} There are {', '.join(self._names)}")
        self.go_to(at + len(name))
        return name

    def selection(self) -> Selection:
        """Read ``{name:value, ...}`` if it comes next; the order of the names does not matter."""
        if not self.take("{"):
            return ()
        chosen: dict[str, str] = {}
        while True:
            name, at = self._next, self.start
            if name not in tuple(SelectorName):
                self.expected(f"a selector ({', '.join(SelectorName)})")
            if name in chosen:
                self.fail(f"{name} is selected twice")
            self.go_to(at + len(name))
            self.expect(":", f"a colon after {name}")
            chosen[name] = self._value(name)
            if self.take("}"):
                self.mark = at
                return tuple(sorted(chosen.items()))
            self.expect(",", "a comma or }")

    def _value(self, name: str) -> str:
        found = _SELECTED.match(self._text, self.start)
        if found is None:
            self.expected(f"the {name} to select")
        value = found[2] if found[1] is None else found[1]
        if name in CLOSED and value not in CLOSED[name]:
            near = _nearest(value, CLOSED[name]) or "."
            self.fail(f"no such {name}: {value}{near} There are {', '.join(CLOSED[name])}")
        self.go_to(found.end())
        return value

    def threshold(self, own: str, selection: Selection, abort_after_s: float | None) -> Threshold:
        """Read the rest as a threshold of the metric *own*; *abort_after_s* is what a table says."""
        self._own, self._selection = own, selection
        began = self.start
        left = self._sum()
        operation = self.sign
        if operation not in COMPARISONS:
            self.expected(f"one of {' '.join(COMPARISONS)}")
        self.take(operation)
        right = self._sum()
        said = self._text[began : self.start].strip()
        if self._next == "abort":
            at = self.start
            after_s = self._abort()
            if abort_after_s is not None:
                self.fail("when to abort is said twice", at)
            abort_after_s = after_s
        self.expect_end("an operator or the end")
        threshold = Threshold(named(own, selection), said, left, operation, right, abort_after_s)
        if not threshold.measured:
            self.fail("it compares two numbers, and measures nothing", began)
        if abort_after_s is not None:
            self._check_abort(threshold, began)
        return threshold

    def _abort(self) -> float:
        """Read ``abort`` or ``abort after 5s``."""
        self.take("abort")
        if not self.take("after"):
            return 0.0
        at, after_s = self.start, float(self.number("a number of seconds"))
        if after_s > ABORT_AFTER_S_MAX:
            self.fail(f"a delay is at most {ABORT_AFTER_S_MAX:,} s", at)
        self.take("s")
        return after_s

    def _check_abort(self, threshold: Threshold, began: int) -> None:
        for term in threshold.measured:
            if not self.metrics[term.metric].live or term.selection or term.aggregation == "rate":
                live = ", ".join(name for name, metric in self.metrics.items() if metric.live)
                why = f"{term} is known only after the run, so that it cannot abort it"
                told = f"; these can, without selectors and but for their rate: {live}" if live else ""
                self.fail(f"{why}{told}", began)

    def _sum(self) -> Term:
        term = self._product()
        while self.sign in ("+", "-"):
            operation = self.sign
            self.take(operation)
            term = Calculated(operation, term, self._product())
        return term

    def _product(self) -> Term:
        term = self._factor()
        while self.sign in ("*", "/"):
            operation = self.sign
            self.take(operation)
            term = Calculated(operation, term, self._factor())
        return term

    def _factor(self) -> Term:
        if self.take("-"):
            factor = self._factor()
            return Constant(-factor.value) if isinstance(factor, Constant) else Calculated("*", Constant(-1), factor)
        if self.take("+"):
            return self._factor()
        if self.take("("):
            inside = self._sum()
            self.expect(")", "a closing parenthesis")
            return inside
        if self._kind == "number":
            return self._constant()
        if self._kind != "word":
            self.expected(f"a number, a metric, or {self._has(self._own)}")
        if self._next in AGGREGATIONS:
            return MeasuredTerm(self._own, self._aggregation(self._own), self._selection)
        if self._next not in self.metrics:
            self._unknown_word()
        metric, selection = self.metric(), self.selection()
        _check_selectors(self, metric, selection)
        if self.take("."):
            return MeasuredTerm(metric, self._aggregation(metric), selection)
        if self.metrics[metric].kind is MetricKind.DISTRIBUTION:
            self.expected(f"a dot and an aggregation: {self._has(metric)}")
        return MeasuredTerm(metric, "value", selection)

    def _constant(self) -> Constant:
        value = float(self.number("a number"))
        unit = self.metrics[self._own].unit
        units = {"ms": 1, "s": 1_000} if unit == "ms" else {unit: 1}
        if self._kind == "word" and self._next != "abort":
            if self._next not in units:
                self.expected(f"an operator, the end, or the unit of {self._own} ({' or '.join(units)})")
            value *= units[self._next]
            self.take(self._next)
        return Constant(value)

    def _has(self, metric: str) -> str:
        return ", ".join(self.metrics[metric].aggregations)

    def _aggregation(self, metric: str) -> str:
        name = self._next
        if name not in {each.partition("(")[0] for each in self.metrics[metric].aggregations}:
            self.fail(f"expected what {metric} has ({self._has(metric)}), but found {name!r}")
        self.take(name)
        if name != "p":
            return name
        self.expect("(", "( and a percentage, as in p(99)")
        at, percent = self.start, self.number("a percentage, as in p(99)")
        if float(percent) > 100:
            self.fail("a percentile is at most p(100)", at)
        self.expect(")", "a closing parenthesis")
        return f"p({percent})"

    def _unknown_word(self) -> NoReturn:
        word = self._next
        if found := re.fullmatch(r"p(\d+)", word):
            self.fail(f"expected what {self._own} has ({self._has(self._own)}), but found {word!r}; "
                      f"did you mean p({found[1]})?")  # fmt: skip
        near = _nearest(word, [*self._names, *AGGREGATIONS[1:]])
        metrics = ", ".join(self._names)
        self.fail(f"expected {self._has(self._own)}, a number or a metric ({metrics}), but found {word!r}{near}")
