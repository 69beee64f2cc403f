"""Outputs whose path leads into the tree: they are written as on the device, and no link of the tree leads one out."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time

import pytest

from rootfs_trust.api.output_file import place_in, write_output
from rootfs_trust.errors import ConflictError, InputError
from tests.support.authority import Authority
from tests.support.debian_tree import DebianTree, snapshot

COMMANDS = {
    "report": ["report", "--root", "{root}", "-o", "{out}", "--format", "html"],
    "report-md": ["report", "--root", "{root}", "-o", "{out}", "--format", "md"],
    "report-baseline": ["report", "--root", "{other}", "--baseline", "{root}", "-o", "{out}"],
    "report-state": ["report", "--root", "{other}", "--state", "overlay:/data={root}", "-o", "{out}"],
    "sbom": ["sbom", "--root", "{root}", "-o", "{out}"],
    "sbom-spdx": ["sbom", "--root", "{root}", "-o", "{out}", "--format", "spdx"],
    "init": ["init", "--root", "{root}", "--config", "{out}", "--no-input"],
}
REFUSED = {"provenance": ["install", "--root", "{root}", "--provenance", "{out}"]}


@pytest.fixture
def world(tmp_path):
    """A tree with links out of it, and what is outside."""
    tree = DebianTree(tmp_path / "in/rootfs")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("canary")
    (tree.path / "usr/share/doc").symlink_to(outside)
    (tree.path / "up").symlink_to("../../outside")
    (tree.path / "file").symlink_to(outside / "canary")
    (tree.path / "proc").symlink_to(f"/proc/self/root{outside}")
    (tree.path / "within").symlink_to("/etc")
    DebianTree(tmp_path / "other")
    (tmp_path / "way-in").symlink_to(tree.path / "usr")
    (tmp_path / "loop").symlink_to("loop")
    return tree


def run(command, name, tree, out):
    directory = tree.path.parent.parent
    words = [word.format(root=tree.root, other=directory / "other", out=out) for word in {**COMMANDS, **REFUSED}[name]]
    return command(*words)


OUTPUTS = (
    *("usr/share/doc/canary", "usr/share/doc/new", "up/canary", "file", "proc/canary"),
    *("../../way-in/share/doc/canary", "etc/../usr/share/doc/canary", "usr/share/doc/../../outside/canary"),
)


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("name", [*COMMANDS, *REFUSED])
def test_no_link_of_the_tree_leads_an_output_out(command, world, name, out):
    outside = world.path.parent.parent / "outside"
    before = snapshot(outside)
    result = run(command, name, world, world.path / out)
    assert result.status in (2, 3), result
    assert snapshot(outside) == before and sorted(os.listdir(outside.parent)) == [
        "cwd", "in", "loop", "other", "outside", "way-in"
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_in_the_tree_is_written_where_the_device_has_it(command, world, name):
    result = run(command, name, world, world.path / "within/report")
    assert result.status == 0, result
    written = world.path / "etc/report"
    assert written.stat().st_mode & 0o777 == 0o644 and written.read_bytes()
    assert not [each for each in world.snapshot() if ".rootfs-trust" in each]


@pytest.mark.parametrize(
    "way",
    ["{root}/etc/x", "{root}/usr/../etc/x", "{up}/way-in/../etc/x", "{root}/./etc//x", "{up}/outside/../{rest}/etc/x"],
)
def test_every_spelling_of_a_place_in_the_tree_is_known(world, monkeypatch, way):
    up = world.path.parent.parent
    path = way.format(root=world.root, up=up, rest=world.path.relative_to(up))
    tree, place = place_in(path, [world.root])
    assert tree == world.root and os.path.normpath(place).endswith("/etc/x")
    monkeypatch.chdir(world.path / "etc")
    assert place_in("x", [world.root]) == (world.root, "/etc/x")
    assert place_in("../../../outside/canary", [world.root])[1].startswith("/etc/../../..")
    assert place_in(str(world.path.parent / "x"), [world.root]) is None
    assert place_in(str(world.path.parent.parent / "loop"), [world.root]) is None
    assert place_in("/etc/hostname", ["/"]) is None


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "init"])
def test_a_file_that_is_replaced_keeps_owner_and_mode(command, world, name):
    for place in (world.path / "etc/old", world.path.parent / "old"):
        place.write_bytes(b"old")
        place.chmod(0o600)
        assert run(command, name, world, place).status == 0
        assert place.stat().st_mode & 0o777 == 0o600 and place.read_bytes() != b"old"


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_not_a_file_is_one_clear_error(command, world, name):
    os.mkfifo(world.path / "fifo")
    for out, status in ((world.root, 2), (world.path / "etc", 2), (world.path / "fifo", 3), (world.path / "no/x", 2)):
        result = run(command, name, world, out)
        assert (result.status, len(result.err.splitlines())) == (status, 1), result


def test_an_output_waits_for_a_run_that_has_the_tree(world):
    held = os.open(world.root, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    words = [sys.executable, "-m", "rootfs_trust", "report", "--root", world.root, "-o", f"{world.root}/etc/x.html"]
    process = subprocess.Popen(words)
    time.sleep(2)
    assert process.poll() is None and not (world.path / "etc/x.html").exists()
    os.close(held)
    assert process.wait(timeout=60) == 0 and (world.path / "etc/x.html").exists()


def test_a_journal_in_a_target_is_refused(command, world, tmp_path):
    (tmp_path / "job.toml").write_text("")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(f'[[target]]\nroot = "{world.root}"\nconfig = "job.toml"\n')
    result = command("fleet", fleet, "--journal", world.path / "usr/share/doc/journal")
    assert result.status == 2 and "is in the root filesystem of a target" in result.err
    assert sorted(os.listdir(tmp_path / "outside")) == ["canary"]


def test_a_saved_chain_is_written_inside_the_root(world):
    with pytest.raises(Exception, match="not a directory"):
        write_output(f"{world.root}/usr/share/doc/chain.pem", Authority("x").pem, [world.root], new=True)
    assert sorted(os.listdir(world.path.parent.parent / "outside")) == ["canary"]


@pytest.mark.parametrize("inside", [True, False])
def test_a_new_output_is_not_written_through_a_dangling_link(world, tmp_path, inside):
    link = (world.path / "etc" if inside else tmp_path) / "link"
    link.symlink_to("gone")
    with pytest.raises(ConflictError, match="already exists"):
        write_output(str(link), b"x", [world.root], new=True)
    assert link.is_symlink() and not link.exists()


def test_an_output_to_a_dangling_link_in_the_tree_is_wrong_use(world):
    (world.path / "etc/link").symlink_to("gone")
    with pytest.raises(InputError, match="is a dangling link"):
        write_output(f"{world.root}/etc/link", b"x", [world.root])
    assert not (world.path / "etc/gone").exists()
