"""The part of the command line that judges: what may land, and what a run was worth."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from loadtest.verdict.weigh import Exit
from scripts.checked import checked_folder, checked_path
from scripts.option_types import NUMBER_MAX, Json, LegLimits, RaisedCounters, Seed, Thresholds, Viewers
from scripts.output import failed

judging = typer.Typer()


@judging.command()
def gate(
    scenario: Annotated[
        str | None,
        typer.Argument(help="A shipped scenario's name, or a TOML file (default smoke); with --init a folder."),
    ] = None,
    base: Annotated[str, typer.Option(help="Git revision of this project to compare with.")] = "",
    base_command: Annotated[str, typer.Option(help="Shell command that starts your service as it was.")] = "",
    head_command: Annotated[str, typer.Option(help="Shell command that starts your service as it is.")] = "",
    base_url: Annotated[str, typer.Option(help="URL of your service as it was, if it runs already.")] = "",
    head_url: Annotated[str, typer.Option(help="URL of your service as it is, if it runs already.")] = "",
    slower: Annotated[float, typer.Option(help="By how many percent the head may be slower.", max=NUMBER_MAX)] = 3.0,
    budget: Annotated[
        float | None,
        typer.Option(help="Minutes for the comparison; 0 leaves it out (default: 1, of services 5).", max=NUMBER_MAX),
    ] = None,
    allow: RaisedCounters = None,
    threshold: Thresholds = None,
    limit: LegLimits = None,
    engine: Annotated[str, typer.Option(help="Engine of the storm: swarm or locust.")] = "swarm",
    viewers: Viewers = None,
    seed: Seed = None,
    target_adapter: Annotated[
        str, typer.Option(help="Your package.module:Class that speaks to the target of a target scenario.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(callback=checked_folder, help="Folder of the run (default .redrain/runs/<time>).")
    ] = None,
    junit: Annotated[Path | None, typer.Option(callback=checked_path, help="Write JUnit XML to a file.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(callback=checked_path, help="Append Markdown to a file (default: GitHub's step summary)."),
    ] = None,
    json: Json = None,
    init: Annotated[
        bool, typer.Option("--init", help="Write a scenario and a workflow into the folder of your repository.")
    ] = False,
    openapi: Annotated[str, typer.Option(help="With --init: your service's OpenAPI document, a file or a URL.")] = "",
    kind: Annotated[str, typer.Option(help="With --init: http or websocket.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="With --init: ask nothing, and take the defaults.")] = False,
) -> int:
    """
    Decide whether a change may land: correctness, work counters, and a paired comparison of its speed with a base.

    With --init nothing is gated: it asks, and writes redrain.toml and .github/workflows/redrain.yml.

    Exit codes: 0 pass; 10 an invariant is violated; 11 a regression; 12 a threshold is missed; 20 unknown: it could not
    be told; 30 nothing could be run; 64 wrong usage.
    """
    given = dict(locals())
    from scripts.commands.gate import run_gate
    from scripts.commands.gate_init import run_init
    from scripts.gate.options import GateOptions

    given["scenario"] = ("." if init else "smoke") if scenario is None else scenario
    options = GateOptions(**{each.name: given[each.name] for each in fields(GateOptions)})
    if init:
        return run_init(options, openapi, kind, yes=yes)
    if openapi or kind or yes:
        return failed("openapi, kind, yes: go with --init", Exit.USAGE)
    return run_gate(options)
