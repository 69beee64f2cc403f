"""The runs that write new images: a directory with sources beside the results, of ``image`` and of ``fleet``."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from rootfs_trust.api.install import install
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.cli.run import main
from tests.faults.calls import ENVIRONMENT
from tests.faults.cases import EPOCH, Case, authority
from tests.faults.one_process import one_process
from tests.support.debian_tree import DebianTree
from tests.support.filesystem_images import MAKERS
from tests.support.images import LayoutDirectory, Tarball, docker_archive

JOURNAL = "fleet.toml.done"
_FLEET = """
[[target]]
root = "out/*"
config = "edge.toml"

[[target]]
image = "images/*"
dest = "signed/"
config = "edge.toml"
"""


def command(words: list[str], *, in_one_process: bool) -> tuple[object, str, str]:
    """Exit status, output and errors of the command, run here and undisturbed."""
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict("os.environ", ENVIRONMENT, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", ["rootfs-trust", *words]))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        if in_one_process:
            stack.enter_context(one_process())
        try:
            main()
        except SystemExit as exit_:
            status = exit_.code or 0
    return status, out.getvalue(), err.getvalue()


def _rootfs(path: Path) -> bytes:
    tree = DebianTree(path)
    install(tree.root, InstallOptions(timestamp=EPOCH - 10**6))
    return Tarball().tree(path, "").end()


def _layout(path: Path) -> None:
    layer = _rootfs(path / "rootfs")
    layout = LayoutDirectory(path / "images/a")
    layout.index(layout.image(layer))


def _archive(path: Path) -> None:
    layer = _rootfs(path / "rootfs")
    (path / "images").mkdir()
    (path / "images/b.tar").write_bytes(docker_archive({"layers": [layer], "tags": ["b:1"]}))


def _image(path: Path, name: str) -> list[str]:
    given = path.parent.parent / "new.pem"
    given.write_bytes(authority("New CA").pem)
    return ["image", str(path / "images" / name), str(path / "signed"), "--cert", str(given), "-q"]


def _fleet(path: Path) -> None:
    """Two roots, a layout and an archive."""
    for name in ("a", "b"):
        layer = _rootfs(path / f"out/{name}")
    layout = LayoutDirectory(path / "images/a")
    layout.index(layout.image(layer))
    (path / "images/b.tar").write_bytes(docker_archive({"layers": [layer], "tags": ["b:1"]}))
    (path / "fleet.toml").write_text(_FLEET)
    (path / "edge.toml").write_text('[[anchor]]\nfile = "ca.pem"\nreplace = true\n')


def _rotate(path: Path) -> None:
    """An earlier run with another CA, and then the one that is to come."""
    (path / "ca.pem").write_bytes(authority("Old CA").pem)
    status, _, errors = command(_fleet_words(path), in_one_process=True)
    if status:
        raise SystemExit(f"the first fleet: {errors}")
    (path / "ca.pem").write_bytes(authority("New CA").pem)


def _fleet_words(path: Path) -> list[str]:
    return ["fleet", str(path / "fleet.toml"), "-q"]


def _directory(path: Path) -> None:
    _rootfs(path / "images/c")


def _remove_shipped(path: Path) -> list[str]:
    return ["image", str(path / "images/a"), str(path / "signed"), "--without", "Alpha_Root", "-q"]


def _filesystem(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _rootfs(path / "rootfs")
        (path / "images").mkdir()
        MAKERS[kind](path / "rootfs", path / "images" / kind)

    return make


def _filesystem_case(kind: str) -> Case:
    return Case(
        f"image-{kind}", _filesystem(kind), lambda path: _image(path, kind), None, images=("signed",), programs=True
    )


SITES = (
    Case("image", _layout, lambda path: _image(path, "a"), None, images=("signed",)),
    Case("image-archive", _archive, lambda path: _image(path, "b.tar"), None, images=("signed",)),
    Case("image-folder", _directory, lambda path: _image(path, "c"), None, images=("signed",)),
    Case("image-remove", _layout, _remove_shipped, None, images=("signed",)),
    *map(_filesystem_case, ("ext4", "squashfs-gzip", "erofs-lz4", "cpio.gz", "gpt-ext4")),
    Case("fleet", _fleet, _fleet_words, None, _rotate, ("signed/a", "signed/b.tar"), one_process=True),
)
