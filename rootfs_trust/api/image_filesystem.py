"""``image`` on a file system image: the programs of the format write the changes, and the new image is read again."""

from __future__ import annotations

from typing import Protocol

from rootfs_trust.api.apply_plan import nothing_written, verify_written
from rootfs_trust.api.open_tree import damage_is_refused
from rootfs_trust.api.planning import Decision, Job, decide
from rootfs_trust.api.runtime_warnings import runtime_warnings
from rootfs_trust.errors import APPLY, IMAGE, ApplyError, DamagedImageError, InputError
from rootfs_trust.image.destination import Destination
from rootfs_trust.image.filesystems.erofs import Erofs
from rootfs_trust.image.filesystems.ext import Ext
from rootfs_trust.image.filesystems.open import FilesystemImage, open_filesystem
from rootfs_trust.image.filesystems.protected_images import refuse_protected
from rootfs_trust.image.filesystems.squashfs import Squashfs
from rootfs_trust.image.filesystems.view import FilesystemView
from rootfs_trust.image.filesystems.write_erofs import ErofsWriter
from rootfs_trust.image.filesystems.write_ext import ExtWriter
from rootfs_trust.image.filesystems.write_squashfs import SquashfsWriter
from rootfs_trust.image.host_files import digest_of_file, read_file
from rootfs_trust.image.layer_entries import ImageChanges, NewEntry, changes
from rootfs_trust.outcome import ImageOutcome, OneImage
from rootfs_trust.rootfs.view import File, Symlink


class FilesystemWriter(Protocol):
    """Writes a changed image."""

    def write(self, changes: ImageChanges, staged: str, timestamp: int | None) -> None:
        """Write the source with ``changes`` to the file ``staged``, which does not exist yet.

        Raises InputError if that cannot be done, and ApplyError where a program fails.
        """


def image_filesystem(source: FilesystemImage, dest: Destination, job: Job) -> ImageOutcome:
    """Write the image ``source`` to ``dest`` with the changes of ``job``.

    Raises InputError or ConflictError before anything is written, or ApplyError.
    """
    with damage_is_refused():
        return _image_filesystem(source, dest, job)


def _image_filesystem(source: FilesystemImage, dest: Destination, job: Job) -> ImageOutcome:
    decision = decide(source.view, job)
    outcome = decision.outcome(runtime_warnings(source.view, decision), dry_run=job.options.dry_run)
    digest = None
    if not job.options.dry_run:
        if decision.plan.actions:
            refuse_protected(source)
            digest = _write(source, decision, dest, job.options.timestamp)
        else:
            digest = dest.put_file(read_file(source.path))
    return ImageOutcome(digest, (OneImage("", digest, outcome.changed, outcome),), ())


def _write(source: FilesystemImage, decision: Decision, dest: Destination, timestamp: int | None) -> str:
    """Write the image, and return its digest."""
    found = changes(source.view, decision.plan.actions, source.view.newest if timestamp is None else timestamp)
    writer = _writer(source, dest.path)
    with dest.staged_file() as staged:
        writer.write(found, staged, timestamp)
        with nothing_written(dest.path, staged):
            try:
                _read_back(source, decision, found, staged)
                return digest_of_file(staged)
            except (InputError, DamagedImageError) as error:
                raise ApplyError(*error.problems) from error


def _writer(source: FilesystemImage, dest: str) -> FilesystemWriter:
    filesystem = source.view.filesystem
    if isinstance(filesystem, Ext):
        return ExtWriter(source, filesystem, dest)
    if source.partition is not None:
        hint = "run image on the file of that partition, and build the disk image with the result"
        message = f"is {filesystem.name} in a disk image; only ext2, ext3 and ext4 are written there"
        raise InputError(IMAGE(source.place, message, hint))
    if isinstance(filesystem, Squashfs):
        return SquashfsWriter(source, filesystem, dest)
    if isinstance(filesystem, Erofs):
        return ErofsWriter(source, filesystem, dest)
    raise InputError(IMAGE(source.place, f"is {filesystem.name}, which is not written"))


def _read_back(source: FilesystemImage, decision: Decision, found: ImageChanges, staged: str) -> None:
    """Read the new image again, and compare it with the plan. Raises ApplyError if they differ, or InputError if the
    image cannot be read.
    """
    number = source.partition.number if source.partition else None
    new = open_filesystem(staged, number)
    view = new.view if new is not None else source.view
    for place, entry in {**found.directories, **found.entries}.items():
        if not _is_as_planned(view, place, entry):
            raise _not_as_planned(staged, place)
    for place in found.gone:
        if view.kind(place, follow=False) is not None:
            raise _not_as_planned(staged, place)
    verify_written(view, decision.desired)


def _is_as_planned(view: FilesystemView, place: str, entry: NewEntry) -> bool:
    there = view.entry(place, follow=False)
    if there is None or there.kind is not type(entry.node):
        return False
    wanted = (entry.mode, tuple(entry.owner), entry.mtime, dict(entry.attributes))
    if (there.mode, tuple(there.owner), there.mtime, dict(there.attributes)) != wanted:
        return False
    node = view.node(place)
    if isinstance(node, File) and isinstance(entry.node, File):
        return node.content == entry.node.content
    return not isinstance(node, Symlink) or node == entry.node


def _not_as_planned(staged: str, place: str) -> ApplyError:
    message = f"cannot be written: the programs wrote something else than planned at {place}"
    return ApplyError(APPLY(staged, message, "report this, with the versions of the programs"))
