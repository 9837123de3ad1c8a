"""Callers: what each role may do, and that it may do nothing else."""

import pytest

from server.core.credential import Caller, Role
from server.core.refusal import Refused

ADMIN, ANNA = Caller(Role.ADMIN, "root"), Caller(Role.CREATOR, "anna")
VERA, WMS = Caller(Role.VIEWER, "vera"), Caller(Role.ISV, "wms")
EVERYBODY = (ADMIN, ANNA, VERA, WMS)


def test_a_role_that_is_not_allowed_is_refused() -> None:
    """A permission holds for exactly the named roles, administrators included."""
    for caller in EVERYBODY:
        caller.check_role(frozenset({caller.role}))
        with pytest.raises(Refused) as refused:
            caller.check_role(frozenset(Role) - {caller.role})
        assert refused.value.code == "not_allowed"
        with pytest.raises(Refused):
            caller.check_role(frozenset())


def test_each_role_owns_what_names_it() -> None:
    """A thing has up to three owners; of an administrator everything is."""
    for caller in EVERYBODY:
        caller.check_owns(creator_id="anna", viewer_id="vera", isv_id="wms")
    for others in ({}, {"creator_id": "bob"}, {"viewer_id": "anna"}, {"isv_id": "anna"}):
        ADMIN.check_owns(**others)
        with pytest.raises(Refused) as refused:
            ANNA.check_owns(**others)
        assert (refused.value.code, refused.value.field) == ("not_allowed", "creator_id")
    with pytest.raises(Refused):
        VERA.check_owns(creator_id="vera")
    with pytest.raises(Refused):
        WMS.check_owns(viewer_id="wms", creator_id="wms")


@pytest.mark.parametrize(
    ("caller", "field", "own", "others"),
    [
        (ANNA, "creator_id", "anna", ["bob", "", "anna ", "Anna"]),
        (ANNA, "packet_id", "anna.p1", ["bob.p1", "annabel.p1", ".anna", "", "ann"]),
        (VERA, "viewer_id", "vera", ["anna", ""]),
        (WMS, "isv_id", "wms", ["platform", ""]),
    ],
)
def test_a_request_may_only_name_its_caller(caller: Caller, field: str, own: str, others: list[str]) -> None:
    """Another one's id is refused by the field that names it, whoever it is."""
    caller.check_named(field, own)
    for other in others:
        ADMIN.check_named(field, other)
        with pytest.raises(Refused) as refused:
            caller.check_named(field, other)
        assert refused.value.code == "not_allowed"


def test_what_does_not_name_a_role_is_not_its_business() -> None:
    """A viewer may ask about a creator where it is let in at all."""
    VERA.check_named("creator_id", "anna")
    ANNA.check_named("viewer_id", "vera")
    WMS.check_named("order_id", "o1")


@pytest.mark.parametrize(
    ("role", "subject", "field"),
    [
        ("king", "anna", "role"),
        ("", "anna", "role"),
        ("creator", "an.na", "creator_id"),
        ("creator", "a" * 19, "creator_id"),
        ("viewer", "", "subject"),
        ("viewer", "a" * 37, "subject"),
        ("isv", "platform", "isv_id"),
        ("admin", "a b", "subject"),
    ],
)
def test_a_caller_has_a_role_and_a_name_that_it_can_have(role: str, subject: str, field: str) -> None:
    """No credential can be made for what could never own anything, nor for the platform's own word."""
    with pytest.raises(Refused) as refused:
        Caller.named(role, subject)
    assert refused.value.field == field


def test_a_caller_is_named() -> None:
    """Each role takes the ids that its things have."""
    for caller in EVERYBODY:
        assert Caller.named(str(caller.role), caller.subject) == caller
