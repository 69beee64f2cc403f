"""Debian's Java store: which entries, under which aliases, in which order, with which dates; and when there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.errors import MalformedError
from rootfs_trust.layouts.tools import JAVA_HOOK, JAVA_STORE
from rootfs_trust.layouts.without_p11kit import DEBIAN
from rootfs_trust.rootfs.view import Directory, File, Node, Symlink
from rootfs_trust.store.java_keystore import SETTINGS, debian_java_store, hashtable_order
from rootfs_trust.store.java_rules import refused_by_java
from rootfs_trust.store.jks import KeystoreEntry, keystore, read_keystore, write_keystore
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.source_file import Source, read_source
from rootfs_trust.store.store_plan import Request
from rootfs_trust.x509 import encode, parse_certificate
from tests.support.authority import Authority
from tests.support.memory import MemoryTree
from tests.unit.x509.building import (
    BASIC_CONSTRAINTS,
    CA_TRUE,
    KEY_USAGE,
    certificate,
    crl,
    element,
    extension,
    name,
    utf8,
)

ALPHA, BETA = (certificate(name(utf8(text))) for text in ("Alpha", "Beta"))
ENABLED = File(b"cacerts_updates=yes\n")
HOOKED: dict[str, Node] = {JAVA_HOOK: File(b"#!/bin/sh\n"), SETTINGS: ENABLED, "/usr/bin/java": File(b"")}


def source(der: bytes, file: str = "/usr/local/share/ca-certificates/x.crt") -> Source:
    return read_source(file, encode(der))


LINKS = {"Alpha.pem": source(ALPHA), "beta.pem": source(BETA)}


def stored(entries: dict[str, Node], links: dict[str, Source], created: int | None = None) -> list[KeystoreEntry]:
    nodes, warnings = debian_java_store(MemoryTree(entries), links, created)
    assert warnings == []
    assert list(nodes) == [JAVA_STORE]
    return read_keystore(nodes[JAVA_STORE].content)


def told(entries: dict[str, Node], links: dict[str, Source] = LINKS) -> tuple[bool, list[str]]:
    """Whether anything is written, and the ids of what is told."""
    nodes, warnings = debian_java_store(MemoryTree(entries), links)
    return bool(nodes), [warning.id for warning in warnings]


# -- whether there is one ----------------------------------------------------------------------------------


def test_where_there_is_neither_store_nor_hook_nothing_is_written() -> None:
    assert told({}) == (False, [])
    assert told({SETTINGS: ENABLED, "/usr/bin/java": File(b"")}) == (False, [])


def test_a_hook_without_java_writes_nothing() -> None:
    assert told({JAVA_HOOK: File(b""), SETTINGS: ENABLED, "/usr/lib/jvm": Directory()}) == (False, [])


def test_an_unpacked_java_is_enough() -> None:
    """The link /usr/bin/java is made when the package is configured."""
    assert told({JAVA_HOOK: File(b""), SETTINGS: ENABLED, "/usr/lib/jvm/java-17/bin/java": File(b"")}) == (True, [])


def test_a_hook_that_has_nothing_to_add_makes_no_store() -> None:
    assert told(HOOKED, {}) == (False, [])


def test_an_empty_list_empties_the_store_that_is_there() -> None:
    assert stored({**HOOKED, JAVA_STORE: File(keystore([("debian:alpha.pem", ALPHA)], 1))}, {}) == []


def test_a_store_without_a_hook_is_kept_up_to_date_too() -> None:
    """An image without Debian's tools, such as distroless."""
    assert len(stored({JAVA_STORE: File(keystore([], 1))}, LINKS)) == 2


@pytest.mark.parametrize("settings", [b"cacerts_updates=no\n", b"#cacerts_updates=yes\n", b"", b"cacerts_updates=$x\n"])
def test_updates_that_are_switched_off(settings: bytes) -> None:
    entries = {**HOOKED, SETTINGS: File(settings)}
    assert told(entries) == (False, [])
    assert told({**entries, JAVA_STORE: File(keystore([], 1))}) == (False, ["java-store-frozen"])


def test_a_hook_without_settings_is_switched_off() -> None:
    assert told({JAVA_HOOK: File(b""), JAVA_STORE: File(keystore([], 1))}) == (False, ["java-store-frozen"])


@pytest.mark.parametrize(
    "content",
    [b"", b"text", keystore([], 1, "secret"), b"\xce\xce\xce\xce\0\0\0\2", Authority().pkcs12],
    ids=["empty", "text", "password", "jceks", "pkcs12"],
)
def test_a_jks_that_install_did_not_write_is_left_alone(content: bytes) -> None:
    assert told({**HOOKED, JAVA_STORE: File(content)}) == (False, ["java-store-format"])


