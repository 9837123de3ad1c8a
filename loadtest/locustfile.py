"""
The locustfile: ``locust -f loadtest/locustfile.py --host http://127.0.0.1:8000``.

It creates its own rooms and packets over the API and runs the audience; with ``--directed`` only the audience.
``--host`` may name several servers of one store, separated by commas: each room's viewers spread over all.
"""

import sys
from pathlib import Path

# Our packages have common names: folders of the same name in the working directory must not shadow them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import time
from collections.abc import Sequence
from typing import Any

import flask
import gevent
import gevent.event
import locust  # before requests: it patches the modules that requests uses
import locust.runners
import locust.stats

from loadtest.engines.audience import TICK_S, Audience
from loadtest.engines.locust_figures import refine_buckets
from loadtest.engines.locust_users import ViewerUser
from loadtest.run.locust_leader import LocustLeader, access_of
from loadtest.run.locust_record import HistoryCollector, HistoryKeeper, LocustRecord, free_folder
from loadtest.run.locust_service import StartSignal
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario, folder_of, read_scenario
from loadtest.targets.credential import VARIABLE, take_token
from loadtest.targets.port import BadTarget, Target
from loadtest.targets.registry import hosts_of, target_of

__all__ = ["ViewerUser"]

DEFAULT_HOST = "http://127.0.0.1:8000"
EXIT_USAGE = 64

_runs = 0
_spawned = gevent.event.Event()
_keeper: HistoryKeeper | None = None  # of a worker
_collector: HistoryCollector | None = None  # of a master
_signal: StartSignal | None = None
_leader: LocustLeader | None = None  # of the run in a process that is no worker


@locust.events.init_command_line_parser.add_listener
def add_arguments(parser: Any) -> None:
    """Add our options to Locust's own."""
    parser.add_argument(
        "--token",
        default="",
        env_var=VARIABLE,
        is_secret=True,
        include_in_web_ui=False,
        help="An admin's credential, for a server without --insecure.",
    )
    group = parser.add_argument_group("redrain")
    group.add_argument("--scenario", default="locust", help="A shipped scenario's name, or a TOML file.")
    group.add_argument("--seed", type=int, default=None, help="Seed of the audience (default: the scenario's).")
    group.add_argument("--reaction-median-ms", type=int, default=None, help="Median reaction time, in real ms.")
    group.add_argument("--history", default="", help="New folder of the run, for redrain audit.")
    group.add_argument("--ca-file", default=None, help="Certificates to trust instead of the system's.")
    group.add_argument("--token-file", default="", help="File with the credential, read once.")
    group.add_argument("--target-adapter", default="", help="Your package.module:Class that speaks to the target.")
    group.add_argument("--max-rate", type=float, default=None, help="Most requests a second of this process.")
    group.add_argument(
        "--directed", action="store_true", help="Run only the audience; something else creates rooms and packets."
    )
    _refuse_on_worker([name for action in group._group_actions for name in action.option_strings])


def _refuse_on_worker(names: Sequence[str]) -> None:
    """Refuse our options on a worker's command line: a worker takes the master's, and would ignore its own."""
    given = [word for word in sys.argv if word.partition("=")[0] in names]
    if "--worker" in sys.argv and given:
        sys.stderr.write(f"{given[0]}: a worker takes it from its master; give it there\n")
        sys.exit(EXIT_USAGE)


@locust.events.init.add_listener
def check_options(environment: Any, **_: Any) -> None:
    """Refuse a bad scenario before anything starts."""
    global _keeper, _collector, _signal  # noqa: PLW0603 - Locust calls functions, and each process has one runner
    refine_buckets(locust.stats)
    worker = isinstance(environment.runner, locust.runners.WorkerRunner)
    _signal = StartSignal(environment.runner, lambda: ViewerUser.audience, worker=worker)
    if worker:
        _keeper = HistoryKeeper(environment.runner, _histories)
    elif isinstance(environment.runner, locust.runners.MasterRunner):
        _collector = HistoryCollector(environment.runner)
    if path := environment.parsed_options.token_file:
        environment.parsed_options.token = take_token(Path(path))
    if not worker:
        try:
            scenario = read_scenario(environment.parsed_options.scenario)
            if isinstance(scenario, Scenario):
                environment.host = environment.host or DEFAULT_HOST
                hosts_of(environment.host)
        except (BadScenario, BadTarget) as bad:
            sys.stderr.write(f"{bad}\n")
            sys.exit(EXIT_USAGE)
        if _records(options := environment.parsed_options) and free_folder(Path(options.history)).name == "run-2":
            sys.stderr.write(f"history: {options.history} is not empty; give an empty or new folder\n")
            sys.exit(EXIT_USAGE)
        if environment.web_ui is not None:
            environment.web_ui.app.before_request(lambda: _refuse_bad_form(environment))


def _refuse_bad_form(environment: Any) -> Any:
    """Answer a run that the web UI asks for and that cannot be, as Locust does: or else nobody would hear why."""
    if flask.request.method != "POST" or not flask.request.path.endswith("/swarm"):
        return None
    options = argparse.Namespace(**{**vars(environment.parsed_options), **flask.request.form.to_dict()})
    try:
        target_of(
            _scenario(options),
            host=options.host or environment.host or "",
            access=access_of(options),
            adapter=options.target_adapter,
            folder=folder_of(options.scenario),
        )
    except (BadScenario, BadTarget) as bad:
        return flask.jsonify({"success": False, "message": str(bad), "host": environment.host})
    return None


