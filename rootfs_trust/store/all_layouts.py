"""All layouts by name. docs/generate.py writes docs/layouts.md from them."""

from __future__ import annotations

from rootfs_trust.store.layout import Layout
from rootfs_trust.store.layouts import DEBIANS, OTHERS
from rootfs_trust.store.p11kit.layout import ARCH, FEDORA, SUSE

_ALL: tuple[Layout, ...] = (*DEBIANS, FEDORA, SUSE, ARCH, *OTHERS)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}
