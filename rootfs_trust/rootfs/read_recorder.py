"""A view that records which files were read."""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.rootfs.pass_through import PassThroughView
from rootfs_trust.rootfs.view import File, Node, View


class ReadRecorder(PassThroughView):
    """The tree ``view``. ``read`` has the SHA-256 of every file whose content was read, by its real path."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.read: dict[str, str] = {}

    def node(self, path: str, *, follow: bool = False) -> Node | None:
        """Implements :meth:`View.node`. Records the digest of a file."""
        node = self._view.node(path, follow=follow)
        if isinstance(node, File):
            real = self._view.real_path(path)
            self.read[path if real is None else real] = sha256(node.content, usedforsecurity=False).hexdigest()
        return node
