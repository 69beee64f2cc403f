"""Images of root filesystems, made by the programs of each format."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.peers import PLAIN_ENVIRONMENT, peer

_SECTOR = 512
_MIB = 1024 * 1024


def run(*words: str | Path, cwd: Path | None = None, stdin: bytes = b"", environment: Mapping[str, str] = {}) -> bytes:
    """Run a program; what it prints. It has to succeed."""
    done = subprocess.run(
        [peer(str(words[0])), *map(str, words[1:])],
        cwd=cwd,
        input=stdin,
        env={**PLAIN_ENVIRONMENT, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def ext(version: str, *options: str, size: int = 8 * _MIB) -> Callable[[Path, Path], None]:
    def make(tree: Path, image: Path) -> None:
        image.touch()
        needed = 2 * _allocated(tree)
        os.truncate(image, size if needed <= size else size + needed)
        run("mke2fs", "-q", "-t", version, "-U", "clear", *options, "-d", tree, image)

    return make


def _allocated(tree: Path) -> int:
    """Return the bytes that a tree takes on the disk."""
    return 512 * sum(path.lstat().st_blocks for path in tree.rglob("*"))


def squashfs(compressor: str, *options: str) -> Callable[[Path, Path], None]:
    def make(tree: Path, image: Path) -> None:
        run("mksquashfs", tree, image, "-comp", compressor, "-quiet", "-no-progress", *options)

    return make


def erofs(*options: str) -> Callable[[Path, Path], None]:
    def make(tree: Path, image: Path) -> None:
        run("mkfs.erofs", *options, image, tree)

    return make


def cpio(packer: str = "") -> Callable[[Path, Path], None]:
    def make(tree: Path, image: Path) -> None:
        names = run("find", ".", "-print0", cwd=tree)
        archive = run(
            "cpio", "-o", "-0", "-H", "newc", "--quiet", cwd=tree, stdin=b"\0".join(sorted(names.split(b"\0"))[1:])
        )
        image.write_bytes(run(packer, "-c", stdin=archive) if packer else archive)

    return make


def tar(tree: Path, image: Path) -> None:
    run("tar", "--xattrs", "-C", tree, "-cf", image, ".")


def disk(label: str, make: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """A disk image with a boot partition and one with the file system that ``make`` makes."""

    def made(tree: Path, image: Path) -> None:
        inner = image.with_suffix(".part")
        make(tree, inner)
        content = inner.read_bytes()
        inner.unlink()
        partitioned(image, label, [b"boot files", content])

    return made


def partitioned(image: Path, label: str, contents: list[bytes]) -> None:
    """A disk image with these partitions, the last one logical if ``label`` is ``logical``."""
    starts, at = [], 2048
    for content in contents:
        starts.append(at)
        at += -(-len(content) // _MIB) * 2048 + 4096
    image.touch()
    os.truncate(image, at * _SECTOR + _MIB)
    lines = [f"label: {'dos' if label == 'logical' else label}"]
    for number, (start, content) in enumerate(zip(starts, contents, strict=True), 1):
        if label == "logical" and number == len(contents):
            lines.append(f"start={start - 1024}, type=5")
        lines.append(f"start={start}, size={-(-len(content) // _MIB) * 2048}")
    run("sfdisk", "-q", image, stdin="\n".join(lines).encode())
    with image.open("r+b") as file:
        for start, content in zip(starts, contents, strict=True):
            file.seek(start * _SECTOR)
            file.write(content)


MAKERS: dict[str, Callable[[Path, Path], None]] = {
    "ext2": ext("ext2"),
    "ext3": ext("ext3", size=16 * _MIB),
    "ext4": ext("ext4"),
    "ext4-1k-blocks": ext("ext4", "-b", "1024"),
    "ext4-inline-data": ext("ext4", "-O", "inline_data,meta_bg,^resize_inode", "-I", "512"),
    **{f"squashfs-{name}": squashfs(name) for name in ("gzip", "lzma", "lzo", "xz", "lz4", "zstd")},
    "squashfs-plain": squashfs("gzip", "-noI", "-noD", "-noF", "-noX"),
    "squashfs-no-fragments": squashfs("xz", "-no-fragments", "-b", "4096"),
    "erofs": erofs(),
    "erofs-lz4": erofs("-zlz4"),
    "erofs-lz4hc-large": erofs("-zlz4hc", "-C65536"),
    "erofs-legacy": erofs("-zlz4", "-Elegacy-compress"),
    "erofs-fragments": erofs("-zlz4hc", "-C32768", "-Eall-fragments,ztailpacking,dedupe"),
    "erofs-legacy-tails": erofs("-zlz4", "-C16384", "-Elegacy-compress,ztailpacking"),
    "erofs-chunks": erofs("--chunksize=4096"),
    "cpio": cpio(),
    "cpio.gz": cpio("gzip"),
    "cpio.xz": cpio("xz"),
    "cpio.zst": cpio("zstd"),
    "gpt-ext4": disk("gpt", ext("ext4")),
    "mbr-squashfs": disk("dos", squashfs("zstd")),
    "logical-erofs": disk("logical", erofs("-zlz4")),
}
"""By the kind of image: what makes one of a tree."""
