"""Private keys in every form that is recognized, each in every way of writing, and what only looks like one."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from rootfs_trust.store import jks
from rootfs_trust.x509 import encode, private_key_form
from tests.support.authority import Authority
from tests.support.peers import peer

KEYS = {
    "rsa": rsa.generate_private_key(65537, 1024),
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "dsa": dsa.generate_private_key(1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "x25519": x25519.X25519PrivateKey.generate(),
}
FORMS = [
    (name, form, secret)
    for name in KEYS
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH)
    for secret in (NoEncryption(), BestAvailableEncryption(b"secret"))
    if not (form is PrivateFormat.TraditionalOpenSSL and "25519" in name)
    and not (form is PrivateFormat.OpenSSH and name in ("x25519", "dsa"))
]


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")


def _jwk(kind: str, **members: str) -> dict[str, str]:
    return {"kty": kind, "use": "sig", **members}


NUMBERS = KEYS["ec"].private_numbers()
PUBLIC = _jwk("EC", crv="P-256", x=_b64(NUMBERS.public_numbers.x), y=_b64(NUMBERS.public_numbers.y))
PRIVATE = {**PUBLIC, "d": _b64(NUMBERS.private_value)}
RAW = base64.b64encode(bytes(range(32))).decode()
AGE = "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"
PUTTY = (
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\nAAAA\nPrivate-Lines: 1\nAAAA\n"
)

TEXTS = {
    "PuTTY": PUTTY,
    "age": f"# created: 2026-01-01\n{AGE}\n",
    "age, post-quantum": AGE.replace("KEY-1", "KEY-PQ-1"),
    "WireGuard": f"[Interface]\nAddress = 10.0.0.2/24\nPrivateKey = {RAW}\n",
    "minisign": "untrusted comment: minisign encrypted secret key\nRWRTY0Iy" + "A" * 204 + "\n",
    "signify": "untrusted comment: signify secret key\nRWRCSwAAAAA" + "A" * 129 + "\n",
    "SSH 1": "SSH PRIVATE KEY FILE FORMAT 1.1\n\0",
    "BIND": "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AAAA\n",
    "XML": "<RSAKeyValue><Modulus>AA</Modulus><Exponent>AQAB</Exponent><D>AA</D></RSAKeyValue>",
    "p11-kit": '[p11-kit-object-v1]\nclass: private-key\nlabel: "x"\n',
    "JWK": json.dumps(PRIVATE),
    "JWKS": json.dumps({"keys": [PUBLIC, PRIVATE]}, indent=2),
    "JWK, symmetric": json.dumps(_jwk("oct", k="AyM1SysPpbyDfgZld3umj1qzKObwVMko")),
    "JWK, octet key pair": json.dumps(_jwk("OKP", crv="Ed25519", x="AA", d="AA")),
    "JWK, RSA": json.dumps(_jwk("RSA", n="AA", e="AQAB", d="AA")),
    "JWK whose names are escaped": json.dumps(PRIVATE).replace('"d"', '"\\u0064"'),
    "JWK in TOML": f"[values]\nkey = '{json.dumps(PRIVATE)}'\n",
    "JWK in a text of JSON": json.dumps({"secret": json.dumps(PRIVATE)}),
    "PEM in a text of JSON": json.dumps(
        {"key": KEYS["ec"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()}
    ),
    "PEM behind a block": "-----END CERTIFICATE-----"
    + KEYS["rsa"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "SSH2": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n",
    "JWK in the block of a certificate": "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n".format(
        json.dumps(_jwk("oct", k="AAAA"))
    ),
    "PGP": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
}
WRITINGS = {
    "as it is": str.encode,
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big endian": lambda text: text.encode("utf-16-be"),
    "behind a certificate": lambda text: Authority("Before").pem + text.encode(),
}


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_forms_that_are_text(text: str, writing) -> None:
    assert private_key_form(writing(text))


@pytest.mark.parametrize(("name", "form", "secret"), FORMS)
def test_pem_der_and_base64_without_a_label(name: str, form: PrivateFormat, secret) -> None:
    encrypted = isinstance(secret, BestAvailableEncryption)
    pem = KEYS[name].private_bytes(Encoding.PEM, form, secret)
    assert private_key_form(pem) == "PEM"
    if form is PrivateFormat.TraditionalOpenSSL and encrypted:
        return
    lines = pem.splitlines()
    body = [line for line in lines if b"---" not in line]
    for joined in (b"\n".join(body), b"\r\n".join(body), b"".join(body), b"\\n".join(body)):
        assert private_key_form(joined), joined[:40]
        assert private_key_form(b'key = "' + joined + b'"\n')
        assert private_key_form(Authority("Before").pem + joined)
    assert private_key_form(base64.b64encode(pem))
    if form is not PrivateFormat.OpenSSH:
        der = base64.b64decode(b"".join(body))
        assert private_key_form(der) == "DER"
        assert private_key_form(Authority("Before").der + der) == "DER"
        assert private_key_form(b"\n" + der) == "DER"
        assert private_key_form(encode(der)) == "PEM", "under the label of a certificate"


def test_containers_that_show_a_key_and_those_that_hold_certificates() -> None:
    own = Authority("Holder")
    full = pkcs12.serialize_key_and_certificates(b"x", own.key, own.certificate, None, BestAvailableEncryption(b"x"))
    plain = pkcs12.serialize_key_and_certificates(b"x", own.key, own.certificate, None, NoEncryption())
    certificates = pkcs12.serialize_key_and_certificates(b"x", None, own.certificate, None, NoEncryption())
    assert private_key_form(full) == private_key_form(plain) == "PKCS#12"
    assert private_key_form(certificates) == ""
    assert private_key_form(base64.encodebytes(full)) == "base64"
    store = jks.keystore([("one", own.der), ("two", own.der)], 0)
    assert private_key_form(store) == ""
    # An entry with a key: tag 1, alias, date, the key, no chain.
    entry = b"\0\0\0\1" + b"\0\1k" + bytes(8) + b"\0\0\0\4keys" + b"\0\0\0\0"
    count = (3).to_bytes(4)
    assert private_key_form(store[:8] + count + store[12:-20] + entry + store[-20:]) == "Java keystore"
    assert private_key_form(store[:8] + count + entry + store[12:]) == "Java keystore"
    assert (
        private_key_form(b"\xce\xce\xce\xce" + store[4:8] + count + entry.replace(b"\1", b"\3", 1)) == "Java keystore"
    )
    for end in range(len(store)):
        assert private_key_form(store[:end]) == ""


PROSE = [
    "A file that holds -----BEGIN PRIVATE KEY----- is refused.",
    "See `-----BEGIN RSA PRIVATE KEY-----` in /usr/share/doc/ca-certificates/examples/of/a/long/path for more.",
    "Keys of PuTTY begin with PuTTY-User-Key-File-3: and the kind.",
    "age keys are written AGE-SECRET-KEY-1... in one line",
    "# PrivateKey = (wg genkey)\nPrivateKey = /etc/wireguard/key\nPrivateKeyFile = x\n",
    '{"kty": "EC", "about": "a JWK whose d is left out"}',
    '{"d": "A", "k": "B"}',
    '{"kty": "EC", "d": ""}',
    '{"kty": ["EC"], "d": "x"}',
    "[" * 100_000 + '"kty"',
    "the private key of this CA is in an HSM; private keys never leave it\n",
    "<RSAKeyValue><Modulus>AA</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
    "untrusted comment: minisign public key\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n",
    "-----BEGIN SSH2 PUBLIC KEY----\nAAAA\n",
    '[p11-kit-object-v1]\nclass: certificate\nlabel: "private-key"\n',
]


def test_what_has_no_key() -> None:
    certificate = Authority("Only")
    for text in PROSE:
        assert private_key_form(text.encode()) == "", text[:80]
        assert private_key_form(certificate.pem + text.encode() + certificate.pem) == ""
    for public in (json.dumps(PUBLIC), json.dumps({"keys": [PUBLIC] * 3})):
        assert private_key_form(public.encode()) == ""
    assert private_key_form(certificate.pem.replace(b"\nMII", b"\nM\\II")) == ""
    for key in KEYS.values():
        for encoding in (Encoding.PEM, Encoding.DER):
            public = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
            assert private_key_form(public) == private_key_form(base64.encodebytes(public)) == ""
    for data in (certificate.der, certificate.pem, certificate.pem * 50):
        assert private_key_form(data) == private_key_form(base64.encodebytes(data)) == ""


@pytest.mark.parametrize(
    "piece",
    [
        b"begin private key ",
        b"--begin private key ",
        b"MIIE" * 6 + b" ",
        b"M" * 23 + b" ",
        b'{"kty":"EC"',
        b'"kty":"oct"}',
        b"putty-user-key-file-3:",
        b"\\\\",
        b" ",
        b"<rsakeyvalue>",
        b"PrivateKey=",
        b"A" * 24 + b"\n",
        b"-----BEGIN A-----",
        b"\x30\x00",
        b"\xfe\xed\xfe\xed",
        b"RWRTY0Iy",
        b"{",
        b"class: ",
    ],
)
def test_sixteen_mebibytes_of_nearly_a_key_take_seconds(piece: bytes) -> None:
    data = piece * (16 * 1024 * 1024 // len(piece))
    begun = time.process_time()
    private_key_form(data)
    assert time.process_time() - begun < 10


@pytest.mark.integration
def test_puttygen_writes_a_key_that_is_recognized(tmp_path: Path) -> None:
    command = [peer("puttygen"), "-t", "ed25519", "-o", tmp_path / "k", "--new-passphrase", "/dev/null"]
    subprocess.run(command, check=True, timeout=60)
    assert private_key_form((tmp_path / "k").read_bytes()) == "PuTTY"


@pytest.mark.integration
def test_age_keygen_writes_a_key_that_is_recognized() -> None:
    made = subprocess.run([peer("age-keygen")], capture_output=True, check=True, timeout=60).stdout
    assert private_key_form(made) == "age"
