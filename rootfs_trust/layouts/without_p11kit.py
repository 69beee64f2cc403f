"""Distributions without p11-kit: those with Debian's tool or one derived from it, with another tool, and with none."""

from __future__ import annotations

from rootfs_trust.layouts.layout import EVERY_FILE, FILE, OPENSSL_PROBE, UNKNOWN, ClientPaths, Layout
from rootfs_trust.layouts.tools import BuildrootHook, NoTool, RehashScript, UpdateCaCertificates

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

DEBIAN = Layout(
    name="debian",
    title="Debian, Ubuntu, Raspberry Pi OS",
    ids=("debian", "ubuntu", "raspbian"),
    signs=("/var/lib/dpkg",),
    releases="Debian 11 to 13, Ubuntu 20.04 to 24.04, Raspberry Pi OS of the same time",
    facts=(
        "update-ca-certificates(8) of ca-certificates 20230311+deb12u1 and 20250419~deb12u2",
        "debian/postinst and debian/config of the same packages",
    ),
    tool=UpdateCaCertificates(java=True, debconf=True),
    clients=ClientPaths(
        openssl_file=("/usr/lib/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/usr/lib/ssl/certs", "/etc/ssl/certs"),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="debian/rules of openssl (OPENSSLDIR /usr/lib/ssl) and of gnutls28 (--with-default-trust-store-file)",
    ),
)

YOCTO = Layout(
    name="yocto",
    title="Yocto, OpenEmbedded",
    ids=("poky", "nodistro"),
    signs=("/var/lib/opkg",),
    releases="Yocto 4.0 (kirkstone) to 6.1 (blacksail)",
    facts=(
        "openembedded-core 35a2c6ed79, meta/recipes-support/ca-certificates: 20260816 with its patches",
        "links made on the device are ../../../usr/share/...; with --sysroot the script writes a double slash",
    ),
    tool=UpdateCaCertificates(
        conf_header="# Lines starting with # will be ignored\n"
        "# Lines starting with ! will remove certificate on next update\n#\n",
        relative=True,
        conffile=True,
    ),
    clients=ClientPaths(
        openssl_file=("/usr/lib/ssl-3/cert.pem", "/usr/lib/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/usr/lib/ssl-3/certs", "/usr/lib/ssl/certs", "/etc/ssl/certs"),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="openembedded-core: openssl_3.*.bb (OPENSSLDIR /usr/lib/ssl-3), gnutls "
        "(--with-default-trust-store-file)",
    ),
)

ALPINE = Layout(
    name="alpine",
    title="Alpine, and Wolfi with its ca-certificates package",
    ids=("alpine", "wolfi", "chainguard"),
    signs=("/lib/apk", "/etc/alpine-release"),
    releases="Alpine 3.10 to 3.22",
    facts=(
        "alpinelinux/ca-certificates 898ab81, update-ca.c; its hook certhash runs c_rehash",
        "the tool reads the anchor source directory in the order of readdir; `install` uses byte order",
    ),
    tool=UpdateCaCertificates(conf_header="", conffile=True, flat=True, link_prefix="ca-cert-", blank_lines=True),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE, "/etc/ssl/cert.pem"),
        source=f"aports main/openssl (--openssldir=/etc/ssl); {OPENSSL_PROBE}",
    ),
)

CHIMERA = Layout(
    name="chimera",
    title="Chimera Linux",
    ids=("chimera",),
    signs=("/usr/lib/chimera-release",),
    releases="ca-certificates 20260413",
    facts=(
        "chimera-linux/cports 7287fbfe70, main/ca-certificates: template.py (Alpine's tool), files/c_rehash.update",
        "files/tmpfiles.conf there: the list is a link to the package's, unless somebody has replaced it by a file",
    ),
    tool=UpdateCaCertificates(conf_header="", conffile=True, flat=True, link_prefix="ca-cert-", blank_lines=True),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="main/openssl3 (--openssldir=/etc/ssl), main/gnutls (--with-default-trust-store-file)",
    ),
)

VOID = Layout(
    name="void",
    title="Void Linux",
    ids=("void",),
    signs=("/var/db/xbps",),
    releases="ca-certificates 20180409 and later",
    facts=(
        "void-linux/void-packages fb7638b74e, srcpkgs/ca-certificates: template (conf_files, certs.pem), INSTALL",
        "update-ca-certificates is Debian's, with DESTDIR before its paths",
    ),
    tool=UpdateCaCertificates(conf_header="", conffile=True),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="srcpkgs/openssl (--openssldir=/etc/ssl); m4/hooks.m4 of GnuTLS, which uses the first file of the build "
        "host",
    ),
)

