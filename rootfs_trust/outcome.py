"""What a command did or would do: the answer of the API, and what the CLI prints."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.plan import Action


class InstalledAnchor(NamedTuple):
    """An anchor that was asked for, under the name that it has in the store."""

    name: str
    sha256: str


class Outcome(NamedTuple):
    """``actions`` is what was done, or with ``dry_run`` what would be; an empty one changed nothing."""

    layout: str
    actions: tuple[Action, ...]
    anchors: tuple[InstalledAnchor, ...]
    warnings: tuple[Trouble, ...]
    dry_run: bool

    @property
    def changed(self) -> bool:
        """Whether the rootfs differs (with ``dry_run``: would differ) from what it was."""
        return bool(self.actions)