def _scenario(options: Any) -> Scenario | TargetScenario:
    """Return the scenario as the options change it; the web UI's are text, and empty if they are not given."""
    given = {"seed": options.seed, "reaction_median_ms": options.reaction_median_ms}
    wanted = {name: None if value == "" else value for name, value in given.items()}
    return read_scenario(options.scenario).before(**wanted)


@locust.events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """Create the rooms, unless a storm does, and start connecting viewers."""
    global _runs, _leader  # noqa: PLW0603 - the web UI starts several runs in one process
    options = environment.parsed_options
    scenario = _scenario(options)
    runner = environment.runner
    _spawned.clear()
    ViewerUser.viewers.clear()
    worker = isinstance(runner, locust.runners.WorkerRunner)
    if _leader is not None:
        _leader.replaced = True
    if not worker:
        options.history_folder, options.history_mark = options.history, ""
        record = LocustRecord(environment, scenario, free_folder(Path(options.history))) if _records(options) else None
        _leader = LocustLeader(environment, _all_there, record)
    if isinstance(runner, locust.runners.MasterRunner):
        workers = [*runner.clients.ready, *runner.clients.spawning, *runner.clients.running]
        options.audience_parts = len(workers)  # travels to the workers with the other options
        options.audience_ranks = {worker.id: rank for rank, worker in enumerate(workers)}
        options.audience_seats = runner.target_user_count or options.num_users or 1
        ViewerUser.audience = None
    else:
        ViewerUser.audience = audience = Audience(
            scenario,
            target=_target(scenario, options, environment.host or ""),
            seed=scenario.seed,
            folder=_history_folder(options),
            part=_part(runner, options) if worker else (0, 1),
            seats=options.audience_seats if worker else runner.target_user_count or options.num_users or 1,
            nth=_runs,
            directed=options.directed or (worker and bool(options.history_folder)),
            max_rate=options.max_rate,
        )
        gevent.spawn(_keep, audience, environment.stats)
    _runs += 1
    if _leader is None or options.directed:
        return
    if isinstance(scenario, Scenario):
        _leader.direct(scenario)
    elif _leader.record is not None and _signal is not None:
        _leader.serve(scenario, _signal)


def _histories() -> list[Path] | None:
    """Return the history of this process, or None until it is whole."""
    audience = ViewerUser.audience
    if audience is None:
        return []
    return [audience.history_path] if audience.finished and audience.history_path is not None else None


def _all_there() -> bool:
    """Tell whether every viewer of this process is in, or of a master's workers."""
    return _spawned.is_set() and (ViewerUser.audience is None or ViewerUser.audience.all_connected())


def _part(runner: Any, options: Any) -> tuple[int, int]:
    """Return which part of the audience this worker has: a number of those that were there at the start."""
    return options.audience_ranks.get(runner.client_id, runner.worker_index), options.audience_parts


def _records(options: Any) -> bool:
    """Tell whether the run leaves a record: a history is kept, and no storm keeps the rest."""
    return bool(options.history) and not options.directed


def _history_folder(options: Any) -> Path | None:
    """Return where this process writes its history."""
    if not options.history_folder:
        return None
    return Path(options.history_folder) if _keeper is None else _keeper.folder(options)


@locust.events.spawning_complete.add_listener
def mark_all_seated(**_: Any) -> None:
    """Record that every viewer is connected or connecting."""
    _spawned.set()
    if ViewerUser.audience is not None:
        ViewerUser.audience.all_seated()


@locust.events.test_stopping.add_listener
def stop_reconnecting(**_: Any) -> None:
    """Stop reconnecting viewers."""
    if ViewerUser.audience is not None:
        ViewerUser.audience.end()


@locust.events.quitting.add_listener
def update_figures(environment: Any, **_: Any) -> None:
    """Update the figures: Locust is about to decide on its exit code."""
    if ViewerUser.audience is not None:
        ViewerUser.audience.tick(environment.stats)


@locust.events.test_stop.add_listener
def finish(environment: Any, **_: Any) -> None:
    """Write the end of the history, as every viewer has left, and what else belongs to the record."""
    if ViewerUser.audience is not None:
        ViewerUser.audience.finish(environment.stats)
    if isinstance(environment.runner, locust.runners.WorkerRunner):
        environment.runner._send_stats()  # before the master takes it as stopped, and shows what it has
    if _leader is not None:
        _leader.complete(_collector)


def _target(scenario: Scenario | TargetScenario, options: Any, host: str) -> Target:
    """Return the target that viewers connect to; exit with a message if it is wrong."""
    try:
        return target_of(
            scenario,
            host=host,
            access=access_of(options),
            adapter=options.target_adapter,
            folder=folder_of(options.scenario),
        )
    except BadTarget as bad:
        sys.stderr.write(f"{bad}\n")
        sys.exit(EXIT_USAGE)


def _keep(audience: Audience, stats: Any) -> None:
    """Update files and figures until the audience has finished."""
    lag_ms, told = 0.0, _keeper is None
    while not audience.finished:
        audience.tick(stats, lag_ms)
        if packets := audience.announcements():
            ViewerUser.announce(packets)
        if not told and audience.all_connected() and _signal is not None:
            told = True
            _signal.connected()
        while audience.write():
            gevent.sleep(0)
        due = time.monotonic() + TICK_S
        gevent.sleep(TICK_S)
        lag_ms = max(0.0, (time.monotonic() - due) * 1000)
