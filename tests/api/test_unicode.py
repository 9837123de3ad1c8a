"""Digits of other scripts and lone surrogates are refused in every field of the API, by name and with 422."""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from tests.api.caller import JSON, TIMEOUT_S

DIGITS = ("\u0663", "\uff11\uff12", "\u06f1", "\u0967", "1\u0660", "\U0001d7ce")  # each is a number to int()
TORN = ("\ud800", "a\udfffb")  # half a character: no UTF-8 can hold it
FIELDS_MIN = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A field of an operation's path, query or body, and whether it holds a number."""

    method: str
    path: str
    where: str
    steps: tuple[str | int, ...]
    is_number: bool
    body: Any = field(default=None)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.where} {'.'.join(map(str, self.steps))}"


class Document:
    """The OpenAPI document of a server, by which requests are made that are complete but for their meaning."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def places(self) -> Iterator[Place]:
        """Yield every text and number field of every operation."""
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                body = None if schema is None else self.value(schema)
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] in ("path", "query"):
                        for is_number in self._kinds(parameter["schema"]):
                            yield Place(method, path, parameter["in"], (parameter["name"],), is_number, body)
                for steps, is_number in self._fields(schema, ()):
                    yield Place(method, path, "body", steps, is_number, body)

    def value(self, schema: dict[str, Any]) -> Any:
        """Return something of a schema with all fields, required or not."""
        schema = self._resolved(schema)
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        match schema.get("type"):
            case "object":
                return {name: self.value(each) for name, each in schema.get("properties", {}).items()}
            case "array":
                return [self.value(schema["items"])]
            case "integer" | "number":
                return int(schema.get("minimum", 1))
            case "boolean":
                return False
            case None:
                return None
            case _:
                return "a"

    def _fields(self, schema: dict[str, Any] | None, steps: tuple[str | int, ...]) -> Iterator[tuple[Any, bool]]:
        if schema is None:
            return
        schema = self._resolved(schema)
        if schema.get("type") == "object":
            for name, each in schema.get("properties", {}).items():
                yield from self._fields(each, (*steps, name))
        elif schema.get("type") == "array":
            yield from self._fields(schema["items"], (*steps, 0))
        else:
            yield from ((steps, is_number) for is_number in self._kinds(schema))

    def _kinds(self, schema: dict[str, Any]) -> list[bool]:
        schema = self._resolved(schema)
        is_number = {"integer": True, "number": True, "string": False}.get(schema.get("type", ""))
        return [] if is_number is None else [is_number]

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema or "anyOf" in schema or "oneOf" in schema:
            if "$ref" in schema:
                schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                options = schema.get("anyOf") or schema["oneOf"]
                schema = next(each for each in options if each.get("type") != "null")
        return schema


def with_bad(place: Place, bad: str) -> tuple[str, bytes | None]:
    """Return the URL and the body of a request of which one field is *bad*."""
    path = re.sub(r"\{(\w+)\}", lambda name: _in_url(bad) if _is(place, "path", name[1]) else "a", place.path)
    if place.where == "query":
        path += f"?{place.steps[0]}={_in_url(bad)}"
    if place.body is None:
        return path, None
    body = json.loads(json.dumps(place.body))
    if place.where == "body":
        inside = body
        for step in place.steps[:-1]:
            inside = inside[step]
        inside[place.steps[-1]] = bad
    return path, json.dumps(body).encode()


def _is(place: Place, where: str, name: str) -> bool:
    return (place.where, place.steps) == (where, (name,))


def _in_url(bad: str) -> str:
    return quote(bad.encode("utf-8", "surrogatepass"))


def test_no_field_takes_other_digits_or_half_characters(base_url: str) -> None:
    """A number is written in ASCII, a text is one that can be written down; the answer names the field."""
    with requests.Session() as http:
        document = Document(http.get(f"{base_url}/openapi.json", timeout=TIMEOUT_S).json())
        places = list(document.places())
        taken = []
        for number, place in enumerate(places):
            kinds = DIGITS if place.is_number else TORN
            bad = kinds[number % len(kinds)]
            path, body = with_bad(place, bad)
            headers = {**JSON, "Idempotency-Key": secrets.token_hex(8)}
            answer = http.request(place.method, base_url + path, data=body, headers=headers, timeout=TIMEOUT_S)
            named = str(place.steps[-1]) in answer.text or place.where == "path"
            if answer.status_code != 422 or not named:
                taken.append(f"{place.name} {bad!a}: {answer.status_code} {answer.text[:150]}")
    assert not taken, "\n".join(taken)
    assert len(places) >= FIELDS_MIN
    assert {place.where for place in places} == {"path", "query", "body"}
    assert {place.is_number for place in places} == {True, False}
