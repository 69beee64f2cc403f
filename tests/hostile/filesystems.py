"""Hostile file system images: ext, squashfs, erofs and cpio, and disk images with partitions."""

from __future__ import annotations

import stat
import struct
import tempfile
from pathlib import Path
from random import Random

from tests.hostile import trees
from tests.hostile.corpus import image
from tests.hostile.hands import Hands
from tests.hostile.mutations import BIDI, ESC
from tests.hostile.world import Base, World
from tests.support.damage import DAMAGE
from tests.support.filesystem_images import MAKERS

_EXT = ("ext2", "ext4", "ext4-1k-blocks", "ext4-inline-data")
_SQUASHFS = ("squashfs-gzip", "squashfs-xz", "squashfs-lzo", "squashfs-lz4", "squashfs-zstd", "squashfs-plain")
_EROFS = ("erofs", "erofs-lz4", "erofs-legacy", "erofs-fragments")
_CPIO = ("cpio", "cpio.gz", "cpio.xz", "cpio.zst")
_DISKS = ("gpt-ext4", "mbr-squashfs", "logical-erofs")

_TABLES = 34 * 512
"""Bytes at the beginning of a disk: its partition tables."""

_TREES = (
    trees.links_out,
    trees.links_in_chains,
    trees.other_kinds,
    trees.damaged_files,
    trees.odd_names,
    trees.odd_names_of_links,
    trees.hash_links,
    trees.owners_and_modes,
    trees.release_files,
    trees.settings_of_thin_edge,
    trees.paths_in_settings,
    trees.users_and_packages,
    trees.keystores_of_java,
    trees.bundles,
    trees.ostree_deployments,
    trees.special_files,
)
"""What changes a tree in a way that an image of it can have, and brings no canary into it."""


def _sane(kind: str, base: Base, folder: str) -> bytes:
    """The image of a sane root filesystem; temporary files go to ``folder``."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        hands = Hands(f"{work}/tree")
        for entry in base.entries:
            if entry.kind == stat.S_IFDIR:
                hands.directory(entry.path, entry.mode)
            elif entry.kind == stat.S_IFLNK:
                hands.link(entry.path, entry.content)
            else:
                hands.file(entry.path, entry.content, entry.mode)
        hands.close()
        MAKERS[kind](Path(hands.path), Path(work) / "image")
        return (Path(work) / "image").read_bytes()


def _file(world: World, content: bytes) -> str:
    world.files.file("rootfs.img", content)
    return f"{world.given}/rootfs.img"


def _damaged(world: World, random: Random, kinds: tuple[str, ...]) -> str:
    content = _sane(random.choice(kinds), world.base, world.work)
    return _file(world, random.choice(DAMAGE)(random, content))


@image(rounds=12)
def ext_images_damaged(world: World, random: Random) -> str:
    """Cut short, or with other bits, numbers or parts."""
    return _damaged(world, random, _EXT)


@image(rounds=12)
def squashfs_images_damaged(world: World, random: Random) -> str:
    return _damaged(world, random, _SQUASHFS)


@image(rounds=12)
def erofs_images_damaged(world: World, random: Random) -> str:
    return _damaged(world, random, _EROFS)


@image(rounds=12)
def cpio_archives_damaged(world: World, random: Random) -> str:
    return _damaged(world, random, _CPIO)


@image(rounds=6)
def disk_images_damaged(world: World, random: Random) -> str:
    return _damaged(world, random, _DISKS)


@image(rounds=10)
def partition_tables_that_lie(world: World, random: Random) -> str:
    """Partitions that overlap, end behind the disk, lead to each other, or are very many."""
    content = bytearray(_sane(random.choice(_DISKS), world.base, world.work))
    used = [at for at in range(440, _TABLES - 8, 4) if any(content[at : at + 4])]
    for _ in range(random.randint(1, 4)):
        number = random.choice((0, 1, 33, 2047, 2048, 4096, 0x7FFFFFFF, 0xFFFFFFFF))
        struct.pack_into("<I", content, random.choice(used), number)
    return _file(world, bytes(content))


@image(rounds=12)
def images_of_trees_of_strangers(world: World, random: Random) -> str:
    """A hostile tree, packed by the programs of a format: links lead to canaries if they are followed on the host."""
    for make in random.sample(_TREES, random.randint(1, 2)):
        make(world, random)
    kind = random.choice((*_EXT, *_SQUASHFS, *_EROFS, *_CPIO, *_DISKS))
    path = Path(world.given) / "rootfs.img"
    MAKERS[kind](Path(world.root), path)
    return str(path)


# -- cpio, which anybody can write ----------------------------------------------------------------------------


def _record(name: bytes, content: bytes = b"", mode: int = stat.S_IFREG | 0o644, **fields: int) -> bytes:
    numbers = {
        "ino": 1,
        "mode": mode,
        "uid": 0,
        "gid": 0,
        "nlink": 1,
        "mtime": 0,
        "size": len(content),
        "major": 0,
        "minor": 0,
        "rmajor": 0,
        "rminor": 0,
        "namesize": len(name) + 1,
        "check": 0,
        **fields,
    }
    header = b"070701" + b"".join(b"%08X" % number for number in numbers.values()) + name + b"\0"
    return header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)


def _odd_record(world: World, random: Random) -> bytes:
    bundle = b"etc/ssl/certs/ca-certificates.crt"
    name = random.choice((bundle, b"etc/os-release", b"etc", b"usr/x"))
    ways = (
        lambda: _record(random.choice((b"../", b"/../", b"a/../../")) + name, b"x"),
        lambda: _record(random.choice((b"", b".", b"..", b"/", b"a" * 5000, ESC.encode(), BIDI.encode())), b"x"),
        lambda: _record(name, world.link_out(random, name), stat.S_IFLNK | 0o777),
        lambda: _record(name, b"x" * 70_000, stat.S_IFLNK | 0o777),
        lambda: _record(name, mode=random.choice((stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFDIR, 0))),
        lambda: _record(name + b"/below", b"x"),
        lambda: _record(name, b"x", size=random.choice((0, 2, 1 << 20, 0xFFFFFFFF))),
        lambda: _record(name, b"x", namesize=random.choice((0, 1, 3, 4097, 0xFFFFFFFF))),
        lambda: b"".join(_record(name, ino=7, nlink=0xFFFFFFFF) for _ in range(300)),
        lambda: _record(name, b"x", mtime=0xFFFFFFFF, uid=0xFFFFFFFF, gid=0xFFFFFFFF),
        lambda: _record(name, b"x") * 20_000,
    )
    return random.choice(ways)()


@image(rounds=12)
def cpio_archives_of_strangers(world: World, random: Random) -> str:
    """Records that lead out, lie about sizes, or are very many, before or behind those of a sane archive."""
    odd = b"".join(_odd_record(world, random) for _ in range(random.randint(1, 3)))
    end = _record(b"TRAILER!!!") if random.random() < 0.9 else b""
    sane = _sane("cpio", world.base, world.work)
    return _file(world, random.choice((odd + end + sane, sane + odd + end, odd + sane, odd + end)))
