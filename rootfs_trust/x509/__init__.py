"""Parse DER and PEM into immutable certificates; compute names and their hashes. Does no I/O and reads no clock."""

from rootfs_trust.x509.certificate import Certificate, parse_certificate
from rootfs_trust.x509.crl import CertificateList, parse_crl
from rootfs_trust.x509.extensions import BasicConstraints
from rootfs_trust.x509.name import Name
from rootfs_trust.x509.pem import BadBlock, Block, blocks, encode, unrecognized_begin_lines
from rootfs_trust.x509.pem_objects import (
    Objects,
    looks_like_pkcs7,
    looks_like_pkcs12,
    looks_like_request,
    objects_in,
    read_objects,
)
from rootfs_trust.x509.private_keys import private_key_form

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
    "looks_like_pkcs7",
    "looks_like_pkcs12",
    "looks_like_request",
    "objects_in",
    "parse_certificate",
    "parse_crl",
    "private_key_form",
    "read_objects",
    "unrecognized_begin_lines",
]
