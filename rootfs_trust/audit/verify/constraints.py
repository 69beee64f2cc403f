"""Check name constraints (RFC 5280, 4.2.1.10) of DNS names, IP addresses and subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.der import SEQUENCE, DerReader
from rootfs_trust.x509.name import ADDRESS, DIRECTORY, DNS, GeneralName, NameConstraints
from rootfs_trust.x509.oids import NAME_CONSTRAINTS


@dataclass(frozen=True, slots=True)
class NameConstraintRules:
    """The differences between clients in the interpretation of name constraints.

    ``strict``    a wildcard name violates an exclusion of any host that it matches, and a name that is not a host name
                  violates any constraint.
    ``unknown``   kinds of constraints that the client always refuses.
    ``subjects``  whether constraints on subjects are supported.
    ``dotted``    a leading dot requires a label before it.
    ``most``      maximum number of comparisons of names with constraints.
    """

    strict: bool = False
    unknown: frozenset[int] = frozenset()
    subjects: bool = True
    dotted: bool = False
    most: int = 1 << 32


def forbidden_name(issuer: Certificate, below: Sequence[Certificate], understanding: NameConstraintRules) -> str:
    """Describe the name of the certificates ``below`` that the constraints of ``issuer`` forbid, or return ""."""
    constraints = issuer.name_constraints
    if constraints is None:
        return ""
    heeded = NAME_CONSTRAINTS in issuer.critical
    if heeded and any(each.tag in understanding.unknown for each in (*constraints.permitted, *constraints.excluded)):
        return "any name, because this client does not support one of their kinds"
    for certificate in below:
        if (
            len(certificate.alternative_names) * (len(constraints.permitted) + len(constraints.excluded))
            > understanding.most
        ):
            return "any name, because they are too many for this client"
        for name in _names(certificate, empty_subject=not understanding.subjects):
            if _forbidden(name, constraints, understanding):
                return _shown(name, certificate)
    return ""


def _forbidden(name: GeneralName, constraints: NameConstraints, understanding: NameConstraintRules) -> bool:
    permitted = [each for each in constraints.permitted if each.tag == name.tag]
    excluded = [each for each in constraints.excluded if each.tag == name.tag]
    if not (permitted or excluded) or name.tag in understanding.unknown:
        return False
    if name.tag == ADDRESS and len(name.value) not in (4, 16):
        return understanding.strict
    if name.tag not in (DNS, ADDRESS, DIRECTORY) or (name.tag == DIRECTORY and not understanding.subjects):
        return True
    if understanding.strict and name.tag == DNS and _clashes(name.value, excluded):
        return True
    return any(_within(name, each, understanding) for each in excluded) or bool(
        permitted and not any(_within(name, each, understanding) for each in permitted)
    )


def _clashes(host: bytes, excluded: Sequence[GeneralName]) -> bool:
    parent = host.removeprefix(b"*.")
    return host.startswith(b".") or (
        parent != host and any(each.value.lower().partition(b".")[2] == parent.lower() for each in excluded)
    )


def _names(certificate: Certificate, *, empty_subject: bool) -> Iterator[GeneralName]:
    yield from certificate.alternative_names
    if empty_subject or _parts(certificate.subject.raw):
        yield GeneralName(DIRECTORY, certificate.subject.raw)


def _within(name: GeneralName, subtree: GeneralName, understanding: NameConstraintRules) -> bool:
    """Return whether a name is in a subtree: a DNS name below it, an address in a network, or a subject prefix."""
    if name.tag != subtree.tag:
        return False
    if name.tag == DNS:
        base, host = subtree.value.lower(), name.value.lower()
        if understanding.dotted and base.startswith(b"."):
            return host.endswith(base)
        base = base.lstrip(b".")
        return not base or host == base or host.endswith(b"." + base)
    if name.tag == ADDRESS:
        return _in_network(name.value, subtree.value)
    if name.tag == DIRECTORY:
        base_parts = _parts(subtree.value)
        return _parts(name.value)[: len(base_parts)] == base_parts
    return False


def _in_network(address: bytes, network: bytes) -> bool:
    """Return whether an address is in a network, which is an address and a mask of the same length."""
    if len(network) != 2 * len(address):
        return False
    base, mask = network[: len(address)], network[len(address) :]
    return all(mine & bits == theirs & bits for mine, theirs, bits in zip(address, base, mask, strict=True))


def _parts(name: bytes) -> list[bytes]:
    """Return the encoded relative names of a Name."""
    body = DerReader(name).enter_list(SEQUENCE)
    return [body.any() for _ in iter(body.more, False)]


def _shown(name: GeneralName, certificate: Certificate) -> str:
    if name.tag == DNS:
        return name.value.decode("latin-1")
    return (
        (certificate.subject.text or "an empty subject")
        if name.tag == DIRECTORY
        else f"an address or other name ({name.value.hex()})"
    )
