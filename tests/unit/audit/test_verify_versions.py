"""Which version of each library a rootfs shows."""

from __future__ import annotations

import json
import struct
import zlib

import pytest

from rootfs_trust.audit.verify.assumed_versions import ASSUMED, Version, numbers_in
from rootfs_trust.audit.verify.build_info import cargo_packages, go_version
from rootfs_trust.audit.verify.versions import Versions
from rootfs_trust.clients.client import Client, FoundAnchors, fixed
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import File
from tests.support.memory import MemoryTree
from tests.unit.rootfs.test_rpm_databases import header, sqlite

DPKG = "/var/lib/dpkg/status"


def versions(entries: dict[str, bytes]) -> Versions:
    return Versions(FileReader(Device(MemoryTree({path: File(data) for path, data in entries.items()}))))


def of(engine: str, entries: dict[str, bytes], name: str = "") -> Version:
    return versions(entries).of(Client(name or engine, engine, fixed(FoundAnchors())))


def dpkg(**packages: str) -> dict[str, bytes]:
    return {DPKG: "\n\n".join(f"Package: {name}\nVersion: {each}" for name, each in packages.items()).encode()}


def go_program(version: str) -> bytes:
    text = f"go{version}".encode()
    return b"\x7fELF" + bytes(90) + b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + bytes([len(text)]) + text


def elf(section: bytes, *, wide: bool = True, order: str = "<") -> bytes:
    """A file of ELF with the section .dep-v0."""
    names = b"\0.dep-v0\0"
    start = 64 if wide else 52
    table = start + len(section) + len(names)
    head = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2]) + bytes(10)
    form = order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
    head += struct.pack(form, 2, 62, 1, 0, 0, table, 0, start, 0, 0, 64 if wide else 40, 3, 2)
    entry = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
    rows = ((0, 0, 0), (1, start, len(section)), (0, start + len(section), len(names)))
    listed = b"".join(struct.pack(entry, label, 1, 0, 0, offset, size, 0, 0, 1, 0) for label, offset, size in rows)
    return head + section + names + listed


def auditable(crates: dict[str, str], **form) -> bytes:
    packages = [{"name": name, "version": version} for name, version in crates.items()]
    return elf(zlib.compress(json.dumps({"packages": packages}).encode()), **form)


def test_rpms_database_shows_the_version_of_a_library():
    fedora = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
    found = of("openssl", {fedora: sqlite([header("openssl-libs", "3.5.1")])})
    assert (found.numbers, found.place) == ((3, 5, 1), fedora)


PACKAGES = {
    "openssl": ("libssl3t64", "libssl3", "libcrypto3", "openssl-libs", "libopenssl3", "libssl1.1", "libcrypto1.1"),
    "gnutls": ("libgnutls30t64", "libgnutls30", "libgnutls", "gnutls"),
    "mbedtls": (
        *("libmbedtls21", "libmbedtls14t64", "libmbedtls14", "libmbedtls12", "libmbedx509-1", "mbedtls", "mbedtls2"),
    ),
}
"""The packages of Debian, Alpine, Fedora, SUSE, Arch and OpenWrt."""


@pytest.mark.parametrize(
    ("engine", "entries", "numbers"),
    [
        ("openssl", dpkg(libssl3="3.0.15-1~deb12u1"), (3, 0, 15)),
        ("openssl", dpkg(libssl3t64="3.5.1-1"), (3, 5, 1)),
        ("openssl", {"/lib/apk/db/installed": b"P:libcrypto3\nV:3.3.2-r0\n\n"}, (3, 3, 2)),
        ("openssl", {"/usr/lib/libcrypto.so.3": b"\x7fELF\0OpenSSL 3.5.4 30 Sep 2025\0"}, (3, 5, 4)),
        ("openssl", {"/usr/lib/x86_64-linux-gnu/libcrypto.so.1.1": b"OpenSSL 1.1.1w  11 Sep 2023"}, (1, 1, 1)),
        ("gnutls", dpkg(libgnutls30="3.7.9-2+deb12u7"), (3, 7, 9)),
        ("mbedtls", {"/usr/lib/opkg/status": b"Package: libmbedtls21\nVersion: 3.6.2-r1\n"}, (3, 6, 2)),
        ("mbedtls", {"/usr/lib/libmbedcrypto.so.16": b"Mbed TLS 3.6.2\0"}, (3, 6, 2)),
        ("java", {"/usr/lib/jvm/jdk/release": b'IMPLEMENTOR="x"\nJAVA_VERSION="21.0.8"\n'}, (21, 0, 8)),
        ("java", {"/opt/jre8/release": b'JAVA_VERSION="1.8.0_422"\n'}, (8, 0)),
        ("go", {"/usr/bin/agent": go_program("1.26.10")}, (1, 26, 10)),
        ("rustls", {"/usr/bin/tool": auditable({"ring": "0.17.14", "rustls-webpki": "0.103.16"})}, (0, 103, 16)),
    ],
)
def test_the_rootfs_shows_a_version(engine: str, entries: dict[str, bytes], numbers: tuple[int, ...]):
    found = of(engine, entries)
    assert (found.numbers, found.newest) == (numbers, numbers)
    assert found.place in entries
    assert "the rootfs has" in found.text


