"""Names in the code say one thing each."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import rootfs_trust

PACKAGE = Path(rootfs_trust.__file__).parent


def test_no_class_name_is_used_twice() -> None:
    """A search, a stack trace and an import then name one class."""
    modules = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}
