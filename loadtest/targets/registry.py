"""The targets there are, by their kinds: the only place that knows their names."""

import inspect
from pathlib import Path
from typing import Any, cast

from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.described_service import DescribedService
from loadtest.targets.http import HttpTarget
from loadtest.targets.port import REDRAIN, BadTarget, Target
from loadtest.targets.reach import server_url
from loadtest.targets.redrain import RedrainTarget
from loadtest.targets.websocket import WebSocketTarget
from server.user_class import BadClass, import_class

SENTENCES = {
    REDRAIN: "this server: rooms over WebSocket, announcements, a programme, and books; the default",
    "http": "any HTTP service, described in the scenario: requests as templates, replies by JMESPath",
    "websocket": "any WebSocket service that speaks JSON, described in the scenario",
    "adapter": "a class of your own, package.module:Class (docs/targets.md)",
}
_METHODS = {"session": 2, "admit": 1}  # each with the arguments that it is called with


def hosts_of(text: str) -> list[str]:
    """Return the URLs of servers of ours in *text*, which has commas between them. Raises BadTarget."""
    return [server_url(host) for host in text.split(",")]


def target_of(
    scenario: Scenario | TargetScenario, *, host: str, access: Access = NOBODY, adapter: str = "", folder: Path
) -> Target:
    """
    Return what *scenario* aims at. Files that it names are looked up from *folder*. Raises BadTarget.

    *host* has the URLs of this server, or one for the service instead of the scenario's; *adapter* is a user's class
    instead of the scenario's own.
    """
    if isinstance(scenario, Scenario):
        return RedrainTarget(hosts_of(host), access, scenario.patience_ms)
    spec = scenario.target
    named = adapter or getattr(spec, "adapter", "")
    if not named and spec.kind == "adapter":
        raise BadTarget("target.adapter: name your class, package.module:Class, here or with --target-adapter")
    make = _adapter(named) if named else {"http": HttpTarget, "websocket": WebSocketTarget}[spec.kind]
    target = make(spec, packets=scenario.packets, base_url=host, folder=folder)
    if isinstance(target, DescribedService):
        target.check_users(scenario.audience.viewers)
    return cast(Target, target)


def kind_of(scenario: Scenario | TargetScenario, adapter: str = "") -> str:
    """Return by which name a run's folder remembers its target."""
    if isinstance(scenario, Scenario):
        return REDRAIN
    return adapter or getattr(scenario.target, "adapter", "") or scenario.target.kind


def _adapter(named: str) -> Any:
    try:
        found = import_class(named, Path.cwd())
    except BadClass as error:
        raise BadTarget(f"target-adapter: {error}") from None
    for method, arguments in _METHODS.items():
        if not _takes(getattr(found, method, None), arguments + 1):
            wanted = f"has no method {method} that takes {arguments} arguments"
            raise BadTarget(f"target-adapter: {named} {wanted} (docs/targets.md)")
    return found


def _takes(function: Any, arguments: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except (TypeError, ValueError):
        return False
    return True