@pytest.mark.parametrize("package", [name for names in PACKAGES.values() for name in names])
def test_each_package_shows_the_version_of_its_library(package: str):
    (engine,) = [engine for engine, names in PACKAGES.items() if package in names]
    assert of(engine, dpkg(**{package: "3.9.1-1"})).numbers == (3, 9, 1)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3.0.15-1~deb12u1", (3, 0, 15)),
        ("1:3.5.1-1", (3, 5, 1)),
        ("v24.1.0", (24, 1, 0)),
        ("2:v1.2", (1, 2)),
        ("1.1.1w-0", (1, 1, 1)),
        ("3.6.0~rc1-2", (3, 6, 0)),
        ("3.2-alpha9", (3, 2)),
        ("3", (3,)),
        ("rc3", ()),
        ("", ()),
    ],
)
def test_the_numbers_at_the_beginning_of_a_version(text: str, numbers: tuple[int, ...]):
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("engine", ["openssl", "gnutls", "mbedtls", "java", "go", "rustls"])
def test_unknown_versions_are_assumed(engine: str):
    assert of(engine, {"/etc/os-release": b""}) is ASSUMED[engine]


def test_several_programs_give_the_oldest_and_the_newest():
    found = of("go", {"/usr/bin/new": go_program("1.27.3"), "/usr/local/bin/old": go_program("1.22")})
    assert (found.numbers, found.newest, found.place) == ((1, 22), (1, 27, 3), "/usr/local/bin/old")
    assert "Go 1.22 to 1.27.3" in found.text


def test_aws_lc_rs_counts_where_every_program_has_it():
    modern = auditable({"aws-lc-rs": "1.19.0", "rustls-webpki": "0.103.17"})
    plain = auditable({"aws-lc-rs": "1.19.0", "ring": "0.17.14", "rustls-webpki": "0.103.17"})
    assert of("rustls", {"/usr/bin/a": modern}).variant == "rustls with aws-lc-rs"
    assert of("rustls", {"/usr/bin/a": modern, "/usr/bin/b": plain}).variant == ""


@pytest.mark.parametrize(("package", "numbers"), [("1.4.1", (0, 101, 7)), ("2.0.1-1", (0, 103, 13))])
def test_thin_edge_locks_its_webpki(package: str, numbers: tuple[int, ...]):
    assert of("rustls", dpkg(tedge=package), "thin-edge-https").numbers == numbers


def test_the_webpki_version_of_thin_edge_is_in_its_binary():
    entries = dpkg(tedge="2.1.0") | {"/usr/bin/tedge": auditable({"rustls-webpki": "0.103.16", "ring": "0.17"})}
    assert of("rustls", entries, "thin-edge-https").numbers == (0, 103, 16)


@pytest.mark.parametrize(("package", "numbers"), [("22.12.0", (3, 0)), ("24.1.0-1nodesource1", (3, 5))])
def test_node_has_its_own_openssl(package: str, numbers: tuple[int, ...]):
    assert of("openssl", dpkg(nodejs=package, libssl3="3.3.1"), "node").numbers == numbers


def test_python_is_the_one_whose_directory_holds_certifi():
    certifi = {"/usr/lib/python3.13/site-packages/certifi/cacert.pem": b""}
    assert versions(certifi).python() == Version("Python", (3, 13))
    assert versions(certifi | dpkg(python3="3.13.18-1")).python().newest == (3, 13, 18)
    assert versions(certifi | dpkg(python3="3.11.2-1")).python().newest is None
    assert versions({}).python() is ASSUMED["python"]


def test_java_blocks_what_its_file_lists():
    path = "/usr/lib/jvm/jdk/lib/security/blocked.certs"
    found = versions({path: b"Algorithm=SHA-256\n" + b"AB" * 32 + b"\nnonsense\n"}).blocked_by_java
    assert found == {"ab" * 32: path}


def test_of_several_versions_of_a_crate_the_lowest_counts():
    packages = [{"name": "rustls-webpki", "version": version} for version in ("0.103.16", "0.103.9", "0.103.10")]
    assert cargo_packages(elf(zlib.compress(json.dumps({"packages": packages}).encode()))) == {
        "rustls-webpki": "0.103.9"
    }


@pytest.mark.parametrize("form", [{}, {"wide": False}, {"order": ">"}, {"wide": False, "order": ">"}])
def test_cargo_auditable_in_every_form_of_elf(form):
    assert cargo_packages(auditable({"ring": "0.17"}, **form)) == {"ring": "0.17"}


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b"\x7fELF",
        elf(b"no zlib"),
        elf(zlib.compress(b"no JSON")),
        elf(zlib.compress(b'{"packages": 1}')),
        elf(zlib.compress(b'{"packages": [[]]}')),
        elf(zlib.compress(b"[" * 100_000)),
        elf(zlib.compress(b'"%s"' % bytes(9 << 20))),
        auditable({"a": "1"})[:-90],
        auditable({"a": "1"}).replace(b".dep-v0", b".dep-v1"),
    ],
)
def test_a_program_without_a_list_of_crates(program: bytes):
    assert cargo_packages(program) == {}


@pytest.mark.parametrize(
    "program",
    [b"", b"\xff Go buildinf:", go_program("1.26").replace(b"\x08\x02", b"\x08\0"), go_program("1")[:-4]],
)
def test_a_program_without_a_go_version(program: bytes):
    assert go_version(program) == ""
