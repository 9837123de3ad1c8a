"""Runs a storm on another service, which a scenario with ``[target]`` describes."""

import shlex
from datetime import datetime

from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.audience_record import facts_of_audience
from loadtest.run.provision import provision
from loadtest.run.run_requests import RunRequests
from loadtest.run.target_storm import TargetPlan
from loadtest.scenarios.target_scenario import TargetScenario, folder_of
from loadtest.targets.port import BadTarget
from loadtest.targets.reach import check_reach
from loadtest.targets.registry import target_of
from scripts.commands.storm_options import StormOptions


def plan_target_storm(
    scenario: TargetScenario, folder: RunFolder, options: StormOptions, started: datetime
) -> tuple[TargetPlan, RunFacts]:
    """Return the plan and the facts of the run known so far. Raises BadTarget, BadScenario or ProcessFailed."""
    targets = options.target or ()
    if len(targets) > 1:
        raise BadTarget("target: a service has one URL; give --target once")
    host = targets[0] if targets else ""
    url = host or scenario.target.base_url
    target_of(scenario, host=host, adapter=options.target_adapter, folder=folder_of(options.scenario))
    RunRequests(scenario, base_url=url, folder=folder_of(options.scenario))  # what is wrong with them is said now
    check_reach([url], allow_remote=options.allow_remote, max_rate=options.max_rate)
    provisioned = provision(
        scenario, engine=options.engine, processes=options.processes, target=url, max_rate=options.max_rate
    )
    plan = TargetPlan(
        provisioned.scenario,
        options.scenario,
        folder,
        host=host,
        target_adapter=options.target_adapter,
        engine=options.engine,
        processes=provisioned.processes,
        max_rate=options.max_rate,
    )
    facts = facts_of_audience(
        provisioned.scenario,
        engine=options.engine,
        viewers=scenario.audience.viewers,
        seats=provisioned.seats,
        repeat_command=_command(scenario, options),
        processes=provisioned.processes,
        notes=provisioned.notes,
        target_adapter=options.target_adapter,
    )
    facts.started_at = started.isoformat(timespec="seconds")
    return plan, facts


def _command(scenario: TargetScenario, options: StormOptions) -> str:
    command = ["redrain", "storm", options.scenario, "--viewers", str(scenario.audience.viewers)]
    command += ["--seed", str(scenario.seed), "--engine", options.engine]
    for target in options.target or ():
        command += ["--target", target]
    if options.target_adapter:
        command += ["--target-adapter", options.target_adapter]
    if options.allow_remote:
        command += ["--allow-remote", "--max-rate", f"{options.max_rate:g}"]
    return shlex.join(command)
