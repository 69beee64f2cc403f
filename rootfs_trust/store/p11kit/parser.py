"""Parses one file of a token as the trust module does: ``.p11-kit``, DER or PEM, by its content.

Source: trust/parser.c (p11_parse_memory, populate_trust, build_openssl_extensions), trust/builder.c (p11_builder_build,
build_for_schema), trust/index.c (index_replacev).

The order of purposes in some outputs is that of a hash table: p11_dict_set and p11_dict_iterate in common/dict.c,
p11_hash_murmur3 in common/hash.c. That is MurmurHash3 of 32 bits (public domain, Austin Appleby) with the seed 42,
except that only the length of the tail is mixed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit import p11_kit_file, pem
from rootfs_trust.store.p11kit.entries import (
    NO_PURPOSE,
    OPENSSL_REJECT,
    Place,
    StapledExtension,
    TokenEntry,
    parts_of,
)
from rootfs_trust.store.p11kit.p11_kit_file import boolean, number
from rootfs_trust.x509 import Certificate, parse_certificate
from rootfs_trust.x509.certificate import take_certificate
from rootfs_trust.x509.der import OCTET_STRING, OID, SEQUENCE, DerReader, encode
from rootfs_trust.x509.oids import EXTENDED_KEY_USAGE, SUBJECT_KEY_ID, encode_usages, oid_contents
from rootfs_trust.x509.pem_objects import take_trust_settings

_TRUE = b"\1"
_NO_CATEGORY = -1
_FIRST_BUCKETS = 9
_WORD = 0xFFFFFFFF


def hash_order(texts: Iterable[str]) -> list[str]:
    """Return ``texts`` without duplicates, in the order in which p11-kit's hash table returns them if they are added
    one by one.
    """
    buckets: list[list[str]] = [[] for _ in range(_FIRST_BUCKETS)]
    seen: set[str] = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            buckets[murmur3(text.encode()) % len(buckets)].append(text)
            if len(seen) > len(buckets):
                buckets = _grown(buckets)
    return list(chain.from_iterable(buckets))


def _grown(old: list[list[str]]) -> list[list[str]]:
    buckets: list[list[str]] = [[] for _ in range(len(old) * 2 + 1)]
    for text in chain.from_iterable(old):
        buckets[murmur3(text.encode()) % len(buckets)].insert(0, text)
    return buckets


def murmur3(data: bytes) -> int:
    """Return p11_hash_murmur3 of ``data``."""
    value, whole = 42, len(data) & ~3
    for at in range(0, whole, 4):
        value ^= _mixed(int.from_bytes(data[at : at + 4], "little"))
        value = (_rotated(value, 13) * 5 + 0xE6546B64) & _WORD
    tail = data[whole:]
    if tail:
        value ^= _mixed(int.from_bytes(tail, "little"))
    return _avalanche(value ^ len(tail))


def _mixed(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & _WORD, 15) * 0x1B873593 & _WORD


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def _avalanche(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _WORD
    value = (value ^ value >> 13) * 0xC2B2AE35 & _WORD
    return value ^ value >> 16


def parse_file(path: str, data: bytes, place: Place) -> list[TokenEntry | StapledExtension]:
    """Return the entries that the file adds to the store, in p11-kit's order; none for an unknown format."""
    return [_placed(each, place) if isinstance(each, TokenEntry) else each for each in _objects(path, data)]


def _objects(path: str, data: bytes) -> Iterable[TokenEntry | StapledExtension]:
    if p11_kit_file.is_persist(data):
        try:
            return list(_of_persist(path, p11_kit_file.objects(data)))
        except MalformedError:
            pass  # it may still contain PEM blocks: p11_parse_memory tries the next format
    try:
        return [plain_entry(path, parse_certificate(data))]
    except MalformedError:
        return list(_of_pem(path, data))


def _placed(entry: TokenEntry, place: Place) -> TokenEntry:
    """Apply the trust of the directory: anchors are trusted unless the file distrusts them; the blocklist distrusts
    all.
    """
    if place == "blocklist":
        return replace(entry, trusted=False, distrusted=True, distrusts_only_itself=False)
    if place == "anchors" and not entry.distrusted:
        return replace(entry, trusted=True)
    return entry


def plain_entry(path: str, certificate: Certificate, label: bytes | None = None) -> TokenEntry:
    """Return the entry of a certificate whose file contains no information about its trust."""
    parts = parts_of(certificate.der)
    return TokenEntry(path, certificate, label, issuer=parts.issuer, serial=parts.serial, key=parts.key)


# -- PEM ---------------------------------------------------------------------------------------------------


def _of_pem(path: str, data: bytes) -> Iterator[TokenEntry | StapledExtension]:
    """Yield plain and trusted certificates; skip malformed blocks and those of other types."""
    for label, contents in pem.blocks(data):
        try:
            if label == "CERTIFICATE":
                yield plain_entry(path, parse_certificate(contents))
            elif label == "TRUSTED CERTIFICATE":
                yield from _trusted(path, contents)
        except MalformedError:
            continue