@pytest.mark.parametrize("node", [Directory(), Symlink("nowhere")])
def test_what_is_not_a_file_is_left_alone(node: Node) -> None:
    assert told({**HOOKED, JAVA_STORE: node}) == (False, ["java-store-format"])


def test_a_store_behind_a_link_is_written_where_it_is() -> None:
    real = "/var/lib/java/cacerts"
    tree = MemoryTree({**HOOKED, JAVA_STORE: Symlink(real), real: File(keystore([], 1))})
    assert list(debian_java_store(tree, LINKS)[0]) == [real]


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("storepass='se cret'", "se cret"),
        ('export storepass="secret" # mine', "secret"),
        ("storepass=one\nstorepass=two", "two"),
        ("#storepass='no'", "changeit"),
        ("storepass='a$b'", "a$b"),
        ("storepass=", ""),
    ],
)
def test_the_password(line: str, password: str) -> None:
    entries = {**HOOKED, SETTINGS: File(f"cacerts_updates='yes'\n{line}\n".encode())}
    content = debian_java_store(MemoryTree(entries), LINKS)[0][JAVA_STORE].content
    assert len(read_keystore(content, password)) == 2


@pytest.mark.parametrize(
    "line", ["storepass=$x", 'storepass="`cat x`"', "storepass='a", "storepass=a b", "storepass=a;b"]
)
def test_a_password_that_only_a_shell_could_tell(line: str) -> None:
    entries = {**HOOKED, SETTINGS: File(f"cacerts_updates=yes\n{line}\n".encode())}
    assert told(entries) == (False, ["java-store-format"])


# -- which entries -----------------------------------------------------------------------------------------


def test_aliases_are_the_names_of_the_links_in_lower_case() -> None:
    links = {"A_=Ő=.pem": source(ALPHA)}
    assert stored(HOOKED, links) == [KeystoreEntry("debian:a_=ő=.pem", 0, ALPHA)]


def test_the_same_certificate_twice_gives_two_entries() -> None:
    entries = stored(HOOKED, {"a.pem": source(ALPHA), "b.pem": source(ALPHA)})
    assert sorted(entry.alias for entry in entries) == ["debian:a.pem", "debian:b.pem"]


def test_of_names_that_differ_in_case_the_last_wins() -> None:
    links = {"a.pem": source(BETA), "A.pem": source(ALPHA)}
    assert stored(HOOKED, links) == [KeystoreEntry("debian:a.pem", 0, BETA)]


def test_of_several_certificates_in_a_file_the_first_is_taken() -> None:
    links = {"a.pem": read_source("/x.crt", encode(ALPHA) + encode(BETA))}
    assert [entry.der for entry in stored(HOOKED, links)] == [ALPHA]


def test_entries_of_others_stay_and_ours_without_a_link_go() -> None:
    old = [
        KeystoreEntry("mine", 5, BETA),
        KeystoreEntry("debian:gone.pem", 6, BETA),
        KeystoreEntry("DEBIAN:too.pem", 7, BETA),
    ]
    entries = stored({**HOOKED, JAVA_STORE: File(write_keystore(old))}, {"a.pem": source(ALPHA)}, 9)
    assert set(entries) == {KeystoreEntry("mine", 5, BETA), KeystoreEntry("debian:a.pem", 9000, ALPHA)}


RSA, EC = element(0x06, bytes.fromhex("2a864886f70d010101")), element(0x06, bytes.fromhex("2a8648ce3d0201"))
SPELLED_OUT = element(
    0x30,
    element(0x02, b"\1"),
    element(0x30, element(0x06, bytes.fromhex("2a8648ce3d0101")), element(0x02, b"\x7f" * 32)),
)


def ec_key(parameters: bytes) -> bytes:
    return element(0x30, element(0x30, EC, parameters), element(0x03, b"\0\4" + b"\1" * 64))


EXTENSION = extension(BASIC_CONSTRAINTS, CA_TRUE)


