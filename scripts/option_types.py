"""The options that several commands share, each with its type, its check and its help."""

from typing import Annotated

import typer

from loadtest.targets.credential import VARIABLE
from scripts.checked import checked_credential, checked_file

PROCESSES_MAX = 256
NUMBER_MAX = 2**53 - 1  # what every reader of JSON understands

Token = Annotated[
    str,
    typer.Option(
        callback=checked_credential, envvar=VARIABLE, help="An admin's credential, for a server without --insecure."
    ),
]
AllowRemote = Annotated[
    bool, typer.Option("--allow-remote", help="Allow a target of yours on another machine; needs --max-rate.")
]
MaxRate = Annotated[float | None, typer.Option(help="Most requests a second that the target gets.", max=NUMBER_MAX)]
CaFile = Annotated[
    str | None, typer.Option(help="File with the certificates to trust for https, instead of the system's.")
]
Json = Annotated[
    str | None, typer.Option(callback=checked_file, help="Write what it says as JSON to a file, or - for stdout.")
]
Viewers = Annotated[int | None, typer.Option(help="Size of the audience.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the audience.", min=0, max=NUMBER_MAX)]
Processes = Annotated[int | None, typer.Option(help="Processes of the swarm (default: as needed).", max=PROCESSES_MAX)]
Thresholds = Annotated[
    list[str] | None, typer.Option(help='"METRIC EXPRESSION", as "grab_latency_ms p(99) < 50"; repeat it for more.')
]
RaisedCounters = Annotated[
    list[str] | None, typer.Option(help="Work counter that may rise, as push_bytes; repeat it for more.")
]
LegLimits = Annotated[
    list[str] | None, typer.Option(help='Limit on the legs, as "cpu_us_per_grab <= 5 * yardstick_us"; repeat it.')
]
Speed = Annotated[int | None, typer.Option(help="Room seconds per real second.")]
DashboardPort = Annotated[
    int, typer.Option(help="Port of the dashboard on 127.0.0.1 (default: any free one).", min=0, max=65_535)
]
