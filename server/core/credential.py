"""A caller and its rights: a role, the name it acts in, and the things that it owns."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import checked_creator_id, checked_id
from server.core.orders.trail import checked_isv_id
from server.core.refusal import Refused


class Role(StrEnum):
    """The kind of a caller; everything that a role is not allowed is refused."""

    ADMIN = "admin"  # everything
    CREATOR = "creator"  # its own funds, packets and rooms
    VIEWER = "viewer"  # its own orders and packets, and joining rooms
    ISV = "isv"  # reports of logistics in its own name


_OWNS = {Role.CREATOR: "creator_id", Role.VIEWER: "viewer_id", Role.ISV: "isv_id"}
"""The field in which a role's things name their owner."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A role, and as its subject the id of a creator, viewer or ISV, or an administrator's name."""

    role: Role
    subject: str

    @classmethod
    def named(cls, role: str, subject: str) -> "Caller":
        """Return the caller of that role and name; raise Refused if the role or the name is not valid."""
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
            raise Refused("not_allowed", f"only for {who}, not for the role {self.role}")

    def check_owns(
        self, *, creator_id: str | None = None, viewer_id: str | None = None, isv_id: str | None = None
    ) -> None:
        """
        Raise Refused (``not_allowed``) unless the caller owns a thing; an administrator owns everything.

        The thing is named by all the owners it has: of an order the creator and the viewer may both be allowed to see
        it. A role that is not among its owners does not own it.
        """
        owners = {Role.CREATOR: creator_id, Role.VIEWER: viewer_id, Role.ISV: isv_id}
        if self.role is not Role.ADMIN and owners[self.role] != self.subject:
            raise Refused("not_allowed", f"a {self.role} may use only its own", field=_OWNS[self.role])

    def check_named(self, field: str, value: str) -> None:
        """
        Raise Refused (``not_allowed``) if a *field* of a request names a thing of another owner with the same role.

        That is ``creator_id`` or ``packet_id`` (which names its creator) for a creator, ``viewer_id`` for a viewer and
        ``isv_id`` for an ISV; other fields do not name an owner.
        """
        if self.role is Role.CREATOR and field == "packet_id":
            self.check_owns(creator_id=value.partition(".")[0])
        elif self.role is not Role.ADMIN and field == _OWNS[self.role] and value != self.subject:
            raise Refused("not_allowed", f"a {self.role} may name only itself", field=field)
