"""Password-based encryption and MAC of PKCS #12 files, with the salts and iteration counts of the file.

Key derivation is RFC 7292, appendix B, for the older schemes and for the MAC; PBKDF2 (RFC 8018) for PBES2 and PBMAC1
(RFC 9579). The ciphers come from the package cryptography. That package can also read and write whole PKCS #12 files,
but it chooses new salts and IVs, so the same input would give other bytes in every run.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from rootfs_trust.errors import MISSING_PACKAGE, InputError, MalformedError, PasswordError
from rootfs_trust.x509.der import INTEGER, OCTET_STRING, SEQUENCE, DerReader, reader_for_element

MAX_ITERATIONS = 5_000_000
"""Iterations of one key derivation. Java refuses more (JDK, PKCS12KeyStore.MAX_ITERATION_COUNT)."""

_PBES2, _PBKDF2, _PBMAC1 = (bytes.fromhex(f"2a864886f70d01050{last}") for last in "dce")
_3DES, _RC2_128, _RC2_40 = (bytes.fromhex(f"2a864886f70d010c010{last}") for last in "356")
_HASHES = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040204"): "sha224",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_HMACS = {
    bytes.fromhex(f"2a864886f70d02{last}"): name
    for last, name in (("07", "sha1"), ("08", "sha224"), ("09", "sha256"), ("0a", "sha384"), ("0b", "sha512"))
}
_AES = {bytes.fromhex(f"6086480165030401{last}"): size for last, size in (("02", 16), ("16", 24), ("2a", 32))}
"""Key size in bytes for each AES cipher in CBC mode (NIST), by its OID."""

_FOR_KEY, _FOR_IV, _FOR_MAC = 1, 2, 3
"""The purpose of derived key material (RFC 7292, appendix B.3)."""


class Mac(NamedTuple):
    """The MacData of a file. ``algorithm`` is DER; ``digest`` is the MAC in the file."""

    algorithm: bytes
    digest: bytes
    salt: bytes
    iterations: int


class _Pbkdf2(NamedTuple):
    hash: str
    salt: bytes
    iterations: int
    size: int | None
    """Key size in bytes. None: the key size of the cipher."""

    def key(self, password: str, size: int) -> bytes:
        return hashlib.pbkdf2_hmac(self.hash, password.encode(), self.salt, self.iterations, self.size or size)


# -- MAC ---------------------------------------------------------------------------------------------------


def mac_of(mac: Mac, content: bytes, password: str) -> bytes:
    """Compute the MAC of ``content``, the AuthenticatedSafe, by the algorithm of ``mac``. Raises MalformedError."""
    name, parameters = _algorithm(mac.algorithm)
    if name == _PBMAC1:
        derivation, hash_name = _pbmac1(parameters)
        key = derivation.key(password, hashlib.new(hash_name).digest_size)
    elif name in _HASHES:
        hash_name = _HASHES[name]
        size = hashlib.new(hash_name).digest_size
        key = derive(hash_name, password, mac.salt, mac.iterations, _FOR_MAC, size)
    else:
        raise MalformedError("its MAC is of a kind that is not supported")
    return hmac.digest(key, content, hash_name)


def _pbmac1(parameters: DerReader) -> tuple[_Pbkdf2, str]:
    inner = parameters.enter()
    derivation = _pbkdf2(inner.any())
    name, _ = _algorithm(inner.any())
    if name not in _HMACS:
        raise MalformedError("its MAC is of a kind that is not supported")
    return derivation, _HMACS[name]


# -- encryption --------------------------------------------------------------------------------------------


def decrypt(algorithm: bytes, content: bytes, password: str) -> bytes:
    """Decrypt ``content`` by ``algorithm``, an AlgorithmIdentifier in DER. Raises MalformedError or InputError."""
    from cryptography.hazmat.primitives.ciphers import Cipher

    decryptor = Cipher(*_cipher(algorithm, password)).decryptor()
    try:
        padded = decryptor.update(content) + decryptor.finalize()
    except ValueError as error:
        raise MalformedError("its encrypted part is not a whole number of blocks") from error
    pad = padded[-1] if padded else 0
    if not 0 < pad <= 16 or padded[-pad:] != bytes([pad]) * pad:
        raise PasswordError("cannot be decrypted: it has another password, or is damaged")
    return padded[:-pad]


def encrypt(algorithm: bytes, content: bytes, password: str) -> bytes:
    """Encrypt ``content`` by ``algorithm``, with the salt and IV in it. Raises MalformedError or InputError."""
    from cryptography.hazmat.primitives.ciphers import Cipher

    cipher, mode = _cipher(algorithm, password)
    block = len(mode.initialization_vector)
    pad = block - len(content) % block
    encryptor = Cipher(cipher, mode).encryptor()
    return encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()


def require_cryptography() -> None:
    """Raise InputError if the package cryptography is missing."""
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        message = "is an encrypted PKCS #12 keystore, which needs the Python package cryptography"
        raise InputError(MISSING_PACKAGE("", message, "install rootfs-trust[pkcs7]")) from error


def _cipher(algorithm: bytes, password: str):  # type: ignore[no-untyped-def]  # types of an extra
    require_cryptography()
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    name, parameters = _algorithm(algorithm)
    if name == _PBES2:
        inner = parameters.enter()
        derivation = _pbkdf2(inner.any())
        scheme, iv = _algorithm(inner.any())
        if scheme not in _AES:
            raise MalformedError("is encrypted by a cipher that is not supported")
        return AES(derivation.key(password, _AES[scheme])), CBC(iv.value(OCTET_STRING))
    if name == _3DES:
        return _triple_des(parameters, password)
    if name in (_RC2_40, _RC2_128):
        raise MalformedError("is encrypted by RC2, an obsolete cipher that is not supported")
    raise MalformedError("is encrypted in a way that is not supported")


def _triple_des(parameters: DerReader, password: str):  # type: ignore[no-untyped-def]
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:  # before cryptography 43
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    inner = parameters.enter()
    salt, rounds = inner.value(OCTET_STRING), _rounds(inner)
    key = derive("sha1", password, salt, rounds, _FOR_KEY, 24)
    return TripleDES(key), CBC(derive("sha1", password, salt, rounds, _FOR_IV, 8))


def iterations(algorithm: bytes) -> int:
    """Return the iteration count of an AlgorithmIdentifier; 0 if it has none. Raises MalformedError."""
    name, parameters = _algorithm(algorithm)
    if name in (_PBES2, _PBMAC1):
        return _pbkdf2(parameters.enter().any()).iterations
    if name not in (_3DES, _RC2_40, _RC2_128):
        return 0
    inner = parameters.enter()
    inner.value(OCTET_STRING)
    return _rounds(inner)


# -- key derivation ----------------------------------------------------------------------------------------


def derive(hash_name: str, password: str, salt: bytes, iterations: int, purpose: int, size: int) -> bytes:
    """Derive ``size`` bytes from a password (RFC 7292, appendix B.2). ``purpose`` is 1 for a key, 2 for an IV, 3 for a
    MAC key.
    """
    block = hashlib.new(hash_name).block_size
    text = password.encode("utf-16-be", "surrogatepass") + b"\0\0"
    material = bytearray(_repeated(salt, block) + _repeated(text, block))
    result = b""
    while len(result) < size:
        digest = hashlib.new(hash_name, bytes([purpose]) * block + material).digest()
        for _ in range(iterations - 1):
            digest = hashlib.new(hash_name, digest).digest()
        result += digest
        _add_to_blocks(material, int.from_bytes(_repeated(digest, block)[:block]) + 1, block)
    return result[:size]


def _repeated(data: bytes, block: int) -> bytes:
    """Repeat ``data`` to a whole number of blocks."""
    size = -(-len(data) // block) * block
    return (data * (size // len(data) + 1))[:size] if data else b""


def _add_to_blocks(material: bytearray, step: int, block: int) -> None:
    """Add ``step`` to each block of the material, as numbers of ``block`` bytes that overflow to zero."""
    for start in range(0, len(material), block):
        value = int.from_bytes(material[start : start + block]) + step
        material[start : start + block] = (value % (1 << 8 * block)).to_bytes(block)


def _pbkdf2(algorithm: bytes) -> _Pbkdf2:
    name, parameters = _algorithm(algorithm)
    if name != _PBKDF2:
        raise MalformedError("derives its keys in a way that is not supported")
    inner = parameters.enter()
    salt, rounds = inner.value(OCTET_STRING), _rounds(inner)
    size = int.from_bytes(inner.integer()) if inner.next_tag() == INTEGER else None
    prf = _algorithm(inner.any())[0] if inner.next_tag() == SEQUENCE else next(iter(_HMACS))
    if prf not in _HMACS or size not in (None, 16, 20, 24, 28, 32, 48, 64):
        raise MalformedError("derives its keys in a way that is not supported")
    return _Pbkdf2(_HMACS[prf], salt, rounds, size)


def _rounds(reader: DerReader) -> int:
    return checked_iterations(int.from_bytes(reader.integer(), signed=True))


def checked_iterations(count: int) -> int:
    """Return the iteration count. Raises MalformedError if it is not positive, or so large that the derivation would
    take minutes.
    """
    if count < 1:
        raise MalformedError(f"asks for {count} iterations to derive a key")
    if count > MAX_ITERATIONS:
        raise MalformedError(f"asks for {count} iterations to derive a key, more than {MAX_ITERATIONS}")
    return count


def _algorithm(element: bytes) -> tuple[bytes, DerReader]:
    """Return the identifier of an AlgorithmIdentifier, and a reader at its parameters."""
    inner = reader_for_element(element).enter()
    return inner.oid(), inner
