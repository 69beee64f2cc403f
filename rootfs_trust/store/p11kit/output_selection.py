"""Selects the certificates of an output, as ``trust extract`` does.

Source: trust/enumerate.c (p11_enumerate_ready, on_iterate_load_filter, check_trust_flags), trust/builder.c
(calc_certificate_category, certificate_value_attrs), trust/extract.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rootfs_trust.errors import MalformedError
from rootfs_trust.store.p11kit.entries import NO_PURPOSE, TokenEntry, name_texts, parts_of, usages
from rootfs_trust.store.p11kit.p11_kit_file import AUTHORITY
from rootfs_trust.store.p11kit.token import Token
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.extensions import basic_constraints
from rootfs_trust.x509.oids import ANY_PURPOSE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE

_CN, _OU, _O = "2.5.4.3", "2.5.4.11", "2.5.4.10"


class Filter(StrEnum):
    """The values of ``--filter``."""

    ANCHORS = "ca-anchors"
    BLOCKLIST = "blocklist"
    POLICY = "trust-policy"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A certificate that is selected for an output. ``label`` is its name, or empty. ``stapled`` has the values of
    extensions attached to its key, by OID.
    """

    certificate: Certificate
    label: bytes
    trusted: bool
    distrusted: bool
    stapled: Mapping[str, bytes]
    path: str


def select(tokens: Sequence[Token], wanted: Filter, purpose: str = "", *, last_name: bool = False) -> list[Chosen]:
    """Return the certificates that match, without duplicates, in the order of the tokens.

    ``purpose`` is an OID, or empty for any purpose. With ``last_name``, the last of several common names in a subject
    is the label, as from 0.26.0 on (commit fc9091e); otherwise the first.
    """
    distrusted = _Distrusted(tokens) if wanted in (Filter.ANCHORS, Filter.POLICY) else None
    seen: set[bytes] = set()
    chosen: list[Chosen] = []
    for token, entry, certificate in _certificates(tokens):
        if certificate.der in seen or not _passes(token, entry, wanted, distrusted):
            continue
        seen.add(certificate.der)
        try:
            stapled = token.attached(entry.key)
            fits = _fits(_purposes(stapled, certificate), purpose)
        except MalformedError:
            continue
        if fits:
            label = entry.label if entry.label is not None else subject_label(certificate, last_name=last_name)
            chosen.append(Chosen(certificate, label, entry.trusted, entry.distrusted, stapled, entry.path))
    return chosen


def _certificates(tokens: Sequence[Token]) -> Iterator[tuple[Token, TokenEntry, Certificate]]:
    for token in tokens:
        for entry in token.entries:
            if entry.certificate is not None:
                yield token, entry, entry.certificate


class _Distrusted:
    """The certificates that any token distrusts: by key, or by issuer and serial number (blocklist_load)."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        entries = [
            entry for token in tokens for entry in token.entries if entry.distrusted and not entry.distrusts_only_itself
        ]
        self._keys = {entry.key for entry in entries if entry.key}
        self._serials = {(entry.issuer, entry.serial) for entry in entries if entry.issuer and entry.serial}

    def __contains__(self, entry: TokenEntry) -> bool:
        return entry.key in self._keys or (entry.issuer, entry.serial) in self._serials


def _passes(token: Token, entry: TokenEntry, wanted: Filter, distrusted: _Distrusted | None) -> bool:
    if wanted is Filter.CERTIFICATES:
        return True
    if entry.distrusted:
        return wanted in (Filter.BLOCKLIST, Filter.POLICY)
    if distrusted is None or entry in distrusted or not entry.trusted:
        return False
    return wanted is Filter.POLICY or is_authority(token, entry)


def is_authority(token: Token, entry: TokenEntry) -> bool:
    """Return whether p11-kit treats the entry as a CA. A stapled extension, its category or its certificate decides.

    A self-issued certificate of version 1 without basic constraints counts as a CA; a self-signed server certificate
    does not.
    """
    if entry.certificate is None:
        return entry.category == AUTHORITY
    stapled = token.constraints(entry.key)
    if stapled is None and entry.category is not None:
        return entry.category == AUTHORITY
    parts = parts_of(entry.certificate.der)
    value = stapled if stapled is not None else parts.extension(BASIC_CONSTRAINTS)
    if value is None:
        return parts.version == b"\0" and parts.subject == parts.issuer
    try:
        return basic_constraints(value).ca
    except MalformedError:
        return False


def _purposes(stapled: Mapping[str, bytes], certificate: Certificate) -> tuple[str, ...] | None:
    """Return the purposes of the certificate, or None if it is valid for all. Raises MalformedError."""
    value = stapled.get(EXTENDED_KEY_USAGE)
    if value is None:
        value = parts_of(certificate.der).extension(EXTENDED_KEY_USAGE)
    return None if value is None else tuple(each for each in usages(value) if each != NO_PURPOSE)


def _fits(purposes: tuple[str, ...] | None, wanted: str) -> bool:
    return not wanted or purposes is None or wanted in purposes or ANY_PURPOSE in purposes


def subject_label(certificate: Certificate, *, last_name: bool = False) -> bytes:
    """Return the subject's common name, else its unit, else its organization, in UTF-8; empty if it has none."""
    subject = parts_of(certificate.der).subject
    for oid in (_CN, _OU, _O):
        texts = list(name_texts(subject, oid))
        text = texts[-1 if last_name else 0] if texts else None
        if text is not None:
            return text
    return b""
