"""Which plans may take a certificate from a client: only for these does a run compare what all clients read."""

from __future__ import annotations

import pytest

from rootfs_trust.api.may_lose import may_lose, replaced_certificates
from rootfs_trust.rootfs.plan import Action, Link, MakeDirectory, Plan, Put, Remove
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, Symlink
from rootfs_trust.store.jks import keystore
from tests.support.authority import Authority

ONE, TWO = Authority("One"), Authority("Two")
BUNDLE, JAVA, IN_DIRECTORY = "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/java/cacerts", "/etc/ssl/certs/one.pem"
X509 = ONE.pem.replace(b" CERTIFICATE", b" X509 CERTIFICATE")
OTHER = "/opt/app/ca.pem"
STORE = {BUNDLE: ONE.pem}


def java(*authorities: Authority) -> bytes:
    return keystore([(f"a{number}", each.der) for number, each in enumerate(authorities)], 0)


@pytest.fixture
def judged(tmp_path):
    def judge(files: dict[str, bytes], *actions: Action, sources: str | None = None) -> bool:
        for path, content in files.items():
            (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path[1:]).write_bytes(content)
        with RootDirectory(str(tmp_path)) as root:
            plan = Plan(actions)
            return may_lose(root, plan, replaced_certificates(root, plan, sources) if sources else frozenset())

    return judge


LOSING = {
    "a removed file": (STORE, Remove("/usr/local/share/ca-certificates/one.crt")),
    "a new bundle that hides another": (STORE, Put("/etc/ssl/cert.pem", File(TWO.pem), replaces=False)),
    "a new link in place of a bundle": (STORE, Link("/etc/ssl/cert.pem", Symlink("certs/x"), replaces=False)),
    "a new hash directory": (STORE, MakeDirectory("/usr/lib/ssl-3/certs", Directory())),
    "a link that leads elsewhere": (STORE, Link("/etc/ssl/certs/abcdef01.0", Symlink("two.pem"), replaces=True)),
    "a bundle with another certificate": (STORE, Put(BUNDLE, File(TWO.pem), replaces=True)),
    "a file of a hash directory with another": (
        {IN_DIRECTORY: ONE.pem},
        Put(IN_DIRECTORY, File(TWO.pem), replaces=True),
    ),
    "a PEM file that a variable may name": ({OTHER: ONE.pem}, Put(OTHER, File(TWO.pem), replaces=True)),
    "an empty bundle": (STORE, Put(BUNDLE, File(b""), replaces=True)),
    "a block that only GnuTLS reads": ({BUNDLE: X509}, Put(BUNDLE, File(X509 + TWO.pem), replaces=True)),
    "a keystore with another": ({JAVA: java(ONE)}, Put(JAVA, File(java(TWO)), replaces=True)),
    "a keystore that becomes another file": ({JAVA: java(ONE)}, Put(JAVA, File(b"?"), replaces=True)),
    "a file that nobody can read": ({BUNDLE: b"?"}, Put(BUNDLE, File(ONE.pem), replaces=True)),
}
KEEPING = {
    "a bundle that grows": (STORE, Put(BUNDLE, File(ONE.pem + TWO.pem), replaces=True)),
    "a bundle in another order": (
        {BUNDLE: ONE.pem + TWO.pem},
        Put(BUNDLE, File(b"# text\n" + TWO.pem + ONE.pem), replaces=True),
    ),
    "a keystore that grows": ({JAVA: java(ONE)}, Put(JAVA, File(java(TWO, ONE)), replaces=True)),
    "a new file of a hash directory": (STORE, Put(IN_DIRECTORY, File(ONE.pem), replaces=False)),
    "a new hash link": (STORE, Link("/etc/ssl/certs/abcdef01.0", Symlink("one.pem"), replaces=False)),
    "a new directory of sources": (STORE, MakeDirectory("/usr/local/share/ca-certificates", Directory())),
    "a file that no client reads": (STORE, Put("/etc/ca-certificates.conf", File(b"x"), replaces=True)),
    "a file that a killed run left": (STORE, Remove("/etc/ssl/certs/.rootfs-trust-0123")),
}


@pytest.mark.parametrize("case", LOSING)
def test_this_may_lose_a_certificate(case, judged):
    assert judged(*LOSING[case])


@pytest.mark.parametrize("case", KEEPING)
def test_this_loses_none(case, judged):
    assert not judged(*KEEPING[case])


SOURCES = "/usr/local/share/ca-certificates"
SOURCE = f"{SOURCES}/company.crt"
REPLACED = Put(SOURCE, File(TWO.pem), replaces=True)


def test_a_replaced_ca_is_not_lost(judged):
    bundle = Put(BUNDLE, File(TWO.pem), replaces=True)
    files = {SOURCE: ONE.pem, BUNDLE: ONE.pem}
    assert not judged(files, REPLACED, bundle, sources=SOURCES)
    assert judged(files, REPLACED, bundle)


def test_another_ca_is_lost_although_one_is_replaced(judged):
    third = Authority("Three")
    files = {SOURCE: ONE.pem, BUNDLE: ONE.pem + third.pem}
    assert judged(files, REPLACED, Put(BUNDLE, File(TWO.pem), replaces=True), sources=SOURCES)