@pytest.mark.parametrize(
    "der",
    [
        certificate(name(utf8("A")), version=b"", extensions=(EXTENSION,)),
        certificate(name(utf8("A")), version=b"", tail=element(0x81, b"\0\1")),
        certificate(name(utf8("A")), version=element(0xA0, element(2, b"\x08")), extensions=(EXTENSION,)),
        certificate(name(utf8("A")), key=ec_key(element(0x06, b"\x2a\3"))),
        certificate(name(utf8("A")), key=ec_key(element(0x06, bytes.fromhex("2a811ccf5501822d")))),
        certificate(name(utf8("A")), version=b"", key=ec_key(SPELLED_OUT)),
        certificate(name(utf8("A")), key=element(0x30, element(0x30, RSA, element(0x05)), element(0x03, b"\0\1"))),
        certificate(name(utf8("A")), extensions=(EXTENSION, EXTENSION)),
        certificate(name(utf8("A")), extensions=(extension(BASIC_CONSTRAINTS, b"\4\0"),)),
        certificate(name(utf8("A")), extensions=(extension(KEY_USAGE, b"\4\0"),)),
        certificate(name(utf8("A")), issuer=element(0x30)),
        certificate(element(0x30), issuer=name(utf8("A")), extensions=(EXTENSION,)),
        certificate(element(0x30), issuer=name(utf8("A")), version=b""),
        certificate(name(utf8("A")), validity=element(0x30, element(0x17, b"hello"), element(0x17, b"491231235959Z"))),
    ],
)
def test_one_that_java_refuses_is_left_out_lest_java_loses_the_whole_store(der: bytes) -> None:
    nodes, warnings = debian_java_store(MemoryTree(HOOKED), {**LINKS, "odd.pem": source(der)})
    assert [warning.id for warning in warnings] == ["java-refuses"]
    assert len(read_keystore(nodes[JAVA_STORE].content)) == 2


def test_java_takes_a_certificate_without_a_subject_and_without_extensions() -> None:
    bare = source(certificate(element(0x30), issuer=name(utf8("A"))))
    assert debian_java_store(MemoryTree(HOOKED), {**LINKS, "bare.pem": bare})[1] == []


def test_what_java_takes() -> None:
    for der in (
        Authority().der,
        certificate(name(utf8("A")), version=b""),
        certificate(name(utf8("A")), version=element(0xA0, element(2, b"\1")), tail=element(0x82, b"\0\1")),
        certificate(name(utf8("A")), extensions=(extension("2a03", b"\0", critical=True), EXTENSION)),
        certificate(name(utf8("A")), key=element(0x30, element(0x30, element(0x06, b"\x2a\3")), element(0x03, b"\0"))),
    ):
        assert refused_by_java(parse_certificate(der)) == ""


def test_certificates_that_are_not_der_are_skipped() -> None:
    """OpenSSL does not ask for the constructed bit of a list."""
    parsed = parse_certificate(certificate(name(utf8("A")), issuer=b"\x10" + name(utf8("A"))[1:]))
    assert refused_by_java(parsed) == "it is malformed"


@given(st.data())
def test_no_certificate_that_openssl_takes_breaks_the_look_at_it(data: st.DataObject) -> None:
    der = bytearray(certificate(name(utf8("A")), key=ec_key(SPELLED_OUT), extensions=(EXTENSION,)))
    for at in data.draw(st.lists(st.integers(0, len(der) - 1), max_size=3)):
        der[at] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_certificate(bytes(der))
    except MalformedError:
        return
    refused_by_java(parsed)


def test_java_refuses_data_after_a_certificate() -> None:
    """OpenSSL's TRUSTED CERTIFICATE with its purposes; the label alone does not matter."""
    trusted = encode(ALPHA + element(0x30), "TRUSTED CERTIFICATE")
    assert told(HOOKED, {"a.pem": read_source("/x.crt", trusted)}) == (False, ["java-refuses"])
    assert told(HOOKED, {"a.pem": read_source("/x.crt", encode(ALPHA, "TRUSTED CERTIFICATE"))}) == (True, [])


def test_java_looks_at_the_first_block_alone() -> None:
    behind = encode(crl(name(utf8("A"))), "X509 CRL") + encode(ALPHA)
    assert told(HOOKED, {"a.pem": read_source("/x.crt", behind)}) == (False, ["java-refuses"])


def test_a_name_or_a_file_that_java_cannot_read_is_left_out() -> None:
    assert told(HOOKED, {"a\udcff.pem": source(ALPHA)}) == (False, ["java-refuses"])
    for content in (b"nothing", ALPHA):
        assert told(HOOKED, {"a.pem": read_source("/x.crt", content)}) == (False, ["java-refuses"])


# -- dates -------------------------------------------------------------------------------------------------


def dates(entries: list[KeystoreEntry]) -> dict[str, int]:
    return {entry.alias: entry.created_ms for entry in entries}


def test_new_entries_get_the_given_date_and_the_others_keep_theirs() -> None:
    old = keystore([("debian:alpha.pem", ALPHA), ("debian:beta.pem", ALPHA)], 3)
    entries = stored({**HOOKED, JAVA_STORE: File(old)}, LINKS, 9)
    assert dates(entries) == {"debian:alpha.pem": 3000, "debian:beta.pem": 9000}


def test_without_a_date_new_entries_get_the_latest_one() -> None:
    old = write_keystore([KeystoreEntry("debian:alpha.pem", 3001, ALPHA), KeystoreEntry("mine", 4001, BETA)])
    assert dates(stored({**HOOKED, JAVA_STORE: File(old)}, LINKS))["debian:beta.pem"] == 4001
    assert dates(stored(HOOKED, LINKS)) == {"debian:alpha.pem": 0, "debian:beta.pem": 0}


