"""Standard streams that are full, closed, or left by their reader: the exit status stays the command's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree

TRUSTED = Authority("Trusted CA")
READING = {
    "list": ("list", "--root", "{root}"),
    "list-csv": ("list", "--root", "{root}", "--format", "csv"),
    "list-json": ("list", "--root", "{root}", "--format", "json"),
    "check": ("check", "--root", "{root}", "-v"),
    "check-json": ("check", "--root", "{root}", "--format", "json"),
    "check-sarif": ("check", "--root", "{root}", "--format", "sarif"),
    "verify": ("verify", "--root", "{root}", "--chain", "{chain}"),
    "verify-json": ("verify", "--root", "{root}", "--chain", "{chain}", "--format", "json"),
    "diff": ("diff", "{root}", "{other}"),
    "diff-json": ("diff", "{root}", "{other}", "--format", "json"),
    "report-html": ("report", "--root", "{root}", "-o", "-", "--format", "html"),
    "report-md": ("report", "--root", "{root}", "-o", "-", "--format", "md"),
    "sbom": ("sbom", "--root", "{root}"),
    "install": ("install", "--root", "{root}", "--dry-run"),
    "install-json": ("install", "--root", "{root}", "--dry-run", "--format", "json"),
    "refused": ("install", "--root", "{root}", "--cert", "/nowhere", "--format", "json"),
    "help": ("--help",),
    "version": ("--version",),
    "install-help": ("install", "--help"),
}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    directory = tmp_path_factory.mktemp("streams")
    root = DebianTree(directory / "rootfs")
    DebianTree(directory / "other").write("usr/local/share/ca-certificates/more.crt", Authority("More").pem)
    run(["install", "--root", root.root], subprocess.PIPE)
    run(["install", "--root", str(directory / "other")], subprocess.PIPE)
    chain = directory / "chain.pem"
    chain.write_bytes(TRUSTED.server("device.test").pem)
    bare = DebianTree(directory / "bare")
    return {"root": root.root, "bare": bare.root, "other": str(directory / "other"), "chain": str(chain)}


def run(words, stdout, **how):
    command = [sys.executable, "-m", "rootfs_trust", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False, **how)


def words_of(name, names):
    return [word.format(**names) for word in READING[name]]


@pytest.mark.parametrize("name", READING)
def test_a_full_disk_behind_standard_output_is_status_4(name, names):
    with open("/dev/full", "wb") as full:
        done = run(words_of(name, names), full)
    # A refusal has its own status, and is then reported on standard error.
    assert done.returncode in ((2, 4) if name == "refused" else (4,))
    lines = done.stderr.decode().splitlines()
    assert [line for line in lines if "standard output: cannot be written" in line], lines
    assert not [line for line in lines if line.startswith("Traceback")]


@pytest.mark.parametrize("name", READING)
def test_a_reader_that_goes_away_leaves_the_status(name, names):
    words = words_of(name, names)
    whole = run(words, subprocess.PIPE)
    reader, writer = os.pipe()
    os.close(reader)
    done = run(words, writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (whole.returncode, whole.stderr)


@pytest.mark.parametrize("closed", [0, 1, 2])
@pytest.mark.parametrize("name", READING)
def test_a_closed_descriptor_leaves_the_status(name, closed, names):
    words = words_of(name, names)
    whole = run(words, subprocess.PIPE)
    shell = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", sys.executable, "-m", "rootfs_trust", *words]
    done = subprocess.run(shell, capture_output=True, timeout=60, check=False)
    assert done.returncode == whole.returncode
    assert b"Traceback" not in done.stderr


def test_messages_that_standard_error_cannot_take_are_dropped(names):
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "rootfs_trust", "install", "--root", names["root"], "--cert", "/nowhere"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("streams", ["", "2>&1"])
@pytest.mark.parametrize("name", ["check", "check-json", "verify", "verify-json", "diff", "diff-json"])
def test_a_shell_with_pipefail_sees_the_verdict(name, streams, names):
    words = " ".join([sys.executable, "-m", "rootfs_trust", *words_of(name, {**names, "root": names["bare"]})])
    pipe = ["bash", "-o", "pipefail", "-c", f"{words} {streams} | head -1"]
    done = subprocess.run(pipe, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 1)
