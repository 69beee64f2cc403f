"""Small root filesystems, one for each layout: sources as that distribution has them, certificates made on the spot.

They have what tells their distribution, its sources, and the links that its package brings; the store itself is for
the tests to make. What the layout is said to write is named here once more, apart from the product's constants.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.debian_tree import contents, snapshot
from tests.support.inside import write_inside
from tests.unit.store.p11kit.sources import persist

ALPHA, BETA, ODD = "Alpha Root", "Beta Root", "Gamma Root (2), Ltd"
SHIPPED = (ALPHA, BETA, ODD)
"""Common names; the last one has what shells and tools stumble over."""

CREATED = 1_700_000_000
"""The date of the Java stores that the trees have."""

NEW, BOTH = ("new",), ("new", "old")


@functools.cache
def shipped_authority(name: str) -> Authority:
    return Authority(name)


@dataclass(frozen=True)
class Family:
    """A layout as the tests know it. Paths are the device's.

    ``files``, ``folders``   what has to hold the trusted certificates, each of them all
    ``distrusting``          those of them that also hold what is distrusted, marked as such
    ``hashed``               directories of files and hash links, with the styles of hash in them
    ``local``                the directory of the owner's anchors, empty where there is none
    ``names``                what ``remove`` calls the shipped ones
    """

    name: str
    build: Callable[[LayoutTree], None]
    files: tuple[str, ...]
    folders: tuple[str, ...] = ("/etc/ssl/certs",)
    distrusting: tuple[str, ...] = ()
    hashed: tuple[tuple[str, tuple[str, ...]], ...] = (("/etc/ssl/certs", NEW),)
    local: str = "/usr/local/share/ca-certificates"
    names: tuple[str, ...] = ("Alpha_Root", "Beta_Root", ODD)
    p11kit: bool = False


class LayoutTree:
    """One such tree on disk."""

    def __init__(self, path: Path, family: Family) -> None:
        self.path = path
        self.family = family
        path.mkdir()
        for directory in ("etc", "usr", "var", "tmp"):
            (path / directory).mkdir()
        family.build(self)

    @property
    def root(self) -> str:
        return str(self.path)

    def folder(self, *names: str) -> None:
        for name in names:
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        write_inside(self.path, name, content)

    def link(self, name: str, text: str) -> None:
        self.folder(os.path.dirname(name))
        (self.path / name).symlink_to(text)

    def contents(self) -> dict[str, object]:
        """Every entry: mode, and content or link text."""
        return contents(self.path)

    def snapshot(self) -> dict[str, tuple[object, ...]]:
        """The same with owners and times."""
        return snapshot(self.path)


# -- Debian and those whose tool descends from Debian's ----------------------------------------------------

_FILES = {ALPHA: "mozilla/Alpha_Root.crt", BETA: "mozilla/Beta_Root.crt", ODD: f"own/{ODD}.crt"}
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_OE_HEADER = """\
# Lines starting with # will be ignored
# Lines starting with ! will remove certificate on next update
#
"""


def _shipped_files(tree: LayoutTree, directory: str = "usr/share/ca-certificates") -> None:
    for name, file in _FILES.items():
        tree.write(f"{directory}/{file}", shipped_authority(name).pem)
    tree.folder("etc/ssl/certs")


def _listed_files(tree: LayoutTree, header: str = "") -> None:
    _shipped_files(tree)
    tree.folder("usr/local/share/ca-certificates")
    tree.write("etc/ca-certificates.conf", (header + "".join(f"{file}\n" for file in _FILES.values())).encode())


def _debian(tree: LayoutTree) -> None:
    """With the store of ca-certificates-java, as its postinst made it: one entry is the owner's."""
    tree.write("etc/os-release", b"ID=debian\n")
    tree.folder("var/lib/dpkg")
    _listed_files(tree, "# This file lists certificates that you wish to use or to ignore to be\n")
    _old_java_store(tree, "etc/ssl/certs/java/cacerts", "debian:gone.pem", 0o644)


def _yocto(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b'ID=acme-gateway\nNAME="ACME gateway"\n')
    tree.folder("usr/lib/ssl-3")
    tree.link("usr/lib/ssl-3/certs", "../../../etc/ssl/certs")
    _listed_files(tree, _OE_HEADER)


def _alpine(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b"ID=alpine\n")
    tree.write("etc/alpine-release", b"3.21.0\n")
    tree.folder("lib/apk/db")
    _listed_files(tree)
    tree.link("etc/ssl/cert.pem", "certs/ca-certificates.crt")


def _void(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b'NAME="Void"\nID="void"\n')
    tree.folder("var/db/xbps")
    _listed_files(tree)
    tree.link("etc/ssl/certs.pem", _BUNDLE)


