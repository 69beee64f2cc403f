"""The README: its first commands, its picture, its links, and the commands of its tables."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from tests.support.command import REPOSITORY
from tests.support.docs_blocks import SampleDirectory, blocks

README = (REPOSITORY / "README.md").read_text()
START = README.partition("\n## Start with what you have\n")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"`(rootfs-trust [^`]*)`", START)


def test_the_first_blocks_are_the_commands_for_a_fresh_machine():
    found = [block.text for block in blocks("README.md") if block.language == "sh"]
    assert found[:2] == ["sh recipes/sample/try.sh\n", "sh tests/run.sh\n"]


def test_the_picture_shows_what_the_commands_print_today(tmp_path):
    subprocess.run([sys.executable, REPOSITORY / "docs/terminal.py", tmp_path], check=True, timeout=120)
    for scheme in ("light", "dark"):
        name = f"docs/screenshots/terminal-{scheme}.svg"
        assert name in README
        assert (tmp_path / f"terminal-{scheme}.svg").read_text() == (REPOSITORY / name).read_text(), (
            "run python docs/terminal.py"
        )


def test_the_badges_are_facts_of_the_project():
    """tests/unit/layouts/test_layout_docs.py compares the SVG with pyproject.toml."""
    badges = (REPOSITORY / "docs/badges.svg").read_text()
    (title,) = re.findall(r"<title>(.*)</title>", badges)
    assert f"![{title}](docs/badges.svg)" in README and "Python 3.11 or newer" in title


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\(([^)]*)\)|(?:src|srcset)=\"([^\"]*)\"", README)
    paths = [markdown or html for markdown, html in links]
    assert len(paths) > 25 and not any("://" in path for path in paths)
    assert [path for path in paths if not (REPOSITORY / path.partition("#")[0]).is_file()] == []


@pytest.mark.parametrize("name", ["Yocto", "Dockerfile", "OCI", "Buildroot", "mkosi", "thin-edge.io", "directory"])
def test_there_is_a_way_to_start_for(name):
    assert sum(name in line.split("|")[1] for line in START.splitlines() if line.startswith("| ")) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_table_works(command, tmp_path):
    sample = SampleDirectory(tmp_path)
    assert sample.run("tar -cf rootfs.tar -C rootfs . && cp rootfs.tar image.tar").returncode == 0
    assert sample.run("rootfs-trust install --root rootfs && tar -cf rootfs.tar -C rootfs .").returncode == 0
    done = sample.run(shlex.join(shlex.split(command)))
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_the_files_that_the_table_names_exist():
    assert len(COMMANDS) == 4
    for name in re.findall(r"`(?:cp rootfs-trust/|\.\.\./)?(recipes/[\w./*-]+)", START):
        assert list(REPOSITORY.glob(name)), name
