"""Two runs at once are one after the other: whoever decides or writes has the lock of the tree."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time

import pytest

from rootfs_trust import __version__
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.clients import file_readers
from rootfs_trust.fleet.messages import Batch, TargetConfig, Task
from rootfs_trust.fleet.policies import read_policy
from rootfs_trust.fleet.worker import run_batch
from rootfs_trust.layouts import detect
from rootfs_trust.rootfs import apply as apply_module
from rootfs_trust.rootfs.copy import TreeCopy
from rootfs_trust.rootfs.root_directory import RootDirectory
from tests.support.authority import NOW, Authority
from tests.support.debian_tree import DebianTree

STORE = "etc/ssl/certs"
COMMANDS = {
    "install": ["install", "--root", "{root}", "--cert", "{cert}"],
    "remove": ["remove", "--root", "{root}", "old"],
    "rehash": ["rehash", "--root", "{root}", "/" + STORE],
    "report": ["report", "--root", "{root}", "-o", "{root}/etc/report.html"],
    "sbom": ["sbom", "--root", "{root}", "-o", "{root}/etc/sbom.json"],
    "init": ["init", "--root", "{root}", "--config", "{root}/etc/trust.toml", "--no-input"],
    "provenance": ["install", "--root", "{root}", "--cert", "{cert}", "--provenance", "{out}"],
}
READERS = {
    "list": ["list", "--root", "{root}"],
    "check": ["check", "--root", "{root}", "--fail-on", "error"],
    "diff": ["diff", "{root}", "{root}"],
    "sbom to the host": ["sbom", "--root", "{root}", "-o", "{out}"],
    "report to the host": ["report", "--root", "{root}", "-o", "{out}.html"],
    "image of a folder": ["image", "{root}", "{out}.image"],
}
PLACES = {"rehash": STORE}
WRITE_THE_STORE = ("install", "remove", "provenance")


@pytest.fixture
def tree(tmp_path):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("usr/local/share/ca-certificates/old.crt", Authority("Old CA").pem)
    (tmp_path / "new.pem").write_bytes(Authority("New CA").pem)
    subprocess.run([sys.executable, "-m", "rootfs_trust", "install", "--root", tree.root], check=True)
    (tree.path / STORE / "ffffffff.0").symlink_to("gone.pem")
    return tree


def words(name, tree):
    directory = tree.path.parent
    return [
        each.format(root=tree.root, cert=directory / "new.pem", out=directory / "out.json")
        for each in (COMMANDS | READERS)[name]
    ]


def is_locked(path) -> bool:
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@pytest.fixture
def watched(monkeypatch, tree):
    """Notes, when a layout is looked for and when a writer begins and ends, whether the place is locked then."""
    seen: list[tuple[str, bool]] = []

    def watch(place, *, store):
        writer = apply_module.Writer
        for module, name in ((detect, "find_layout"), (writer, "__enter__"), (writer, "publish")):
            real = getattr(module, name)

            def noted(*arguments, _real=real, _name=name, **options):
                places = [place] if _name == "find_layout" or not store else [place, STORE]
                seen.append((_name, all(is_locked(tree.path / each) for each in places)))
                return _real(*arguments, **options)

            monkeypatch.setattr(module, name, noted)
        for user in ("rootfs_trust.api.planning", "rootfs_trust.api.remove", file_readers.__name__):
            monkeypatch.setattr(f"{user}.find_layout", detect.find_layout, raising=False)
        return seen

    return watch


@pytest.mark.parametrize("name", COMMANDS)
def test_the_plan_is_made_under_the_lock(command, tree, watched, name):
    seen = watched(PLACES.get(name, "."), store=name in WRITE_THE_STORE)
    assert command(*words(name, tree)).status == 0
    assert "publish" in dict(seen)
    # What writes a report reads the tree before it has the lock, and has no business in the hash directory.
    noted = [locked for each, locked in seen if name in WRITE_THE_STORE or each == "publish"]
    assert noted and all(noted)
    assert not is_locked(tree.path / PLACES.get(name, "."))


@pytest.mark.parametrize("together", [1, 2])
def test_a_worker_of_a_fleet_decides_and_writes_under_the_lock(tree, watched, tmp_path, together):
    config = tmp_path / "job.toml"
    config.write_text('[[anchor]]\nfile = "new.pem"\n')
    other = DebianTree(tmp_path / "other")
    seen = watched(".", store=True)
    _, digest = read_policy(InstallOptions(config=str(config), at=NOW))
    order = TargetConfig(str(config), digest, NOW, None, False)
    tasks = [Task(path, path, order, None, None, "") for path in (tree.root, other.root)[:together]]
    results = run_batch(Batch(0, __version__, tuple(tasks)))
    assert [each.status for each in results] == ["changed"] * together
    assert ("publish", True) in seen and seen[0] == ("find_layout", True)


def start(name, tree):
    return subprocess.Popen([sys.executable, "-m", "rootfs_trust", *words(name, tree)], stdout=subprocess.DEVNULL)


def test_runs_wait_for_the_one_that_has_the_lock(tree):
    """All of them at once, so that the test waits once."""
    held = [os.open(place, os.O_RDONLY) for place in (tree.path, tree.path / STORE)]
    for fd in held:
        fcntl.flock(fd, fcntl.LOCK_EX)
    before = tree.snapshot()
    running = {name: start(name, tree) for name in COMMANDS | READERS}
    time.sleep(6)
    assert {name: process.poll() for name, process in running.items()} == dict.fromkeys(running)
    assert tree.snapshot() == before
    for fd in held:
        os.close(fd)
    assert {name: process.wait(timeout=60) for name, process in running.items()} == dict.fromkeys(running, 0)


def test_readers_do_not_wait_for_each_other(command, tree):
    held = os.open(tree.path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        for name in READERS:
            assert command(*words(name, tree)).status == 0, name
    finally:
        os.close(held)


@pytest.mark.parametrize("name", READERS)
def test_readers_hold_the_lock_while_they_read(command, tree, monkeypatch, name):
    seen: list[bool] = []

    def watch(owner, method):
        real = getattr(owner, method)

        def noted(reader, *arguments):
            if getattr(reader, "directory", tree.root) == tree.root:
                seen.append(is_locked(tree.path))
            return real(reader, *arguments)

        monkeypatch.setattr(owner, method, noted)

    watch(RootDirectory, "names")
    watch(TreeCopy, "run")
    assert command(*words(name, tree)).status == 0
    assert seen and all(seen)
    assert not is_locked(tree.path)


def test_a_file_system_without_locks_is_read_anyway(command, tree, monkeypatch):
    def no_locks(_fd, _operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert command("list", "--root", tree.root).status == 0
    found = command("remove", "--root", tree.root, "old")
    assert found.status == 2 and "cannot be locked" in found.err
