"""A copy of the repository to mutate, with the settings of mutmut for one package."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

from tests.mutation.packages import Package

REPOSITORY = Path(__file__).parents[2]
_COPIED = ("docs", "recipes", "root_data", "rootfs_trust", "templates", "tests")
_PLAIN = ("CHANGELOG.md", "README.md", "pyproject.toml")
_REWRITTEN = ("property", "cached_property", "lru_cache", "contextmanager")


def make_workspace(package: Package, folder: Path) -> None:
    """Copy what the tests need to ``folder`` again, and make the functions of the package ready to be mutated."""
    copy_repository(folder)
    for path in (folder / "rootfs_trust" / package.name).rglob("*.py"):
        path.write_text(undecorated(path.read_text()))
    with (folder / "pyproject.toml").open("a") as file:
        file.write(_settings(package))


def copy_repository(folder: Path) -> None:
    """Copy what the tests need to ``folder`` again."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in _COPIED:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _PLAIN:
        shutil.copy(REPOSITORY / name, folder / name)


def _settings(package: Package) -> str:
    arguments = ["-p", "no:cacheprovider", "--hypothesis-seed=0"]
    for test in package.slow:
        arguments += ["--deselect", test]
    values = {
        "source_paths": ["rootfs_trust"],
        "only_mutate": [f"rootfs_trust/{package.name}/*"],
        "also_copy": [*_COPIED, *_PLAIN],
        "pytest_add_cli_args_test_selection": list(package.tests),
        "pytest_add_cli_args": arguments,
        "timeout_constant": 5.0,
        "timeout_multiplier": 4.0,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def undecorated(source: str) -> str:
    """The same module with its decorators called by name: mutmut leaves decorated functions alone.

    ``@property`` over ``def ca`` becomes ``def ca_plain`` and, behind it, ``ca = property(ca_plain)``.
    """
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        if len(node.decorator_list) == 1 and (text := ast.unparse(node.decorator_list[0])).startswith(_calls()):
            indent = " " * node.col_offset
            lines.insert(node.end_lineno or node.lineno, f"\n{indent}{node.name} = {text}({node.name}_plain)\n")
            lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {node.name}(", f"def {node.name}_plain(", 1)
            del lines[node.decorator_list[0].lineno - 1]
    return "".join(lines)


def _calls() -> tuple[str, ...]:
    return (*_REWRITTEN, *(f"{module}.{name}" for module in ("functools", "contextlib") for name in _REWRITTEN))
