"""Opens what a reading command is pointed at: a tree, with a device's state over it where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rootfs_trust.errors import InputError, Trouble
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.rootfs.state import Stated, parse_state


@contextmanager
def open_view(source: str, states: Sequence[str] = ()) -> Iterator[View]:
    """The tree at ``source``; ``states`` are laid over it in their order (see :mod:`rootfs.state`).

    ``source`` is a folder, an image or the tar file of a root filesystem, as ``image`` takes them; one platform of
    several is named behind it: ``app.tar@linux/arm64``. Raises InputError.
    """
    specs = [parse_state(text) for text in states]
    with ExitStack() as stack:
        base = _base(source, stack)
        folders = [stack.enter_context(Root(spec.folder)) for spec in specs]
        yield Stated(base, list(zip(specs, folders, strict=True))) if specs else base


def _base(source: str, stack: ExitStack) -> View:
    path, _, platform = (source, "", "") if os.path.exists(source) else source.rpartition("@")
    if os.path.isfile(path) or os.path.isfile(os.path.join(path, "oci-layout")):
        return _archived(path, platform)
    return stack.enter_context(Root(source))


def _archived(path: str, platform: str) -> View:
    """The merged tree of an image, or that of a tar file."""
    from rootfs_trust.image.source import ImageSource, RootfsArchive, open_source
    from rootfs_trust.image.tree import Tree

    found = open_source(path)
    if isinstance(found, RootfsArchive):
        return found.tree
    images = list(found.images()) if isinstance(found, ImageSource) else []
    wanted = [each for each in images if not platform or platform in (each.platform, each.name)]
    if len(wanted) == 1:
        return Tree(wanted[0].layers)
    names = ", ".join(dict.fromkeys(each.platform for each in images)) or "none"
    message = (
        f"holds {len(wanted)} images{f' for {platform}' if platform else ''}, and one is wanted; platforms: {names}"
    )
    raise InputError(Trouble("image", path, message, f"name one: {path}@linux/arm64"))
