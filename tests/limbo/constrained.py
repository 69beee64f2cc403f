"""Servers below constrained anchors, in limbo's form: each kind of host name under each list of names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rootfs_trust.inputs.constraints import host_names
from rootfs_trust.x509 import encode, parse_certificate
from rootfs_trust.x509.constrained import constrained
from rootfs_trust.x509.name import NameConstraints
from tests.limbo.generate import NOW

KEYS = {
    "ECDSA": ec.generate_private_key(ec.SECP256R1()),
    "RSA": rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
LISTS = {
    "not constrained": ((), ()),
    "corp.example": (("corp.example",), ()),
    "10.0.0.0/8": (("10.0.0.0/8",), ()),
    "corp.example, 10.0.0.0/8": (("corp.example", "10.0.0.0/8"), ()),
    "all but corp.example": ((), ("corp.example",)),
}
SERVERS: dict[str, tuple[str, str, bool]] = {
    "its own name": ("corp.example", "corp.example", True),
    "a subdomain": ("host.corp.example", "host.corp.example", True),
    "a wildcard below it": ("*.corp.example", "host.corp.example", True),
    "a foreign name": ("evil.example", "evil.example", True),
    "a name with the same ending": ("evilcorp.example", "evilcorp.example", True),
    "an address inside": ("10.1.2.3", "10.1.2.3", True),
    "an address inside, no CN": ("10.1.2.3", "10.1.2.3", True),
    "an address outside": ("192.0.2.1", "192.0.2.1", True),
    "an IPv6 address": ("2001:db8::1", "2001:db8::1", True),
    "no SAN, its own name": ("corp.example", "corp.example", False),
    "no SAN, a foreign name": ("evil.example", "evil.example", False),
}
"""What the certificate names, which host is asked for, and whether the name is in the subjectAltName."""


def cases(algorithm: str) -> Iterator[dict]:
    """The cases for a CA with a key of ``algorithm``, as limbo.json has them."""
    for names in LISTS:
        for server in SERVERS:
            yield _case(algorithm, names, server)


def _case(algorithm: str, names: str, server: str) -> dict:
    host = SERVERS[server][1]
    return {
        "id": f"constrained::{algorithm}::{names}::{server}",
        "validation_kind": "SERVER",
        "crls": [],
        "key_usage": [],
        "signature_algorithms": [],
        "max_chain_depth": None,
        "extended_key_usage": [],
        "peer_certificate": pem_of(server_certificate(algorithm, server)),
        "untrusted_intermediates": [],
        "trusted_certs": [_anchor(authority(algorithm), names)],
        "expected_peer_name": {"kind": "DNS" if host[-1].isalpha() else "IP", "value": host},
        "validation_time": NOW.isoformat(),
    }


def _anchor(original: x509.Certificate, names: str) -> str:
    permitted, excluded = (tuple(map(host_names, each)) for each in LISTS[names])
    certificate = parse_certificate(original.public_bytes(serialization.Encoding.DER))
    if permitted or excluded:
        certificate = constrained(certificate, NameConstraints(permitted, excluded))
    return encode(certificate.der).decode()


def authority(algorithm: str) -> x509.Certificate:
    """Return the certificate of a CA with a key of ``algorithm``."""
    key = KEYS[algorithm]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Company CA ({algorithm})")])
    extensions = (x509.BasicConstraints(True, None), x509.SubjectKeyIdentifier.from_public_key(key.public_key()))
    return _signed(key, key, name, name, extensions)


def server_certificate(algorithm: str, server: str) -> x509.Certificate:
    """Return the certificate of one of SERVERS, with the ECDSA key.

    The e-mail address and the organization in the subject must not matter to any client.
    """
    host, _, in_san = SERVERS[server]
    subject = [(NameOID.ORGANIZATION_NAME, "Company"), (NameOID.EMAIL_ADDRESS, "admin@elsewhere.example")]
    subject += [(NameOID.COMMON_NAME, host)] if "no CN" not in server else []
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    extensions: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
    if in_san:
        extensions.append(x509.SubjectAlternativeName([_general_name(host)]))
    return _signed(KEYS["ECDSA"], KEYS[algorithm], name, authority(algorithm).subject, extensions)


def _general_name(host: str) -> x509.GeneralName:
    return x509.DNSName(host) if host[-1].isalpha() else x509.IPAddress(ip_address(host))


def _signed(key, signer, subject, issuer, extensions) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), 7)
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(NOW + timedelta(days=3650))
    )
    for each in extensions:
        builder = builder.add_extension(each, isinstance(each, x509.BasicConstraints))
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
