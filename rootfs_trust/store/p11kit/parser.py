"""One file of a token becomes entries, as the trust module loads it: ``.p11-kit``, DER or PEM, by its content.

Source: trust/parser.c (p11_parse_memory, populate_trust, build_openssl_extensions), trust/builder.c
(p11_builder_build, build_for_schema), trust/index.c (index_replacev).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit import pem, persist
from rootfs_trust.store.p11kit.entries import (
    EXTENDED_KEY_USAGE,
    NO_PURPOSE,
    OPENSSL_REJECT,
    SUBJECT_KEY_ID,
    Entry,
    Place,
    Stapled,
)
from rootfs_trust.store.p11kit.hash_order import hash_order
from rootfs_trust.store.p11kit.parts import encode_usages, oid_contents, parts_of, take_oids
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.certificate import take_certificate
from rootfs_trust.x509.der import Reader, encode
from rootfs_trust.x509.primitive import OCTET_STRING, OID, SEQUENCE, UTF8_STRING

_REJECTED, _OTHER = 0x80, 0x81


def parse_file(path: str, data: bytes, place: Place) -> list[Entry | Stapled]:
    """What the file adds to the store, in the order in which p11-kit loads it; nothing if it knows no such form."""
    return [_placed(each, place) if isinstance(each, Entry) else each for each in _objects(path, data)]


def _objects(path: str, data: bytes) -> Iterable[Entry | Stapled]:
    if persist.is_persist(data):
        try:
            return list(_of_persist(path, persist.objects(data)))
        except MalformedError:
            pass  # then it may still hold PEM blocks: p11_parse_memory goes on to the next format
    try:
        return [_plain(path, parse_certificate(data))]
    except MalformedError:
        return list(_of_pem(path, data))


def _placed(entry: Entry, place: Place) -> Entry:
    """The folder's word: anchors are trusted unless distrusted by name, the blocklist distrusts all."""
    if place == "blocklist":
        return replace(entry, trusted=False, distrusted=True)
    if place == "anchors" and not entry.distrusted:
        return replace(entry, trusted=True)
    return entry


def _plain(path: str, certificate: Certificate, label: bytes | None = None) -> Entry:
    parts = parts_of(certificate.der)
    return Entry(path, certificate, label, issuer=parts.issuer, serial=parts.serial, key=parts.key)


# -- PEM ---------------------------------------------------------------------------------------------------


def _of_pem(path: str, data: bytes) -> Iterator[Entry | Stapled]:
    """Certificates, plain or trusted; blocks of another kind, or that are broken, are passed over."""
    for label, contents in pem.blocks(data):
        try:
            if label == "CERTIFICATE":
                yield _plain(path, parse_certificate(contents))
            elif label == "TRUSTED CERTIFICATE":
                yield from _trusted(path, contents)
        except MalformedError:
            continue


def _trusted(path: str, contents: bytes) -> list[Entry | Stapled]:
    """A TRUSTED CERTIFICATE: its purposes become extensions that are stapled to the key.

    One that is trusted for nothing is distrusted, as OpenSSL has it.
    """
    reader = Reader(contents)
    certificate = take_certificate(reader)
    if reader.pos == len(contents):
        return [_plain(path, certificate)]
    trust, reject, alias, key_id = _take_settings(reader)
    purposes = hash_order(trust)
    rejected = hash_order(reject)
    allowed = [each for each in purposes if each not in rejected]
    entry = _plain(path, certificate, alias)
    found: list[Entry | Stapled] = [Stapled(path, entry.key, _usage_extension(EXTENDED_KEY_USAGE, allowed))]
    if rejected:
        found.append(Stapled(path, entry.key, _usage_extension(OPENSSL_REJECT, rejected)))
    if key_id:
        found.append(Stapled(path, entry.key, _extension(SUBJECT_KEY_ID, key_id)))
    return [*found, replace(entry, trusted=bool(allowed), distrusted=not allowed)]


