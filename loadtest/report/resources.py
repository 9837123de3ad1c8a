"""The resources of a run: memory over time, and the table of what server, store and generator took."""

from collections.abc import Mapping
from typing import Any

from loadtest.record.run_folder import Resources
from loadtest.report.figure import Figure, Trace, colour_of, thinned
from loadtest.verdict.resources import ROLES

POINTS_MAX = 300
_NS_PER_S, _BYTES_PER_MIB = 1_000_000_000, 1 << 20


def resources_figure(resources: Resources) -> Figure | None:
    """Return the figure of resident memory, or None if no process was sampled."""
    known = [role for role in ROLES if resources.get(role)]
    if not known:
        return None
    first = min(resources[role][0][0] for role in known)
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": role,
            "x": [round((sample[0] - first) / _NS_PER_S, 1) for sample in thinned(resources[role], POINTS_MAX)],
            "y": [round(sample[1] / _BYTES_PER_MIB, 2) for sample in thinned(resources[role], POINTS_MAX)],
            "line": {"color": colour_of(number), "width": 2.5},
            "hovertemplate": "%{y:,.1f} MiB",
        }
        for number, role in enumerate(known)
    ]
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "real seconds since all viewers were connected"}},
        "yaxis": {"title": {"text": "resident memory (MiB)"}, "rangemode": "tozero"},
        "hovermode": "x unified",
    }
    return Figure("resources", 300, traces, layout)


def resource_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of a result by role; none of a run whose processes are not known."""
    rows = []
    for role in ROLES:
        row = {
            "role": role,
            "memory": result.get(f"{role}_memory_mib"),
            "memory_growth": result.get(f"{role}_memory_growth_mib_per_hour"),
            "descriptors": result.get(f"{role}_descriptors"),
            "descriptors_growth": result.get(f"{role}_descriptors_growth_per_hour"),
        }
        if row["memory"] is not None:
            rows.append(row)
    return rows
