"""Images of erofs-utils 1.8.6, which many distributions do not have yet, recorded with what is in them.

    python -m tests.support.newer_erofs MKFS

records them again, with the ``mkfs.erofs`` at MKFS, which needs every compressor. Run it as root.
"""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from random import Random

from tests.support.debian_tree import DebianTree
from tests.support.filesystem_images import run

KINDS: Mapping[str, tuple[str, ...]] = {
    "erofs-lzma": ("-zlzma,9", "-C131072", "-Efragments,ztailpacking,dedupe"),
    "erofs-deflate": ("-zdeflate,9", "-C65536", "-Eall-fragments,ztailpacking"),
    "erofs-zstd": ("-zzstd", "-C262144", "-Eall-fragments,dedupe"),
    "erofs-two-algorithms": ("-zlz4:lzma",),
    "erofs-1k-blocks": ("-b1024", "-zlz4"),
    "erofs-prefixes": ("-zlz4", "--xattr-prefix=user."),
}
"""The options of each image."""

_RECORDED = Path(__file__).with_name("newer_erofs.tar.xz")
_LISTING = "listing.json"
_MTIME = 1_600_000_000

Listing = dict[str, list[object]]
"""By path: mode, owner, group, time, number of names, attributes, device, and SHA-256 of a file or text of a link."""


def image(kind: str) -> bytes:
    """The recorded image of a kind."""
    return _member(kind)


def listing() -> Listing:
    """What every image has."""
    found: Listing = json.loads(_member(_LISTING))
    return found


def _member(name: str) -> bytes:
    with tarfile.open(_RECORDED) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def entry(
    mode: int, owner: tuple[int, int], time: int, links: int, attributes: Mapping[str, bytes], device: int, data: object
) -> list[object]:
    """An entry of the listing. ``data`` is the content of a file, the text of a link, or None."""
    content = sha256(data).hexdigest() if isinstance(data, bytes) else data
    values = {name: value.hex() for name, value in sorted(attributes.items())}
    return [mode, *owner, time, 0 if stat.S_ISDIR(mode) else links, values, device, content]


# -- recording -----------------------------------------------------------------------------------------------


def _fill(root: Path) -> None:
    """Content of every kind that an image stores in another way."""
    random, library = Random(39), root / "usr/lib"
    library.mkdir(parents=True)
    (library / "noise").write_bytes(random.randbytes(9_000))
    (library / "text").write_bytes(b"".join(b"line %d of %d\n" % (n, n * n) for n in range(5_000)))
    (library / "empty").write_bytes(b"")
    (library / "mixed").write_bytes(b"abc" * 50_000 + random.randbytes(9_000) + bytes(200_000) + b"end")
    os.link(library / "mixed", library / "mixed-again")
    for n in range(80):
        (library / f"small-{n:03}").write_bytes(b"hello world\n" * random.randint(0, 600))
    (library / "long").symlink_to("/etc/" + "ssl/../" * 30 + "ssl")
    (library / "odd name\n\\\u00e9").write_bytes(b"odd")
    os.mkfifo(library / "fifo")
    os.mknod(library / "null", 0o020666, os.makedev(1, 3))
    os.chown(library / "text", 1234, 70_000)
    (library / "text").chmod(0o4755)
    for name, value in (("user.note", b"a value"), ("user.other", b"another"), ("security.ima", bytes(range(200)))):
        os.setxattr(library / "text", name, value)
    for directory, directories, files in os.walk(root, topdown=False):
        for name in [*directories, *files]:
            os.utime(Path(directory, name), (_MTIME, _MTIME + len(name)), follow_symlinks=False)


def _listing(root: Path) -> Listing:
    return {f"/{path.relative_to(root)}": _entry(path) for path in sorted(root.rglob("*"))}


def _entry(path: Path) -> list[object]:
    status = path.lstat()
    names = os.listxattr(path, follow_symlinks=False)
    attributes = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
    data = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    owner = status.st_uid, status.st_gid
    return entry(status.st_mode, owner, int(status.st_mtime), status.st_nlink, attributes, status.st_rdev, data)


def main() -> None:
    mkfs = sys.argv[1]
    with tempfile.TemporaryDirectory() as work, tarfile.open(_RECORDED, "w:xz") as tar:
        tree = DebianTree(Path(work) / "tree")
        run(sys.executable, "-m", "rootfs_trust", "install", "--root", tree.path, cwd=Path.cwd())
        _fill(tree.path)
        members = {_LISTING: json.dumps(_listing(tree.path)).encode()}
        for kind, options in KINDS.items():
            run(mkfs, *options, "-U00000000-0000-4000-8000-000000000039", Path(work) / kind, tree.path)
            members[kind] = (Path(work) / kind).read_bytes()
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    main()
