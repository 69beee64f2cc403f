"""A view that records which files were read."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from rootfs_trust.rootfs.view import File, InImage, Node, View


class ReadRecorder:
    """The tree ``view``. ``read`` has the SHA-256 of every file whose content was read, by its real path.

    Implements :class:`~rootfs_trust.rootfs.view.View`.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.read: dict[str, str] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`. Records the digest of a file."""
        node = self._view.node(path, follow=follow)
        if isinstance(node, File):
            real = self._view.real_path(path)
            self.read[path if real is None else real] = sha256(node.content, usedforsecurity=False).hexdigest()
        return node

    def kind(self, path: str, *, follow: bool = True) -> type[Node] | None:
        """Implements :meth:`View.kind`."""
        return self._view.kind(path, follow=follow)

    def names(self, path: str) -> list[str]:
        """Implements :meth:`View.names`."""
        return self._view.names(path)

    def real_path(self, path: str) -> str | None:
        """Implements :meth:`View.real_path`."""
        return self._view.real_path(path)

    def extended_attributes(self, path: str) -> Mapping[str, bytes]:
        """Implements :meth:`View.extended_attributes`."""
        return self._view.extended_attributes(path)

    def mounted(self, path: str) -> bool:
        """Implements :meth:`View.mounted`."""
        return self._view.mounted(path)

    @property
    def environment(self) -> Mapping[str, str]:
        """Implements :meth:`InImage.environment`."""
        return self._view.environment if isinstance(self._view, InImage) else {}

    def modified(self, path: str) -> int | None:
        """Implements :meth:`View.modified`."""
        return self._view.modified(path)
