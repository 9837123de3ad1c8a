"""The ``redrain`` command: parses the command line, runs a command, and returns its exit code."""

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from loadtest.engines.lifeline import collect_seldom
from loadtest.verdict.weigh import Exit
from scripts.checked import checked_folder
from scripts.judging import judging
from scripts.option_types import (
    AllowRemote,
    CaFile,
    DashboardPort,
    Json,
    MaxRate,
    Processes,
    Seed,
    Speed,
    Thresholds,
    Token,
    Viewers,
)
from scripts.output import errors, failed, flushed, told_of, write_any_text
from scripts.recorded import recorded

ROUNDS_MAX = 1_000
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


store = typer.Typer()
app.add_typer(store, name="store")
app.add_typer(judging)
app.add_typer(recorded)

_errors = errors()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code (README.md)."""
    write_any_text()
    collect_seldom()
    try:
        code = app(args=arguments, standalone_mode=False)
    except typer.TyperException as error:
        if message := error.format_message():  # `redrain` alone has shown its help already
            _errors.print(f"[red]redrain:[/] {escape(message)} (see --help)")
        code = Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        _errors.print("redrain: interrupted")
        code = Exit.INTERRUPTED
    except BrokenPipeError:  # its reader, such as head, has read enough
        code = Exit.INTERRUPTED
    except OSError as error:
        code = failed(told_of(error), Exit.ENVIRONMENT)
    if not flushed():
        code = code or Exit.INTERRUPTED
    sys.exit(int(code or 0))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"redrain {metadata.version('redrain')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Simulate live rooms with red packets, and load-test them."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback only with --insecure.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one.")] = None,
    speed: Speed = None,
    origin_ms: Annotated[int | None, typer.Option(help="Room time at the start, in ms since 1970-01-01 UTC.")] = None,
    durability: Annotated[str | None, typer.Option(help="Durability of the store: none, relaxed or durable.")] = None,
    limits: Annotated[str | None, typer.Option(help="Connection and request limits: production, demo or load.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port.")] = None,
    home: Annotated[Path | None, typer.Option(callback=checked_folder, help="Folder of the embedded store.")] = None,
    retention_ms: Annotated[
        int | None, typer.Option(help="Real ms after which finished packets move to HOME/archive; 0 means never.")
    ] = None,
    rulebooks: Annotated[Path | None, typer.Option(help="TOML file that overrides limits or adds platforms.")] = None,
    diagnostics: Annotated[bool, typer.Option(help="Allow packets to choose an allocator; load tests only.")] = False,
    allocator: Annotated[
        str | None,
        typer.Option(help="Your package.module:Class that packets may choose; needs --diagnostics."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Require no credentials; listen on loopback only.")
    ] = False,
    reusable_tickets: Annotated[
        bool, typer.Option("--reusable-tickets", help="Let a ticket open a room again within its minute: load tests.")
    ] = False,
    guests: Annotated[
        bool,
        typer.Option("--guests", help="Admit viewers without a credential, who check out for themselves: for demos."),
    ] = False,
    guests_per_minute: Annotated[
        int | None, typer.Option(help="Most guests that one address may bring in a minute.")
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option(help="Addresses or networks, comma-separated, whose X-Forwarded-* are believed; * for all."),
    ] = None,
    allowed_hosts: Annotated[
        str | None,
        typer.Option(
            help="More names of this server, comma-separated; *.NAME for all under one, * behind a proxy that checks."
        ),
    ] = None,
    allowed_origins: Annotated[
        str | None, typer.Option(help="Other origins whose pages may use this server, comma-separated.")
    ] = None,
    dashboard_url: Annotated[
        str | None, typer.Option(help="URL of a dashboard of this server, to which its page /dashboard leads.")
    ] = None,
    witness: Annotated[bool | None, typer.Option(hidden=True)] = None,
    ready_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> int:
    """Serve the HTTP API and WebSocket rooms on one port."""
    options = dict(locals())  # each is named as the setting that it gives; what is not given is left to the environment
    from scripts.commands.serve import run_server

    del options["ready_file"]
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    return run_server(given, ready_file, _errors)


@store.callback(invoke_without_command=True)
def run_the_store(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65_535)] = 7001,
    durability: Annotated[str, typer.Option(help="Durability of the store: none, relaxed or durable.")] = "durable",
    home: Annotated[Path, typer.Option(callback=checked_folder, help="Folder of the store.")] = Path(".redrain"),
) -> int:
    """Run the bundled store alone, for several servers on one store."""
    if context.invoked_subcommand is not None:
        return 0
    from scripts.commands.serve import run_store

    return run_store(port, durability, home, _errors)


@store.command()
def accept_loss(
    home: Annotated[Path, typer.Option(callback=checked_folder, help="Home folder of the server.")] = Path(".redrain"),
    accept: Annotated[
        bool, typer.Option("--accept", help="Go on without what is missing; it may be given to others.")
    ] = False,
    json: Json = None,
) -> int:
    """Show what the store lacks of what a home's server has acknowledged; with --accept, go on without it."""
    from scripts.commands.accept_loss import run_accept_loss

    return run_accept_loss(home, json, accept=accept)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="admin, creator, viewer or isv.")],
    subject: Annotated[str, typer.Option(help="The creator's, viewer's or ISV's id; an administrator's name.")],
    expires_s: Annotated[int, typer.Option(help="How long it is valid, in seconds.")] = 3600,
    json: Json = None,
) -> int:
    """Print a credential for the API, signed with REDRAIN_SECRET."""
    from scripts.commands.token import run_token

    return run_token(role, subject, expires_s, json)


