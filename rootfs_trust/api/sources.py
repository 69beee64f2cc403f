"""Opens what a reading command is pointed at: a root filesystem, with a device's state over it where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.rootfs.state import Stated, parse_state


@contextmanager
def open_view(source: str, states: Sequence[str] = ()) -> Iterator[View]:
    """The tree at ``source``, a folder; ``states`` are laid over it in their order (see :mod:`rootfs.state`).

    Raises InputError.
    """
    specs = [parse_state(text) for text in states]
    with ExitStack() as stack:
        base = stack.enter_context(Root(source))
        folders = [stack.enter_context(Root(spec.folder)) for spec in specs]
        yield Stated(base, list(zip(specs, folders, strict=True))) if specs else base