def _trusted(path: str, contents: bytes) -> list[TokenEntry | StapledExtension]:
    """Parse a TRUSTED CERTIFICATE: its purposes become extensions that are stapled to the key.

    If it is trusted for nothing, it is distrusted, as in OpenSSL.
    """
    reader = DerReader(contents)
    certificate = take_certificate(reader)
    if reader.pos == len(contents):
        return [plain_entry(path, certificate)]
    settings = take_trust_settings(reader)
    if reader.pos != len(contents):
        raise MalformedError("bytes follow the trust settings")
    purposes = hash_order(settings.trusted or ())
    rejected = hash_order(settings.rejected or ())
    if any(each.startswith("#") for each in (*purposes, *rejected)):
        raise MalformedError("an OBJECT IDENTIFIER is too long")
    allowed = [each for each in purposes if each not in rejected]
    alias = None if settings.alias is None else settings.alias.partition(b"\0")[0]
    entry = plain_entry(path, certificate, alias)
    found: list[TokenEntry | StapledExtension] = [
        StapledExtension(path, entry.key, _usage_extension(EXTENDED_KEY_USAGE, allowed))
    ]
    if rejected:
        found.append(StapledExtension(path, entry.key, _usage_extension(OPENSSL_REJECT, rejected)))
    if settings.key_id:
        found.append(StapledExtension(path, entry.key, _extension(SUBJECT_KEY_ID, settings.key_id)))
    return [*found, replace(entry, trusted=bool(allowed), distrusted=not allowed)]


def _usage_extension(oid: str, purposes: list[str]) -> bytes:
    return _extension(oid, encode_usages(purposes or [NO_PURPOSE]))


def _extension(oid: str, value: bytes) -> bytes:
    return encode(SEQUENCE, encode(OID, oid_contents(oid)) + encode(OCTET_STRING, value))


# -- .p11-kit ----------------------------------------------------------------------------------------------


def _of_persist(path: str, objects: Iterable[p11_kit_file.Attributes]) -> Iterator[TokenEntry | StapledExtension]:
    """Yield entries up to the first object that the trust module rejects: it ignores the rest of the file."""
    for attributes in objects:
        kind = number(attributes.get("class"))
        if boolean(token := attributes.get("token")) is not None and token != _TRUE:
            return
        if kind == p11_kit_file.CERTIFICATE:
            if number(attributes.get("certificate-type")) != p11_kit_file.X509 or not (
                p11_kit_file.OF_CERTIFICATE.issuperset(attributes)
            ):
                return
            yield _entry(path, attributes)
        elif kind == p11_kit_file.EXTENSION:
            key, der = attributes.get("public-key-info"), attributes.get("value")
            if key is None or der is None or not p11_kit_file.OF_EXTENSION.issuperset(attributes):
                return
            yield StapledExtension(path, key, der, attributes.get("object-id", b""))
        elif not _is_ignored(kind, attributes):
            return


def _is_ignored(kind: int | None, attributes: p11_kit_file.Attributes) -> bool:
    return kind in p11_kit_file.OTHER_CLASSES or (
        kind == p11_kit_file.DATA and p11_kit_file.OF_DATA.issuperset(attributes)
    )


def _entry(path: str, attributes: p11_kit_file.Attributes) -> TokenEntry:
    """Return the entry of an object: a certificate, or the description of a distrusted one that the file does not
    contain.
    """
    distrusted = boolean(attributes.get("x-distrusted")) or False
    try:
        entry = plain_entry(path, parse_certificate(attributes.get("value", b"")))
    except MalformedError:
        entry = TokenEntry(path, None)
    return replace(
        entry,
        label=attributes.get("label"),
        trusted=boolean(attributes.get("trusted")) or False,
        distrusted=distrusted,
        category=_category(attributes),
        issuer=attributes.get("issuer", entry.issuer),
        serial=attributes.get("serial-number", entry.serial),
        key=attributes.get("public-key-info", entry.key),
        server_distrust_after=_date(attributes, "nss-server-distrust-after"),
        mozilla=boolean(attributes.get("nss-mozilla-ca-policy")) or False,
        distrusts_only_itself=distrusted and attributes.get("x-distrusted") != _TRUE,
    )


def _category(attributes: p11_kit_file.Attributes) -> int | None:
    """Return the category, or None if the file does not state it. A value of another length matches no category."""
    found = number(attributes.get("certificate-category"))
    return _NO_CATEGORY if found is None and "certificate-category" in attributes else found


def _date(attributes: p11_kit_file.Attributes, name: str) -> bytes:
    """Return a date as text; empty for ``false``."""
    value = attributes.get(name, b"")
    return b"" if boolean(value) is not None else value
