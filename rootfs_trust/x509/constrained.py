"""Limit a CA certificate to some names: a copy with critical name constraints (RFC 5280, 4.2.1.10).

The copy has the subject, key, serial number, key identifiers and validity of the original, so every certificate that
the CA has issued chains to it. Only the CA could sign the copy, but TLS clients do not verify the signature of a trust
anchor. The SHA-256 of the original replaces the signature. So the copy is the same on every host, and it identifies the
original. docs/adr/0005-constrained-anchors.md has the clients that were tried.
"""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.certificate import Certificate, parse_certificate
from rootfs_trust.x509.der import BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, DerReader, encode
from rootfs_trust.x509.name import ADDRESS, DIRECTORY, DNS, GeneralName, NameConstraints
from rootfs_trust.x509.oids import NAME_CONSTRAINTS, oid_contents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

_NAME_CONSTRAINTS = oid_contents(NAME_CONSTRAINTS)
_VERSION, _EXTENSIONS = 0x80, 0x83
_CONSTRUCTED = 0x20
_V3 = encode(_VERSION | _CONSTRUCTED, encode(INTEGER, b"\2"))
_TRUE = encode(BOOLEAN, b"\xff")
_DIGEST_BYTES = 32
_BEFORE_DIGEST = bytes((BIT_STRING, _DIGEST_BYTES + 1, 0))
_NO_NAME = (GeneralName(DNS, b""),)
_NO_ADDRESS = {8: GeneralName(ADDRESS, bytes(8)), 32: GeneralName(ADDRESS, bytes(32))}
"""Excluded subtrees with all IPv4 addresses and all IPv6 addresses, by the length of an encoded network."""


def constrained(certificate: Certificate, wanted: NameConstraints) -> Certificate:
    """Return a copy of the CA ``certificate`` that is trusted only for the names of ``wanted``.

    The certificate's own constraints are kept: the copy permits what both permit. Raises MalformedError for a
    certificate that is not a CA of version 3, or whose own constraints cannot be parsed.
    """
    reason = _cannot_be_constrained(certificate)
    if reason:
        raise MalformedError(reason)
    names = _exclude_unlisted_kinds(
        _intersection(certificate.name_constraints or NameConstraints(), _exclude_unlisted_kinds(wanted))
    )
    signed, algorithm, _ = _parts(certificate.der)
    digest = bytes.fromhex(original_of(certificate) or certificate.sha256)
    whole = _with_constraints(signed, names) + algorithm + _BEFORE_DIGEST + digest
    return parse_certificate(encode(SEQUENCE, whole))


def original_of(certificate: Certificate) -> str | None:
    """Return the SHA-256 of the certificate that :func:`constrained` made this one from; None for any other."""
    signature = certificate.der[-_DIGEST_BYTES - 3 :]
    # No algorithm has signatures of 32 bytes. The last bytes of a longer one may look like this by chance.
    if signature[:3] != _BEFORE_DIGEST or _parts(certificate.der)[2] != signature:
        return None
    return signature[3:].hex()


def digests_of(certificate: Certificate) -> tuple[str, ...]:
    """Return the SHA-256 of the certificate, and that of its original if it is a constrained copy."""
    original = original_of(certificate)
    return (certificate.sha256,) if original is None else (certificate.sha256, original)


def shown_names(names: Iterable[GeneralName]) -> list[str]:
    """Return the DNS names and IP networks of a list as text. An empty DNS name, which means any, becomes ``*``."""
    return [
        str(_network(each.value)) if each.tag == ADDRESS else each.value.decode("ascii", "replace") or "*"
        for each in names
        if each.tag in (DNS, ADDRESS)
    ]


def scope_of(certificate: Certificate) -> str:
    """Describe the host names for which the constraints of a CA permit it, such as ``only for corp.example``."""
    names = certificate.name_constraints or NameConstraints()
    permitted = shown_names(names.permitted)
    closed = {*_NO_NAME, *_NO_ADDRESS.values()} if permitted else set()
    excluded = shown_names(each for each in names.excluded if each not in closed)
    base = f"only for {', '.join(permitted)}" if permitted else "for every name"
    return f"{base} but {', '.join(excluded)}" if excluded else base


def permits_nothing(certificate: Certificate) -> bool:
    """Return whether the constraints permit neither any DNS name nor any address."""
    names = certificate.name_constraints or NameConstraints()
    return set(_NO_NAME) | set(_NO_ADDRESS.values()) <= set(names.excluded)


def _cannot_be_constrained(certificate: Certificate) -> str:
    stated = certificate.version == 3 and certificate.basic_constraints is not None and certificate.basic_constraints.ca
    if not stated or not certificate.is_ca:
        return "is not a CA certificate of version 3 with basicConstraints: name constraints have no effect on others"
    if NAME_CONSTRAINTS in certificate.extension_ids and certificate.name_constraints is None:
        return "has name constraints that cannot be read"
    return ""