GENTOO = Layout(
    name="gentoo",
    title="Gentoo",
    ids=("gentoo",),
    signs=("/var/db/pkg",),
    releases="app-misc/ca-certificates 20230311 to 20260601",
    facts=(
        "gentoo/gentoo 009325eab2, app-misc/ca-certificates: ca-certificates-20260601.3.112.5.ebuild (--sysroot at "
        "build time, CONFIG_PROTECT_MASK for the list), files/ca-certificates-20250419-root.patch",
        "links are relative in the package, and absolute after the tool has run on the device",
    ),
    tool=UpdateCaCertificates(
        conf_header="# Automatically generated by app-misc/ca-certificates\n# Do not edit.\n",
        list_replaced=True,
        package_relative=True,
    ),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="dev-libs/openssl (--openssldir=/etc/ssl), net-libs/gnutls (--with-default-trust-store-file)",
    ),
)

SLACKWARE = Layout(
    name="slackware",
    title="Slackware",
    ids=("slackware",),
    signs=("/etc/slackware-version",),
    releases="Slackware 14.2 to 15.0 and current",
    facts=(
        "source/n/ca-certificates of Slackware: the SlackBuild, update-ca-certificates.c_rehash.diff, doinst.sh",
        "c_rehash of OpenSSL links by the new hash only; the list of a new package is ca-certificates.conf.new",
    ),
    tool=UpdateCaCertificates(conf_header="# Automatically generated by ca-certificates \n#\n", conffile=True),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="source/n/openssl (--openssldir=/etc/ssl); m4/hooks.m4 of GnuTLS, which uses the first file of the "
        "build host",
    ),
)

DEBIANS = (DEBIAN, YOCTO, CHIMERA, ALPINE, VOID, GENTOO, SLACKWARE)
"""Their tool is Debian's update-ca-certificates, or derived from it."""

BUILDROOT = Layout(
    name="buildroot",
    title="Buildroot",
    ids=("buildroot",),
    releases="Buildroot 2019.02 to 2026.02",
    facts=("buildroot 28f9f29b5e, package/ca-certificates/ca-certificates.mk, CA_CERTIFICATES_GEN_BUNDLE",),
    local="/usr/share/ca-certificates/local",
    tool=BuildrootHook(),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=(_BUNDLE,),
        source="package/libopenssl (--openssldir=/etc/ssl), package/gnutls (--with-default-trust-store-file) of "
        "Buildroot",
    ),
)

PHOTON = Layout(
    name="photon",
    title="Photon OS with its ca-certificates package",
    ids=("photon",),
    releases="Photon OS 3.0 to 5.0",
    facts=(
        "vmware/photon 0b37ad6f1c, SPECS/openssl/rehash_ca_certificates.sh",
        "SPECS/ca-certificates of the same commit: ca-certificates.spec, make-ca.sh, remove-expired-certs.sh",
        "an image with only ca-certificates-pki has a bundle and nothing else, so its layout is bundle-only",
    ),
    local="/etc/ssl/certs",
    suffix=".pem",
    bundle="/etc/pki/tls/certs/ca-bundle.crt",
    tool=RehashScript(),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=FILE,
        gnutls=("/etc/pki/tls/certs/ca-bundle.crt",),
        source="openssl.spec (--openssldir=/etc/ssl), gnutls.spec (--with-default-trust-store-file), curl.spec of "
        "Photon OS",
    ),
)

OPENWRT = Layout(
    name="openwrt",
    title="OpenWrt, with ca-bundle, ca-certificates or both",
    ids=("openwrt",),
    releases="OpenWrt 19.07 to 24.10",
    facts=("openwrt 046191f3a9, package/system/ca-certificates/Makefile",),
    local="/etc/ssl/certs",
    optional_bundle=True,
    tool=NoTool(),
    clients=ClientPaths(
        openssl_file=("/etc/ssl/cert.pem", _BUNDLE),
        openssl_directory=("/etc/ssl/certs",),
        gnutls_way=EVERY_FILE,
        gnutls=("/etc/ssl/certs",),
        source=f"packages feed, libs/gnutls (--with-default-trust-store-dir=/etc/ssl/certs/); {OPENSSL_PROBE}",
    ),
)

BUNDLE_ONLY = Layout(
    name="bundle-only",
    title="distroless, Wolfi's ca-certificates-bundle, scratch: only a bundle",
    releases="any",
    facts=("distroless has ID=debian and no sources, only the bundle",),
    local=_BUNDLE,
    hash_directory="",
    tool=NoTool(),
    clients=UNKNOWN,
)

OTHERS = (BUILDROOT, PHOTON, OPENWRT, BUNDLE_ONLY)
