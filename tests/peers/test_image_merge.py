"""Layers made at random, merged by umoci and by us: the same trees, entry for entry."""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from rootfs_trust.image.host_files import DirectoryFiles
from rootfs_trust.image.image_tree import ImageTree
from rootfs_trust.image.oci import OciLayout
from rootfs_trust.rootfs.view import Directory, File, Symlink, join
from tests.support.images import LayoutDirectory, Tarball, entries
from tests.support.peers import PLAIN_ENVIRONMENT, needs_root, peer

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c")


class RandomLayers:
    """Three layers over few names, so that they collide: files, links, directories, whiteouts, opaque directories.

    A layer has each path once, and entries only where directories are.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._there = {"": "folder"}
        """The kind of what is at each path by now."""

    def layers(self) -> list[bytes]:
        return [self._layer() for _ in range(3)]

    def _layer(self) -> bytes:
        layer, below, said = Tarball(), set(self._there), set[str]()
        makers = [self._file, self._file, self._directory, self._directory, self._link, self._hard_link]
        makers += [self._whiteout, self._opaque]
        for _ in range(self._chance.randrange(6, 16)):
            directory = self._chance.choice([path for path, kind in self._there.items() if kind == "folder"])
            path = f"{directory}/{self._chance.choice(NAMES)}".lstrip("/")
            make = self._chance.choice(makers)
            keeps = make == self._directory and self._there.get(path) == "folder"
            touched = path in said or any(each.startswith(f"{path}/") for each in said)
            if (touched and not (keeps and path not in said)) or path.count("/") > 3:
                continue
            if make != self._whiteout or path in below:
                said.add(path)
                make(layer, path)
        return layer.end()

    def _becomes(self, path: str, kind: str) -> None:
        if kind != "folder" or self._there.get(path) != "folder":
            self._forget(path)
        if kind:
            self._there[path] = kind

    def _forget(self, path: str) -> None:
        for each in [each for each in self._there if each == path or each.startswith(f"{path}/")]:
            del self._there[each]

    def _file(self, layer: Tarball, path: str) -> None:
        content = str(self._chance.random()).encode()
        layer.file(path, content, mode=self._chance.choice([0o644, 0o600]), gid=self._chance.randrange(3))
        self._becomes(path, "file")

    def _directory(self, layer: Tarball, path: str) -> None:
        layer.directory(path, self._chance.choice([0o755, 0o750]), uid=self._chance.randrange(3))
        self._becomes(path, "folder")

    def _link(self, layer: Tarball, path: str) -> None:
        layer.link(path, self._chance.choice(["a", "../b", "/a/b", "nowhere"]))
        self._becomes(path, "link")

    def _hard_link(self, layer: Tarball, path: str) -> None:
        self._becomes(path, "")
        files = [other for other, kind in self._there.items() if kind == "file"]
        if files:
            layer.hard_link(path, self._chance.choice(files))
            self._becomes(path, "file")
        else:
            self._file(layer, path)

    def _whiteout(self, layer: Tarball, path: str) -> None:
        directory, _, name = path.rpartition("/")
        layer.file(f"{directory}/.wh.{name}".lstrip("/"))
        self._becomes(path, "")

    def _opaque(self, layer: Tarball, path: str) -> None:
        self._becomes(path, "")
        self._directory(layer, path)
        layer.file(f"{path}/.wh..wh..opq")


def test_the_random_layers_have_everything_in_them():
    names = [name for seed in range(60) for layer in RandomLayers(seed).layers() for name in entries(layer).items()]
    kinds = {entry[0] for _, entry in names}
    assert kinds == {tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE}
    assert sum(".wh." in name for name, _ in names) > 60 < sum(name.endswith(".opq") for name, _ in names)


def seen(tree: ImageTree, directory: str = "/") -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for name in tree.names(directory):
        path = join(directory, name)
        node = tree.node(path)
        if isinstance(node, Symlink):
            found[path] = ("link", node.points_to)
        elif isinstance(node, File):
            found[path] = ("file", node.content, node.mode, node.owner)
        else:
            assert isinstance(node, Directory)
            found |= {path: ("folder", node.mode, node.owner), **seen(tree, path)}
    return found


def on_disk(directory: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for file in directory.rglob("*"):
        status = file.lstat()
        path, mode, owner = (
            f"/{file.relative_to(directory)}",
            stat.S_IMODE(status.st_mode),
            (status.st_uid, status.st_gid),
        )
        if file.is_symlink():
            found[path] = ("link", os.readlink(file))
        elif file.is_file():
            found[path] = ("file", file.read_bytes(), mode, owner)
        else:
            found[path] = ("folder", mode, owner)
    return found


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_layers_merge_as_umoci_merges_them(tmp_path, start):
    needs_root()
    umoci = peer("umoci")
    for seed in range(start, start + 20):
        layout = LayoutDirectory(tmp_path / f"layout-{seed}")
        tag = {"org.opencontainers.image.ref.name": "1"}
        layout.index(layout.image(*RandomLayers(seed).layers(), annotations=tag))
        bundle = tmp_path / f"bundle-{seed}"
        words = [umoci, "unpack", "--image", f"{layout.path}:1", bundle]
        subprocess.run(words, check=True, capture_output=True, timeout=60, env=PLAIN_ENVIRONMENT)
        (image,) = OciLayout(DirectoryFiles(str(layout.path))).images()
        assert seen(ImageTree(image.layers)) == on_disk(bundle / "rootfs"), f"seed {seed}"
        shutil.rmtree(bundle)
