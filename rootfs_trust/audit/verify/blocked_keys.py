"""Keys that clients refuse because of a compiled-in list, independent of the trust store.

CVE-2026-111943: the private keys of eight intermediates of eMudhra are public. Go, rustls-webpki and Python refuse
every chain with one of these keys, cross-signed or not (crypto/x509/verify.go, src/verify_cert.rs,
Modules/_ssl/distrusted_spki.h). Java has a separate file with fingerprints, lib/security/blocked.certs.
"""

from __future__ import annotations

from hashlib import sha256

from rootfs_trust.audit.verify.assumed_versions import Numbers, Version, dotted
from rootfs_trust.x509 import Certificate

INCIDENT = "CVE-2026-111943"

BLOCKED_KEYS = (
    "ebed6475c2c2d80fcb199f3fe8dd6e6b3ce60b77eb15d4e42c3dec0c6f5b5105",  # EM DV TLS CA G3B
    "49dd353dc2b919a3770645117d0e60c16115e7d1bc259eefe734b00ea434fe5f",  # EM DV TLS CA G3C
    "e0254c7fcdc265e2f0f8a428dabb75ab4ae039b4872d62f5ee57f0877d5a8a41",  # EM EV TLS CA G3B
    "5c0660a2b164910d8ff589c18e14552e9e0ec237dcefe2cb736d41a4811f81a0",  # EM EV TLS CA G3C
    "ec4ffa1ad0ac88081314b7aaffef6a91f97cd57291bb5ba686c5415f5eb4f6b6",  # EM OV CS CA G3B
    "92c063d67e8f14db71d288e11266ffdaf69cbf115f7bab14f3bc2f68d25e0e30",  # EM OV CS CA G3C
    "43bffa19d6ef651451f6841e019931e96f6f2eaeff28ab4b6f1ce4576de2717b",  # EM OV TLS CA G3B
    "63ecefee431d49523bc1136c4e72d0206a477086caf606cd5cf025686c109cf8",  # EM OV TLS CA G3C
)
"""SHA-256 of each SubjectPublicKeyInfo."""

BLOCKING = {
    "go": ((1, 26, 10), (1, 27, 3)),
    "rustls": ((0, 103, 16),),
    "python": ((3, 11, 18), (3, 12, 16), (3, 13, 18), (3, 14, 10), (3, 15, 2)),
}
"""The first version of each series that has the list. Versions after the last series also have it.

Sources: golang/go 82345; RUSTSEC-2026-0382; CVE-2026-115557.
"""


def why_blocked(product: str, version: Version) -> str:
    """Return the reason why a certificate with such a key is refused."""
    since = ", ".join(map(dotted, BLOCKING[product]))
    what = f"has a key whose private half is public ({INCIDENT})"
    return f"{what}: {version.library} refuses it from {since} on; {version.text}"


def is_blocked(certificate: Certificate) -> bool:
    """Return whether the certificate's key is on the list."""
    return sha256(certificate.public_key).hexdigest() in BLOCKED_KEYS


def blocks(product: str, version: Numbers | None) -> bool:
    """Return whether this version of ``product`` has the list of blocked keys. An unknown version counts as new,
    because a leaked key should not be trusted in any version.
    """
    if version is None:
        return True
    series = BLOCKING[product]
    own = next((first for first in series if first[:2] == version[:2]), None)
    return version >= own if own else version > series[-1]