def _gentoo(tree: LayoutTree) -> None:
    """With the relative links that the package brings: its build runs the tool with --sysroot."""
    tree.write("etc/os-release", b"NAME=Gentoo\nID=gentoo\n")
    tree.folder("var/db/pkg/app-misc")
    _listed_files(tree, "# Automatically generated by app-misc/ca-certificates-20260601.3.112.5\n# Do not edit.\n")
    for file in _FILES.values():
        source = f"../../../usr/share/ca-certificates/{file}"
        tree.link(f"etc/ssl/certs/{file.rpartition('/')[2].removesuffix('.crt').translate(_MANGLED)}.pem", source)


_MANGLED = str.maketrans(" ,()", "__==")


def _slackware(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b"NAME=Slackware\nID=slackware\nVERSION_ID=15.0\n")
    tree.write("etc/slackware-version", b"Slackware 15.0\n")
    _listed_files(tree, "# Automatically generated by ca-certificates-20241120 \n#\n")


def _buildroot(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b"NAME=Buildroot\nID=buildroot\n")
    _shipped_files(tree)


# -- a bundle that is a source -----------------------------------------------------------------------------


def _bundle(tree: LayoutTree) -> None:
    tree.write(_BUNDLE[1:], b"".join(shipped_authority(name).pem for name in SHIPPED))


def _openwrt(tree: LayoutTree) -> None:
    """Both packages: ca-bundle and ca-certificates."""
    tree.write("etc/openwrt_release", b"DISTRIB_ID='OpenWrt'\n")
    tree.write("etc/os-release", b'ID="openwrt"\n')
    _bundle(tree)
    for name in SHIPPED:
        tree.write(f"etc/ssl/certs/{os.path.basename(_FILES[name])}", shipped_authority(name).pem)
    tree.link("etc/ssl/cert.pem", _BUNDLE)


def _photon(tree: LayoutTree) -> None:
    """The packages ca-certificates and ca-certificates-pki: make-ca.sh puts text before each certificate."""
    tree.write("etc/os-release", b'NAME="VMware Photon OS"\nID=photon\nVERSION_ID=5.0\n')
    files = {_hash_of(name): b"Certificate:\n    Data:\n" + shipped_authority(name).pem for name in SHIPPED}
    for digits, data in files.items():
        tree.write(f"etc/ssl/certs/{digits}.pem", data + b"\n\n")
        tree.link(f"etc/ssl/certs/{digits}.0", f"{digits}.pem")
    bundle = b"".join(files[digits] + b"\n\n" for digits in sorted(files))
    tree.write("etc/pki/tls/certs/ca-bundle.crt", bundle)
    tree.write("usr/bin/remove-expired-certs.sh", b"#!/bin/bash\n")


def _hash_of(name: str) -> str:
    return parse_certificate(shipped_authority(name).der).subject.hash


def _distroless(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b'NAME="Debian GNU/Linux"\nPRETTY_NAME="Distroless"\nID="debian"\n')
    tree.write("var/lib/dpkg/status.d/base", b"Package: base-files\n")
    _bundle(tree)


# -- p11-kit -----------------------------------------------------------------------------------------------


def _p11kit(tree: LayoutTree, local: str, shipped: str) -> None:
    objects = (persist("trusted: true", "modifiable: false", block=shipped_authority(name).der) for name in SHIPPED)
    tree.write(f"{shipped}/ca-bundle.trust.p11-kit", b"".join(objects))
    tree.folder(f"{local}/anchors", f"{local}/blocklist", f"{shipped}/anchors", f"{shipped}/blocklist")


def _old_java_store(tree: LayoutTree, path: str, alias: str = "gone", mode: int = 0o444) -> None:
    tree.write(path, keystore([(alias, shipped_authority(SHIPPED[0]).der)], CREATED))
    (tree.path / path).chmod(mode)


_FEDORA = "/etc/pki/ca-trust/extracted"
_SUSE = "/var/lib/ca-certificates"
_ARCH = "/etc/ca-certificates/extracted"


def _fedora(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b"ID=fedora\n")
    _p11kit(tree, "etc/pki/ca-trust/source", "usr/share/pki/ca-trust-source")
    tree.write("etc/pki/ca-trust/source/README", b"This directory /etc/pki/ca-trust/source/ contains CA certificates\n")
    for name in ("openssl", "pem", "java", "edk2"):
        tree.folder(f"{_FEDORA[1:]}/{name}")
    tree.link("etc/pki/tls/cert.pem", f"{_FEDORA}/pem/tls-ca-bundle.pem")
    tree.link("etc/pki/tls/certs/ca-bundle.crt", f"{_FEDORA}/pem/tls-ca-bundle.pem")
    tree.link("etc/pki/tls/certs/ca-bundle.trust.crt", f"{_FEDORA}/openssl/ca-bundle.trust.crt")
    tree.link("etc/pki/java/cacerts", f"{_FEDORA}/java/cacerts")
    tree.link("etc/ssl/certs", "/etc/pki/tls/certs")
    _old_java_store(tree, f"{_FEDORA[1:]}/java/cacerts")


