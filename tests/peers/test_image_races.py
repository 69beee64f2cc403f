"""``image`` while entries of its source are exchanged for links out: nothing of the host lands in DEST."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from tests.peers.test_containment import swapping
from tests.support.authority import Authority
from tests.support.command import rootfs_trust
from tests.support.debian_tree import DebianTree, snapshot
from tests.support.images import LayoutDirectory, Tarball

CANARY = b"canary of the host " * 100
ROUNDS = 12


@pytest.fixture
def outside(tmp_path):
    directory = tmp_path / "outside"
    directory.mkdir()
    for name in ("secret", "ca.crt", "index.json"):
        (directory / name).write_bytes(CANARY)
    return directory


def rounds(tmp_path, source, outside):
    """Statuses of runs that go on while the exchange does; DEST never holds the canary."""
    (tmp_path / "new.pem").write_bytes(Authority("New CA").pem)
    before, statuses = snapshot(outside), set()
    end = time.monotonic() + 20
    for number in range(ROUNDS):
        dest = tmp_path / f"dest{number}"
        done = rootfs_trust("image", source, dest, "--cert", tmp_path / "new.pem")
        statuses.add(done.returncode)
        assert CANARY[:40] not in done.stdout + done.stderr
        if dest.exists():
            contents = [each[4] for each in snapshot(dest).values() if isinstance(each[4], bytes)]
            assert not [content for content in contents if CANARY[:40] in content]
            shutil.rmtree(dest)
        if time.monotonic() > end:
            break
    assert snapshot(outside) == before
    return statuses


PLACES = ("usr/share/ca-certificates/mozilla", "usr/local/share/ca-certificates", "etc/secret")


@pytest.mark.parametrize("place", PLACES)
def test_a_directory(tmp_path, outside, place):
    tree = DebianTree(tmp_path / "rootfs")
    tree.write("etc/secret", b"mine")
    tree.write("usr/local/share/ca-certificates/ca.crt", Authority("Mine").pem)
    for number in range(300):  # time for the exchange to fall into the run
        tree.write(f"var/filler/{number}", bytes(10_000))
    twin = tree.path / "twin"
    twin.symlink_to(outside / "secret" if place == "etc/secret" else outside)
    with swapping(tree.path / place, twin):
        assert rounds(tmp_path, tree.root, outside) <= {0, 2, 3, 4}


@pytest.mark.parametrize("place", ["index.json", "blobs", "blobs/sha256"])
def test_a_layout(tmp_path, outside, place):
    layout = LayoutDirectory(tmp_path / "layout")
    layer = (
        Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").file("x", bytes(10**6))
    )
    layout.index(layout.image(layer.end()))
    twin = tmp_path / "twin"
    twin.symlink_to(outside / "index.json" if place == "index.json" else outside)
    with swapping(layout.path / place, twin):
        assert rounds(tmp_path, layout.path, outside) <= {0, 2}
    assert os.path.lexists(twin)
