"""
A swarm as a worker of a Locust master: Locust's own runner speaks with the master, and child processes do the work.

This process runs on gevent and has no viewers. Those are in the children, on uvloop.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import locust  # before requests: it patches the modules that requests uses
import locust.stats
import psutil
from locust.env import Environment
from locust.log import setup_logging
from locust.rpc import Message
from locust.runners import WorkerRunner

from loadtest.engines.audience import TICK_S
from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.locust_figures import refine_buckets
from loadtest.engines.swarm_crew import SwarmCrew
from loadtest.run.locust_record import HistoryKeeper
from loadtest.run.locust_service import StartSignal
from loadtest.run.provision import provision
from loadtest.scenarios.crowd_scenario import BadScenario
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import read_scenario
from loadtest.targets.access import Access
from loadtest.targets.credential import take_token
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import check_reach
from loadtest.verdict.weigh import Exit

WORKERS_MAX = 16  # with a master whose locustfile is not ours nobody says how many workers share the seats
_FAILURES = (BadScenario, BadTarget, ProcessFailed, OSError)
_log = logging.getLogger("redrain")


class SwarmRunner(WorkerRunner):
    """Locust's worker, whose users are the viewers of a crew. *given* are the options of this worker's command line."""

    def __init__(self, environment: Environment, master_host: str, master_port: int, given: argparse.Namespace) -> None:
        self._given = given
        self._crew: SwarmCrew | None = None
        self._counts: dict[str, int] = {}
        self._histories: list[Path] | None = []  # None while a crew writes them
        self._told_ready = False
        super().__init__(environment, master_host, master_port)
        self._keeper = HistoryKeeper(self, lambda: self._histories)
        self._signal = StartSignal(self, self._seen, worker=True)
        environment.events.test_stop.add_listener(
            lambda **_: self._send_stats()  # the last ones, in time
        )
        environment.events.spawning_complete.add_listener(lambda **_: self._have(complete=True))
        self.greenlet.spawn(self._keep)

    @property
    def user_classes_count(self) -> dict[str, int]:
        """Return how many viewers stand for each class of users that the master knows."""
        return dict(self._counts)

    @property
    def user_count(self) -> int:
        """Return how many viewers there are."""
        return sum(self._counts.values())

    def start_worker(self, user_classes_count: dict[str, int], **_: Any) -> None:
        """Have as many viewers as the master asks for, of whatever class."""
        self.target_user_classes_count = user_classes_count
        self.target_user_count = sum(user_classes_count.values())
        try:
            if self._crew is None:
                self._crew, self._histories = self._begin(), None
        except _FAILURES as error:
            self._fail(error)
            return
        self._counts = dict(user_classes_count)
        self._have(complete=False)
        self.spawning_complete(self.user_count)
        self.update_state("running")

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Have all viewers leave: Locust calls it when the run is stopped."""
        crew, self._crew = self._crew, None  # nobody else looks at its processes while they end
        if crew is not None:
            crew.stop()
            crew.pour(self.stats)
            crew.close()
            self._histories = crew.histories
        self._counts = dict.fromkeys(user_classes_stop_count, 0)

    def monitor_cpu_and_memory(self) -> None:
        """Tell the master of the busiest process of the crew, and of the memory of all."""
        known: dict[int, psutil.Process] = {}
        while True:
            gevent.sleep(TICK_S * 20)
            pids = [] if self._crew is None else self._crew.pids
            with suppress(psutil.Error):  # it has just ended
                known = {pid: known.get(pid) or psutil.Process(pid) for pid in (os.getpid(), *pids)}
                self.current_cpu_usage = max(each.cpu_percent() for each in known.values())
                self.current_memory_usage = sum(each.memory_info().rss for each in known.values())

    def _begin(self) -> SwarmCrew:
        """Start the processes of a run, by the master's options. Raises BadScenario, BadTarget or ProcessFailed."""
        given, self._told_ready = self._given, False
        name = self._told("scenario") or given.scenario
        wanted = {each: self._told(each) or None for each in ("seed", "reaction_median_ms")}
        scenario = read_scenario(name).before(**wanted)
        url = scenario.target.base_url if not isinstance(scenario, Scenario) else given.target
        host = self.environment.host or url or ""
        check_reach(host.split(","), allow_remote=given.allow_remote, max_rate=given.max_rate)
        provisioned = provision(scenario, engine="swarm", processes=given.processes, target=host)
        folder = self._keeper.folder(self.environment.parsed_options) if self._told("history_folder") else None
        seats = self._told("audience_seats") or self.target_user_count
        order = CrowdOrder(
            host=host,
            scenario=name,
            viewers=seats,
            seats=seats,
            arrivals_per_second=scenario.audience.arrivals_per_second,
            seed=scenario.seed,
            reaction_median_ms=scenario.audience.reaction_median_ms,
            access=Access(self._told("token") or given.token, self._told("ca_file") or given.ca_file),
            target_adapter=self._told("target_adapter") or "",
            max_rate=min(filter(None, (self._told("max_rate"), given.max_rate)), default=None),
        )
        ranks: dict[str, int] = self._told("audience_ranks") or {}
        part = (ranks.get(str(self.client_id), int(self.worker_index)), self._told("audience_parts") or WORKERS_MAX)
        return SwarmCrew(order, part=part, processes=provisioned.processes, history=folder)

    def _told(self, name: str) -> Any:
        """Return an option of the master, or None: its locustfile need not be ours."""
        return getattr(self.environment.parsed_options, name, None)

    def _have(self, *, complete: bool) -> None:
        if self._crew is not None:
            self._crew.have(self.user_count, complete=complete)

    def _keep(self) -> None:
        """Take the counts of the crew, and end with it if one of its processes fails."""
        while True:
            gevent.sleep(TICK_S)
            if (crew := self._crew) is None:
                continue
            try:
                crew.check()
                crew.pour(self.stats)
            except ProcessFailed as error:
                self._fail(error)
                return
            if crew.all_connected and not self._told_ready:
                self._told_ready = True
                if crew.histories:
                    self._signal.connected()
                else:
                    crew.start()

    def _seen(self) -> Any:
        histories = [] if self._crew is None else self._crew.histories
        return SimpleNamespace(history_path=histories[0], start_ns=None) if histories else None

    def _fail(self, error: Exception) -> None:
        """Tell the master what went wrong, and end."""
        _log.error("%s", error)
        self.client.send(Message("exception", {"msg": str(error), "traceback": ""}, self.client_id))
        code = error.exit_code if isinstance(error, ProcessFailed) else Exit.USAGE
        self.environment.process_exit_code = int(Exit.ENVIRONMENT if isinstance(error, OSError) else code)
        gevent.spawn(end, self.environment)


