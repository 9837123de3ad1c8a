"""The parts that targets of other services share: where they are, who their users are, and values of templates."""

import base64
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from client_sim.viewer import Viewer
from loadtest.scenarios.target_scenario import DeclaredPacket
from loadtest.scenarios.target_spec import TargetSpec
from loadtest.targets.port import Address, BadTarget
from loadtest.targets.reach import address_of
from loadtest.targets.template import Template, Values
from loadtest.targets.users import read_users
from server.core.ids import PacketId, ViewerId

GRAB_PLACES = frozenset({"packet", "request_id"})
_MOMENT_PLACES = frozenset({"timestamp_ms", "timestamp_s", "nonce"})
_NS_PER_MS = 1_000_000


class DescribedService:
    """
    A service as a scenario describes it. *base_url* is used instead of the scenario's own if it is given.

    Files are looked up from *folder*. ``run_places`` are the places of templates that have a value in every request,
    ``viewer_places`` those of a viewer's. A subclass gives sessions. Raises BadTarget.
    """

    needs_admission = False

    def __init__(self, spec: TargetSpec, *, packets: Sequence[DeclaredPacket], base_url: str, folder: Path) -> None:
        self._values: dict[ViewerId, dict[str, object]] = {}
        self.packet_ids = [PacketId(packet.packet_id) for packet in packets]
        url = base_url or spec.base_url
        if not url:
            raise BadTarget("target: give base_url in the scenario, or --target URL")
        ca_file = None if spec.ca_file is None else str(folder / spec.ca_file)
        self.addresses: Sequence[Address] = [address_of(url, ca_file)]
        self.base_path = self.addresses[0].path
        self._users = None if spec.users is None else read_users(folder / spec.users)
        columns = set() if self._users is None else set(self._users[0]).intersection(*self._users)
        self.run_places = _MOMENT_PLACES if spec.sign is None else _MOMENT_PLACES | {"signature"}
        self.viewer_places = self.run_places | columns | {"viewer"}
        self._viewer = Template(spec.viewer, field="target.viewer", known={"viewer", *columns})
        self._sign = spec.sign
        self._text: Template | None = None
        if spec.sign is not None:
            known = (self.viewer_places | GRAB_PLACES | set(taken_by_login(spec)) | {"body"}) - {"signature"}
            self._text = Template(spec.sign.text, field="target.sign.text", known=known)

    @property
    def signs_body(self) -> bool:
        """Tell whether the signature is of the body, which then cannot hold it."""
        return self._text is not None and "body" in self._text.names

    def admit(self, viewer: Viewer) -> None:
        """Nobody is admitted before the connection."""

    def check_users(self, viewers: int) -> None:
        """Raise BadTarget if users are fewer than viewers, or if two viewers have one name: they would count as one."""
        if self._users is not None and len(self._users) < viewers:
            raise BadTarget(f"target.users: has {len(self._users)} rows, but there are {viewers} viewers")
        first: dict[ViewerId, int] = {}
        for number in range(viewers):
            name = self._named(number)
            if name in first:
                raise BadTarget(f"target.viewer: viewers {first[name]} and {number} are both called {name!r}")
            first[name] = number

    def name_of(self, viewer_id: ViewerId) -> ViewerId:
        """Return what the service calls a viewer, ``v0``, ``v1`` and so on of the audience."""
        number = int(viewer_id.removeprefix("v"))
        name = self._named(number)
        self._values[name] = {**self._row(number), "viewer": name}
        return name

    def values_of(self, name: ViewerId) -> dict[str, object]:
        """Return the values of templates for a viewer by its name here."""
        return {"viewer": name, **self._values.get(name, {})}

    def moment(self) -> dict[str, object]:
        """Return the values that are new with each request."""
        now_ms = time.time_ns() // _NS_PER_MS
        return {"timestamp_ms": now_ms, "timestamp_s": now_ms // 1_000, "nonce": secrets.token_hex(8)}

    def signature(self, values: Values) -> str:
        """Return the HMAC that the scenario asks for, or nothing; a place that a request has no value for is empty."""
        if self._sign is None or self._text is None:
            return ""
        text = self._text.text({**dict.fromkeys(self._text.names, ""), **values})
        digest = hmac.new(self._sign.key.encode(), text.encode(), self._sign.algorithm)
        return digest.hexdigest() if self._sign.encoding == "hex" else base64.b64encode(digest.digest()).decode()

    def _named(self, number: int) -> ViewerId:
        return ViewerId(self._viewer.text({**self._row(number), "viewer": f"v{number}"}))

    def _row(self, number: int) -> Mapping[str, object]:
        return {} if self._users is None else self._users[number % len(self._users)]


def taken_by_login(spec: TargetSpec) -> Mapping[str, str]:
    """Return what the login takes, by its name in templates: paths into the answer; nothing without a login."""
    login = getattr(spec, "login", None)
    return {} if login is None else login.take