@app.command()
def storm(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a TOML file.")] = "evening",
    viewers: Viewers = None,
    allocator: Annotated[
        str | None,
        typer.Option(help="Allocator: a name of `redrain allocators`, or your package.module:Class."),
    ] = None,
    seed: Seed = None,
    speed: Speed = None,
    durability: Annotated[str, typer.Option(help="none, relaxed or durable.")] = "durable",
    target: Annotated[
        list[str] | None, typer.Option(help="Base URL of an existing server; repeat it for servers on one store.")
    ] = None,
    token: Token = "",
    ca_file: CaFile = None,
    workers: Annotated[int | None, typer.Option(help="Processes of the storm's own server.")] = None,
    engine: Annotated[str, typer.Option(help="Engine: locust, or swarm for a larger audience.")] = "locust",
    processes: Processes = None,
    target_adapter: Annotated[
        str, typer.Option(help="Your package.module:Class that speaks to the target of a target scenario.")
    ] = "",
    allow_remote: AllowRemote = False,
    max_rate: MaxRate = None,
    threshold: Thresholds = None,
    duration: Annotated[
        str | None, typer.Option(help="How long the programme goes on, as 90s, 30m or 2h, for scenarios with copies.")
    ] = None,
    allow_server_errors: Annotated[
        bool, typer.Option("--allow-server-errors", help="Let errors in the server's log stand in the result only.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(callback=checked_folder, help="Folder of the run (default .redrain/runs/<time>).")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show the run live on a dashboard; prints its URL.")] = False,
    watch_port: DashboardPort = 0,
    watch_stay: Annotated[
        float, typer.Option(help="Seconds to keep the dashboard after the verdict; Ctrl-C ends it.", min=0, max=86_400)
    ] = 0.0,
    json: Json = None,
) -> int:
    """
    Run a scenario, audit receipts against books, and report the verdict.

    Scenarios: smoke (seconds), evening (both rulebooks and a shop, 100 s), stampede, rain, many-rooms, store-dies,
    worker-dies, soak (minutes, --duration for hours), hostile, locust; your own is a TOML file (docs/scenario.md).

    Exit codes: 0 pass; 10 an invariant is violated; 11 a regression; 12 a threshold is missed; 20 unknown: the run
    could not tell; 30 environment: the message says what to do; 64 wrong usage; 130 interrupted.
    """
    options = dict(locals())
    from scripts.commands.storm import run_storm
    from scripts.commands.storm_options import StormOptions

    return run_storm(StormOptions(**options))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the pages; 0 takes any free one.", min=0, max=65_535)] = 8000,
    viewers: Annotated[int, typer.Option(help="Simulated viewers, over all rooms.", min=30, max=5_000)] = 300,
    speed: Annotated[int, typer.Option(help="Room seconds per real second.", min=1, max=240)] = 60,
    rooms: Annotated[int, typer.Option(help="How many of the three rooms.", min=1, max=3)] = 3,
    lang: Annotated[str, typer.Option(help="Language of what it says here: en or zh.")] = "en",
    lan: Annotated[bool, typer.Option("--lan", help="Let phones of your network look and play, by a QR code.")] = False,
    lan_address: Annotated[str, typer.Option(help="This machine's address for --lan (default: found out).")] = "",
    once: Annotated[bool, typer.Option("--once", help="Show the programme once, and check that it was.")] = False,
) -> int:
    """
    Show live rooms on the screen: a phone's view, the host's console and a dashboard, with an audience.

    Exit codes: 0 stopped, or everything was shown once; 10 something was not; 30 environment; 64 wrong usage; 130
    interrupted before the end of --once.
    """
    options = dict(locals())
    from scripts.commands.demo import DemoOptions, run_demo

    return run_demo(DemoOptions(**options))


