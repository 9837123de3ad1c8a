"""The process that leads a Locust run: it sets the run up, performs its programme, and completes its record."""

import logging
from collections.abc import Callable
from typing import Any

import gevent
import requests

from loadtest.run.audience_record import call_off, keep_ours
from loadtest.run.books_reader import BooksReader
from loadtest.run.director import Director
from loadtest.run.locust_record import HistoryCollector, LocustRecord, let_workers_leave, wait_for_workers
from loadtest.run.locust_service import ServiceRun, StartSignal
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.targets.access import Access
from loadtest.targets.port import BadTarget
from loadtest.targets.registry import hosts_of
from loadtest.targets.requester import Requester, SetUpFailed
from loadtest.verdict.weigh import Exit

ARRIVAL_TIMEOUT_S = 30.0  # the programme starts then, even if some viewers are not connected
LOOK_EVERY_S = 0.1
LINGER_S = 1.0  # after the programme: the last facts are still being delivered
PROGRAMME_ENDS_S = 60.0  # a request of the programme may be on its way when the run is stopped

_log = logging.getLogger("redrain")
_FAILURES = (SetUpFailed, BadTarget, requests.RequestException, OSError)


class LocustLeader:
    """One run of the only process or of the master. *all_there* tells whether every viewer is connected."""

    def __init__(self, environment: Any, all_there: Callable[[], bool], record: LocustRecord | None) -> None:
        self.replaced = False  # by a later run of the web UI
        self.record = record
        self._environment = environment
        self._options = environment.parsed_options
        self._all_there = all_there
        self._directors: list[Director] = []
        self._service: ServiceRun | None = None
        self._programme: gevent.Greenlet | None = None
        self._over = self._completed = False

    def direct(self, scenario: Scenario) -> None:
        """Set the scenario up on our server, and perform it in a greenlet of its own."""
        director = self._director(scenario)
        try:
            Requester(self._host, access_of(self._options)).check_server()
            director.set_up()
        except _FAILURES as error:
            self._not_begun(error)
            return
        self._programme = gevent.spawn(self._perform, scenario, director)

    def serve(self, scenario: TargetScenario, signal: StartSignal) -> None:
        """Make the run's own requests of another service: those with a time in a greenlet of their own."""
        assert self.record is not None
        try:
            self._service = ServiceRun(scenario, self._options.scenario, self._environment.host or "")
            self._service.prepare()
        except _FAILURES as error:
            self._not_begun(error)
            return
        signal.begin()
        self._programme = gevent.spawn(self._follow, self._service, signal, self.record)

    def complete(self, collector: HistoryCollector | None) -> None:
        """Have the viewers of a master's workers leave, and complete the folder of the run, once."""
        record = self.record
        if self._completed:
            return
        self._completed = True
        runner = self._environment.runner
        workers = set(runner.clients) if collector is not None else set[str]()
        if collector is not None:
            let_workers_leave(runner)
        if record is not None:
            record.gather(collector)
        if collector is not None:
            wait_for_workers(runner, workers)
        if record is None:
            return
        if self._programme is not None and self._programme is not gevent.getcurrent():
            self._programme.join(PROGRAMME_ENDS_S)
        try:
            self._keep(record)
        except _FAILURES as error:
            _log.error("%s: the run cannot be judged: %s", record.folder.path, error)
            self._environment.process_exit_code = int(Exit.ENVIRONMENT)
        else:
            _log.info("redrain audit %s judges the run", record.folder.path)

    def _keep(self, record: LocustRecord) -> None:
        if self._service is not None:
            self._service.keep(record)
            return
        if self._directors:
            call_off(self._directors[-1], _log.warning, over=self._over)
        keep_ours(record.folder, record.facts, self._directors, BooksReader(self._host, access_of(self._options)))

    def _perform(self, scenario: Scenario, director: Director) -> None:
        """Perform the programme once, or repeatedly if the run has its own duration or a web UI to stop it."""
        self._wait_for_audience()
        try:
            director.perform(self._stopped)
            while not self._stopped() and (self._options.run_time or not self._options.headless):
                director = self._director(scenario)
                director.set_up()
                director.perform(self._stopped)
        except _FAILURES as error:
            if not self._stopped():
                self._give_up(error)
            return
        if not self._stopped():
            self._over = True
            gevent.sleep(LINGER_S)
            _log.info("the programme is over")
            self._environment.runner.quit()

    def _follow(self, service: ServiceRun, signal: StartSignal, record: LocustRecord) -> None:
        try:
            service.perform(signal, record, self._stopped)
        except _FAILURES as error:
            if not self._stopped():
                self._give_up(error)

    @property
    def _host(self) -> str:
        return hosts_of(self._environment.host)[0]

    def _director(self, scenario: Scenario) -> Director:
        viewers = self._environment.runner.target_user_count or self._options.num_users or 1
        self._directors.append(
            Director(self._host, scenario, viewers, _log.info, access=access_of(self._options)),
        )
        return self._directors[-1]

    def _stopped(self) -> bool:
        """Tell whether this run, not a later one, was asked to stop."""
        return self.replaced or self._environment.runner.state in ("stopping", "stopped", "cleanup")

    def _wait_for_audience(self) -> None:
        waited_s = 0.0
        while not self._stopped() and not self._all_there() and waited_s < ARRIVAL_TIMEOUT_S:
            gevent.sleep(LOOK_EVERY_S)
            waited_s += LOOK_EVERY_S

    def _not_begun(self, error: Exception) -> None:
        """End a run that could not be set up: nothing is recorded."""
        if self.record is not None:
            self.record.discard()
            self.record = None
        self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """End the run: it cannot go on without rooms and packets."""
        _log.error("%s: %s", self._environment.host, error)
        if self._options.headless:
            self._environment.process_exit_code = int(Exit.ENVIRONMENT)
            gevent.spawn(self._environment.runner.quit)
        else:
            gevent.spawn(self._environment.runner.stop)


def access_of(options: Any) -> Access:
    """Return the way into the server, by Locust's options."""
    return Access(options.token, options.ca_file)
