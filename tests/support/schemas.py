"""The JSON Schemas of docs/schema, against which every document that a test gets is held."""

from __future__ import annotations

import functools
import json

from jsonschema import Draft202012Validator

from tests.support.command import REPOSITORY

DIRECTORY = REPOSITORY / "docs/schema"
_OUTCOMES = ("install", "remove", "rehash", "image")


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """The schema ``docs/schema/NAME.schema.json``, itself valid."""
    schema = json.loads((DIRECTORY / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check_output(command: str, status: int, out: str) -> None:
    """Hold what ``rootfs-trust COMMAND --format json`` printed against its schema."""
    name = "errors" if status > 1 else "outcome" if command in _OUTCOMES else command
    for document in out.splitlines() if name == "fleet" else [out]:
        validator(name).validate(json.loads(document))
