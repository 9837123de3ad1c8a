"""This server's rulebooks: every limit with its rule, and the places of entries on a platform's pages."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.core.credential import Role
from server.core.refusal import Refused
from server.core.rulebooks.page import Operation
from server.core.rulebooks.rulebook import Rulebook
from server.core.rulebooks.rulebook_view import limits_of

router = APIRouter(prefix="/api/rulebooks", tags=["rulebooks"], dependencies=[allowed_to(*Role)])


class LimitShown(BaseModel):
    """
    One field of a rulebook; ``value`` null is no limit. ``rules`` are ids of docs/rules.md.

    ``overridden`` is whether this deployment has changed the default value.
    """

    field: str
    value: Any
    unit: str
    rules: list[str]
    overridden: bool


class PlaceShown(BaseModel):
    """The place of an entry on the platform's own pages, in the source's words (DY-UI-1, DY-UI-2, KS-UI-1)."""

    what: str
    where: str
    rule: str


class AdviceShown(BaseModel):
    """A sentence for creators that forbids nothing (DY-LAU-10)."""

    text: str
    rule: str


class ListShown(BaseModel):
    """The column of operations in the platform's list of packets, and their names (DY-UI-3, KS-UI-2)."""

    column: str
    operations: list[Operation]
    rule: str


class RulebookShown(BaseModel):
    """A platform's limits, and the places of entries on its pages."""

    platform: str
    profile: str
    limits: list[LimitShown]
    places: list[PlaceShown]
    packet_list: ListShown
    advice: list[AdviceShown]


@router.get("")
async def list_rulebooks(state: WithState) -> list[RulebookShown]:
    """Show the rulebooks of all platforms on this server."""
    return [_shown(rulebook) for rulebook in state.rulebooks.values()]


@router.get("/{platform}", responses=problems(404, 422))
async def get(platform: str, state: WithState) -> RulebookShown:
    """Show the rulebook of one platform on this server."""
    if platform not in state.rulebooks:
        raise Refused("not_found", f"must be one of {', '.join(state.rulebooks)}", field="platform")
    return _shown(state.rulebooks[platform])


def _shown(rulebook: Rulebook) -> RulebookShown:
    page = rulebook.page
    return RulebookShown(
        platform=rulebook.platform,
        profile=rulebook.profile,
        limits=[
            LimitShown(
                field=limit.name, value=limit.value, unit=limit.unit, rules=[*limit.rules], overridden=limit.overridden
            )
            for limit in limits_of(rulebook)
        ],
        places=[
            PlaceShown(what=place.what, where=place.where, rule=rulebook.rule(place.rule)) for place in page.places
        ],
        packet_list=ListShown(
            column=page.list_column, operations=list(page.list_operations), rule=rulebook.rule(page.list_rule)
        ),
        advice=[AdviceShown(text=advice.text, rule=rulebook.rule(advice.rule)) for advice in page.advice],
    )
