"""The commands about recorded runs: judging and verifying one again, comparing two, and looking after all."""

from pathlib import Path
from typing import Annotated

import typer

from loadtest.record.operations import HistoryFormat
from scripts.checked import checked_file
from scripts.option_types import NUMBER_MAX, Json, Thresholds

recorded = typer.Typer()
runs = typer.Typer(no_args_is_help=True)
recorded.add_typer(runs, name="runs", help="List, show, open and remove recorded runs; show trends.")

_Html = Annotated[
    str | None, typer.Option(callback=checked_file, help="Write it as a page to a file, or - for stdout.")
]
_Run = Annotated[str | None, typer.Argument(help="Name or folder of a run (default: the newest).")]


@recorded.command()
def audit(
    run: Annotated[Path, typer.Argument(help="Folder of a recorded run.")],
    threshold: Thresholds = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Draw the counterexample of each violated invariant over time.")
    ] = False,
    html: Annotated[
        str | None, typer.Option(callback=checked_file, help="Write the drawings as a page to a file, or - for stdout.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(callback=checked_file, help="Write the taps and answers to a file, or - for stdout.")
    ] = None,
    history_format: Annotated[
        HistoryFormat | None, typer.Option(help="For other checkers (docs/history.md): EDN, or JSON (default: jepsen).")
    ] = None,
    json: Json = None,
) -> int:
    """Audit a recorded run again, offline."""
    options = dict(locals())
    from scripts.commands.audit import AuditOptions, run_audit

    return run_audit(AuditOptions(**options))


@recorded.command()
def verify(
    packet: Annotated[str | None, typer.Argument(help="Id of a packet (default: all packets of the run).")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run, or file of an archive (default: latest run).")
    ] = None,
) -> int:
    """Recompute shares from the revealed seeds and compare them with the books."""
    from scripts.commands.storm import run_verify

    return run_verify(packet, run)


@recorded.command()
def compare(
    a: Annotated[Path, typer.Argument(help="Folder of a run, or a result file.")],
    b: Annotated[Path, typer.Argument(help="Another one.")],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Compare also what differs in scenario, seed, engine or machine.")
    ] = False,
    html: _Html = None,
    json: Json = None,
) -> int:
    """Show two runs side by side; what proves a regression is the comparison of pairs (docs/gate.md)."""
    from scripts.commands.compare import run_compare

    return run_compare(a, b, html, json, anyway=anyway)


@runs.command("list")
def list_runs(
    limit: Annotated[int, typer.Option(help="How many of the newest runs.", min=1, max=NUMBER_MAX)] = 20,
    json: Json = None,
) -> int:
    """List the newest runs under .redrain/runs with verdict and figures."""
    from scripts.commands.runs import run_list

    return run_list(limit, json)


@runs.command("show")
def show_run(run: _Run = None, json: Json = None) -> int:
    """Show a run's verdict and figures."""
    from scripts.commands.runs import run_show

    return run_show(run, json)


@runs.command("open")
def open_run(run: _Run = None) -> int:
    """Open a run's report in a browser."""
    from scripts.commands.runs import run_open

    return run_open(run)


@runs.command()
def trend(
    metric: Annotated[str, typer.Argument(help="A metric, or its part: grabs_per_second, grab_latency_ms.p99.")],
    scenario: Annotated[str | None, typer.Option(help="Scenario of the runs (default: the newest run's).")] = None,
    html: _Html = None,
    json: Json = None,
) -> int:
    """Show how a figure went over the runs of the newest run's kind, and where it changed."""
    from scripts.commands.runs import run_trend

    return run_trend(metric, scenario, html, json)


@runs.command()
def prune(
    keep: Annotated[int, typer.Option(help="How many of the newest runs to keep.", min=0, max=NUMBER_MAX)] = 10,
    json: Json = None,
) -> int:
    """Remove the folders of all but the newest runs under .redrain/runs."""
    from scripts.commands.runs import run_prune

    return run_prune(keep, json)
