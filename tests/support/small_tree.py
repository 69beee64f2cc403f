"""A small root filesystem with certificates made on the spot, and what the tests expect of its layout."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from tests.support.authority import Authority
from tests.support.debian_tree import contents, snapshot
from tests.support.inside import write_inside

ALPHA, BETA, ODD = "Alpha Root", "Beta Root", "Gamma Root (2), Ltd"
SHIPPED = (ALPHA, BETA, ODD)
"""Common names; the last one has what shells and tools stumble over."""

NEW = ("new",)


@functools.cache
def shipped_authority(name: str) -> Authority:
    return Authority(name)


class Tool(Enum):
    """The programs of distributions, as far as they are to be had."""

    UPDATE_CA_CERTIFICATES = auto()
    TRUST_EXTRACT = auto()
    C_REHASH = auto()
    """Of Alpine's tool, its hook: the tool itself is a program that Debian does not have."""
    REHASH = auto()
    BUILDROOTS_HOOK = auto()
    PHOTONS_SCRIPT = auto()
    NONE = auto()


@dataclass(frozen=True)
class Family:
    """A layout as the tests know it. Paths are the device's.

    ``files``, ``directories``  what has to hold the trusted certificates, each of them all
    ``distrusting``          those of them that also hold what is distrusted, marked as such
    ``hashed``               directories of files and hash links, with the styles of hash in them
    ``local``                the directory of the owner's anchors, empty where there is none
    ``names``                what ``remove`` calls the shipped ones
    ``tool``                 the program that would write the store next
    ``edits``                how the distribution's edition of Debian's tool differs from Debian's on the device
    ``remembers``            whether a shipped certificate that is distrusted stays in the tree, marked as such
    ``optional``             those of ``directories`` that an image of this distribution may lack
    """

    name: str
    build: Callable[[LayoutTree], None]
    files: tuple[str, ...]
    directories: tuple[str, ...] = ("/etc/ssl/certs",)
    distrusting: tuple[str, ...] = ()
    hashed: tuple[tuple[str, tuple[str, ...]], ...] = (("/etc/ssl/certs", NEW),)
    local: str = "/usr/local/share/ca-certificates"
    names: tuple[str, ...] = ("Alpha_Root", "Beta_Root", ODD)
    tool: Tool = Tool.UPDATE_CA_CERTIFICATES
    edits: Callable[[str], str] = str
    remembers: bool = True
    optional: tuple[str, ...] = ()

    @property
    def p11kit(self) -> bool:
        return self.tool is Tool.TRUST_EXTRACT


class LayoutTree:
    """One such tree on disk."""

    def __init__(self, path: Path, family: Family) -> None:
        self.path = path
        self.family = family
        path.mkdir()
        for directory in ("etc", "usr", "var", "tmp"):
            (path / directory).mkdir()
        family.build(self)

    @property
    def root(self) -> str:
        return str(self.path)

    def directory(self, *names: str) -> None:
        for name in names:
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        write_inside(self.path, name, content)

    def link(self, name: str, text: str) -> None:
        self.directory(os.path.dirname(name))
        (self.path / name).symlink_to(text)

    def contents(self) -> dict[str, object]:
        """Every entry: mode, and content or link text."""
        return contents(self.path)

    def snapshot(self) -> dict[str, tuple[object, ...]]:
        """The same with owners and times."""
        return snapshot(self.path)
