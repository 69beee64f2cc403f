"""Cases in limbo's form for keys and signatures of every algorithm: as an issuer's, as the server's, and beside both.

``python -m tests.limbo.algorithms > FILE`` writes them; tests.limbo.agreement reads the file. The certificates are put
together here, since no library makes all of them.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.peers import peer

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOST = "a.test.example"

_SHA256, _RSA, _PSS = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
_RSA_SHA256, _ECDSA_SHA256 = "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"
_SM2_SM3, _UNKNOWN = "1.2.156.10197.1.501", "1.3.6.1.4.1.99999.1"
_NO_SIGNATURE = "1.3.6.1.5.5.7.6.36"
_EXTENSION = {"ca": "2.5.29.19", "usage": "2.5.29.15", "names": "2.5.29.17"}


class Algorithm(NamedTuple):
    """A key: its SubjectPublicKeyInfo in DER, the AlgorithmIdentifier of its signatures, and a function that signs."""

    key: bytes
    signature: bytes
    sign: Callable[[bytes], bytes]


# -- DER -------------------------------------------------------------------------------------------------------


def tlv(tag: int, *contents: bytes) -> bytes:
    """An element with a definite length."""
    data = b"".join(contents)
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if len(data) < 128 else bytes([128 + len(size)]) + size) + data


def sequence(*contents: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(0x30, *contents)


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    data = b""
    for arc in (40 * first + second, *rest):
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.append(arc & 127 | 128)
        data += bytes(digits[::-1])
    return tlv(6, data)


def bits(data: bytes) -> bytes:
    """A BIT STRING of whole bytes."""
    return tlv(3, b"\0", data)


_NULL = tlv(5)
_PSS_SHA256 = sequence(
    tlv(0xA0, sequence(oid(_SHA256), _NULL)),
    tlv(0xA1, sequence(oid("1.2.840.113549.1.1.8"), sequence(oid(_SHA256), _NULL))),
    tlv(0xA2, tlv(2, b"\x20")),
)


# -- algorithms ------------------------------------------------------------------------------------------------


def _public(key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _rsa(bits_: int = 2048, *, pss_key: bool = False, pss: bool = False) -> Algorithm:
    key = rsa.generate_private_key(65537, bits_)
    public = _public(key)
    if pss_key:
        public = public.replace(sequence(oid(_RSA), _NULL), sequence(oid(_PSS)), 1)
        public = sequence(public[4:])
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
    identifier = sequence(oid(_PSS), _PSS_SHA256) if pss else sequence(oid(_RSA_SHA256), _NULL)
    return Algorithm(public, identifier, lambda data: key.sign(data, scheme, hashes.SHA256()))


def _ecdsa(curve: ec.EllipticCurve) -> Algorithm:
    key = ec.generate_private_key(curve)
    return Algorithm(_public(key), sequence(oid(_ECDSA_SHA256)), lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())))


def _plain(key, dotted: str) -> Algorithm:
    return Algorithm(_public(key), sequence(oid(dotted)), key.sign)


def _sm2() -> Algorithm:
    with TemporaryDirectory() as directory:
        path = Path(directory, "key.pem")
        _openssl("genpkey", "-algorithm", "SM2", "-out", path)
        secret = path.read_bytes()
        public = _openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
    return Algorithm(public, sequence(oid(_SM2_SM3)), partial(_sm2_sign, secret))


def _sm2_sign(secret: bytes, data: bytes) -> bytes:
    with TemporaryDirectory() as directory:
        key, text = Path(directory, "key.pem"), Path(directory, "text")
        key.write_bytes(secret)
        text.write_bytes(data)
        words = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
        return _openssl("pkeyutl", "-sign", "-inkey", key, "-in", text, *words)


def _openssl(*words: str | Path) -> bytes:
    return subprocess.run([peer("openssl"), *map(str, words)], capture_output=True, check=True).stdout


def _unknown() -> Algorithm:
    return Algorithm(
        sequence(sequence(oid(_UNKNOWN)), bits(b"key" * 20)), sequence(oid(_UNKNOWN)), lambda _: b"signed" * 10
    )


ALGORITHMS: dict[str, Callable[[], Algorithm]] = {
    "RSA-2048": _rsa,
    "RSA-1024": lambda: _rsa(1024),
    "RSA with PSS": lambda: _rsa(pss=True),
    "RSA-PSS key": lambda: _rsa(pss_key=True, pss=True),
    "P-192": lambda: _ecdsa(ec.SECP192R1()),
    "P-224": lambda: _ecdsa(ec.SECP224R1()),
    "P-256": lambda: _ecdsa(ec.SECP256R1()),
    "P-384": lambda: _ecdsa(ec.SECP384R1()),
    "P-521": lambda: _ecdsa(ec.SECP521R1()),
    "secp256k1": lambda: _ecdsa(ec.SECP256K1()),
    "brainpoolP256r1": lambda: _ecdsa(ec.BrainpoolP256R1()),
    "brainpoolP384r1": lambda: _ecdsa(ec.BrainpoolP384R1()),
    "brainpoolP512r1": lambda: _ecdsa(ec.BrainpoolP512R1()),
    "Ed25519": lambda: _plain(ed25519.Ed25519PrivateKey.generate(), "1.3.101.112"),
    "Ed448": lambda: _plain(ed448.Ed448PrivateKey.generate(), "1.3.101.113"),
    "ML-DSA-44": lambda: _plain(mldsa.MLDSA44PrivateKey.generate(), "2.16.840.1.101.3.4.3.17"),
    "ML-DSA-65": lambda: _plain(mldsa.MLDSA65PrivateKey.generate(), "2.16.840.1.101.3.4.3.18"),
    "ML-DSA-87": lambda: _plain(mldsa.MLDSA87PrivateKey.generate(), "2.16.840.1.101.3.4.3.19"),
    "SM2": _sm2,
    "no signature": lambda: _ecdsa(ec.SECP256R1()),
    "unknown": _unknown,
}
"""By the names in the cases' ids."""


