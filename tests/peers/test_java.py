"""Java stores against the real programs: Debian's hook, keytool, and p11-kit.

ca-certificates-java's maintainer script runs as dpkg would run it after ``update-ca-certificates --fresh``, in a
mount namespace whose store, sources and records are a directory of the test; nothing of this machine is changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rootfs_trust.layouts.tools import JAVA_HOOK, JAVA_STORE
from rootfs_trust.rootfs.view import File, Node, Symlink
from rootfs_trust.store.java_keystore import SETTINGS, debian_java_store
from rootfs_trust.store.jks import KeystoreEntry, keystore, read_keystore, write_keystore
from rootfs_trust.store.source_file import Source, read_source
from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.memory import MemoryTree
from tests.support.peers import PLAIN_ENVIRONMENT, needs_mounts, peer, unavailable
from tests.unit.x509.building import certificate, element, extension, name, utf8

POSTINST = Path("/var/lib/dpkg/info/ca-certificates-java.postinst")
SHIPPED, LOCAL, RECORDS = (
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/var/lib/ca-certificates-java",
)
CERTS = "/etc/ssl/certs"
CONF = "etc/ca-certificates.conf"
DIRECTORIES = (CERTS, SHIPPED, LOCAL, RECORDS)
SETTINGS_OF_THE_PACKAGE = b"cacerts_updates=yes\n"

TRUSTED_FOR_SERVERS = element(0x30, element(0x30, element(0x06, bytes.fromhex("2b06010505070301"))))
"""What OpenSSL puts behind a certificate: the purposes for which it is trusted (openssl-x509, TRUST SETTINGS)."""

# Each directory of the machine is covered by the test's own; the list and the settings are files.
RUN = """set -e
cd "$1"
for folder in $2; do mount --bind ".$folder" "$folder"; done
mount --bind etc/ca-certificates.conf /etc/ca-certificates.conf
mount --bind etc/default/cacerts /etc/default/cacerts
update-ca-certificates --fresh --hooksdir /nonexistent
unset LC_ALL
"$3" triggered update-ca-certificates-java-fresh
"""


class Machine:
    """A store of Debian's that the real programs keep, in a directory of the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for directory in (f"{CERTS}/java", SHIPPED, LOCAL, RECORDS):
            (path / directory[1:]).mkdir(parents=True)
        self.write("/etc/default/cacerts", SETTINGS_OF_THE_PACKAGE)
        self.write(f"/{CONF}", b"")

    def write(self, file: str, content: bytes) -> None:
        place = self.path / file[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def ship(self) -> None:
        """What this machine's ca-certificates ships, all of it trusted."""
        shutil.copytree(SHIPPED, self.path / SHIPPED[1:], dirs_exist_ok=True)
        files = sorted(str(file.relative_to(SHIPPED)) for file in Path(SHIPPED).rglob("*.crt"))
        self.write(f"/{CONF}", "".join(f"{file}\n" for file in files).encode())

    def update(self) -> str:
        """Run the real programs."""
        words = ["unshare", "--mount", "sh", "-c", RUN, "sh", self.path, " ".join(DIRECTORIES), POSTINST]
        done = subprocess.run(words, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def store(self) -> bytes:
        return (self.path / JAVA_STORE[1:]).read_bytes()

    def keytool(self, *words: str) -> str:
        return keytool(self.path / JAVA_STORE[1:], *words)

    def links(self) -> dict[str, Source]:
        directory = self.path / CERTS[1:]
        targets = {link.name: os.readlink(link) for link in directory.iterdir() if link.suffix == ".pem"}
        return {
            link: read_source(target, (self.path / target[1:]).read_bytes())
            for link, target in targets.items()
            if target.startswith((SHIPPED, LOCAL))
        }

    def ours(self, store: bytes | None, created: int | None = None) -> bytes:
        """What we write for the same links where ``store`` was before."""
        entries: dict[str, Node] = {JAVA_HOOK: File(b""), SETTINGS: File(SETTINGS_OF_THE_PACKAGE)}
        entries["/usr/bin/java"] = Symlink("/usr/lib/jvm/x/bin/java")
        entries["/usr/lib/jvm/x/bin/java"] = File(b"")
        if store is not None:
            entries[JAVA_STORE] = File(store)
        return debian_java_store(MemoryTree(entries), self.links(), created)[0][JAVA_STORE].content


def keytool(store: Path, *words: str) -> str:
    command = [peer("keytool"), "-J-Duser.language=en", *words, "-keystore", store, "-storepass", "changeit"]
    return subprocess.run(command, env=PLAIN_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True).stdout


def openssl_certificate(directory: Path, *options: str, name: str = "prime256v1") -> bytes:
    """A self-signed certificate over a curve that is named, or spelled out; other libraries make none of those."""
    key = directory / "key.pem"
    for words in (
        ["ecparam", "-name", name, "-genkey", "-noout", "-out", key, *options],
        ["req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-out", directory / "curve.pem"],
    ):
        subprocess.run([peer("openssl"), *words], env=PLAIN_ENVIRONMENT, capture_output=True, timeout=60, check=True)
    return (directory / "curve.pem").read_bytes()


def content(entries: list[KeystoreEntry]) -> list[tuple[str, bytes]]:
    return [(entry.alias, entry.der) for entry in entries]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    needs_mounts()
    for program in ("unshare", "java", "keytool", "update-ca-certificates"):
        peer(program)
    if not POSTINST.exists():
        unavailable("ca-certificates-java is not installed")
    return Machine(tmp_path / "machine")


def local(file: str) -> str:
    return f"{LOCAL}/{file}"


def test_the_store_of_all_that_debian_ships_is_the_hooks_own(machine: Machine, authority: Authority) -> None:
    """Byte for byte where the dates are the same, which are all that a first run leaves open."""
    machine.ship()
    machine.write(local("my-ca.crt"), authority.pem)
    machine.update()
    real = read_keystore(machine.store)
    assert len(real) > 100
    assert machine.ours(machine.store) == machine.store
    anew = read_keystore(machine.ours(None, 7))
    assert content(anew) == content(real)
    assert {entry.created_ms for entry in anew} == {7000}


def test_names_and_files_that_are_out_of_the_ordinary(machine: Machine) -> None:
    one, two, three = (Authority(f"CA {number}") for number in range(3))
    machine.write(local("My CA (x), y.crt"), one.pem)
    machine.write(local("F\u0150-\u0130-\u03a3.crt"), one.pem)
    machine.write(local("\U0001f512.crt"), one.pem)
    machine.write(local("Case.crt"), one.pem)
    machine.write(local("case.crt"), two.pem)
    machine.write(local("several.crt"), three.pem + one.pem)
    machine.write(local("malformed.crt"), b"\xef\xbb\xbftext\r\n" + two.pem.replace(b"\n", b"\r\n"))
    machine.write(local("x509.crt"), two.pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"))
    machine.update()
    assert len(read_keystore(machine.store)) == 7
    assert machine.ours(machine.store) == machine.store


def test_what_java_refuses_is_left_out_by_both(machine: Machine, authority: Authority, tmp_path: Path) -> None:
    basic = extension("551d13", bytes.fromhex("30030101ff"))
    machine.write(local("good.crt"), authority.pem)
    for file, der in {
        "version": certificate(name(utf8("A")), version=b"", extensions=(basic,)),
        "version-9": certificate(name(utf8("B")), version=element(0xA0, element(2, b"\x08")), extensions=(basic,)),
        "twice": certificate(name(utf8("C")), extensions=(basic, basic)),
        "nameless": certificate(element(0x30), issuer=name(utf8("D")), extensions=(basic,)),
        "no-issuer": certificate(name(utf8("D")), issuer=element(0x30)),
        "date": certificate(name(utf8("E")), validity=element(0x30, *[element(0x17, b"201301000000Z")] * 2)),
    }.items():
        machine.write(local(f"{file}.crt"), encode(der))
    relabelled = authority.pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE")
    machine.write(local("trusted.crt"), relabelled)
    machine.write(local("trusted-for.crt"), encode(authority.der + TRUSTED_FOR_SERVERS, "TRUSTED CERTIFICATE"))
    machine.write(local("curve.crt"), openssl_certificate(tmp_path, "-param_enc", "explicit"))
    machine.write(local("wtls.crt"), openssl_certificate(tmp_path, name="wap-wsg-idm-ecid-wtls12"))
    machine.write(local("brainpool.crt"), openssl_certificate(tmp_path, name="brainpoolP256r1"))
    machine.write(local("k1.crt"), openssl_certificate(tmp_path, name="secp256k1"))
    machine.write(local("nameless-and-bare.crt"), encode(certificate(element(0x30), issuer=name(utf8("D")))))
    assert machine.update().count("problem reading the certificate file") == 9
    assert len(read_keystore(machine.store)) == 5
    assert machine.ours(machine.store) == machine.store


def test_entries_come_and_go_as_with_the_hook(
    machine: Machine, authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "other.pem"
    file.write_bytes(other_authority.pem)
    machine.write(local("stays.crt"), authority.pem)
    machine.write(local("goes.crt"), other_authority.pem)
    machine.update()
    machine.keytool("-importcert", "-noprompt", "-alias", "Mine", "-file", str(file))
    before = machine.store
    (machine.path / local("goes.crt")[1:]).unlink()
    machine.write(local("comes.crt"), other_authority.pem)
    machine.update()
    ours = read_keystore(machine.ours(before, 7))
    assert sorted(content(ours)) == sorted(content(read_keystore(machine.store)))
    assert sorted(entry.alias for entry in ours) == ["debian:comes.pem", "debian:stays.pem", "mine"]


def test_our_store_leaves_the_hook_nothing_to_do(machine: Machine, authority: Authority) -> None:
    machine.ship()
    machine.write(local("my-ca.crt"), authority.pem)
    machine.update()
    ours = machine.ours(None, 7)
    machine.write(JAVA_STORE, ours)
    said = machine.update()
    assert "Adding debian:" not in said
    assert "Removing debian:" not in said
    assert machine.ours(machine.store, 7) == write_keystore(read_keystore(machine.ours(machine.store)))
    assert sorted(content(read_keystore(machine.store))) == sorted(content(read_keystore(ours)))


# -- keytool -----------------------------------------------------------------------------------------------


def test_keytool_lists_what_we_write(tmp_path: Path) -> None:
    authorities = {f"debian:ca-{number}-\u0151.pem": Authority(f"CA {number}") for number in range(20)}
    store = tmp_path / "cacerts"
    store.write_bytes(keystore([(alias, each.der) for alias, each in authorities.items()], 1_700_000_000))
    said = keytool(store, "-list")
    entries = re.findall(r"^(\S+), (.*), trustedCertEntry, \nCertificate fingerprint \(SHA-256\): (\S+)$", said, re.M)
    assert {alias: digest.replace(":", "").lower() for alias, _, digest in entries} == {
        alias: each.sha256 for alias, each in authorities.items()
    }
    assert {date for _, date, _ in entries} == {"Nov 14, 2023"}


def test_keytool_finds_an_entry_by_its_alias_and_takes_another(tmp_path: Path, authority: Authority) -> None:
    store, file = tmp_path / "cacerts", tmp_path / "ca.pem"
    file.write_bytes(authority.pem)
    store.write_bytes(keystore([("debian:a.pem", authority.der)], 0))
    assert "trustedCertEntry" in keytool(store, "-list", "-alias", "debian:A.pem")
    keytool(store, "-importcert", "-noprompt", "-alias", "mine", "-file", str(file))
    assert {entry.alias for entry in read_keystore(store.read_bytes())} == {"debian:a.pem", "mine"}


@pytest.mark.parametrize("kind", ["jceks", "pkcs12"])
def test_other_stores_of_keytool_are_recognised(tmp_path: Path, authority: Authority, kind: str) -> None:
    store, file = tmp_path / "cacerts", tmp_path / "ca.pem"
    file.write_bytes(authority.pem)
    keytool(store, "-importcert", "-noprompt", "-alias", "mine", "-file", str(file), "-storetype", kind)
    view = MemoryTree({JAVA_STORE: File(store.read_bytes())})
    nodes, warnings = debian_java_store(view, {"a.pem": read_source("/a.crt", authority.pem)})
    assert (nodes, [warning.id for warning in warnings]) == ({}, ["java-store-format"])


# -- p11-kit -----------------------------------------------------------------------------------------------


@pytest.fixture
def extract(tmp_path: Path) -> Callable[[int], bytes]:
    """Gives the store that p11-kit makes of this machine's anchors at a time."""

    def run(epoch: int) -> bytes:
        target = tmp_path / f"cacerts-{epoch}"
        command = [peer("trust"), "extract", "--format=java-cacerts", "--filter=ca-anchors", target]
        environment = {**PLAIN_ENVIRONMENT, "SOURCE_DATE_EPOCH": str(epoch)}
        subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
        return target.read_bytes()

    return run


def test_the_store_of_p11_kit_is_read_and_written_again(extract: Callable[[int], bytes]) -> None:
    real = extract(1_700_000_000)
    entries = read_keystore(real)
    assert len(entries) > 100
    assert keystore(content(entries), 1_700_000_000) == real
