"""Java keystores: what is written is read back, and what is broken is refused, whatever is broken about it."""

from __future__ import annotations

from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.jks import KeystoreEntry, keystore, read_keystore, write_keystore
from tests.support.authority import Authority

EMPTY = bytes.fromhex("feedfeed 00000002 00000000")
ONE = keystore([("debian:a.pem", b"DER")], 1)


def signed(body: bytes, password: str = "changeit") -> bytes:
    return body + sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def test_an_empty_keystore_is_what_java_writes() -> None:
    """32 octets; the digest is that of a store made by java.security.KeyStore of OpenJDK 17."""
    assert keystore([], 0) == EMPTY + bytes.fromhex("e2686e45fb43dfa4d992dd41ceb6b21c6330d792")


def test_the_bytes_of_an_entry() -> None:
    entry = bytes.fromhex("00000002 000c") + b"debian:a.pem" + bytes.fromhex("00000000000003e8 0005") + b"X.509"
    assert signed(EMPTY[:-1] + b"\1" + entry + b"\0\0\0\3DER") == ONE


def test_entries_come_back_in_their_order() -> None:
    entries = [KeystoreEntry("b", 5, b"1"), KeystoreEntry("a", -1, b""), KeystoreEntry("c", 2**62, b"3" * 70_000)]
    assert read_keystore(write_keystore(entries)) == entries


@given(st.lists(st.tuples(st.text(st.characters(), max_size=20), st.binary(max_size=20))), st.text(max_size=8))
def test_any_alias_comes_back(entries: list[tuple[str, bytes]], password: str) -> None:
    written = keystore(entries, 7, password)
    assert read_keystore(written, password) == [KeystoreEntry(alias, 7000, der) for alias, der in entries]


@pytest.mark.parametrize(
    ("alias", "octets"),
    [("\0", "c080"), ("é", "c3a9"), ("\uffff", "efbfbf"), ("\U00010400", "eda081edb080"), ("\ud801", "eda081")],
)
def test_modified_utf_8(alias: str, octets: str) -> None:
    """java.io.DataOutput: no zero octet, and each surrogate on its own."""
    written = keystore([(alias, b"")], 0)
    assert bytes.fromhex(octets) in written
    assert read_keystore(written)[0].alias == alias


def test_a_version_1_entry_has_no_type() -> None:
    body = bytes.fromhex("feedfeed 00000001 00000001 00000002 0001 61 0000000000000005 00000001 ff")
    assert read_keystore(signed(body)) == [KeystoreEntry("a", 5, b"\xff")]


def test_an_alias_has_at_most_65535_bytes() -> None:
    assert read_keystore(keystore([("a" * 65535, b"")], 0))[0].alias == "a" * 65535
    with pytest.raises(MalformedError, match="alias is too long"):
        keystore([("a" * 65536, b"")], 0)


def test_a_changed_byte_is_seen() -> None:
    for at in range(len(ONE)):
        with pytest.raises(MalformedError):
            read_keystore(ONE[:at] + bytes((ONE[at] ^ 1,)) + ONE[at + 1 :])


def test_a_store_cut_short_is_seen() -> None:
    for end in range(len(ONE)):
        with pytest.raises(MalformedError):
            read_keystore(ONE[:end])


def entry(text: str) -> bytes:
    return signed(bytes.fromhex(f"feedfeed 00000002 00000001 {text}"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (signed(bytes.fromhex("cececece 00000002 00000000")), "JCEKS"),
        (Authority().pkcs12, "PKCS#12"),
        (b"", "is not a Java keystore"),
        (Authority().pem, "is not a Java keystore"),
        (signed(EMPTY[:4] + b"\0\0\0\3" + EMPTY[8:]), "version 3"),
        (signed(EMPTY, "secret"), "another password"),
        (signed(EMPTY + b"\0"), "bytes follow"),
        (signed(EMPTY[:-1] + b"\1"), "truncated"),
        (signed(b"\xfe\xed\xfe\xed\0\0\0\2\xff\xff\xff\xff"), "truncated"),
        (entry("00000001 0001 61 0000000000000000"), "entry a is a private key"),
        (entry("00000003 0001 61 0000000000000000"), "entry a has the tag 3"),
        (entry("00000002 0001 ff"), "is not modified UTF-8"),
        (entry("00000002 0001 61 0000000000000000 0001 62 00000000"), "of type b"),
        (entry("00000002 0001 61 0000000000000000 0005 582e353039 ffffffff"), "truncated"),
    ],
    ids=str.split("jceks pkcs12 empty pem version password after missing many key kind text type length"),
)
def test_what_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_keystore(data)
    assert reason in caught.value.message
