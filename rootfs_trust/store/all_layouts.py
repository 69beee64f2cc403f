"""Every layout by its name. docs/layouts.md is made from them."""

from __future__ import annotations

from rootfs_trust.store.layout import Layout
from rootfs_trust.store.layouts import ALPINE, BUILDROOT, BUNDLE_ONLY, DEBIAN, OPENWRT, YOCTO
from rootfs_trust.store.p11kit.layouts import ARCH, FEDORA, SUSE

LAYOUTS: dict[str, Layout] = {
    layout.name: layout for layout in (DEBIAN, YOCTO, ALPINE, FEDORA, SUSE, ARCH, BUILDROOT, OPENWRT, BUNDLE_ONLY)
}
