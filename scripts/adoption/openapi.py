"""Reads from an OpenAPI document how a service is probably spoken to: its grab, its login, its answers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scripts.adoption.drafts import ReceiptDraft, RequestDraft
from scripts.adoption.names import VIEWER, place_of, place_within
from scripts.adoption.outcomes import OutcomesDraft, outcomes_of

GRABS = ("grab", "claim", "snatch", "redeem", "receive", "抢", "领")
THINGS = ("coupon", "packet", "hongbao", "voucher", "envelope", "bonus", "gift", "红包", "券")
OTHERS = ("admin", "create", "launch", "refund", "cancel", "void", "withdraw", "config", "query", "list")
LOGINS = ("login", "signin", "sign-in", "token", "session", "authenticate", "登录")
STATUSES = ("status", "result", "code", "outcome", "state")
AMOUNTS = ("amount_fen", "fen", "cents", "amount_cents", "amount")
CLAIM_IDS = ("claim_id", "claimid", "record_id", "coupon_no", "id")
WORDS = {
    "repeated": re.compile(r"already|repeat|dup|again|claimed_before", re.IGNORECASE),
    "exhausted": re.compile(r"sold|empty|exhaust|gone|none_left|out_of|no_stock|finished", re.IGNORECASE),
    "too_early": re.compile(r"early|not_?(yet_?)?(open|start)", re.IGNORECASE),
    "too_late": re.compile(r"late|expire|closed|ended|over$", re.IGNORECASE),
    "rate_limited": re.compile(r"limit|too_?many|busy", re.IGNORECASE),
    "granted": re.compile(r"^(ok|success|succeeded|granted|won|got|grabbed|claimed)$", re.IGNORECASE),
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEPTH_MAX = 6  # of a schema that may hold itself
SURE_BY = 2


class DescribedOperation(NamedTuple):
    """An operation of the document, with how likely it is the one that was looked for."""

    score: int
    method: str
    path: str
    content: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Described:
    """A service as its document describes it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._url = urlsplit(first_server(document))

    @property
    def base_url(self) -> str:
        """Return where the service listens, if that is this machine, or ""; load goes nowhere else unasked."""
        return f"{self._url.scheme}://{self._url.netloc}" if self._url.hostname in LOOPBACK else ""

    def grabs(self) -> list[DescribedOperation]:
        """Return the operations that may be the grab, the likeliest first."""
        return self._likely(GRABS, THINGS, OTHERS)

    def logins(self) -> list[DescribedOperation]:
        """Return the operations that may be the login, the likeliest first."""
        return self._likely(LOGINS, (), (*OTHERS, "refresh", "logout", "revoke"))

    def grab_request(self, operation: DescribedOperation, *, has_token: bool) -> RequestDraft:
        """Return the request of a grab, with places for what changes from tap to tap."""
        return self._request(operation, is_login=False, has_token=has_token)

    def login_request(self, operation: DescribedOperation) -> RequestDraft:
        """Return the request of a login."""
        return self._request(operation, is_login=True, has_token=False)

    def token_path(self, operation: DescribedOperation) -> str:
        """Return where the login's answer has its token, or ""."""
        return self._found(self._answer(operation), ("token", "access_token", "accesstoken", "jwt"))

    def wants_token(self, operation: DescribedOperation) -> bool:
        """Tell whether a request needs one."""
        return "{token}" in str(self._credential(operation))

    def not_texts(self, operation: DescribedOperation) -> list[str]:
        """Return the fields that name a viewer by a number or a UUID, which our viewers' names are not."""
        told = [(each["name"], each.get("schema", {})) for each in self._parameters(operation)]
        told += list(self._properties(self._resolved(self._body(operation) or {})))
        typed = [(path.rpartition(".")[2], self._resolved(schema)) for path, schema in told]
        return [
            name
            for name, schema in typed
            if place_of(name) == VIEWER
            and (schema.get("type") in ("integer", "number") or schema.get("format") == "uuid")
        ]

    def outcomes(self, operation: DescribedOperation) -> OutcomesDraft:
        """Return the meaning of the HTTP codes with which a grab fails, as far as it is described."""
        responses = operation.content.get("responses", {})
        return outcomes_of({str(code): self._unfolded(each) for code, each in responses.items()})

    def receipt(self, operation: DescribedOperation) -> ReceiptDraft:
        """Return what the grab's answer holds, as far as its schema tells."""
        answer = self._answer(operation)
        status = self._found(answer, STATUSES)
        words: dict[str, list[str | int]] = {}
        for word in self._at(answer, status).get("enum", []) if status else []:
            meaning = next((name for name, pattern in WORDS.items() if pattern.search(str(word))), None)
            if meaning:
                words.setdefault(meaning, []).append(word)
        return ReceiptDraft(
            status=status if "granted" in words else "",
            words=words if "granted" in words else {},
            amount_fen=self._found(answer, AMOUNTS),
            claim_id=self._found(answer, CLAIM_IDS),
        )

    def _likely(
        self, wanted: tuple[str, ...], things: tuple[str, ...], others: tuple[str, ...]
    ) -> list[DescribedOperation]:
        found = []
        for path, methods in (self._document.get("paths") or {}).items():
            content = methods.get("post")
            if not isinstance(content, Mapping):
                continue
            here, last = path.lower(), path.lower().rpartition("/")[2]
            told = f"{content.get('operationId', '')} {content.get('summary', '')}".lower()
            score = 3 * _any(wanted, last) + 2 * _any(wanted, here) + _any(wanted, told) + _any(things, here + told)
            score -= 4 * _any(others, here)
            if score > 0:
                found.append(DescribedOperation(score, "POST", path, content))
        return sorted(found, key=lambda each: (-each.score, each.path))

    def _request(self, operation: DescribedOperation, *, is_login: bool, has_token: bool) -> RequestDraft:
        path = self._path(operation, is_login=is_login)
        query = self._filled(operation, "query", is_login=is_login)
        if query:
            path += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        headers = self._filled(operation, "header", is_login=is_login)
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        if cookies := self._filled(operation, "cookie", is_login=is_login):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        credential = self._credential(operation)
        if has_token or (VIEWER in credential.values() and not is_login):
            headers |= credential
        schema = self._body(operation)
        body = None if schema is None else self._sample("", schema, is_login=is_login)
        return RequestDraft(f"{operation.method} {path}", headers, body)

    def _path(self, operation: DescribedOperation, *, is_login: bool) -> str:
        """Return the path with a place or a sample for each of its parameters."""
        path = operation.path
        schemas = {each["name"]: each.get("schema", {}) for each in self._parameters(operation, "path")}
        found = re.findall(r"(?:([^/{}]+)/)?\{([^}]+)\}", path)
        names = [name for _, name in found]
        places = {name: place_within(before, name, is_login=is_login) for before, name in found}
        unknown = [name for name in names if not places[name]]
        for name in names:
            sample = places[name] or self._sample(name, schemas.get(name, {}), is_login=is_login)
            if [name] == unknown and not is_login and "{packet}" not in places.values():
                sample = "{packet}"  # the one thing that is grabbed
            path = path.replace(f"{{{name}}}", str(sample))
        return self._url.path.rstrip("/") + path

    def _filled(self, operation: DescribedOperation, where: str, *, is_login: bool) -> dict[str, str]:
        """Return the parameters that a request needs there, or that have a place, by name."""
        return {
            each["name"]: str(self._sample(each["name"], each.get("schema", {}), is_login=is_login))
            for each in self._parameters(operation, where)
            if each.get("required") or place_of(each["name"], is_login=is_login)
        }

    def _credential(self, operation: DescribedOperation) -> dict[str, str]:
        """Return the header with the token that an operation demands, if it does."""
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        for demand in operation.content.get("security", self._document.get("security", [])):
            for scheme in (schemes.get(name, {}) for name in demand):
                if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                    return {scheme["name"]: VIEWER if place_of(scheme["name"]) == VIEWER else "{token}"}
                if scheme.get("type") in ("http", "oauth2", "openIdConnect"):
                    return {"Authorization": "Bearer {token}"}
        named = any(each["name"].lower() == "authorization" for each in self._parameters(operation, "header"))
        return {"Authorization": "Bearer {token}"} if named else {}

    def _parameters(self, operation: DescribedOperation, where: str = "") -> list[Mapping[str, Any]]:
        shared = self._document["paths"][operation.path].get("parameters", [])
        parameters = map(self._resolved, [*shared, *operation.content.get("parameters", [])])
        return [each for each in parameters if where in ("", each.get("in"))]

    def _body(self, operation: DescribedOperation) -> Mapping[str, Any] | None:
        """Return the schema of a request's JSON, or None if it has none."""
        return _json_schema(self._resolved(operation.content.get("requestBody", {})))

    def _answer(self, operation: DescribedOperation) -> Mapping[str, Any]:
        responses = operation.content.get("responses", {})
        good = next((self._resolved(each) for code, each in responses.items() if str(code).startswith("2")), {})
        return self._resolved(_json_schema(good) or {})

    def _found(self, schema: Mapping[str, Any], names: tuple[str, ...]) -> str:
        """Return the JMESPath of the property with the first of these names, or ""."""
        properties = dict(self._properties(schema))
        for name in names:
            paths = [path for path in properties if path.rpartition(".")[2].lower() == name]
            if paths:
                return min(paths, key=lambda path: path.count("."))
        return ""

    def _at(self, schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = dict(self._properties(schema))[path]
        return found

    def _properties(self, schema: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
        for name, each in schema.get("properties", {}).items():
            if not re.fullmatch(r"[A-Za-z_]\w*", name) or depth > DEPTH_MAX:
                continue
            inner = self._resolved(each)
            yield f"{before}{name}", inner
            yield from self._properties(inner, f"{before}{name}.", depth + 1)

    def _sample(self, name: str, schema: Mapping[str, Any], *, is_login: bool, depth: int = 0, within: str = "") -> Any:
        schema = self._resolved(schema)
        if "properties" in schema and depth <= DEPTH_MAX:
            needed = schema.get("required", [])
            return {
                each: self._sample(each, inner, is_login=is_login, depth=depth + 1, within=name)
                for each, inner in schema["properties"].items()
                if each in needed or place_within(name, each, is_login=is_login)
            }
        if place := place_within(within, name, is_login=is_login):
            return place
        for key in ("const", "default", "example"):
            if key in schema:
                return _literal(schema[key])
        if schema.get("enum") or schema.get("examples"):
            return _literal((schema.get("enum") or schema["examples"])[0])
        return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(schema.get("type", ""), "1")

    def _unfolded(self, part: Any, depth: int = 0) -> Any:
        """Return a part of the document with what its references lead to in their place."""
        if depth > 2 * DEPTH_MAX:
            return {}
        if isinstance(part, list):
            return [self._unfolded(each, depth + 1) for each in part]
        if not isinstance(part, Mapping):
            return part
        whole = self._resolved(part) if "$ref" in part else part
        return {name: self._unfolded(each, depth + 1) for name, each in whole.items()}

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a reference leads to; the parts of ``allOf`` together, and the first real of a choice."""
        for _ in range(DEPTH_MAX):
            if reference := schema.get("$ref"):
                schema = self._document
                for part in reference.removeprefix("#/").split("/"):
                    schema = schema.get(part.replace("~1", "/").replace("~0", "~"), {})
            elif parts := schema.get("allOf"):
                resolved = list(map(self._resolved, parts))
                schema = {
                    "type": "object",
                    "properties": {k: v for each in resolved for k, v in each.get("properties", {}).items()},
                    "required": [name for each in resolved for name in each.get("required", [])],
                }
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((each for each in choices if each.get("type") != "null"), {})
            else:
                break
        return schema


def first_server(document: Mapping[str, Any]) -> str:
    """Return the URL of the first server that a document names, or ""."""
    servers: list[Mapping[str, Any]] = document.get("servers") or [{}]
    return str(servers[0].get("url", ""))


def sure(operations: list[DescribedOperation]) -> bool:
    """Tell whether the first stands out."""
    return len(operations) == 1 or operations[0].score >= operations[1].score + SURE_BY


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _json_schema(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema of a message's JSON, whatever else its type says; some tools write ``*/*``."""
    content: Mapping[str, Any] = message.get("content", {})
    for kind, held in content.items():
        if re.match(r"\*/\*|application/([\w.-]+\+)?json\b", kind):
            schema: Mapping[str, Any] | None = held.get("schema")
            return schema
    return None


def _literal(value: Any) -> Any:
    return value.replace("{", "{{").replace("}", "}}") if isinstance(value, str) else value
