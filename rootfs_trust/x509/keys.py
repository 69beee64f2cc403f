"""Private keys are only recognised: what they hold is nobody's business here."""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.containers import answer
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.pem import Block
from rootfs_trust.x509.primitive import INTEGER, NOTHING, OCTET_STRING, SEQUENCE

_ENCRYPTED = "ENCRYPTED PRIVATE KEY"
_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_LEAST_IV = 16  # hexadecimal digits


def looks_like_private_key_der(data: bytes) -> bool:
    """PKCS #8, plain or encrypted (RFC 5958), PKCS #1 (RFC 8017), SEC 1 (RFC 5915), or OpenSSL's DSA."""
    return answer(_is_encrypted_key, data) or answer(_is_private_key, data)


def check_key(block: Block) -> None:
    """Raise if OpenSSL would stumble over a block of a private key, and so over its file.

    Source: PEM_X509_INFO_read_bio and PEM_get_EVP_CIPHER_INFO. A key that has the form of one but makes no sense,
    or is of another kind than its label says, passes here all the same.
    """
    if block.header:
        if not _is_encryption_header(block.header):
            raise MalformedError("it has a header that says nothing of encryption")
    elif block.label != _ENCRYPTED and not answer(_is_private_key, block.der):
        raise MalformedError("it holds no private key")


def _is_encryption_header(header: bytes) -> bool:
    """The two lines of RFC 1421, section 4.6: Proc-Type, and DEK-Info with a cipher and its parameter."""
    first, _, rest = header.partition(b"\n")
    kind, _, processing = first.partition(b":")
    field, _, information = rest.partition(b"\n")[0].partition(b":")
    vector = information.partition(b",")[2].strip(b" \t")
    return (
        (kind, processing.strip(b" \t")) == (b"Proc-Type", b"4,ENCRYPTED")
        and field == b"DEK-Info"
        and len(vector) >= _LEAST_IV
        and _HEX_DIGITS.issuperset(vector)
    )


def _is_encrypted_key(body: Reader) -> bool:
    body.enter(SEQUENCE).oid()
    return body.next_tag() == OCTET_STRING


def _is_private_key(body: Reader) -> bool:
    """A small version number, and then what only keys have."""
    version = body.integer()
    kind = body.next_tag()
    if version not in (b"\0", b"\1") or kind not in (INTEGER, OCTET_STRING, SEQUENCE):
        return False
    if kind == SEQUENCE:
        body.enter(SEQUENCE).oid()
        return body.next_tag() == OCTET_STRING
    # A public RSA or DSA key has fewer numbers.
    return kind == OCTET_STRING or _count_integers(body) >= 5


def _count_integers(body: Reader) -> int:
    count = 0
    while body.next_tag() == INTEGER:
        body.value(INTEGER)  # OpenSSL does not mind octets of zero in front here
        count += 1
    return count if body.next_tag() in (NOTHING, SEQUENCE) else 0
