"""A run in short, from its result: what history and comparison keep of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from loadtest.record.run_history import RunSummary
from loadtest.record.shape import BadRecord
from loadtest.verdict.metrics import METRICS, MetricKind


def summary_of(run: str, result: Any) -> RunSummary:
    """Return the summary of a *result* as result.json keeps it, of the run of this name. Raises BadRecord."""
    if not isinstance(result, Mapping):
        raise BadRecord(f"{run}: is not the result of a run: it is not a JSON object")
    try:
        return RunSummary.model_validate({**result, "run": run, "figures": dict(_figures(result))})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise BadRecord(f"{run}: is not the result of a run: {field}: {first['msg']}") from None


def unit_of(figure: str) -> str:
    """Return the unit of a figure of a summary, or "" for one that this version does not know."""
    metric = METRICS.get(figure.partition(".")[0])
    return "" if metric is None else metric.unit


def _figures(result: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, metric in METRICS.items():
        value = result.get(name)
        if metric.kind is MetricKind.NUMBER:
            yield name, value
        elif metric.kind is MetricKind.DISTRIBUTION and isinstance(value, Mapping):
            yield from ((f"{name}.{part}", each) for part, each in value.items())
