"""What certificates and CRLs have in common: the fingerprint, and the element that it is computed from."""

from __future__ import annotations

from rootfs_trust.x509.der import BIT_STRING, SEQUENCE, DerReader, encode
from rootfs_trust.x509.public_key import take_algorithm


class SignedObject:
    """Base class of parsed certificates and CRLs. Immutable; compared by fingerprint.

    ``der``     the exact bytes of the element, without any bytes after it.
    ``sha256``  OpenSSL's fingerprint, in lower-case hex. It is that of the element as OpenSSL encodes it again, which
                is not always ``der`` (long lengths outside the signed part, unused bits).
    """

    def __init__(self, der: bytes, sha256: str) -> None:
        self.der = der
        self.sha256 = sha256

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def reencode(to_be_signed: bytes, reader: DerReader) -> bytes:
    """Take algorithm and signature; return the whole element as OpenSSL encodes it for the fingerprint.

    The signed part keeps its bytes; everything around it becomes DER (asn1_enc_restore in tasn_enc.c).
    """
    algorithm = encode(SEQUENCE, take_algorithm(reader))
    signature = encode(BIT_STRING, reader.bit_string())
    return encode(SEQUENCE, to_be_signed + algorithm + signature)
