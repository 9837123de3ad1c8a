"""Drafts of how a service is spoken to, and the two files that are made of them for its repository."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any, NamedTuple

import jinja2

from scripts.adoption.names import VIEWER

SCENARIO = "redrain.toml"
WORKFLOW = ".github/workflows/redrain.yml"
ACTION = "OWNER/redrain@main"
STANDARD = {429: "rate_limited", 503: "unavailable"}  # of HTTP itself; all others are the service's own
TAB, COMMENTS_AT = "\t", 49  # between a line of a template and its comment
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class RequestDraft(NamedTuple):
    """A request: method and path, headers, and its JSON, if it has any."""

    request: str
    headers: Mapping[str, str]
    json: Any


class ReceiptDraft(NamedTuple):
    """Where a grab's answer holds what; "" where that is not known."""

    status: str = ""
    words: Mapping[str, list[str | int]] = {}
    amount_fen: str = ""
    claim_id: str = ""


@dataclass(slots=True)
class Adoption:
    """All that the files say; what nobody has told has a value that is plainly an example."""

    kind: str = "http"
    base_url: str = "http://127.0.0.1:8000"
    start: str = "./serve"
    action: str = ACTION
    packet_id: str = "p1"
    share_count: int = 100
    viewers: int = 500
    login: RequestDraft | None = None
    token: str = "token"  # noqa: S105 - where it is, in the login's answer
    grab: RequestDraft = field(
        default_factory=lambda: RequestDraft(
            "POST /packets/{packet}/grab", {}, {"user": "{viewer}", "request_id": "{request_id}"}
        )
    )
    receipt: ReceiptDraft = field(default_factory=ReceiptDraft)
    http: Mapping[int, str] = field(default_factory=lambda: dict(STANDARD))
    unclear: Mapping[int, str] = field(default_factory=dict)
    not_texts: list[str] = field(default_factory=list)

    @property
    def names_viewer(self) -> bool:
        """Tell whether the service learns who grabs; without that a storm refuses the scenario."""
        return self.kind != "http" or self.login is not None or VIEWER in str(self.grab)

    @property
    def tells_exhausted(self) -> bool:
        """Tell whether a word or a code says that nothing is left."""
        return "exhausted" in {*self.receipt.words, *self.http.values()}

    @property
    def named(self) -> "Adoption":
        """Return the same with a name in the grab, if it has none: what else is wrong with it can be said then."""
        if self.names_viewer:
            return self
        return replace(self, grab=self.grab._replace(headers={**self.grab.headers, "X-Viewer": VIEWER}))

    def files(self) -> dict[str, str]:
        """Return the text of each file by its path in the repository."""
        return {SCENARIO: _filled(f"{self.kind}.toml", self), WORKFLOW: _filled("workflow.yml", self)}


def toml(value: Any) -> str:
    """Return a value of JSON as TOML, in one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(str(name))} = {toml(each)}" for name, each in value.items() if each is not None)
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) else toml(name)


def _filled(template: str, adoption: Adoption) -> str:
    # Both files have braces of their own.
    jinja = jinja2.Environment(  # noqa: S701 - neither is HTML
        variable_start_string="<<", variable_end_string=">>", block_start_string="<%", block_end_string="%>",
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    jinja.filters["toml"] = toml  # a text of TOML, in double quotes, is one of YAML too
    text = (resources.files("scripts") / "adoption" / "templates" / f"{template}.jinja").read_text("utf-8")
    lines = jinja.from_string(text).render(it=adoption).splitlines()
    return "".join(f"{_aligned(*line.partition(TAB))}\n" for line in lines)


def _aligned(line: str, tab: str, comment: str) -> str:
    """Return a line with its comment in the column of all others; values have no tab, which JSON writes otherwise."""
    return f"{line:<{COMMENTS_AT - 1}} {comment}" if tab else line
