"""Completion, as the lines of docs/shell.md turn it on."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.command import REPOSITORY, program_directory
from tests.support.peers import PLAIN_ENVIRONMENT, peer


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    return {**PLAIN_ENVIRONMENT, "PATH": f"{program_directory(tmp_path / 'bin')}:{PLAIN_ENVIRONMENT['PATH']}"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rootfs-trust re", ["rehash", "remove", "report"]),
        ("rootfs-trust install --set", ["--set", "--set-at-run-time", "--settings-as"]),
        ("rootfs-trust install --settings-as ", ["env", "file"]),
    ],
)
def test_bash_completes(environment, words, offered):
    lines = (REPOSITORY / "docs/shell.md").read_text().splitlines()
    (line,) = (line.split("`")[3] for line in lines if line.startswith("| bash"))
    script = f"""
{line}
COMP_WORDS=({words}{' ""' if words.endswith(" ") else ""}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_rootfs_trust_completion rootfs-trust
printf '%s\\n' "${{COMPREPLY[@]}}" | sort
"""
    done = subprocess.run([peer("bash"), "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == offered, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_script(environment, shell):
    words = ["rootfs-trust"]
    given = environment | {"_ROOTFS_TRUST_COMPLETE": f"{shell}_source"}
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=True)
    assert f"{shell}_complete" in done.stdout and "rootfs-trust" in done.stdout