def _take_settings(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...], bytes | None, bytes]:
    """Purposes trusted and rejected, alias, and the whole element of the key identifier (common/openssl.asn)."""
    body = reader.enter(SEQUENCE)
    trust, reject = _take_purposes(body, SEQUENCE), _take_purposes(body, _REJECTED)
    alias = body.value(UTF8_STRING).partition(b"\0")[0] if body.next_tag() == UTF8_STRING else None
    begin = body.pos
    if body.next_tag() == OCTET_STRING:
        body.value(OCTET_STRING)
    key_id = body.data[begin : body.pos]
    if body.next_tag() == _OTHER:
        body.any()
    reader.leave(body)
    if reader.pos != len(reader.data):
        raise MalformedError("octets follow the trust settings")
    return trust, reject, alias, key_id


def _take_purposes(body: Reader, tag: int) -> tuple[str, ...]:
    if body.next_tag() != tag:
        return ()
    purposes = body.enter_list(tag)
    oids = take_oids(purposes)
    body.leave(purposes)
    return oids


def _usage_extension(oid: str, purposes: list[str]) -> bytes:
    return _extension(oid, encode_usages(purposes or [NO_PURPOSE]))


def _extension(oid: str, value: bytes) -> bytes:
    return encode(SEQUENCE, encode(OID, oid_contents(oid)) + encode(OCTET_STRING, value))


# -- .p11-kit ----------------------------------------------------------------------------------------------


def _of_persist(path: str, objects: Iterable[persist.Attributes]) -> Iterator[Entry | Stapled]:
    """Entries up to the first object that the trust module does not accept: there it stops with the file."""
    for attributes in objects:
        if not _truth(attributes, "token", default=True):
            return
        if attributes.get("class") == persist.CERTIFICATE:
            if attributes.get("certificate-type") != persist.X509 or not persist.OF_CERTIFICATE.issuperset(attributes):
                return
            yield _entry(path, attributes)
        elif attributes.get("class") == persist.EXTENSION:
            key, der = _octets(attributes, "public-key-info"), _octets(attributes, "value")
            if key is None or der is None or not persist.OF_EXTENSION.issuperset(attributes):
                return
            yield Stapled(path, key, der, _octets(attributes, "object-id") or b"")
        elif not _is_ignored(attributes):
            return


def _is_ignored(attributes: persist.Attributes) -> bool:
    """Whether it is an object that the trust module accepts and that has no effect here."""
    kind = attributes.get("class")
    return kind in persist.OTHER_CLASSES or (kind == persist.DATA and persist.OF_DATA.issuperset(attributes))


def _entry(path: str, attributes: persist.Attributes) -> Entry:
    """A certificate, or the traits of one that is distrusted without being there."""
    try:
        entry = _plain(path, parse_certificate(_octets(attributes, "value") or b""))
    except MalformedError:
        entry = Entry(path, None)
    return replace(
        entry,
        label=_octets(attributes, "label"),
        trusted=_truth(attributes, "trusted"),
        distrusted=_truth(attributes, "x-distrusted"),
        category=_number(attributes, "certificate-category"),
        issuer=_octets(attributes, "issuer") or entry.issuer,
        serial=_octets(attributes, "serial-number") or entry.serial,
        key=_octets(attributes, "public-key-info") or entry.key,
        server_distrust_after=_octets(attributes, "nss-server-distrust-after") or b"",
        email_distrust_after=_octets(attributes, "nss-email-distrust-after") or b"",
        mozilla=_truth(attributes, "nss-mozilla-ca-policy"),
    )


def _octets(attributes: persist.Attributes, name: str) -> bytes | None:
    value = attributes.get(name)
    return value if isinstance(value, bytes) else None


def _truth(attributes: persist.Attributes, name: str, *, default: bool = False) -> bool:
    """A boolean; a string of one octet has the same form in PKCS #11, and counts too."""
    value = attributes.get(name, default)
    return value is True or (isinstance(value, bytes) and len(value) == 1 and value != b"\0")


def _number(attributes: persist.Attributes, name: str) -> int | None:
    value = attributes.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
