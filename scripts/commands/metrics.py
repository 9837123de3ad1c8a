"""Lists the metrics for people or as JSON."""

from rich.markup import escape

from loadtest.verdict.metrics import METRICS, Metric, MetricKind
from loadtest.verdict.phases import PHASES
from loadtest.verdict.weigh import Exit
from scripts.output import console, write_json

HOW = (
    'A threshold asks for one: redrain storm --threshold "grab_latency_ms{phase:open} p(99) < 50" (docs/thresholds.md).'
)


def run_metrics(json: str | None) -> int:
    """Show the metrics and return the exit code; *json* is a file for the list, or - for standard output."""
    say = console(json)
    for name, metric in METRICS.items():
        marks = [metric.unit, *(["timing"] if metric.timing else []), *(["live"] if metric.live else [])]
        say.print(f"[bold]{name}[/]  {', '.join(marks)}")
        say.print(f"    {escape(metric.meaning)}", soft_wrap=True)
        if metric.aggregations:
            by = f"; by {', '.join(metric.selectors)}" if metric.selectors else ""
            say.print(f"    [dim]{', '.join(metric.aggregations)}{by}[/]", soft_wrap=True)
    say.print()
    for phase, meaning in PHASES.items():
        say.print(f"phase:{phase}  [dim]{meaning}[/]", soft_wrap=True)
    say.print(HOW, soft_wrap=True, markup=False)
    write_json(json, [_listed(name, metric) for name, metric in METRICS.items()])
    return Exit.PASS


def _listed(name: str, metric: Metric) -> dict[str, object]:
    return {
        "name": name,
        "kind": metric.kind,
        "unit": metric.unit,
        "title": metric.title,
        "meaning": metric.meaning,
        "aggregations": metric.aggregations,
        "selectors": metric.selectors,
        "timing": metric.timing,
        "live": metric.live,
        "thresholds": metric.kind is not MetricKind.TABLE,
    }
