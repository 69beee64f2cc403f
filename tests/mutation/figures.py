"""What became of the mutants: counted for each module, with those that no test has told from the code."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

from rootfs_trust import errors
from tests.mutation.equivalent import reason

_KILLED = ("killed", "timeout", "segfault")


class Mutant(NamedTuple):
    """One that survived: what was there, and what is there instead."""

    name: str
    function: str
    old: str
    new: str


class Figures(NamedTuple):
    """Of one module. ``texts`` of the survivors change nothing but words for people; ``equal`` ones do the same."""

    module: str
    counts: Counter[str]
    survivors: list[Mutant]
    texts: int
    equal: int

    @property
    def tried(self) -> int:
        return self.counts.total() - self.counts["not checked"]

    @property
    def killed(self) -> int:
        return sum(self.counts[each] for each in _KILLED)


def figures(path: Path) -> Figures:
    """Read mutmut's results for one module; the current directory is the workspace."""
    data = SourceFileMutationData(path=path)
    data.load()
    counts = Counter(status_by_exit_code[code] for code in data.exit_code_by_key.values())
    alive = [
        name for name, code in data.exit_code_by_key.items() if status_by_exit_code[code] in ("survived", "no tests")
    ]
    texts = _message_lines(path)
    survivors = [_mutant(name, path) for name in alive]
    different = [each for each in survivors if not reason(each.function, each.old, each.new)]
    kept = [each for each in different if not _only_text(each, texts)]
    return Figures(str(path), counts, kept, len(different) - len(kept), len(survivors) - len(different))


def _mutant(name: str, path: Path) -> Mutant:
    diff = get_diff_for_mutant(name, path=path).splitlines()[3:]
    old, new = ([line[1:].strip() for line in diff if line.startswith(sign)] for sign in "-+")
    function = name.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x").lstrip("_").replace("ǁ", ".")
    return Mutant(name, function.strip("."), " / ".join(old[-2:]), " / ".join(new[-2:]))


def _message_lines(path: Path) -> dict[str, int]:
    """Lines that hold words for people, with the column in which these begin."""
    source = path.read_text()
    lines, found = source.splitlines(), dict[str, int]()
    for node in ast.walk(ast.parse(source)):
        for words in _words(node):
            for number in range(words.lineno, (words.end_lineno or words.lineno) + 1):
                line = lines[number - 1]
                begin = words.col_offset if number == words.lineno else 0
                found[line.strip()] = max(0, begin - (len(line) - len(line.lstrip())))
    return found


def _words(node: ast.AST) -> list[ast.expr]:
    """Texts of three words and more; message and hint of a problem, the message of a MalformedError."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return [node] if ast.unparse(node).count(" ") > 1 else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        first = 1 if isinstance(vars(errors).get(node.func.id), errors.ProblemType) else None
        first = 0 if node.func.id == "MalformedError" else first
        return node.args[first:] if first is not None else []
    return []


def _only_text(mutant: Mutant, texts: dict[str, int]) -> bool:
    begin = texts.get(mutant.old)
    return bool(mutant.new) and begin is not None and mutant.old[:begin] == mutant.new[:begin]
