"""What the targets of other services share: where they are, who their users are, and the values of templates."""

import base64
import hmac
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from client_sim.viewer import Viewer
from loadtest.scenarios.target_scenario import DeclaredPacket
from loadtest.scenarios.target_spec import TargetSpec
from loadtest.targets.port import Address, BadTarget
from loadtest.targets.reach import address_of
from loadtest.targets.template import Template, Values
from loadtest.targets.users import read_users
from server.core.ids import PacketId, ViewerId

KNOWN = frozenset({"viewer", "packet", "request_id", "timestamp_ms", "timestamp_s", "nonce", "signature", "body"})
_NS_PER_MS = 1_000_000


class Service:
    """
    A service as a scenario describes it. *base_url* is used instead of the scenario's own if it is given.

    Files are looked up from *folder*. A subclass gives sessions. Raises BadTarget.
    """

    needs_admission = False

    def __init__(self, spec: TargetSpec, *, packets: Sequence[DeclaredPacket], base_url: str, folder: Path) -> None:
        self._values: dict[ViewerId, dict[str, object]] = {}
        self.packet_ids = [PacketId(packet.packet_id) for packet in packets]
        url = base_url or spec.base_url
        if not url:
            raise BadTarget("target: give base_url in the scenario, or --target URL")
        self.base_path = url.split("://", 1)[1].partition("/")[2].rstrip("/")
        self.base_path = f"/{self.base_path}" if self.base_path else ""
        self.addresses: Sequence[Address] = [
            address_of(url, None if spec.ca_file is None else str(folder / spec.ca_file))
        ]
        self._users = None if spec.users is None else read_users(folder / spec.users)
        self._viewer = Template(spec.viewer, field="target.viewer", known=("viewer",))
        self._sign = spec.sign
        self._text = None if spec.sign is None else Template(spec.sign.text, field="target.sign.text", known=KNOWN)

    def admit(self, viewer: Viewer) -> None:
        """Nobody is admitted before the connection."""

    def check_users(self, viewers: int) -> None:
        """Raise BadTarget if there are fewer users than viewers."""
        if self._users is not None and len(self._users) < viewers:
            raise BadTarget(f"target.users: has {len(self._users)} rows, but there are {viewers} viewers")

    def name_of(self, viewer_id: ViewerId) -> ViewerId:
        """Return what the service calls a viewer, ``v0``, ``v1`` and so on of the audience."""
        row = {} if self._users is None else self._users[int(viewer_id.removeprefix("v")) % len(self._users)]
        name = ViewerId(self._viewer.text({**row, "viewer": viewer_id}))
        self._values[name] = {**row, "viewer": name}
        return name

    def values_of(self, name: ViewerId) -> dict[str, object]:
        """Return the values of templates for a viewer by its name here."""
        return {"viewer": name, **self._values.get(name, {})}

    def moment(self) -> dict[str, object]:
        """Return the values that are new with each request."""
        now_ms = time.time_ns() // _NS_PER_MS
        return {"timestamp_ms": now_ms, "timestamp_s": now_ms // 1_000, "nonce": secrets.token_hex(8)}

    def signature(self, values: Values) -> str:
        """Return the HMAC that the scenario asks for, or nothing."""
        if self._sign is None or self._text is None:
            return ""
        digest = hmac.new(self._sign.key.encode(), self._text.text(values).encode(), self._sign.algorithm)
        return digest.hexdigest() if self._sign.encoding == "hex" else base64.b64encode(digest.digest()).decode()
