"""The version of Node.js in a root filesystem, and the options with which it reads the system's trust store."""

from __future__ import annotations

import posixpath
import re

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import join, read

Version = tuple[int, int]
"""A version: the major and the minor number."""

_HEADER = "include/node/node_version.h"
"""The header with the version. It is next to ``bin`` in archives of nodejs.org and in images that use them."""
# At most nine digits: int() refuses more than 4,300, and these files may be hostile.
_NUMBERS = re.compile(rb"^#define NODE_(?:MAJOR|MINOR)_VERSION (\d{1,9})$", re.MULTILINE)
_IN_PATH = re.compile(r"/(?:node-)?v(\d{1,9})\.(\d{1,9})\.\d+[^/]*/bin/[^/]+$")
_PACKAGE = re.compile(r"nodejs(-current|-\d+)?")
_VERSION = re.compile(r"(?:\d{1,9}:)?(\d{1,9})\.(\d{1,9})")


def node_version(device: Device, program: str) -> Version | None:
    """Return the version of the Node.js at ``program``, from its headers, its path or its package, or None if none of
    them shows it.
    """
    real = device.view.real_path(program) or program
    header = read(device.view, join(posixpath.dirname(posixpath.dirname(real)), _HEADER)) or b""
    numbers = _NUMBERS.findall(header)[:2] or (match.groups() if (match := _IN_PATH.search(real)) else ())
    if len(numbers) == 2:
        return int(numbers[0]), int(numbers[1])
    return _of_package(device) if real in ("/usr/bin/node", "/usr/bin/nodejs") else None


def _of_package(device: Device) -> Version | None:
    texts = (each.version for name, each in device.packages.items() if _PACKAGE.fullmatch(name))
    matches = (match for text in texts if (match := _VERSION.match(text)))
    return min(((int(match[1]), int(match[2])) for match in matches), default=None)


def knows_variable(version: Version | None) -> bool:
    """Return whether NODE_USE_SYSTEM_CA=1 makes this version read the system's store. An unknown version does not."""
    return version is not None and (version >= (24, 6) or (22, 19) <= version < (23, 0))


def knows_option(version: Version | None) -> bool:
    """Return whether this version starts with --use-system-ca in NODE_OPTIONS. An unknown version does."""
    return version is None or version >= (23, 8) or (22, 15) <= version < (23, 0)
