"""docs/rotation.md, run from an empty directory as it is printed, and each printed answer compared."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.support.command import REPOSITORY, program_directory
from tests.support.docs_blocks import scripts
from tests.support.peers import PLAIN_ENVIRONMENT, peer

SECONDS = 600
"""Of a reader who starts with an empty directory."""


def undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)


def test_every_command_answers_as_the_page_prints(tmp_path):
    peer("jq")
    programs = f"{program_directory(tmp_path / 'bin')}:{Path(sys.executable).parent}"
    here = tmp_path / "empty"
    here.mkdir()
    (here / "recipes").symlink_to(REPOSITORY / "recipes")
    environment = {**PLAIN_ENVIRONMENT, "PATH": f"{programs}:{PLAIN_ENVIRONMENT['PATH']}", "HOME": str(here)}
    began = time.monotonic()
    compared = 0
    for script, promised in scripts("docs/rotation.md"):
        if "pip install" in script:
            continue
        done = subprocess.run(
            ["sh", "-eu", "-c", script], cwd=here, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        if "cd rehearsal" in script:
            here /= "rehearsal"
        if promised is not None:
            compared += 1
            assert undated(done.stdout) == undated(promised), script
    assert compared == 8
    assert time.monotonic() - began < SECONDS
