"""An HTTP request of a scenario: a template that is filled in for a viewer and a moment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from loadtest.scenarios.target_spec import REQUEST, RequestSpec
from loadtest.targets.port import BadTarget
from loadtest.targets.service import KNOWN, Service
from loadtest.targets.template import Document, Template


@dataclass(frozen=True, slots=True)
class FilledRequest:
    """A request that can be sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class RequestTemplate:
    """One request of the scenario, at *service*. Raises BadTarget for a place that has no value there."""

    def __init__(self, spec: RequestSpec, service: Service, *, field: str, more: Collection[str] = ()) -> None:
        """*more* are the names that the login takes."""
        known = KNOWN | set(more)
        found = REQUEST.fullmatch(spec.request)
        assert found is not None
        self._service = service
        self._method = found[1]
        self._path = Template(service.base_path + found[2], field=f"{field}.request", known=known)
        self._headers = {
            name: Template(text, field=f"{field}.headers.{name}", known=known) for name, text in spec.headers.items()
        }
        self._json = None if spec.json_body is None else Document(spec.json_body, field=f"{field}.json", known=known)
        self._form = None if spec.form is None else Document(spec.form, field=f"{field}.form", known=known)
        self._body = None if spec.body is None else Template(spec.body, field=f"{field}.body", known=known)

    def filled(self, values: Mapping[str, object]) -> FilledRequest:
        """Return the request with *values*, the moment and the signature in its places."""
        now = {**values, **self._service.moment()}
        body, kind = self._body_of(now)
        now["body"] = body.decode()
        now["signature"] = self._service.signature(now)
        headers = {"Content-Type": kind} if kind else {}
        for name, template in self._headers.items():
            text = template.text(now)
            if "\r" in text or "\n" in text:
                raise BadTarget(f"headers.{name}: a header is one line")
            headers[name] = text
        return FilledRequest(self._method, self._path.url(now), headers, body)

    def _body_of(self, values: Mapping[str, object]) -> tuple[bytes, str]:
        if self._json is not None:
            return orjson.dumps(self._json.value(values)), "application/json"
        if self._form is not None:
            return urlencode(self._form.value(values)).encode(), "application/x-www-form-urlencoded"
        if self._body is not None:
            return self._body.text(values).encode(), "text/plain; charset=utf-8"
        return b"", ""
