"""The environment of a run: machine, interpreter, libraries."""

from typing import Any

from loadtest.run.machine import SET, machine
from loadtest.targets.credential import VARIABLE as TOKEN
from server.settings import SERVER_VARIABLES, STORE_URL, our_variables
from server.store.connection import shown


def unfit_for_a_storm() -> list[str]:
    """Return the variables of ours that are set and that no storm uses."""
    return sorted(our_variables().keys() - {TOKEN, *SERVER_VARIABLES})


def environment(*, own_server: bool = False, token: bool = False) -> dict[str, Any]:
    """
    Return a description of this machine, of the libraries in use, and of the variables of ours that took part.

    *own_server* tells whether the run has one, which reads some; *token* whether a credential was shown.
    """
    used = {name: _shown(name, value) for name, value in our_variables().items() if name in SERVER_VARIABLES}
    used = (used if own_server else {}) | ({TOKEN: SET} if token else {})
    return machine(used)


def _shown(name: str, value: str) -> str:
    return shown(value) if name == STORE_URL else SET