def _suse(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n')
    _p11kit(tree, "etc/pki/trust", "usr/share/pki/trust")
    tree.link("etc/ssl/certs", "../../var/lib/ca-certificates/pem")
    tree.link("etc/ssl/ca-bundle.pem", "../../var/lib/ca-certificates/ca-bundle.pem")
    _old_java_store(tree, f"{_SUSE[1:]}/java-cacerts")


def _arch(tree: LayoutTree) -> None:
    tree.write("etc/os-release", b"ID=arch\n")
    _p11kit(tree, "etc/ca-certificates/trust-source", "usr/share/ca-certificates/trust-source")
    tree.link("etc/ssl/cert.pem", "../ca-certificates/extracted/tls-ca-bundle.pem")
    tree.link("etc/ssl/certs/ca-certificates.crt", "../../ca-certificates/extracted/tls-ca-bundle.pem")
    _old_java_store(tree, f"{_ARCH[1:]}/java-cacerts.jks")


FAMILIES = (
    Family("debian", _debian, files=(_BUNDLE, "/etc/ssl/certs/java/cacerts")),
    Family("yocto", _yocto, files=(_BUNDLE,)),
    Family("alpine", _alpine, files=(_BUNDLE, "/etc/ssl/cert.pem")),
    Family("void", _void, files=(_BUNDLE, "/etc/ssl/certs.pem")),
    Family("gentoo", _gentoo, files=(_BUNDLE,)),
    Family("slackware", _slackware, files=(_BUNDLE,)),
    Family(
        "fedora",
        _fedora,
        files=(
            f"{_FEDORA}/openssl/ca-bundle.trust.crt",
            f"{_FEDORA}/pem/tls-ca-bundle.pem",
            f"{_FEDORA}/pem/email-ca-bundle.pem",
            f"{_FEDORA}/pem/objsign-ca-bundle.pem",
            f"{_FEDORA}/java/cacerts",
            f"{_FEDORA}/edk2/cacerts.bin",
            "/etc/pki/tls/cert.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/pki/java/cacerts",
        ),
        folders=(f"{_FEDORA}/pem/directory-hash", "/etc/ssl/certs"),
        distrusting=(f"{_FEDORA}/openssl/ca-bundle.trust.crt", "/etc/ssl/certs"),
        hashed=((f"{_FEDORA}/pem/directory-hash", BOTH),),
        local="/etc/pki/ca-trust/source/anchors",
        names=SHIPPED,
        p11kit=True,
    ),
    Family(
        "suse",
        _suse,
        files=(f"{_SUSE}/java-cacerts", f"{_SUSE}/ca-bundle.pem", "/etc/ssl/ca-bundle.pem"),
        folders=(f"{_SUSE}/pem", f"{_SUSE}/openssl", "/etc/ssl/certs"),
        hashed=((f"{_SUSE}/pem", BOTH), (f"{_SUSE}/openssl", BOTH)),
        local="/etc/pki/trust/anchors",
        names=SHIPPED,
        p11kit=True,
    ),
    Family(
        "arch",
        _arch,
        files=(
            f"{_ARCH}/ca-bundle.trust.crt",
            f"{_ARCH}/tls-ca-bundle.pem",
            f"{_ARCH}/email-ca-bundle.pem",
            f"{_ARCH}/objsign-ca-bundle.pem",
            f"{_ARCH}/java-cacerts.jks",
            f"{_ARCH}/edk2-cacerts.bin",
            "/etc/ssl/cert.pem",
            _BUNDLE,
        ),
        folders=(f"{_ARCH}/cadir", "/etc/ssl/certs"),
        distrusting=(f"{_ARCH}/ca-bundle.trust.crt",),
        # The links in /etc/ssl/certs lead to cadir's files, as Arch's script makes them: rehash would not.
        hashed=((f"{_ARCH}/cadir", BOTH),),
        local="/etc/ca-certificates/trust-source/anchors",
        names=SHIPPED,
        p11kit=True,
    ),
    Family("buildroot", _buildroot, files=(_BUNDLE,), local="/usr/share/ca-certificates/local"),
    Family(
        "photon",
        _photon,
        files=("/etc/pki/tls/certs/ca-bundle.crt",),
        local="/etc/ssl/certs",
        names=tuple(map(_hash_of, SHIPPED)),
    ),
    Family("openwrt", _openwrt, files=(_BUNDLE, "/etc/ssl/cert.pem"), local="/etc/ssl/certs"),
    Family(
        "bundle-only",
        _distroless,
        files=(_BUNDLE,),
        folders=(),
        hashed=(),
        local="",
        names=("Alpha_Root", "Beta_Root", "Gamma_Root__2___Ltd"),
    ),
)
