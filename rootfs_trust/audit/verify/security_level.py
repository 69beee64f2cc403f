"""Apply OpenSSL's security level to a verified path: sizes of keys and strength of signatures.

check_key_level and check_sig_level in crypto/x509/x509_vfy.c. pyOpenSSL cannot set the level, so it is applied here.
TLS clients use SECLEVEL of openssl.cnf, or the compiled-in level.
"""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate

_BITS = (0, 80, 112, 128, 192, 256)
_RSA = {80: 1024, 112: 2048, 128: 3072, 192: 7680, 256: 15360}
_PARAMETER_SETS = {"ML-DSA-44": 128, "ML-DSA-65": 192, "ML-DSA-87": 256}  # FIPS 204, table 1
_DIGESTS = {"md2": 0, "md4": 39, "md5": 39, "sha1": 63}


def level_refusal(path: Sequence[Certificate], level: int) -> Refusal | None:
    """Return the first violation of ``level`` (0 to 5) in a path, anchor last. The anchor's signature is ignored."""
    if level <= 0:
        return None
    wanted = _BITS[min(level, 5)]
    for certificate in path:
        if _key_strength(certificate) < wanted:
            size = f"{certificate.key_algorithm} key of {certificate.key_bits} bits"
            return Refusal("weak", f"{named(certificate)} has a {size}, too small for OpenSSL's security level {level}")
    for certificate in path[:-1]:
        if signature_strength(certificate) < wanted:
            signed = f"is signed with {certificate.signature_algorithm}"
            return Refusal("weak", f"{named(certificate)} {signed}, too weak for OpenSSL's security level {level}")
    return None


def _key_strength(certificate: Certificate) -> int:
    """Return the bits of security of a key (NIST SP 800-57, table 2). Unknown kinds pass."""
    if certificate.key_algorithm in _PARAMETER_SETS:
        return _PARAMETER_SETS[certificate.key_algorithm]
    bits = certificate.key_bits
    if bits is None:
        return 0
    if certificate.key_algorithm.startswith(("RSA", "DSA")):
        return max((strength for strength, size in _RSA.items() if bits >= size), default=0)
    return bits // 2 if certificate.key_algorithm == "EC" else 256


def signature_strength(certificate: Certificate) -> int:
    """Return the bits of security of the signed digest, as OpenSSL counts them."""
    name = certificate.signature_algorithm.lower()
    return next((strength for digest, strength in _DIGESTS.items() if digest in name), 256 if name else 0)
