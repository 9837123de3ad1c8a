"""The API has the routers of all its modules."""

import importlib
import pkgutil

from fastapi import APIRouter

from server import api
from server.api.routers import PUBLIC_ROUTERS, ROUTERS


def test_no_router_is_left_out() -> None:
    """A module that makes a router has it in one of the two lists, once."""
    modules = [importlib.import_module(f"server.api.{each.name}") for each in pkgutil.iter_modules(api.__path__)]
    made = [module.router for module in modules if isinstance(getattr(module, "router", None), APIRouter)]
    listed = [*PUBLIC_ROUTERS, *ROUTERS]
    assert len(listed) == len({id(router) for router in listed})
    assert {id(router) for router in made} == {id(router) for router in listed}
