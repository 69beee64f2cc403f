"""``install`` warns of each runtime's store that will not see an anchor, and ``verify`` judges each as a client."""

from __future__ import annotations

import pytest

from rootfs_trust import InstallOptions, install, parse_config, verify
from rootfs_trust.store.jks import keystore
from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.layout_trees import FAMILIES, LayoutTree

OWN = Authority("My CA")
OTHER = Authority("Other CA")
CERTIFI = "opt/app/lib/python3.12/site-packages/certifi/cacert.pem"
CASTORE = "app/lib/castore-1.0.5/priv/cacerts.pem"
JDK = "opt/jdk/lib/security/cacerts"


@pytest.fixture
def tree(debian):
    debian.write(CERTIFI, OTHER.pem)
    debian.write(f"srv/{CERTIFI}", OTHER.pem)
    debian.write(CASTORE, OTHER.pem)
    debian.write(JDK, keystore([("other", OTHER.der)], 0))
    debian.write("opt/jre/lib/security/cacerts", keystore([("other", OTHER.der)], 0))
    debian.write("usr/bin/chromium", b"")
    debian.write("usr/bin/mono", b"")
    return debian


def warned(root: str, **options) -> set[tuple[str, str]]:
    done = install(root, InstallOptions(certs=[OWN.pem], **options))
    return {(each.id, each.path) for each in done.warnings}


STORES = {
    ("certifi-store", f"/{CERTIFI}"),
    ("certifi-store", f"/srv/{CERTIFI}"),
    ("castore-store", f"/{CASTORE}"),
    ("jdk-store", f"/{JDK}"),
    ("jdk-store", "/opt/jre/lib/security/cacerts"),
    ("browser-store", "/etc/chromium/policies/managed"),
    ("mono-store", "/usr/share/.mono"),
}


def test_install_warns_of_each_store_that_lacks_the_anchor(tree):
    assert warned(tree.root) >= STORES
    assert warned(tree.root) >= STORES, "and again, as long as it is so"


@pytest.mark.parametrize(
    ("file", "content", "warning"),
    [
        ("usr/bin/chromium", b"", ("browser-store", "/etc/chromium/policies/managed")),
        ("usr/bin/mono", b"", ("mono-store", "/usr/share/.mono")),
        (CERTIFI, OTHER.pem, ("certifi-store", f"/{CERTIFI}")),
        (JDK, keystore([("other", OTHER.der)], 0), ("jdk-store", f"/{JDK}")),
    ],
)
def test_one_store_or_one_program_is_enough(debian, file, content, warning):
    debian.write(file, content)
    assert warning in warned(debian.root)


def test_an_anchor_for_mail_only_is_missed_by_no_runtime(tmp_path):
    tree = LayoutTree(tmp_path / "tree", next(each for each in FAMILIES if each.name == "fedora"))
    tree.write(CERTIFI, OTHER.pem)
    (tmp_path / "own.pem").write_bytes(OWN.pem)
    for purposes, expected in ((["email"], set()), (["email", "server-auth"], {("certifi-store", f"/{CERTIFI}")})):
        config = parse_config({"anchor": [{"file": str(tmp_path / "own.pem"), "purposes": purposes, "replace": True}]})
        done = install(tree.root, InstallOptions(config=config))
        assert {(each.id, each.path) for each in done.warnings if each.id == "certifi-store"} == expected


def test_a_keystore_of_the_system_is_not_a_store_of_a_runtime(debian):
    """An anchor that Java refuses is reported once, and not again as one that the system's keystore lacks."""
    debian.write("etc/ssl/certs/java/cacerts", keystore([("other", OTHER.der)], 0))
    debian.write("usr/bin/java", b"")
    (debian.path / "opt/jdk/lib/security").mkdir(parents=True)
    (debian.path / JDK).symlink_to("/etc/ssl/certs/java/cacerts")
    refused = encode(OWN.der.replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\1", 1))  # version 2, which has no extensions
    told = {each.id for each in install(debian.root, InstallOptions(certs=[refused])).warnings}
    assert "java-refuses" in told and "jdk-store" not in told


def test_install_with_the_runtimes_warns_of_none(tree):
    assert {id for id, _ in warned(tree.root, runtimes=["auto"])} & {id for id, _ in STORES} == set()


def test_a_store_that_cannot_be_read_stops_no_install(debian):
    for path in (CERTIFI, CASTORE, JDK):
        debian.write(path, b"")
        with open(debian.path / path, "r+b") as file:
            file.truncate(65 << 20)
    debian.write("usr/bin/chromium", b"")
    debian.write("etc/chromium/policies/managed/ca.json", b"[" * 100_000)
    assert {("certifi-store", f"/{CERTIFI}"), ("browser-store", "/etc/chromium/policies/managed")} <= warned(
        debian.root
    )


def test_a_tree_without_runtimes_has_no_such_warning(debian):
    assert {id for id, _ in warned(debian.root)} & {id for id, _ in STORES} == set()


def test_verify_treats_each_store_as_a_separate_client(tree, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_bytes(OWN.server("localhost").pem)
    names = {
        "certifi",
        f"certifi:/srv/{CERTIFI}",
        f"castore:/{CASTORE}",
        "java",
        "java:/opt/jre/lib/security/cacerts",
        "chromium",
        "mono",
    }
    for runtimes, trusted in ((["none"], False), (["auto"], True)):
        install(tree.root, InstallOptions(certs=[OWN.pem], runtimes=runtimes))
        verdicts = {each.client: each.trusted for each in verify(tree.root, str(chain)).verdicts}
        assert {name: verdicts.get(name) for name in names} == dict.fromkeys(names, trusted)
