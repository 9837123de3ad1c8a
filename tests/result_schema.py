"""The published JSON Schema of results, and what it finds wrong with one."""

import json
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[1] / "docs" / "result.schema.json").read_bytes())


def faults_of(result: dict[str, Any]) -> list[str]:
    """Return what is wrong with a result by the schema of its own version, in which there are no further fields."""
    plain = json.loads(orjson.dumps(result))
    faults = Draft202012Validator(_closed(SCHEMA)).iter_errors(plain)
    return [f"{each.json_path}: {each.message[:200]}" for each in faults]


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(each) for name, each in schema.items()}
    is_object = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {"additionalProperties": False, **inner} if is_object else inner
