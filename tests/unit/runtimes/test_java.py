"""Java's keystores: our entries among those of others."""

from __future__ import annotations

import pytest

from rootfs_trust.errors import MalformedError
from rootfs_trust.runtimes import java
from rootfs_trust.runtimes.request import RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.jks import KeystoreEntry, read_keystore, write_keystore
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, read_pkcs12, trusted_bag, write_pkcs12
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree, Symlink

THEIRS, OURS = Authority("Theirs"), Authority("Ours")
JDK = "/opt/jdk/lib/security/cacerts"
KEYSTORES = {
    "JKS": write_keystore([KeystoreEntry("theirs", 1_600_000_000_123, THEIRS.der)]),
    "PKCS #12": write_pkcs12(Pkcs12((Safe((trusted_bag("theirs", THEIRS.der),)),), None)),
}
REQUEST = RuntimeRequest((Anchor("My-CA", parse_certificate(OURS.der), ""),))


@pytest.fixture(params=KEYSTORES.values(), ids=KEYSTORES)
def data(request) -> bytes:
    return request.param


def entries(data: bytes) -> dict[str, bytes]:
    if data.startswith(b"0"):
        return {bag.alias: bag.certificate for bag in read_pkcs12(data).bags}
    return {entry.alias: entry.der for entry in read_keystore(data)}


def changed(data: bytes, request: RuntimeRequest = REQUEST) -> bytes:
    plan = java.plan(RuntimeTree(MemoryTree({JDK: File(data)})), request)
    assert not plan.conflicts
    node = plan.desired.get(JDK)
    return data if node is None else node.content


def test_the_anchor_is_added(data):
    assert entries(changed(data)) == {"theirs": THEIRS.der, "rootfs-trust:my-ca": OURS.der}


def test_a_second_run_writes_nothing(data):
    assert changed(changed(data)) == changed(data)


def test_removing_gives_back_the_bytes(data):
    assert changed(changed(data), RuntimeRequest(removed=frozenset({OURS.sha256}))) == data


def test_entries_of_others_stay_unless_distrusted(data):
    removed = frozenset({THEIRS.sha256})
    assert changed(data, RuntimeRequest(removed=removed)) == data
    assert entries(changed(data, RuntimeRequest(removed=removed, distrust=True))) == {}


def test_an_entry_of_jks_gets_the_date_of_the_newest():
    new = {entry.alias: entry.created_ms for entry in read_keystore(changed(KEYSTORES["JKS"]))}
    assert new == {"theirs": 1_600_000_000_123, "rootfs-trust:my-ca": 1_600_000_000_123}


def test_a_timestamp_dates_new_entries():
    dated = RuntimeRequest(REQUEST.anchors, created=1_700_000_000)
    new = {entry.alias: entry.created_ms for entry in read_keystore(changed(KEYSTORES["JKS"], dated))}
    assert new["rootfs-trust:my-ca"] == 1_700_000_000_000


def test_what_others_have_already_is_not_added(data):
    assert changed(data, RuntimeRequest((Anchor("again", parse_certificate(THEIRS.der), ""),))) == data


def test_a_link_to_the_systems_store_is_left_alone(data):
    tree = MemoryTree({JDK: Symlink("/etc/ssl/certs/java/cacerts"), "/etc/ssl/certs/java/cacerts": File(data)})
    assert not java.present(RuntimeTree(tree))


def test_a_link_to_another_jdk_is_one_store(data):
    other = "/usr/lib/jvm/17/lib/security/cacerts"
    plan = java.plan(RuntimeTree(MemoryTree({JDK: File(data), other: Symlink(JDK)})), REQUEST)
    assert list(plan.desired) == [JDK]


def test_the_password_of_the_configuration():
    data = write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)], "secret")
    with pytest.raises(MalformedError, match="another password"):
        java.changed_keystore(data, {}, REQUEST)
    request = RuntimeRequest(REQUEST.anchors, java_passwords=("secret",))
    assert len(read_keystore(changed(data, request), "secret")) == 2


@pytest.mark.parametrize("broken", [b"", b"\xfe\xed\xfe\xed", b"text", b"0\x82", KEYSTORES["JKS"][:-30]])
def test_a_broken_keystore_is_one_conflict(broken):
    plan = java.plan(RuntimeTree(MemoryTree({JDK: File(broken)})), REQUEST)
    assert [each.path for each in plan.conflicts] == [JDK]
    assert not plan.desired


def test_an_anchor_that_java_cannot_read_is_left_out_with_a_warning(data, monkeypatch):
    monkeypatch.setattr("rootfs_trust.runtimes.java.refused_by_java", lambda certificate: "its key is odd")
    plan = java.plan(RuntimeTree(MemoryTree({JDK: File(data)})), REQUEST)
    assert [each.id for each in plan.warnings] == ["java-refuses"]
    assert not plan.desired


SIGNED_BY_A_KEY = bytes.fromhex("3015020103301006092a864886f70d010702a003020100")


@pytest.mark.parametrize(
    ("keystore", "advice"),
    [
        (write_keystore([KeystoreEntry("theirs", 0, THEIRS.der)], "another"), "java_password_file"),
        (SIGNED_BY_A_KEY, "keytool -importkeystore"),
    ],
    ids=["another password", "no password at all"],
)
def test_the_fix_is_a_password_only_if_there_is_one(keystore, advice):
    (conflict,) = java.plan(RuntimeTree(MemoryTree({JDK: File(keystore)})), REQUEST).conflicts
    assert "password" in conflict.message and advice in conflict.hint
