"""The layouts: one frozen constant a family of distributions. Those of p11-kit have a room of their own."""

from __future__ import annotations

from rootfs_trust.store.buildroot import BuildrootStore
from rootfs_trust.store.bundle_store import BundleStore
from rootfs_trust.store.debian import DebianStore
from rootfs_trust.store.debian.conf import OE_HEADER

DEBIAN = DebianStore(
    name="debian",
    title="Debian, Ubuntu, Raspberry Pi OS",
    releases="Debian 11 to 13, Ubuntu 20.04 to 24.04, Raspberry Pi OS of the same time",
    facts=(
        "update-ca-certificates(8) of ca-certificates 20230311+deb12u1 and 20250419~deb12u2",
        "debian/postinst and debian/config of the same packages",
    ),
    java=True,
    debconf=True,
)

YOCTO = DebianStore(
    name="yocto",
    title="Yocto, OpenEmbedded",
    releases="Yocto 4.0 (kirkstone) to 6.1 (blacksail)",
    facts=(
        "openembedded-core 35a2c6ed79, meta/recipes-support/ca-certificates: 20260816 with its patches",
        "on the device a link reads ../../../usr/share/...; with --sysroot the script writes a double slash",
    ),
    conf_header=OE_HEADER,
    relative=True,
    conffile=True,
)

ALPINE = DebianStore(
    name="alpine",
    title="Alpine, and Wolfi with its ca-certificates package",
    releases="Alpine 3.10 to 3.22",
    facts=(
        "alpinelinux/ca-certificates 898ab81, update-ca.c; its hook certhash runs c_rehash",
        "the tool reads the local folder in the order of readdir; here it is byte order",
    ),
    conf_header="",
    conffile=True,
    flat=True,
    link_prefix="ca-cert-",
    blank_lines=True,
)

BUILDROOT = BuildrootStore(
    name="buildroot",
    title="Buildroot",
    releases="Buildroot 2019.02 to 2026.02",
    facts=("buildroot 28f9f29b5e, package/ca-certificates/ca-certificates.mk, CA_CERTIFICATES_GEN_BUNDLE",),
)

OPENWRT = BundleStore(
    name="openwrt",
    title="OpenWrt, with ca-bundle, ca-certificates or both",
    releases="OpenWrt 19.07 to 24.10",
    facts=("openwrt 046191f3a9, package/system/ca-certificates/Makefile",),
    hash_directory="/etc/ssl/certs",
)

BUNDLE_ONLY = BundleStore(
    name="bundle-only",
    title="distroless, Wolfi's ca-certificates-bundle, scratch: a bundle and nothing else",
    releases="any",
    facts=("distroless says ID=debian and has no sources, only the bundle",),
)
