"""Who is calling and what that one may do: a role, whose name it acts in, and the things that belong to it."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import checked_creator_id, checked_id
from server.core.orders.trail import checked_isv_id
from server.core.refusal import Refused


class Role(StrEnum):
    """What kind of caller it is; everything that is not allowed to a role is refused to it."""

    ADMIN = "admin"  # everything
    CREATOR = "creator"  # its own funds, packets and rooms
    VIEWER = "viewer"  # what is its own as a buyer, and the way into rooms
    ISV = "isv"  # reports of logistics in its own name


_OWNS = {Role.CREATOR: "creator_id", Role.VIEWER: "viewer_id", Role.ISV: "isv_id"}
"""The field by which a role's things name their owner."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a role, and as its subject the id of a creator, viewer or ISV, or an administrator's name."""

    role: Role
    subject: str

    @classmethod
    def named(cls, role: str, subject: str) -> "Caller":
        """Return the caller of that role and name; raise Refused if there is no such role or it has no such names."""
        if role not in set(Role):
            raise Refused("bad_field", f"must be one of {', '.join(Role)}", field="role")
        match Role(role):
            case Role.CREATOR:
                checked_creator_id(subject)
            case Role.ISV:
                checked_isv_id(subject)
            case _:
                checked_id("subject", subject)
        return cls(Role(role), subject)

    def check_role(self, allowed: frozenset[Role]) -> None:
        """Raise Refused (``not_allowed``) unless its role is among those *allowed*."""
        if self.role not in allowed:
            who = ", ".join(role for role in Role if role in allowed) or "nobody"
            raise Refused("not_allowed", f"this is for {who}, and not for the role {self.role}")

    def check_owns(
        self, *, creator_id: str | None = None, viewer_id: str | None = None, isv_id: str | None = None
    ) -> None:
        """
        Raise Refused (``not_allowed``) unless a thing is its own; of an administrator everything is.

        The thing is named by all the owners it has: of an order the creator and the viewer may both be allowed to see
        it. A role that is not among its owners does not own it.
        """
        owners = {Role.CREATOR: creator_id, Role.VIEWER: viewer_id, Role.ISV: isv_id}
        if self.role is not Role.ADMIN and owners[self.role] != self.subject:
            raise Refused("not_allowed", f"a {self.role} may only do this with its own", field=_OWNS[self.role])

    def check_named(self, field: str, value: str) -> None:
        """
        Raise Refused (``not_allowed``) if a *field* of a request names something of another one of its role.

        That is ``creator_id`` or ``packet_id`` (which names its creator) for a creator, ``viewer_id`` for a viewer and
        ``isv_id`` for an ISV; whatever has another name says nothing about its owner.
        """
        if self.role is Role.CREATOR and field == "packet_id":
            self.check_owns(creator_id=value.partition(".")[0])
        elif self.role is not Role.ADMIN and field == _OWNS[self.role] and value != self.subject:
            raise Refused("not_allowed", f"a {self.role} may only name itself", field=field)
