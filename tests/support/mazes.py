"""Mazes of links: trees that a hostile image may hold, made and removed without ever following a link.

A maze is drawn from a ``random.Random``: from hypothesis' own, so that it shrinks, or from a seeded one, a million
times in a loop. Every entry is made by the descriptor of a directory that was made here and opened with O_NOFOLLOW.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import NamedTuple

from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, Special, Symlink, as_bytes, as_text
from tests.support import kernel

NAMES = (b"a", b"b", b"etc", b"ssl", b"new\nline", b"pi|pe", b"sp ace", b"\xff\xfe", b"n" * 255, b"...", b"-rf")
STEPS = (*NAMES, b"..", b"..", b"..", b".", b"", b"missing", b"x" * 256)
KINDS = ("folder",) * 5 + ("link",) * 8 + ("file", "sparse", "fifo", "socket", "device")
_NODES = {stat.S_IFREG: File, stat.S_IFLNK: Symlink, stat.S_IFDIR: Directory}
_SPECIAL = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "device": stat.S_IFCHR}
_NULL = os.makedev(1, 3)
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
SPARSE = 1 << 40


class Entry(NamedTuple):
    directory: bytes
    """Path of the directory that holds it, from the maze's root: one that the maze made."""
    name: bytes
    kind: str
    text: bytes
    """Of a link."""

    @property
    def path(self) -> bytes:
        return self.directory + b"/" + self.name


class Maze(NamedTuple):
    entries: list[Entry]
    paths: list[bytes]
    """What to ask for: every entry, and ways through them that were made up."""


def draw(random: Random, outside: bytes = b"/etc/ssl", most: int = 10) -> Maze:
    """A maze; some of its links name ``outside``, a path of the host."""
    directories, entries, taken = [b""], list[Entry](), set[bytes]()
    for _ in range(random.randint(1, most)):
        directory, name, kind = map(random.choice, (directories, NAMES, KINDS))
        entry = Entry(directory, name, kind, _text(random, entries, outside))
        if entry.path in taken or len(entry.path) > 2000:
            continue
        taken.add(entry.path)
        entries.append(entry)
        if entry.kind == "folder":
            directories.append(entry.path)
    paths = [entry.path for entry in entries]
    paths += (b"/" + _way(random, entries) for _ in range(6))
    return Maze(entries, paths)


def _text(random: Random, entries: list[Entry], outside: bytes) -> bytes:
    up = b"../" * random.randint(1, 50)
    start = random.choice((b"", b"", b"/", up, outside + b"/", b"/proc/self/root" + outside))
    return start + _way(random, entries) or b"."


def _way(random: Random, entries: list[Entry]) -> bytes:
    """Steps, mostly over what is there, perhaps with a slash at the end."""
    steps = [random.choice(STEPS) for _ in range(random.randint(0, 4))]
    if entries and random.random() < 0.7:
        steps[:0] = random.choice(entries).path[1:].split(b"/")
    return b"/".join(steps)[:3000]


@contextmanager
def built(maze: Maze, root: int) -> Iterator[None]:
    """The maze below the empty directory ``root`` (a descriptor), which is empty again afterwards."""
    directories = {b"": root}
    made: list[Entry] = []
    try:
        for entry in maze.entries:
            if _make(entry, directories[entry.directory]):
                made.append(entry)
                if entry.kind == "folder":
                    directories[entry.path] = os.open(entry.name, _OPEN_DIRECTORY, dir_fd=directories[entry.directory])
        yield
    finally:
        for entry in reversed(made):
            remove = os.rmdir if entry.kind == "folder" else os.unlink
            remove(entry.name, dir_fd=directories[entry.directory])
        for path, fd in directories.items():
            if path:
                os.close(fd)


def _make(entry: Entry, directory: int) -> bool:
    if entry.kind == "folder":
        os.mkdir(entry.name, dir_fd=directory)
    elif entry.kind == "link":
        os.symlink(entry.text, entry.name, dir_fd=directory)
    elif entry.kind in _SPECIAL:
        if entry.kind == "device" and os.geteuid() != 0:
            return False
        os.mknod(entry.name, 0o600 | _SPECIAL[entry.kind], _NULL, dir_fd=directory)
    else:
        fd = os.open(entry.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory)
        os.truncate(fd, SPARSE if entry.kind == "sparse" else 1)
        os.close(fd)
    return True


def differences(root: RootDirectory, maze: Maze) -> list[tuple[bytes, str, object, object]]:
    """Where the door's answer is not the kernel's: the path, what was asked, the door's answer, the kernel's."""
    found = []
    for path in maze.paths:
        answers = zip(_QUESTIONS, _door(root, path), _kernel(root.fd, path), strict=True)
        found += [(path, question, ours, theirs) for question, ours, theirs in answers if ours != theirs]
    return found


_QUESTIONS = ("real path", "kind", "kind of a link", "place", "names")


def _door(root: RootDirectory, path: bytes) -> tuple[object, ...]:
    text = as_text(path)
    real, place = root.real_path(text), root.place(text)
    return (
        None if real is None else as_bytes(real),
        root.kind(text),
        root.kind(text, follow=False),
        None if place is None else _identity(*place),
        [as_bytes(name) for name in root.names(text)],
    )


def _kernel(root: int, path: bytes) -> tuple[object, ...]:
    followed, itself = kernel.identity(root, path), kernel.identity(root, path, follow=False)
    return kernel.real_path(root, path), _kind(followed), _kind(itself), itself, _names(root, path)


def _identity(directory: int, name: bytes) -> tuple[int, int, int] | None:
    try:
        status = os.stat(name or b".", dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mode


def _kind(found: tuple[int, int, int] | None) -> type | None:
    return None if found is None else _NODES.get(stat.S_IFMT(found[2]), Special)


def _names(root: int, path: bytes) -> list[bytes]:
    try:
        fd = kernel.open_in_root(root, path, flags=os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return sorted(map(os.fsencode, os.listdir(fd)))
    finally:
        os.close(fd)
