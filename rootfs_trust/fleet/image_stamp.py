"""Cheap change detection for images: a digest of the metadata of their files on the host."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import sha256

from rootfs_trust.fleet.change_detection import state_of
from rootfs_trust.rootfs.open_path import Descent


def image_stamp(*paths: str) -> str:
    """Return a digest of the metadata of host files and directories, and of everything in them."""
    digest = sha256(usedforsecurity=False)
    for path in paths:
        for name, state in _states(path):
            digest.update(repr((name, state)).encode())
    return digest.hexdigest()


def _states(path: str) -> Iterator[tuple[object, object]]:
    """Yield the metadata of everything at ``path``, with the depth and name of each entry; outer directories first."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        yield path, None
        return
    yield path, state_of(status)
    if not stat.S_ISDIR(status.st_mode):
        return
    way = Descent(path, follow=True)
    try:
        left = [way.names()[::-1]]
        blobs = False
        while left:
            if not left[-1]:
                left.pop()
                if left:
                    way.up()
                continue
            name = left[-1].pop()
            status, depth = os.stat(name, dir_fd=way.fd, follow_symlinks=False), len(left)
            blobs = name == b"blobs" if depth == 1 else blobs
            state = state_of(status)
            is_directory = stat.S_ISDIR(status.st_mode)
            # Blobs are shared by hard links, and each further link to one sets its change time.
            yield (depth, name), state[:-1] if blobs and not is_directory else state
            if is_directory:
                way.down(name)
                left.append(way.names()[::-1])
    finally:
        way.close()