def end(environment: Environment) -> None:
    """Tell the master that this worker leaves, and leave."""
    environment.events.quitting.fire(environment=environment, reverse=True)
    if environment.runner is not None:
        environment.runner.quit()


def _told_to_end(environment: Environment, waiting: gevent.Greenlet) -> None:
    if environment.runner is None:  # no master has answered yet
        gevent.kill(waiting, SystemExit(int(Exit.INTERRUPTED)))
    else:
        gevent.spawn(end, environment)


def main(arguments: Sequence[str] | None = None) -> int:
    """Join a master and work until it says that it is over; return the exit code."""
    given = _options(arguments)
    given.token = "" if given.token_file is None else take_token(given.token_file)
    setup_logging("INFO")
    refine_buckets(locust.stats)
    options = argparse.Namespace(web_base_path="", tags=None, exclude_tags=None)
    environment = Environment(events=locust.events, parsed_options=options)
    environment.stats = locust.stats.RequestStats(use_response_times_cache=False)
    gevent.signal_handler(signal.SIGTERM, _told_to_end, environment, gevent.getcurrent())
    try:
        runner = environment._create_runner(SwarmRunner, given.master_host, given.master_port, given)
    except OSError:
        _log.error("master: nobody answers at %s:%s", given.master_host, given.master_port)
        return int(Exit.ENVIRONMENT)
    with suppress(KeyboardInterrupt):
        runner.greenlet.join()
    end(environment)
    return environment.process_exit_code or 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="swarming", description=__doc__)
    parser.add_argument("--master-host", required=True)
    parser.add_argument("--master-port", type=int, required=True)
    parser.add_argument("--target", default="", help="Used if the master names no host.")
    parser.add_argument("--scenario", default="locust", help="Used if the master's locustfile is not ours.")
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--allow-remote", action="store_true")
    parser.add_argument("--max-rate", type=float, default=None)
    parser.add_argument("--ca-file", default=None)
    parser.add_argument("--token-file", type=Path, default=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
