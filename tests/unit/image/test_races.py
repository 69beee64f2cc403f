"""Trees and layouts that change while they are read: nothing of the host gets into DEST, whatever is exchanged when."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from rootfs_trust.errors import InputError
from rootfs_trust.rootfs.copy import TreeCopy, remove_tree
from tests.peers.test_containment import swapping
from tests.support.debian_tree import DebianTree
from tests.support.images import LayoutDirectory, Tarball

SECRET = "the secret of the host"
LAYER = Tarball().directory("usr/share/ca-certificates").file("etc/os-release", b"ID=debian\n").end()
SECONDS = 2.0


@pytest.fixture
def outside(tmp_path) -> Path:
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_text(SECRET)
    return directory


def rounds(command, source: Path, dest: Path) -> Counter[int]:
    """Runs until the time is over; DEST of each has nothing of the host."""
    statuses: Counter[int] = Counter()
    dest.parent.mkdir()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        result = command("image", source, dest)
        statuses[result.status] += 1
        assert SECRET not in result.out + result.err
        assert (result.status == 0) == dest.exists()
        assert not holds_secret(dest.parent)
        assert os.listdir(dest.parent) == ([dest.name] if dest.exists() else [])
        shutil.rmtree(dest, ignore_errors=True)
    return statuses


def holds_secret(directory: Path) -> bool:
    return subprocess.run(["grep", "-rqF", SECRET, directory], check=False).returncode != 1


def swapped(tree: Path, outside: Path, kind: str) -> tuple[Path, Path]:
    """An entry that is the tree's own, and a link out of it that is to take its place."""
    place, twin = tree / "x", tree / "y"
    if kind == "file":
        place.write_text("mine")
        twin.symlink_to(outside / "secret")
    else:
        place.mkdir()
        (place / "secret").write_text("mine")
        twin.symlink_to(outside)
    return place, twin


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_root_filesystem_in_which_an_entry_becomes_a_link_and_back(command, tmp_path, outside, kind):
    tree = DebianTree(tmp_path / "tree").path
    with swapping(*swapped(tree, outside, kind)):
        statuses = rounds(command, tree, tmp_path / "out/dest")
    assert set(statuses) <= {0, 2} and statuses.total() > 2, statuses


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_some_thousand_copies_of_a_tree_that_changes(tmp_path, outside, kind):
    (tmp_path / "tree").mkdir()
    dest, ends = tmp_path / "dest", Counter[str]()
    with swapping(*swapped(tmp_path / "tree", outside, kind)):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            dest.mkdir()
            try:
                TreeCopy(str(tmp_path / "tree"), str(dest)).run()
                ends["copied"] += 1
            except InputError:
                ends["refused"] += 1
            found = [dest / "x", dest / "y", dest / "x/secret", dest / "y/secret"]
            assert SECRET not in [path.read_text() for path in found if path.is_file() and path.resolve() == path]
            remove_tree(str(dest))
    assert ends.total() > 5, ends


@pytest.mark.parametrize("name", ["index.json", "oci-layout", "blob"])
def test_a_layout_in_which_a_part_becomes_a_link_and_back(command, tmp_path, outside, name):
    """What the links lead to would be taken, if it were the layout's."""
    layout = LayoutDirectory(tmp_path / "layout")
    layout.index(layout.image(LAYER), layout.put(b"an attachment", "application/octet-stream"))
    place = layout.blob_path(layout.manifests[1]["digest"]) if name == "blob" else layout.path / name
    content = "an attachment" if name == "blob" else json.dumps({**json.loads(place.read_text()), "note": SECRET})
    (outside / "it").write_text(content)
    (layout.path / "twin").symlink_to(outside / "it")
    links = []

    def watched(*words: object):
        result = command(*words)
        links.extend(path for path in (tmp_path / "out").rglob("*") if path.is_symlink())
        return result

    with swapping(place, layout.path / "twin"):
        statuses = rounds(watched, layout.path, tmp_path / "out/dest")
    assert not links
    assert set(statuses) <= {0, 2} and statuses.total() > 2, statuses
