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


class OneImage(NamedTuple):
    """What became of one image: its platform, its digest (None: none was made), and what was done to its tree."""

    platform: str
    digest: str | None
    changed: bool
    outcome: Outcome


class ImageOutcome(NamedTuple):
    """What ``image`` did or would do. ``digest``: that of the whole, None where there is none."""

    digest: str | None
    images: tuple[OneImage, ...]
    notes: tuple[Trouble, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the result differs (with ``dry_run``: would differ) from the source."""
        return any(each.changed for each in self.images)

    @property
    def outcome(self) -> Outcome:
        """What was done to all of them, each thing once."""
        outcomes = [each.outcome for each in self.images]
        return Outcome(
            ", ".join(dict.fromkeys(each.layout for each in outcomes)),
            tuple({(action.verb, action.path): action for each in outcomes for action in each.actions}.values()),
            tuple(dict.fromkeys(anchor for each in outcomes for anchor in each.anchors)),
            tuple(dict.fromkeys([*self.notes, *(warning for each in outcomes for warning in each.warnings)])),
            outcomes[0].dry_run,
        )