# -- names ---------------------------------------------------------------------------------------------------


def _exclude_unlisted_kinds(names: NameConstraints) -> NameConstraints:
    """Exclude the kinds of host name that a list of permitted names does not mention.

    RFC 5280 limits only the listed kinds, so a CA for one DNS name could issue for any address. GnuTLS and others also
    treat IPv4 and IPv6 as two kinds. Mail addresses, URIs and directory names are not excluded: they do not identify a
    TLS server, and GnuTLS refuses every server if some of them are excluded.
    """
    if not any(each.tag in (DNS, ADDRESS) for each in names.permitted):
        return names
    open_names = () if any(each.tag == DNS for each in names.permitted) else _NO_NAME
    lengths = {len(each.value) for each in names.permitted if each.tag == ADDRESS}
    open_addresses = (each for length, each in _NO_ADDRESS.items() if length not in lengths)
    return NameConstraints(names.permitted, tuple(dict.fromkeys((*names.excluded, *open_names, *open_addresses))))


def _intersection(one: NameConstraints, other: NameConstraints) -> NameConstraints:
    permitted: list[GeneralName] = []
    excluded = [*one.excluded, *other.excluded]
    for kind in dict.fromkeys(map(_kind, (*one.permitted, *other.permitted))):
        ours, theirs = ([each for each in names.permitted if _kind(each) == kind] for names in (one, other))
        common = _common(ours, theirs) if ours and theirs else [*ours, *theirs]
        permitted += common
        if not common:
            excluded += _NO_NAME if kind == (DNS, 0) else [_NO_ADDRESS[kind[1]]]
    return NameConstraints(tuple(dict.fromkeys(permitted)), tuple(dict.fromkeys(excluded)))


def _kind(name: GeneralName) -> tuple[int, int]:
    """Return the tag of a name. For a network, add its length, which distinguishes IPv4 from IPv6."""
    return name.tag, len(name.value) if name.tag == ADDRESS else 0


def _common(ours: list[GeneralName], theirs: list[GeneralName]) -> list[GeneralName]:
    inside = [each for each in ours if any(_within(each, other) for other in theirs)]
    return inside + [each for each in theirs if any(_within(each, other) for other in ours)]


def _within(name: GeneralName, other: GeneralName) -> bool:
    """Return whether ``other``, of the same kind, permits every name that ``name`` permits."""
    if name.tag == ADDRESS:
        return _network(name.value).subnet_of(_network(other.value))  # type: ignore[arg-type]
    host, base = name.value.lower(), other.value.lower()
    return not base or host == base or host.endswith(base if base.startswith(b".") else b"." + base)


def _network(value: bytes) -> IPv4Network | IPv6Network:
    from ipaddress import ip_network

    half = len(value) // 2
    return ip_network((value[:half], int.from_bytes(value[half:]).bit_count()), strict=False)


# -- encoding ------------------------------------------------------------------------------------------------


def _parts(der: bytes) -> tuple[list[bytes], bytes, bytes]:
    """Return the encoded fields of the signed part, the signature algorithm and the signature."""
    body = DerReader(der).enter(SEQUENCE)
    signed = body.enter(SEQUENCE)
    return [signed.any() for _ in iter(signed.more, False)], body.any(), body.any()


def _with_constraints(fields: list[bytes], names: NameConstraints) -> bytes:
    """Return the signed part, of version 3, with the extension added after the others."""
    *others, extensions = fields[1:]
    kept = b"".join(
        each for each in _extensions(extensions) if DerReader(each).enter(SEQUENCE).oid() != _NAME_CONSTRAINTS
    )
    written = encode(_EXTENSIONS | _CONSTRUCTED, encode(SEQUENCE, kept + _extension(names)))
    return encode(SEQUENCE, b"".join((_V3, *others, written)))


def _extensions(element: bytes) -> Iterable[bytes]:
    body = DerReader(element).enter(_EXTENSIONS).enter_list(SEQUENCE)
    return [body.any() for _ in iter(body.more, False)]


def _extension(names: NameConstraints) -> bytes:
    lists = ((0xA0, names.permitted), (0xA1, names.excluded))
    value = b"".join(encode(tag, b"".join(map(_subtree, each))) for tag, each in lists if each)
    return encode(SEQUENCE, encode(OID, _NAME_CONSTRAINTS) + _TRUE + encode(OCTET_STRING, encode(SEQUENCE, value)))


def _subtree(name: GeneralName) -> bytes:
    if name.tag == DIRECTORY:
        return encode(SEQUENCE, encode(DIRECTORY | _CONSTRUCTED, name.value))
    if name.tag in (DNS, ADDRESS, 0x81, 0x86):
        return encode(SEQUENCE, encode(name.tag, name.value))
    return encode(SEQUENCE, name.value)  # another kind, read whole
