"""A build directory of BitBake with our layer over a core layer that is just large enough; see bitbake_run.py."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import REPOSITORY, program_directory
from tests.support.peers import PLAIN_ENVIRONMENT

LAYER = REPOSITORY / "recipes/meta-rootfs-trust"
CORE = REPOSITORY / "tests/yocto/core"
_RUN = REPOSITORY / "tests/support/bitbake_run.py"
_LAYERS = """\
BBPATH = "${{TOPDIR}}"
BBFILES ?= ""
BBLAYERS = "{}"
"""


@dataclass(frozen=True)
class StorePlan:
    """What BitBake did: ``status`` 0 is success; hashes and depends are by task."""

    status: int
    messages: list[tuple[str, str]]
    hashes: dict[str, str] = field(default_factory=dict)
    depends: dict[str, str] = field(default_factory=dict)

    def of_level(self, *levels: str) -> list[str]:
        """The messages of these levels: CRITICAL is a bb.fatal while parsing."""
        return [text for level, text in self.messages if level in levels]


class BuildDirectory:
    """``path`` is made. Files of the user's are written into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "conf").mkdir(parents=True)
        self._environment = {
            **PLAIN_ENVIRONMENT,
            "PATH": f"{program_directory(path / 'bin')}:{PLAIN_ENVIRONMENT['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.write("conf/bblayers.conf", _LAYERS.format(f"{CORE} {LAYER}"))
        self.write("conf/local.conf", "")

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def configure(self, *lines: str) -> None:
        self.write("conf/local.conf", "".join(f"{line}\n" for line in lines))

    def run(self, recipe: Path, *tasks: str, append: Path | None = None) -> StorePlan:
        """Parse ``recipe``, then run its tasks; the first that fails ends it."""
        appends = [f"--append={append}"] if append else []
        done = subprocess.run(
            [sys.executable, _RUN, *appends, self.path, recipe, *tasks],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        messages = [(level, text) for level, text in answer.pop("messages")]
        return StorePlan(messages=messages, **answer)
