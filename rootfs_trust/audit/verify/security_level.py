"""OpenSSL's security level over a verified path: sizes of keys, strength of signatures.

check_key_level and check_sig_level in crypto/x509/x509_vfy.c. The engine is asked without a level, since pyOpenSSL
has no setting for it; TLS clients have one (SECLEVEL of openssl.cnf, or the one compiled in).
"""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.audit.verify.verdict import Refusal, named
from rootfs_trust.x509 import Certificate

_BITS = (0, 80, 112, 128, 192, 256)
_RSA = {80: 1024, 112: 2048, 128: 3072, 192: 7680, 256: 15360}
_DIGESTS = {"md2": 0, "md4": 39, "md5": 39, "sha1": 63}


def level_refusal(path: Sequence[Certificate], level: int) -> Refusal | None:
    """The first breach of ``level`` (0 to 5) by a path, anchor last; the anchor's own signature does not matter."""
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
    """Bits of security (NIST SP 800-57, table 2); unknown kinds pass."""
    bits = certificate.key_bits
    if bits is None:
        return 0
    if certificate.key_algorithm.startswith(("RSA", "DSA")):
        return max((strength for strength, size in _RSA.items() if bits >= size), default=0)
    return bits // 2 if certificate.key_algorithm == "EC" else 256


def signature_strength(certificate: Certificate) -> int:
    """Bits of security of the digest that was signed, as OpenSSL counts them."""
    name = certificate.signature_algorithm.lower()
    return next((strength for digest, strength in _DIGESTS.items() if digest in name), 256 if name else 0)
