"""Every id that a command can print is in a catalogue: errors.py, the types of findings, or the verdicts."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache

from docs.ids_page import meanings, problem_types
from rootfs_trust import errors
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.verify.verdict import REFUSALS
from tests.support.command import REPOSITORY

PACKAGE = REPOSITORY / "rootfs_trust"
TYPES = problem_types()
EXCEPTIONS = {
    name: each.level
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.RootfsTrustError)
}


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}


def calls(*names: str) -> list[tuple[str, ast.Call]]:
    """The calls of these names anywhere in the package, with their modules."""
    return [
        (module, node)
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names
    ]


def ids_of(constructor: str) -> set[str]:
    """The texts that are the first argument of these calls."""
    constants = [each for _, call in calls(constructor) for each in ast.walk(call.args[0])]
    return {each.value for each in constants if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_a_problem_is_of_a_type_of_the_catalogue():
    """Only the catalogue makes problems, and the warning that has the id of a finding."""
    assert {module for module, _ in calls("Problem")} == {"errors.py", "api/runtime_warnings.py"}


def test_each_type_is_used_and_named_like_its_id():
    assert {name: name.lower().replace("_", "-") for name in TYPES} == {name: each.id for name, each in TYPES.items()}
    nodes = [node for module, tree in trees().items() if module != "errors.py" for node in ast.walk(tree)]
    imported = {each.name for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names}
    assert TYPES.keys() - imported == {"MALFORMED"}, "which MalformedError is for"


def test_each_id_is_explained_once():
    assert [id_ for id_, count in Counter(each.id for each in TYPES.values()).items() if count > 1] == []
    unexplained = {each.id for name, each in TYPES.items() if not meanings()[name]}
    assert unexplained == {each.id for each in TYPES.values()} & KINDS.keys()


def test_each_verdict_is_explained():
    assert ids_of("Refusal") - KINDS.keys() == REFUSALS.keys()


def test_an_error_has_a_level_of_its_type():
    levels = [
        (problem.func.id, EXCEPTIONS[call.func.id])
        for _, call in calls(*EXCEPTIONS)
        for problem in call.args[:1]
        if isinstance(problem, ast.Call) and getattr(problem.func, "id", "") in TYPES
    ]
    assert len(levels) > 100
    assert [(name, level) for name, level in levels if level not in TYPES[name].levels] == []


OLD = (
    *("missing-issuer", "missing-source", "still-trusted", "bad-block", "overlooked", "octets-behind", "untidy-source"),
    *("several-objects", "no-object", "java-certificate", "setting", "toml", "ca-as-server"),
)


def test_a_condition_has_one_id():
    """Names that one condition had in other commands."""
    assert not set(OLD) & (ids_of("Refusal") | {each.id for each in TYPES.values()} | KINDS.keys())
