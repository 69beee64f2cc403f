"""Code blocks of the documentation, so that what is printed there can be run and compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import REPOSITORY, program_directory
from tests.support.peers import PLAIN_ENVIRONMENT

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. ``adjacent``: nothing but empty lines stands between it and the one before."""

    language: str
    text: str
    adjacent: bool


def blocks(name: str, heading: str = "") -> list[Block]:
    """The fenced blocks of a file of the repository, in order; those below ``heading`` (``##``) alone, if given."""
    text = (REPOSITORY / name).read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = []
    end = -1
    for match in _BLOCK.finditer(text):
        adjacent = end >= 0 and not text[end : match.start()].strip()
        found.append(Block(match[1], match[2], adjacent))
        end = match.end()
    return found


def scripts(name: str) -> list[tuple[str, str | None]]:
    """The ``sh`` blocks of a file, each with the output that a ``text`` block right below it promises."""
    found: list[tuple[str, str | None]] = []
    for block in blocks(name):
        if block.language == "sh":
            found.append((block.text, None))
        elif block.language == "text" and block.adjacent and found:
            found[-1] = (found[-1][0], block.text)
    return found


def sessions(text: str) -> list[tuple[str, str]]:
    """The commands of a block that shows a terminal (``$ command``), each with what is printed below it."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


class SampleDirectory:
    """A directory with the sample root filesystem and its CA, in which commands of the documentation run."""

    def __init__(self, path: Path) -> None:
        self.path = path / "sample"
        programs = program_directory(path / "bin")
        self._environment = {**PLAIN_ENVIRONMENT, "PATH": f"{programs}:{PLAIN_ENVIRONMENT['PATH']}", "LC_ALL": "C"}
        subprocess.run([sys.executable, REPOSITORY / "recipes/sample/make.py", self.path], check=True, timeout=60)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run ``script`` as a shell reads it, ending at the first command that fails."""
        return subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.path,
            env={**self._environment, "HOME": os.fspath(self.path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
