"""The part of the command line that judges: what may land, and what a run was worth."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.checked import checked_folder, checked_path
from scripts.option_types import NUMBER_MAX, Json, Seed, Viewers

judging = typer.Typer()


@judging.command()
def gate(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a TOML file.")] = "smoke",
    base: Annotated[str, typer.Option(help="Git revision of this project to compare with.")] = "",
    base_command: Annotated[str, typer.Option(help="Shell command that starts your service as it was.")] = "",
    head_command: Annotated[str, typer.Option(help="Shell command that starts your service as it is.")] = "",
    base_url: Annotated[str, typer.Option(help="URL of your service as it was, if it runs already.")] = "",
    head_url: Annotated[str, typer.Option(help="URL of your service as it is, if it runs already.")] = "",
    slower: Annotated[float, typer.Option(help="By how many percent the head may be slower.", max=NUMBER_MAX)] = 3.0,
    budget: Annotated[float, typer.Option(help="Minutes for the comparison; 0 leaves it out.", max=NUMBER_MAX)] = 5.0,
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
) -> int:
    """
    Decide whether a change may land: correctness, work counters, and a paired comparison of its speed with a base.

    Exit codes: 0 pass; 10 an invariant is violated; 11 a regression; 12 a threshold is missed; 20 unknown: it could not
    be told; 30 nothing could be run; 64 wrong usage.
    """
    options = dict(locals())
    from scripts.commands.gate import run_gate
    from scripts.gate.options import GateOptions

    return run_gate(GateOptions(**options))