UNSIGNED = Algorithm(b"", sequence(oid(_NO_SIGNATURE)), lambda _: b"")
"""Signs like the trust anchors of RFC 9925, which is not at all."""

# -- certificates ----------------------------------------------------------------------------------------------


def _name(common_name: str) -> bytes:
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(12, common_name.encode()))))


def _time(moment: datetime) -> bytes:
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def certificate(name: str, key: Algorithm, issuer: str, signer: Algorithm, *, ca: bool) -> bytes:
    """A certificate in DER, valid from a month before NOW on, for ten years."""
    extensions = {"ca": (True, sequence(tlv(1, b"\xff") if ca else b""))}
    extensions["usage"] = (True, tlv(3, b"\x01\x06" if ca else b"\x07\x80"))
    if not ca:
        extensions["names"] = (False, sequence(tlv(0x82, HOST.encode())))
    listed = [
        sequence(oid(_EXTENSION[each]), tlv(1, b"\xff") if critical else b"", tlv(4, value))
        for each, (critical, value) in extensions.items()
    ]
    signed = sequence(
        tlv(0xA0, tlv(2, b"\2")),
        tlv(2, b"\x11"),
        signer.signature,
        _name(issuer),
        sequence(_time(NOW - timedelta(days=30)), _time(NOW + timedelta(days=3650))),
        _name(name),
        key.key,
        tlv(0xA3, sequence(*listed)),
    )
    return sequence(signed, signer.signature, bits(signer.sign(signed)))


def _pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


DIRECTORY = Path(__file__).parent
BLOCKED: dict[str, str] = json.loads((DIRECTORY / "blocked_keys.json").read_text())
"""The public keys of the intermediates of CVE-2026-111943, as a server's, in hexadecimal."""

RECORDED: dict[str, dict[str, str]] = json.loads((DIRECTORY / "algorithms.json").read_text())
"""What real clients said: y or n for each kind below, and a last letter for a handshake with such a server."""

KINDS = ("root", "intermediate", "server", "in the store", "sent along")
"""Where each algorithm is: the issuer's, an intermediate's, the server's; beside the chain, in the store or sent."""


def cases(algorithms: Iterable[str] = ALGORITHMS) -> Iterator[dict]:
    """A case for each algorithm and kind, and one for each key that clients block."""
    plain = _ecdsa(ec.SECP256R1())
    root = certificate("Root", plain, "Root", plain, ca=True)
    server = certificate("Server", plain, "Root", plain, ca=False)
    for name in algorithms:
        odd = ALGORITHMS[name]()
        odd_root = certificate("Odd", odd, "Odd", UNSIGNED if name == "no signature" else odd, ca=True)
        odd_issuer = certificate("Odd", odd, "Root", plain, ca=True)
        below = certificate("Server", plain, "Odd", odd, ca=False)
        yield _case(f"{name}::root", [below], [odd_root])
        yield _case(f"{name}::intermediate", [below, odd_issuer], [root])
        yield _case(f"{name}::server", [certificate("Server", odd, "Root", plain, ca=False)], [root])
        yield _case(f"{name}::in the store", [server], [odd_root, root])
        yield _case(f"{name}::sent along", [server, odd_root], [root])
    for name, key in BLOCKED.items():
        blocked = Algorithm(bytes.fromhex(key), plain.signature, plain.sign)
        yield _case(f"blocked::{name}", [certificate("Server", blocked, "Root", plain, ca=False)], [root])


def _case(name: str, sent: list[bytes], roots: list[bytes]) -> dict:
    return {
        "id": f"algorithm::{name}",
        "validation_kind": "SERVER",
        "crls": [],
        "key_usage": [],
        "signature_algorithms": [],
        "max_chain_depth": None,
        "extended_key_usage": [],
        "peer_certificate": _pem(sent[0]),
        "untrusted_intermediates": list(map(_pem, sent[1:])),
        "trusted_certs": list(map(_pem, roots)),
        "expected_peer_name": {"kind": "DNS", "value": HOST},
        "validation_time": NOW.isoformat(),
    }


if __name__ == "__main__":
    json.dump({"testcases": list(cases())}, sys.stdout)
