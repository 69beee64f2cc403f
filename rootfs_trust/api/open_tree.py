"""Open the root filesystem, image or archive of a reading command, with a device's state merged into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rootfs_trust.errors import IMAGE, DamagedImageError, InputError, Problem
from rootfs_trust.rootfs.ostree import has_etc_in_usr
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import View


@contextmanager
def named_on_the_host(root: str) -> Iterator[None]:
    """Name the host path ``root`` in an error about the tree as a whole, so that the user sees which directory is
    wrong.
    """
    try:
        yield
    except InputError as error:
        raise InputError(*(_of_the_host(each, root) for each in error.problems)) from error


def _of_the_host(problem: Problem, root: str) -> Problem:
    return problem._replace(path=root) if (problem.id, problem.path) == ("layout", "/") else problem


def _unwatched(root: RootDirectory) -> View:
    return root


@contextmanager
def open_view(
    source: str, states: Sequence[str] = (), watch: Callable[[RootDirectory], View] = _unwatched
) -> Iterator[View]:
    """Open the tree at ``source``, with ``states`` merged into it in order (see
    :mod:`rootfs_trust.rootfs.device_state`).

    ``source`` is a directory, an image or the tar file of a root filesystem, as for ``image``. A platform may follow
    it: ``app.tar@linux/arm64``. A directory is locked for reading until the context ends. ``watch`` is called with each
    host directory, first with the tree and then with the states, and returns the view to use instead. Raises
    InputError. An error about the tree as a whole names ``source``.
    """
    from rootfs_trust.rootfs.device_state import TreeWithDeviceState, parse_state

    specs = [parse_state(text) for text in states]
    with ExitStack() as stack:
        stack.enter_context(named_on_the_host(source))
        stack.enter_context(damage_is_refused())
        base = _base(source, stack, watch)
        folders = [watch(stack.enter_context(RootDirectory(spec.directory))) for spec in specs]
        stated = bool(specs) or has_etc_in_usr(base)
        yield TreeWithDeviceState(base, list(zip(specs, folders, strict=True))) if stated else base


@contextmanager
def damage_is_refused() -> Iterator[None]:
    """Raise InputError instead of a DamagedImageError, which the readers of a tree do not catch."""
    try:
        yield
    except DamagedImageError as error:
        raise InputError(*error.problems) from error


def host_path(source: str) -> str:
    """Return the host path of ``source``, without the platform or the partition that may follow it."""
    shorter = (source.rpartition(mark)[0] for mark in "@#")
    return next((path for path in (source, *shorter) if os.path.exists(path)), source)


def _base(source: str, stack: ExitStack, watch: Callable[[RootDirectory], View]) -> View:
    path, _, platform = (source, "", "") if os.path.exists(source) else source.rpartition("@")
    is_image = os.path.isfile(path) or os.path.lexists(os.path.join(path, "oci-layout"))
    if is_image or ("#" in source and os.path.isfile(source.rpartition("#")[0])):
        return _archived(path if is_image else source, platform if is_image else "")
    root = stack.enter_context(RootDirectory(source))
    root.lock_for_reading()
    return watch(root)


def _archived(path: str, platform: str) -> View:
    """Open the merged tree of an image, or the tree of an archive or file system image."""
    from rootfs_trust.image.filesystems.open import FilesystemImage
    from rootfs_trust.image.image_tree import ImageTree
    from rootfs_trust.image.source import CpioArchive, ImageSource, RootfsArchive, open_source

    found = open_source(path)
    if isinstance(found, FilesystemImage):
        return found.view
    if isinstance(found, RootfsArchive | CpioArchive):
        return found.tree
    images = list(found.images()) if isinstance(found, ImageSource) else []
    wanted = [each for each in images if not platform or platform in (each.platform, each.name)]
    if len(wanted) == 1:
        return ImageTree(wanted[0].layers, environment=wanted[0].environment)
    names = ", ".join(dict.fromkeys(each.platform for each in images)) or "none"
    message = (
        f"holds {len(wanted)} images{f' for {platform}' if platform else ''}, but one is needed; platforms: {names}"
    )
    raise InputError(IMAGE(path, message, f"choose one, such as {path}@linux/arm64"))