# -- in Debian's layout ------------------------------------------------------------------------------------

WITHOUT_JAVA: dict[str, Node] = {"/usr/local/share/ca-certificates/my-ca.crt": File(encode(ALPHA))}


def planned(entries: dict[str, Node]) -> tuple[bool, list[str]]:
    """Whether Debian's store gets a keystore, and the ids of the warnings."""
    plan = plan_store(DEBIAN, MemoryTree({**WITHOUT_JAVA, **entries}), Request())
    return JAVA_STORE in plan.desired, [each.id for each in plan.warnings]


def test_debians_store_has_a_keystore_if_there_is_a_hook_or_a_keystore() -> None:
    assert planned({}) == (False, [])
    assert planned(HOOKED) == (True, [])
    assert planned({JAVA_STORE: File(keystore([], 1))}) == (True, [])


def test_a_keystore_that_is_a_dangling_link_is_reported_without_a_hook_too() -> None:
    assert planned({JAVA_STORE: Symlink("nowhere")}) == (False, ["java-store-format"])


# -- the same bytes ----------------------------------------------------------------------------------------

DERS = [certificate(name(utf8(f"CA {number}"))) for number in range(30)]
MANY = {f"CA_{number}.pem": source(der) for number, der in enumerate(DERS)}


def written(tree: dict[str, Node], links: dict[str, Source], created: int | None = None) -> bytes:
    return debian_java_store(MemoryTree(tree), links, created)[0][JAVA_STORE].content


def test_a_second_run_gives_the_same_bytes_whenever_it_comes() -> None:
    first = written(HOOKED, MANY, 5)
    for created in (None, 5, 99):
        assert written({**HOOKED, JAVA_STORE: File(first)}, MANY, created) == first


def test_adding_and_taking_away_gives_back_the_bytes() -> None:
    first = written(HOOKED, MANY, 5)
    added = written({**HOOKED, JAVA_STORE: File(first)}, {**MANY, "new.pem": source(ALPHA)}, 7)
    assert added != first
    assert written({**HOOKED, JAVA_STORE: File(added)}, MANY, 8) == first


@given(st.permutations(list(MANY.items())), st.permutations(range(30)))
def test_neither_the_order_of_links_nor_that_of_the_old_store_matters(
    links: list[tuple[str, Source]], order: list[int]
) -> None:
    old = [KeystoreEntry(f"debian:ca_{number}.pem", 5000, DERS[number]) for number in order]
    assert written({**HOOKED, JAVA_STORE: File(write_keystore(old))}, dict(links)) == written(HOOKED, MANY, 5)


def test_the_order_of_what_others_added_does_not_matter() -> None:
    """The aliases a, l and w are in one bucket of Java's hash table."""
    foreign = [KeystoreEntry(alias, 1, BETA) for alias in ("a", "l", "w")]
    first, second = (
        written({**HOOKED, JAVA_STORE: File(write_keystore(entries))}, LINKS) for entries in (foreign, foreign[::-1])
    )
    assert first == second
    assert [entry.alias for entry in read_keystore(first) if len(entry.alias) == 1] == ["w", "l", "a"]


def test_the_later_of_two_names_that_differ_in_case_is_added_last() -> None:
    """``M.pem`` is in the bucket of ``b.pem``, and the newest entry comes first in a bucket."""
    links = {"B.pem": source(ALPHA), "M.pem": source(ALPHA), "b.pem": source(BETA)}
    assert [(each.alias, each.der) for each in stored(HOOKED, links)] == [
        ("debian:b.pem", BETA),
        ("debian:m.pem", ALPHA),
    ]


@given(st.lists(st.text(), unique=True))
def test_a_hash_table_loses_nothing(keys: list[str]) -> None:
    assert sorted(hashtable_order(keys)) == sorted(keys)


def test_the_order_of_a_small_hash_table() -> None:
    """Hash codes 97, 98, 108 modulo 11 are 9, 10, 9: the last bucket first, the newest first in its bucket."""
    assert hashtable_order(["a", "b", "l"]) == ["b", "l", "a"]


@pytest.mark.parametrize(
    ("count", "order"),
    [
        (8, "k0 k7 k6 k5 k4 k3 k2 k1"),
        (9, "k8 k7 k6 k5 k4 k3 k2 k1 k0"),
        (18, "k9 k8 k7 k6 k5 k4 k3 k2 k1 k0 k17 k16 k15 k14 k13 k12 k11 k10"),
    ],
)
def test_a_hash_table_grows_when_java_lets_it_grow(count: int, order: str) -> None:
    """What java.util.Hashtable of OpenJDK 17 gives: the ninth key and the eighteenth make it larger."""
    assert hashtable_order([f"k{number}" for number in range(count)]) == order.split()
