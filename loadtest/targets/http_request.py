"""An HTTP request of a scenario: a template that is filled in for a viewer and a moment."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from loadtest.scenarios.target_spec import REQUEST, RequestSpec
from loadtest.targets.described_service import DescribedService
from loadtest.targets.port import BadTarget
from loadtest.targets.template import Document, Template

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True)
class FilledRequest:
    """A request that can be sent. The names of ``headers`` are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class HeaderTemplates:
    """The headers of a scenario. Raises BadTarget for one that no request may have, or that the tool sets itself."""

    def __init__(self, headers: Mapping[str, str], *, field: str, known: Collection[str]) -> None:
        self._templates: dict[str, Template] = {}
        self._field = field
        for name, text in headers.items():
            if not _NAME.fullmatch(name) or name.lower() in _OURS:
                raise BadTarget(f"{field}.{name}: is no header that a scenario may set")
            self._templates[name.lower()] = Template(text, field=f"{field}.{name}", known=known)

    def filled(self, values: Mapping[str, object]) -> dict[str, str]:
        """Return the headers with *values*. Raises BadTarget for one that would not stay one line."""
        filled = {name: template.text(values).strip() for name, template in self._templates.items()}
        for name, text in filled.items():
            if _CONTROL.search(text):
                raise BadTarget(f"{self._field}.{name}: has a line break or another control character: {text!r}")
        return filled


class RequestTemplate:
    """One request of the scenario, at *service*. Raises BadTarget for a place that is none of those *known*."""

    def __init__(self, spec: RequestSpec, service: DescribedService, *, field: str, known: Collection[str]) -> None:
        found = REQUEST.fullmatch(spec.request)
        assert found is not None
        self._service = service
        self._method = found[1]
        self._path = Template(service.base_path + found[2], field=f"{field}.request", known=known)
        self._headers = HeaderTemplates(spec.headers, field=f"{field}.headers", known=known)
        known = set(known) - {"signature"} if service.signs_body else known
        self._json = None if spec.json_body is None else Document(spec.json_body, field=f"{field}.json", known=known)
        self._form = None if spec.form is None else Document(spec.form, field=f"{field}.form", known=known)
        self._body = None if spec.body is None else Template(spec.body, field=f"{field}.body", known=known)

    def filled(self, values: Mapping[str, object]) -> FilledRequest:
        """Return the request with *values*, the moment and the signature in its places."""
        now = {**values, **self._service.moment()}
        if self._service.signs_body:
            body, kind = self._body_of(now)
            now["signature"] = self._service.signature({**now, "body": body.decode()})
        else:
            now["signature"] = self._service.signature(now)
            body, kind = self._body_of(now)
        headers = {"content-type": kind} if kind else {}
        return FilledRequest(self._method, self._path.url(now), headers | self._headers.filled(now), body)

    def _body_of(self, values: Mapping[str, object]) -> tuple[bytes, str]:
        if self._json is not None:
            return orjson.dumps(self._json.value(values)), "application/json"
        if self._form is not None:
            return urlencode(self._form.value(values)).encode(), "application/x-www-form-urlencoded"
        if self._body is not None:
            return self._body.text(values).encode(), "text/plain; charset=utf-8"
        return b"", ""
