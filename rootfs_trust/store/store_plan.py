"""The change of a trust store: the request of a run, and the plan of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.selection import RootProgram, Selection
from rootfs_trust.x509 import Certificate


class Request(NamedTuple):
    """The change that a run makes. An empty request rebuilds the store from the sources in the rootfs."""

    anchors: tuple[Anchor, ...] = ()
    adopt: bool = False
    """Rewrite malformed files of the anchor source directory as clean ones."""
    drop_unsourced: bool = False
    """Drop certificates that only the bundle contains."""
    remove: tuple[str, ...] = ()
    """Names of anchors to delete or, if the distribution ships them, to distrust."""
    distrust: frozenset[str] = frozenset()
    """SHA-256 of the certificates of which every copy must be deleted or distrusted."""
    selections: tuple[Selection, ...] = ()
    """Further certificates to delete or distrust; see :func:`~rootfs_trust.store.selection.with_selections`."""
    named: Mapping[str, Selection] = {}
    """The certificates that names in ``remove`` select in the root data, if no anchor has the name."""
    known: tuple[str, ...] = ()
    """Every name in the root data, for suggestions."""
    block: tuple[Certificate, ...] = ()
    """Certificates to put on the blocklist of the store, although the store does not contain them."""
    program: RootProgram | None = None
    """Of the anchors that the distribution ships, trust only those of this root program."""
    only: bool = False
    """Trust nothing except ``anchors``: ``[store] base = "none"``."""
    presets: tuple[str, ...] = ()
    """With ``only``: clouds whose documented public roots are trusted too."""
    roots: tuple[Anchor, ...] = ()
    """Certificates in which the roots of ``presets`` are looked up, in addition to those in the rootfs."""
    at: datetime | None = None
    """The time of the run, which decides what has expired; None if expiry does not matter."""
    created: int | None = None
    """The date of new entries in stores that record dates, in seconds since 1970; None: that of the newest entry."""


@dataclass(slots=True)
class StorePlan:
    """The files of a store. ``desired`` is in the order of writing. Any problem or conflict prevents all of it."""

    desired: dict[str, File | Symlink | Directory | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    """The requested anchors, under their names in the store."""
    removed: list[Anchor] = field(default_factory=list)
    """The anchors that are deleted or distrusted."""
    selected: set[str] = field(default_factory=set)
    """SHA-256 of the certificates that the request's selections match. No client may trust them after the run."""
    expired: set[str] = field(default_factory=set)
    """SHA-256 of expired certificates that only the bundle contains, and that the distribution's tool will drop."""
    outside: set[str] = field(default_factory=set)
    """SHA-256 of shipped certificates that the request's root program does not trust."""
    problems: list[Problem] = field(default_factory=list)
    """Errors in the request itself, such as a name that does not exist."""
    conflicts: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def merge(self, other: StorePlan) -> StorePlan:
        """Add the files, problems and warnings of ``other``, but not its anchors."""
        self.desired |= other.desired
        self.problems += other.problems
        self.conflicts += other.conflicts
        self.warnings += other.warnings
        return self
