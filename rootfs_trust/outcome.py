"""Results of commands: the changes that a command made, or in a dry run would make."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.plan import Action
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509.constrained import original_of


class InstalledAnchor(NamedTuple):
    """A requested anchor, with its name in the trust store."""

    name: str
    sha256: str
    original_sha256: str | None = None
    """For a constrained anchor, the SHA-256 of the original certificate."""

    @classmethod
    def of(cls, anchor: Anchor) -> InstalledAnchor:
        """Return the name and digests of an anchor in the store."""
        return cls(anchor.name, anchor.certificate.sha256, original_of(anchor.certificate))


class Outcome(NamedTuple):
    """``actions`` are the changes that were made, or in a dry run would be made. If there are none, the root filesystem
    was already up to date.
    """

    layout: str
    actions: tuple[Action, ...]
    anchors: tuple[InstalledAnchor, ...]
    warnings: tuple[Problem, ...]
    dry_run: bool

    @property
    def changed(self) -> bool:
        """Whether the rootfs was changed, or in a dry run would be."""
        return bool(self.actions)


class OneImage(NamedTuple):
    """The result for one image: its platform, its new digest (None if there is none), and the change of its tree."""

    platform: str
    digest: str | None
    changed: bool
    outcome: Outcome


class ImageOutcome(NamedTuple):
    """The changes that ``image`` made or would make. ``digest`` is the digest of all images together, or None."""

    digest: str | None
    images: tuple[OneImage, ...]
    notes: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the result differs, or in a dry run would differ, from the source."""
        return any(each.changed for each in self.images)

    @property
    def outcome(self) -> Outcome:
        """The changes of all images, each listed once."""
        outcomes = [each.outcome for each in self.images]
        return Outcome(
            ", ".join(dict.fromkeys(each.layout for each in outcomes)),
            tuple({(action.verb, action.path): action for each in outcomes for action in each.actions}.values()),
            tuple(dict.fromkeys(anchor for each in outcomes for anchor in each.anchors)),
            tuple(dict.fromkeys([*self.notes, *(warning for each in outcomes for warning in each.warnings)])),
            outcomes[0].dry_run,
        )