@app.command()
def swarm(
    target: Annotated[str, typer.Option(help="Base URL of the server.")] = "http://127.0.0.1:8000",
    scenario: Annotated[str, typer.Option(help="A shipped scenario's name, or a TOML file.")] = "locust",
    viewers: Viewers = None,
    seed: Seed = None,
    history: Annotated[
        Path | None, typer.Option(callback=checked_folder, help="Folder for the audience's history.")
    ] = None,
    processes: Processes = None,
    directed: Annotated[bool, typer.Option("--directed", help="Create no rooms or packets, only join rooms.")] = False,
    token: Token = "",
    ca_file: CaFile = None,
    allow_remote: AllowRemote = False,
    max_rate: MaxRate = None,
    master: Annotated[
        str | None, typer.Option(help="HOST[:PORT] of a Locust master to work for, instead of a run of its own.")
    ] = None,
    json: Json = None,
) -> int:
    """Run only the audience, against an existing server; or be a worker of a Locust master."""
    options = dict(locals())
    del options["master"]
    from scripts.commands.swarm import Visit, run_swarm

    if master is not None:
        from scripts.commands.swarm_join import run_worker

        return run_worker(Visit(**options), master)
    return run_swarm(Visit(**options))


@app.command()
def watch(
    target: Annotated[str, typer.Option(help="Base URL of the server.")] = "http://127.0.0.1:8000",
    port: DashboardPort = 0,
    token: Token = "",
    ca_file: CaFile = None,
    home: Annotated[
        Path | None, typer.Option(help="Folder of the server's embedded store on this machine, to show how it is.")
    ] = None,
) -> int:
    """Show a running server live on a dashboard: rooms, grabs, packets, money, and whether its books add up."""
    from scripts.commands.watch import run_watch

    return run_watch(target, port, token, ca_file, home)


@app.command()
def bench(
    what: Annotated[
        str,
        typer.Argument(
            help="grab: the grab path over WebSocket; workers: the same with two workers; slow-readers: with "
            "10% slow consumers; allocators: correctness and cost of each built-in allocator; quotes: viewers with "
            "many packets; audit: runs of millions of taps; watch: a storm with a dashboard; witness: with and "
            "without the witness."
        ),
    ] = "grab",
    rounds: Annotated[int, typer.Option(help="Rounds of all subjects, interleaved.", min=1, max=ROUNDS_MAX)] = 5,
    no_targets: Annotated[bool, typer.Option("--no-targets", help="Exit with 0 also if a target is missed.")] = False,
    operations: Annotated[
        list[int] | None,
        typer.Option(help="With audit: taps of a run (default 1.25, 2.5 and 5 million); repeat it.", min=1, max=10**9),
    ] = None,
    json: Json = None,
) -> int:
    """Measure performance as ratios between subjects; exit with 12 if a target is missed."""
    from scripts.commands.bench import run_bench

    return run_bench(what, rounds, json, no_targets=no_targets, operations=operations or ())


@app.command()
def targets(json: Json = None) -> int:
    """List the kinds of targets of a storm."""
    from scripts.commands.targets import run_targets

    return run_targets(json)


@app.command()
def allocators(json: Json = None) -> int:
    """List the built-in allocators."""
    from scripts.commands.allocators import run_allocators

    return run_allocators(json)


@app.command()
def metrics(json: Json = None) -> int:
    """List every metric with its unit and meaning, and what a threshold may ask of it."""
    from scripts.commands.metrics import run_metrics

    return run_metrics(json)


@app.command()
def rules(
    platform: Annotated[str | None, typer.Option(help="Show the limits of this platform instead.")] = None,
    rulebooks: Annotated[Path | None, typer.Option(help="TOML file as for serve; needs --platform.")] = None,
    ran: Annotated[bool, typer.Option("--ran", help="Also require that all tests of rules have passed.")] = False,
    json: Json = None,
) -> int:
    """Show the code and the tests of every rule of docs/rules.md; exit with 10 if one has none."""
    from scripts.commands.rule_coverage import run_rules
    from scripts.commands.rulebook import run_rulebook

    return run_rules(must_run=ran, json=json) if platform is None else run_rulebook(platform, json, rulebooks)


if __name__ == "__main__":
    main()
