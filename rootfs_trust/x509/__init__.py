"""Bytes in, frozen certificates out: DER, PEM, names and their hashes. No I/O, no clock."""

from rootfs_trust.x509.certificate import Certificate, parse_certificate
from rootfs_trust.x509.containers import looks_like_pkcs7, looks_like_pkcs12
from rootfs_trust.x509.crl import CertificateList, parse_crl
from rootfs_trust.x509.details import BasicConstraints
from rootfs_trust.x509.keys import looks_like_private_key_der
from rootfs_trust.x509.name import Name
from rootfs_trust.x509.objects import Objects, read_objects
from rootfs_trust.x509.pem import BadBlock, Block, blocks, encode, has_private_key, overlooked

__all__ = [
    "BadBlock",
    "BasicConstraints",
    "Block",
    "Certificate",
    "CertificateList",
    "Name",
    "Objects",
    "blocks",
    "encode",
    "has_private_key",
    "looks_like_pkcs7",
    "looks_like_pkcs12",
    "looks_like_private_key_der",
    "overlooked",
    "parse_certificate",
    "parse_crl",
    "read_objects",
]
