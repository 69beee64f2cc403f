"""What every layout has in common: its name, where its anchors go, and the store it makes of a rootfs."""

from __future__ import annotations

from typing import Protocol

from rootfs_trust.rootfs.nodes import View
from rootfs_trust.store.request import Answer, Request


class Layout(Protocol):
    """Where one family of distributions keeps its trust store, as a frozen constant. Paths are the device's."""

    @property
    def name(self) -> str:
        """What ``--layout`` calls it."""

    @property
    def title(self) -> str:
        """The distributions, for people."""

    @property
    def releases(self) -> str:
        """The releases for which this was found to hold."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Where the facts come from."""

    @property
    def local(self) -> str:
        """The folder of the anchors that the device's owner adds, or the bundle where there is none."""

    @property
    def bundle(self) -> str:
        """The file of all anchors that most clients read."""

    @property
    def hash_directory(self) -> str:
        """The folder with hash links, or empty where the layout has none."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, in order, a line each, for docs/layouts.md."""

    @property
    def writes(self) -> tuple[str, ...]:
        """What is written, in order, with links and modes, a line each, for docs/layouts.md."""

    def answer(self, view: View, request: Request) -> Answer:
        """The store that ``request`` makes of the rootfs ``view``."""
