"""Parse algorithm identifiers and public keys.

The ``take_`` functions follow the templates of crypto/asn1/x_algor.c and crypto/x509/x_pubkey.c. The others take a
whole SubjectPublicKeyInfo, and raise MalformedError if it is invalid.
"""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import OID, SEQUENCE, DerReader, encode, reader_for_element
from rootfs_trust.x509.oids import CURVE_BITS, FIXED_KEY_BITS, KEY_ALGORITHMS, dotted


def take_algorithm(reader: DerReader) -> bytes:
    """Take an AlgorithmIdentifier; return its contents as OpenSSL would encode them again."""
    body = reader.enter(SEQUENCE)
    contents = encode(OID, body.oid())
    if body.more():
        contents += body.any()
    reader.leave(body)
    return contents


def take_key(reader: DerReader) -> bytes:
    """Take a SubjectPublicKeyInfo; return the whole element. The algorithm may be unknown."""
    begin = reader.pos
    body = reader.enter(SEQUENCE)
    take_algorithm(body)
    body.bit_string()
    reader.leave(body)
    return reader.data[begin : reader.pos]


def key_algorithm(key: bytes) -> str:
    """Return the algorithm of a SubjectPublicKeyInfo: its usual name, or else its dotted OID."""
    oid = dotted(reader_for_element(key).enter(SEQUENCE).enter(SEQUENCE).oid())
    return KEY_ALGORITHMS.get(oid, oid)


def key_bits(key: bytes) -> int:
    """Return the size of the key in a SubjectPublicKeyInfo, as OpenSSL prints it."""
    name = key_algorithm(key)
    if name in FIXED_KEY_BITS:
        return FIXED_KEY_BITS[name]
    body = reader_for_element(key).enter(SEQUENCE)
    algorithm = DerReader(take_algorithm(body))
    algorithm.oid()
    if name.startswith("RSA"):
        return _first_integer_bits(DerReader(body.bit_string()[1:]))
    if name == "DSA":
        return _first_integer_bits(algorithm)
    if name == "EC":
        return _curve_bits(algorithm)
    raise MalformedError(f"size of a key of algorithm {name} is not known")


def has_named_curve(key: bytes) -> bool:
    """Return whether the parameters of a SubjectPublicKeyInfo are an OID."""
    algorithm = DerReader(take_algorithm(reader_for_element(key).enter(SEQUENCE)))
    algorithm.oid()
    return algorithm.next_tag() == OID


def key_curve(key: bytes) -> str | None:
    """Return the dotted OID of the named curve of an EC key (RFC 5480, 2.1.1), or None."""
    if key_algorithm(key) != "EC":
        return None
    algorithm = DerReader(take_algorithm(reader_for_element(key).enter(SEQUENCE)))
    algorithm.oid()
    return dotted(algorithm.oid()) if algorithm.next_tag() == OID else None


def _first_integer_bits(reader: DerReader) -> int:
    """Return the bits of the first INTEGER in the next SEQUENCE: RSA's modulus or DSA's prime.

    The sign is ignored (bn_c2i in crypto/asn1/x_bignum.c).
    """
    return int.from_bytes(reader.enter(SEQUENCE).integer()).bit_length()


def _curve_bits(parameters: DerReader) -> int:
    """Return the size of the field of a named curve, or of an explicit prime field (RFC 3279, 2.3.5)."""
    if parameters.next_tag() == OID:
        curve = dotted(parameters.oid())
        if curve not in CURVE_BITS:
            raise MalformedError(f"curve {curve} is not known")
        return CURVE_BITS[curve]
    explicit = parameters.enter(SEQUENCE)
    explicit.integer()
    field = explicit.enter(SEQUENCE)
    field.oid()
    prime = int.from_bytes(field.integer(), signed=True)
    if prime <= 0:
        raise MalformedError("the field of a curve has no elements")
    return prime.bit_length()
