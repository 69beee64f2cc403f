"""Java's PKCS #12 trust stores: read, changed, and written again with the encryption, salts and MAC that they had."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs12

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.pkcs12 import Pkcs12, Safe, read_pkcs12, trusted_bag, write_pkcs12
from rootfs_trust.store.pkcs12_algorithms import MAX_ITERATIONS, Mac
from rootfs_trust.x509.der import INTEGER, OCTET_STRING, SEQUENCE, encode

ROUNDS = 2222
SCHEMES = {
    "PBES2": (pkcs12.PBES.PBESv2SHA256AndAES256CBC, SHA256()),
    "3DES": (pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, SHA1()),
}
EMPTY = Pkcs12((Safe(()),), None)


@pytest.fixture(params=SCHEMES.values(), ids=SCHEMES)
def encrypted(authority, request) -> bytes:
    return made(authority, *request.param)


def made(authority, scheme, mac, password=b"changeit") -> bytes:
    if not hasattr(pkcs12, "serialize_java_truststore"):
        pytest.skip("cryptography before 45 reads trust stores, and does not write them")
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS).key_cert_algorithm(scheme).hmac_hash(mac)
    anchor = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(authority.pem), b"theirs")
    return pkcs12.serialize_java_truststore([anchor], builder.build(password))


def read_by_cryptography(data: bytes, password: bytes = b"changeit") -> dict[bytes | None, bytes]:
    loaded = pkcs12.load_pkcs12(data, password)
    return {each.friendly_name: each.certificate.public_bytes(Encoding.DER) for each in loaded.additional_certs}


def test_an_encrypted_store_is_read(encrypted, authority):
    (bag,) = read_pkcs12(encrypted).bags
    assert (bag.alias, bag.certificate, bag.trusted) == ("theirs", authority.der, True)


def test_a_store_that_is_not_changed_gives_its_own_bytes(encrypted):
    assert write_pkcs12(read_pkcs12(encrypted)) == encrypted


def test_what_is_added_is_read_by_cryptography(encrypted, authority):
    written = write_pkcs12(read_pkcs12(encrypted).with_bags([trusted_bag("rootfs-trust:ours", authority.der)]))
    assert read_by_cryptography(written) == {b"theirs": authority.der, b"rootfs-trust:ours": authority.der}


def test_removing_what_was_added_gives_back_the_bytes_from_before(encrypted, authority):
    written = write_pkcs12(read_pkcs12(encrypted).with_bags([trusted_bag("ours", authority.der)]))
    assert write_pkcs12(read_pkcs12(written).without(lambda bag: bag.alias == "ours")) == encrypted


def test_a_store_without_password_stays_one(authority):
    data = write_pkcs12(EMPTY.with_bags([trusted_bag("a", authority.der)]))
    assert authority.der in data
    store = read_pkcs12(data, ())
    assert [bag.alias for bag in store.bags] == ["a"]
    assert store.mac is None


def test_the_password_that_fits_is_used(authority):
    data = made(authority, *SCHEMES["PBES2"], b"secret")
    store = read_pkcs12(data, ("changeit", "secret"))
    assert store.password == "secret"
    assert write_pkcs12(store) == data


def test_another_password_is_refused(encrypted):
    with pytest.raises(MalformedError, match="another password"):
        read_pkcs12(encrypted, ("other",))


def test_a_changed_certificate_is_refused(encrypted):
    at = len(encrypted) // 2
    with pytest.raises(MalformedError, match="another password, or is damaged"):
        read_pkcs12(encrypted[:at] + bytes([encrypted[at] ^ 1]) + encrypted[at + 1 :])


def test_every_truncation_is_refused(encrypted):
    for size in range(0, len(encrypted), 7):
        with pytest.raises(MalformedError):
            read_pkcs12(encrypted[:size])


@pytest.mark.parametrize("data", [b"", b"0\0", b"0\x03\x02\x01\x03", b"\x30\x80" * 10_000, b"no keystore"])
def test_what_is_not_a_store_is_refused(data):
    with pytest.raises(MalformedError):
        read_pkcs12(data)


def test_a_store_that_asks_for_hours_is_refused_at_once(encrypted):
    small, large = encode(INTEGER, ROUNDS.to_bytes(2)), encode(INTEGER, (2**31 - 1).to_bytes(4))
    begin = time.process_time()
    with pytest.raises(MalformedError, match=f"iterations .* more than {MAX_ITERATIONS}"):
        read_pkcs12(hostile(large))
    assert time.process_time() - begin < 2
    assert small in encrypted, "the count that the hostile store has in its place"


def test_iterations_are_counted_together(encrypted, monkeypatch):
    monkeypatch.setattr("rootfs_trust.store.pkcs12.MAX_ITERATIONS", ROUNDS)
    with pytest.raises(MalformedError, match=f"iterations .* more than {ROUNDS}"):  # the MAC's come on top
        read_pkcs12(encrypted)


def test_bags_in_bags_are_refused(authority):
    nested = bytes.fromhex("060b2a864886f70d010c0a0106")
    bag = trusted_bag("a", authority.der)
    hidden = encode(SEQUENCE, nested + encode(0xA0, encode(SEQUENCE, bag.encoded)))
    data = write_pkcs12(EMPTY).replace(b"\x30\x00", hidden)  # the length of what is around it no longer fits
    with pytest.raises(MalformedError):
        read_pkcs12(data)
    with pytest.raises(MalformedError, match="bags in bags"):
        read_pkcs12(write_pkcs12(Pkcs12((Safe((type(bag)(hidden),)),), None)))


def test_what_is_added_comes_after_the_last_certificate_in_its_safe(authority):
    """Java and keytool keep certificates and keys in separate safes, the keys unencrypted."""
    key, one, two, new = (trusted_bag(alias, authority.der) for alias in ("key", "one", "two", "new"))
    foreign = Safe((replace(key, certificate=b""),))
    store = Pkcs12((Safe((one,)), Safe((two,)), foreign), None).with_bags([new])
    assert [[bag.alias for bag in safe.bags] for safe in store.safes] == [["one"], ["two", "new"], ["key"]]


def test_without_a_certificate_the_empty_safe_is_used_and_no_safe_of_another_kind(authority):
    key, new = (trusted_bag(alias, authority.der) for alias in ("key", "new"))
    foreign = Safe((replace(key, certificate=b""),))
    store = Pkcs12((foreign, Safe(())), None).with_bags([new])
    assert [[bag.alias for bag in safe.bags] for safe in store.safes] == [["key"], ["new"]]
    store = Pkcs12((foreign,), None).with_bags([new])
    assert [[bag.alias for bag in safe.bags] for safe in store.safes] == [["key"], ["new"]]


def test_what_is_added_is_an_anchor_for_java(authority):
    """Java trusts a certificate whose bag has the attribute trustedKeyUsage, and no other."""
    bag = trusted_bag("ours", authority.der)
    usage = bytes.fromhex("060c6086480186f966adca7b0101")
    other = replace(bag, encoded=bag.encoded.replace(usage, usage[:-1] + b"\2"))
    assert usage in bag.encoded
    data = write_pkcs12(EMPTY.with_bags([bag, other]))
    assert [each.trusted for each in read_pkcs12(data).bags] == [True, False]


def test_a_certificate_of_another_type_is_kept_and_is_none_of_x509(authority):
    bag = trusted_bag("ours", authority.der)
    sdsi = bag.encoded.replace(bytes.fromhex("2a864886f70d01091601"), bytes.fromhex("2a864886f70d01091602"))
    data = write_pkcs12(EMPTY.with_bags([replace(bag, encoded=sdsi)]))
    assert [(each.certificate, each.encoded) for each in read_pkcs12(data).bags] == [(b"", sdsi)]


@pytest.mark.parametrize("rounds", [1, 127, 128, 200, 255, 256, 32768, 65535])
def test_an_iteration_count_comes_back_whatever_its_first_bit(rounds):
    """A first bit of one would be a minus sign; a count of one is the default, which DER leaves out."""
    algorithm = encode(SEQUENCE, bytes.fromhex("06052b0e03021a") + b"\x05\0")
    data = write_pkcs12(Pkcs12((Safe(()),), Mac(algorithm, b"", b"salt", rounds)))
    store = read_pkcs12(data)
    assert store.mac is not None and store.mac.iterations == rounds
    assert write_pkcs12(store) == data
    assert encode(OCTET_STRING, b"salt") + (b"" if rounds == 1 else encode(INTEGER, signed(rounds))) in data
    assert data.endswith(encode(OCTET_STRING, b"salt")) == (rounds == 1)


def signed(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, signed=True)


def test_the_iterations_of_a_mac_of_the_newer_kind_count(authority, monkeypatch):
    """PBMAC1 (RFC 9579) has them in its algorithm; the field of the older kind says what it likes."""
    kdf = encode(SEQUENCE, encode(OCTET_STRING, b"salt") + encode(INTEGER, signed(3000)))
    pbkdf2 = encode(SEQUENCE, bytes.fromhex("06092a864886f70d01050c") + kdf)
    hmac = encode(SEQUENCE, bytes.fromhex("06082a864886f70d0209") + b"\x05\0")
    algorithm = encode(SEQUENCE, bytes.fromhex("06092a864886f70d01050e") + encode(SEQUENCE, pbkdf2 + hmac))
    data = write_pkcs12(Pkcs12((Safe(()),), Mac(algorithm, b"", b"NOT USED", 1)))
    assert read_pkcs12(data).mac is not None
    monkeypatch.setattr("rootfs_trust.store.pkcs12.MAX_ITERATIONS", 2999)
    with pytest.raises(MalformedError, match=r"asks for 3000 iterations .* more than 2999"):
        read_pkcs12(data)


def test_what_is_not_a_keystore_with_a_password_says_what_it_is(authority):
    data = write_pkcs12(EMPTY.with_bags([trusted_bag("a", authority.der)]))
    version, after = encode(INTEGER, b"\3"), data + b"\0"
    of_data, signed_data = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")
    enveloped = bytes.fromhex("06092a864886f70d010703")
    assert data.count(of_data) == 2 and data.count(version) == 1
    inside = data[: data.rindex(of_data)] + enveloped + data[data.rindex(of_data) + len(of_data) :]
    for changed, says in (
        (data.replace(version, encode(INTEGER, b"\4")), "of a version other than 3"),
        (data.replace(of_data, signed_data, 1), "is signed or encrypted with a key, not with a password"),
        (inside, "with a part that is encrypted with a key, not with a password"),
        (after, "bytes follow the end of the PKCS #12 file"),
    ):
        with pytest.raises(MalformedError, match=says):
            read_pkcs12(changed)


def test_ten_thousand_entries_take_seconds(authority):
    begin = time.process_time()
    data = write_pkcs12(EMPTY.with_bags(trusted_bag(f"a{number}", authority.der) for number in range(10_000)))
    assert len(read_pkcs12(data).bags) == 10_000
    assert time.process_time() - begin < 5


def test_an_unencrypted_store_with_a_mac_keeps_it(authority):
    one = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(authority.pem), b"one")
    store = read_pkcs12(pkcs12.serialize_java_truststore([one], BestAvailableEncryption(b"changeit")))
    plain = Pkcs12((Safe(store.bags),), store.mac)
    again = read_pkcs12(write_pkcs12(plain))
    assert again.bags == store.bags
    assert again.mac is not None


def hostile(count: bytes) -> bytes:
    """A PFX without content whose MAC is derived in ``count`` iterations (RFC 7292, 4)."""
    data = bytes.fromhex("06092a864886f70d010701")
    safe = encode(SEQUENCE, data + encode(0xA0, encode(4, encode(SEQUENCE, b""))))
    algorithm = encode(SEQUENCE, bytes.fromhex("06052b0e03021a") + b"\x05\0")
    mac = encode(SEQUENCE, encode(SEQUENCE, algorithm + encode(4, bytes(20))) + encode(4, bytes(8)) + count)
    return encode(SEQUENCE, encode(INTEGER, b"\3") + safe + mac)
