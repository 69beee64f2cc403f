"""The three suites of tests/run.sh: every test is in one of them, and none is in two."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.support.command import REPOSITORY

SCRIPT = (REPOSITORY / "tests/run.sh").read_text()
FILESYSTEMS = "tests/unit/image/filesystems"
PLACES = (f"{FILESYSTEMS}/test_compression.py", f"{FILESYSTEMS}/test_many.py", "tests/adoption/test_ci.py")


def selected(*words: str) -> set[str]:
    """Return the tests of PLACES that pytest selects."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *words, *PLACES]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_the_suites_divide_the_tests():
    marks = re.findall(r"tests=(\"[^\"]+\"|\w+)", SCRIPT)
    quick, integration, slow = (selected("-m", *shlex.split(mark)) for mark in marks)
    assert quick | integration | slow == selected() and len(quick) + len(integration) + len(slow) == len(selected())
    assert {name.partition("::")[0] for name in quick} == {PLACES[0]}
    assert {name.partition("::")[0] for name in integration} == set(PLACES[1:]) and slow


def test_ci_runs_the_command_of_the_readme_and_every_suite():
    lines = (REPOSITORY / ".ci/run").read_text().splitlines()
    for line in ("sh recipes/sample/try.sh", "sh tests/run.sh", "sh tests/run.sh integration", "sh tests/run.sh slow"):
        assert line in lines


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ((), ["-m", "not integration and not slow", "tests/unit"]),
        (("tests/unit/x509", "-k", "a b"), ["-m", "not integration and not slow", "tests/unit/x509", "-k", "a b"]),
        (("integration", "tests/layouts"), ["-m", "integration and not slow", "tests/layouts"]),
        (("slow",), ["-m", "slow"]),
    ],
)
def test_what_follows_the_suite_goes_to_pytest(words, arguments, tmp_path):
    """With substitutes for the programs of the environment and for dpkg-query, which misses no package."""
    programs = tmp_path / "bin"
    programs.mkdir()
    stub = '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n'
    for name, text in {
        "pytest": stub,
        "pip": "#!/bin/sh\n",
        "ruff": "#!/bin/sh\n",
        "mypy": "#!/bin/sh\n",
        "lint-imports": "#!/bin/sh\n",
        "dpkg-query": "#!/bin/sh\necho installed\n",
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "VENV": str(tmp_path), "PYTHON": sys.executable}
    done = subprocess.run(
        ["sh", REPOSITORY / "tests/run.sh", *words], env=environment, capture_output=True, text=True, check=True
    )
    found = done.stdout.splitlines()
    assert found[found.index("-m") :] == arguments
