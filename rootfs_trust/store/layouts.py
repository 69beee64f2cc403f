"""The layouts: one frozen constant a family of distributions. docs/layouts.md is made from them."""

from __future__ import annotations

from rootfs_trust.store.debian import DebianStore
from rootfs_trust.store.layout import Layout

DEBIAN = DebianStore(
    name="debian",
    title="Debian, Ubuntu, Raspberry Pi OS",
    releases="Debian 11 to 13, Ubuntu 20.04 to 24.04, Raspberry Pi OS of the same time",
    facts=(
        "update-ca-certificates(8) of ca-certificates 20230311+deb12u1 and 20250419~deb12u2",
        "debian/postinst and debian/config of the same packages",
    ),
)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (DEBIAN,)}
