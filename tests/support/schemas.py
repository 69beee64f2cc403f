"""The JSON Schemas of docs/schema, against which every document that a test gets is held."""

from __future__ import annotations

import functools
import json

from jsonschema import Draft202012Validator

from docs.ids_page import problem_types
from rootfs_trust.errors import ApplyError, ConflictError, InputError
from tests.support.command import REPOSITORY

DIRECTORY = REPOSITORY / "docs/schema"
LEVELS = {each.id: each.levels for each in problem_types().values()}
EXIT_STATUSES = {each.exit_status: each.level for each in (InputError, ConflictError, ApplyError)}
_OUTCOMES = ("install", "remove", "rehash", "image")


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """The schema ``docs/schema/NAME.schema.json``, itself valid."""
    schema = json.loads((DIRECTORY / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check_output(command: str, status: int, out: str) -> None:
    """Hold what ``rootfs-trust COMMAND --format json`` printed against its schema, and levels against the catalogue."""
    name = "errors" if status > 1 else "outcome" if command in _OUTCOMES else command
    for document in out.splitlines() if name == "fleet" else [out]:
        content = json.loads(document)
        validator(name).validate(content)
        for level, key in ((EXIT_STATUSES.get(status, ""), "errors"), ("warning", "warnings")):
            assert all(level in LEVELS[each["id"]] for each in content.get(key, ()) if each["id"] in LEVELS), content
