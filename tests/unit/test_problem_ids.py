"""Each id that a command can print is explained in docs/ids.md, and nothing else is."""

from __future__ import annotations

import ast

from docs.problem_ids import PROBLEMS, VERDICTS
from rootfs_trust.audit.check import KINDS
from tests.support.command import REPOSITORY

GIVEN_BY_NAME = {"broken-certificate", "fence-ignored", "pem-not-clean"}
"""Ids that a variable hands to the constructor."""


def ids_of(*constructors: str) -> set[str]:
    """The texts that are the first argument of these calls anywhere in the package."""
    found = set()
    for path in (REPOSITORY / "rootfs_trust").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in constructors and node.args:
                constants = (each for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant))
                found |= {each.value for each in constants if isinstance(each.value, str)}
    return found


def test_every_id_is_explained_and_nothing_else():
    used = ids_of("Problem", "Refusal") | GIVEN_BY_NAME
    assert used - KINDS.keys() == PROBLEMS.keys() | VERDICTS.keys()


def test_no_id_is_explained_twice():
    assert not KINDS.keys() & (PROBLEMS.keys() | VERDICTS.keys())
    assert not PROBLEMS.keys() & VERDICTS.keys()


OLD = (
    *("missing-issuer", "missing-source", "still-trusted", "bad-block", "overlooked", "octets-behind", "untidy-source"),
    *("several-objects", "no-object", "java-certificate", "setting", "toml", "ca-as-server"),
)


def test_a_condition_has_one_id():
    """Names that one condition had in other commands."""
    assert not set(OLD) & (ids_of("Problem", "Refusal") | KINDS.keys())
