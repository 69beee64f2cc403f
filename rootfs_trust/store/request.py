"""What is asked of a store, and the answer: the tree that should be, and what stands against it. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.nodes import Absent, Directory, File, Symlink
from rootfs_trust.store.anchor import Anchor


@dataclass(frozen=True, slots=True)
class Request:
    """The change that a run asks for; an empty one rebuilds the store from what the rootfs holds."""

    anchors: tuple[Anchor, ...] = ()
    adopt: bool = False
    """Rewrite untidy source files of the local folder as clean ones."""
    drop_unsourced: bool = False
    """Let certificates go that only the bundle holds."""
    remove: tuple[str, ...] = ()
    """Names of anchors to take out or, where the distribution ships them, to distrust."""
    distrust: frozenset[str] = frozenset()
    """SHA-256 of certificates whose every copy is to be taken out or distrusted."""
    only: bool = False
    """Trust nothing but ``anchors``: ``[store] base = "none"``."""
    presets: tuple[str, ...] = ()
    """With ``only``: the clouds whose documented public roots are trusted too."""
    roots: tuple[Anchor, ...] = ()
    """Certificates from which those roots may be taken, beside the ones that the rootfs holds."""
    created: int | None = None
    """The date of new entries in stores that carry dates, in seconds since 1970; None: that of the newest entry."""


@dataclass(slots=True)
class Answer:
    """``desired`` is in the order of writing; any trouble or conflict forbids all of it."""

    desired: dict[str, File | Symlink | Directory | Absent] = field(default_factory=dict)
    installed: list[Anchor] = field(default_factory=list)
    """The anchors asked for, under the names that they have in the store."""
    removed: list[Anchor] = field(default_factory=list)
    """The anchors that are taken out or distrusted."""
    troubles: list[Trouble] = field(default_factory=list)
    """Wrong in the request itself: a name that nothing has."""
    conflicts: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)
