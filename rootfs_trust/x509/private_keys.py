"""Recognize private keys in any bytes, so that no secret enters an image. Nothing of a key is kept or decrypted.

Sources: RFC 7468 (PEM), RFC 5958 and RFC 5915 (DER), RFC 7292 (PKCS #12), RFC 7517 (JWK), OpenSSH's PROTOCOL.key,
PuTTY's manual (appendix C), age's specification (the format of identities), wg(8), minisign(1), signify(1),
OpenJDK's JavaKeyStore.java, XML Signature (RSAKeyValue), BIND's dnssec-keygen(1).
"""

from __future__ import annotations

import re
import struct
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import SEQUENCE, header
from rootfs_trust.x509.pem_objects import looks_like_pkcs12, looks_like_private_key_der

# Patterns that few files need are compiled by re on their first use.
# Prose behind a label has no such word; the first line of a key's base64 is one.
_BODY = re.compile(rb"(?=[a-z/]{0,64}[0-9+])[a-z0-9+/]{24}")
_IN_PROSE = re.compile(rb"[a-z]")
_PUTTY = rb"(?:\A|[\n\"'])[ \t]{0,80}putty-user-key-file-\d:"
_AGE = rb"age-secret-key-(?:pq-)?1[0-9a-z]{8}"
_WIREGUARD = rb"(?m)^[ \t]{0,80}(?i:PrivateKey|PresharedKey)[ \t]{0,80}=[ \t]{0,80}[A-Za-z0-9+/]{42}[048AEIMQUYcgkosw]="
# Ed, then the key derivation and checksum algorithms (minisign), or BK (signify); public keys are shorter.
_SIGNING = rb"\bRW(?:RTY0Iy|QAAEIy|RCS)[A-Za-z0-9+/]{100}"
_XML = rb"<(?:[a-z0-9_]{1,32}:)?(?:d|x)>"
_P11_KIT = rb"(?m)^class:[ \t]*\"?(?:private-key|secret-key)\b"
_KEY_BAGS = tuple(bytes.fromhex("060b2a864886f70d010c0a01") + bytes((kind,)) for kind in (1, 2, 5))
"""Object identifiers of a key, a shrouded key and a secret in PKCS #12."""

_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
_TRUSTED_CERTIFICATE = b"\0\0\0\2"
_JAVA_KEYS = (b"\0\0\0\1", b"\0\0\0\3")

_BLOCK = re.compile(rb"-----BEGIN [^-\n]{0,80}-----([A-Za-z0-9+/=\s\\]*)-----END [^-\n]{0,80}-----")
_RUN = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,}(?:(?:\\[nr]|\s){1,80}[A-Za-z0-9+/]{16,})*")
_LENGTH = rb"(?:[\0-\x80]|\x81.|\x82..|\x83...)"
_DER = re.compile(
    rb"\x30%(n)b(?:\x02\x01[\0\1](?:\x02[\x20-\x7f\x81-\x83]|\x04[\x10-\x80\x81]|\x30%(n)b\x06)"
    rb"|\x02\x01\x03\x30%(n)b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
    rb"|\x30%(n)b\x06.\x2a\x86\x48\x86\xf7\x0d\x01(?:\x05|\x0c\x01))" % {b"n": _LENGTH},
    re.DOTALL,
)
"""The first bytes of PKCS #1, SEC 1, PKCS #8, PKCS #12 and an encrypted PKCS #8."""

_MEMBERS = {"EC": ("d",), "OKP": ("d",), "RSA": ("d", "p", "q"), "oct": ("k",), "AKP": ("priv",)}
_TOKEN = rb"[{}]|\"(kty|d|p|q|k|priv)\\{0,8}\"\s{0,64}:\s{0,64}\\{0,8}\"([A-Za-z0-9_+/=-]+)"
_ESCAPE = rb"\\u00([2-7][0-9a-fA-F])"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def private_key_form(data: bytes) -> str:
    """Return the form of the private key that ``data`` contains ("PEM", "PuTTY", "age", ...), or "" if it contains
    none.

    Also searches text in UTF-16, with a byte order mark or any line endings, and base64 without a label. A PKCS #12 or
    Java keystore counts only if it visibly contains a key, and not if it contains only certificates. The time is linear
    in the size of ``data``.
    """
    if form := _binary_form(data):
        return form
    text = (data.replace(b"\0", b"") if b"\0" in data else data).replace(b"\r", b"\n")
    if _has_label(text.lower()):
        return "PEM"
    between, *bodies = _BLOCK.split(text)
    if any(map(_begins_a_key, bodies[::2])):
        return "PEM"  # under another label
    text = b"\n".join([between, *bodies[1::2]])
    lower = text.lower()
    for mark, form, is_key in _FORMS:
        if mark in lower and is_key(text, lower):
            return form
    if _has_jwk(text):
        return "JWK"
    return "base64" if any(_begins_a_key(run[0]) for run in _RUN.finditer(text)) else ""


# -- text --------------------------------------------------------------------------------------------------


def _has_label(lower: bytes) -> bool:
    """Return whether the text has a BEGIN line of a private key, however it is written.

    A sentence that mentions such a line does not count: it has words before the label and no base64 after it.
    """
    begin = lower.find(b"begin ") if b"private key" in lower else -1
    while begin >= 0:
        label = lower.find(b"private key", begin, begin + 80)
        if label >= 0 and lower.startswith(b"--", max(begin - 3, 0)):
            line = max(lower.rfind(b"\n", max(begin - 200, 0), begin) + 1, begin - 200)
            following = lower.find(b"-begin ", label, label + 400)
            body_end = label + 400 if following < 0 else following
            if not _IN_PROSE.search(lower[line : max(begin - 3, line)]) or _BODY.search(lower, label, body_end):
                return True
        begin = lower.find(b"begin ", begin + 1)
    return False


def _has_jwk(text: bytes) -> bool:
    """Return whether the text contains a JSON object with a key type and a private member, in JSON or in other text."""
    if b"\\u00" in text:
        text = re.sub(_ESCAPE, lambda escape: bytes.fromhex(escape[1].decode()), text)
    if b'"kty' not in text:
        return False
    if any(map(_is_private, _objects(text))):
        return True
    start = text.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if start[:1] not in (b"{", b"["):
        return False
    import json

    try:
        pending = [json.loads(start)]
    except (ValueError, RecursionError):
        return False
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if _is_private(value):
                return True
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return False


def _objects(text: bytes) -> Iterator[dict[str, Any]]:
    """Yield the relevant members of each object in ``text``, which need not be valid JSON."""
    stack: list[dict[str, Any]] = [{}]
    for token in re.finditer(_TOKEN, text):
        if token[0] == b"{":
            stack.append({})
        elif token[0] == b"}":
            yield stack.pop()
            stack = stack or [{}]
        else:
            stack[-1][token[1].decode()] = token[2].decode()
    yield from stack


def _is_private(value: dict[str, Any]) -> bool:
    kind = value.get("kty")
    members = _MEMBERS.get(kind, ()) if isinstance(kind, str) else ()
    return any(isinstance(value.get(name), str) and value[name] for name in members)


def _begins_a_key(digits: bytes) -> bool:
    """Return whether base64 text begins with the bytes of a key. White space and its escapes are ignored."""
    digits = re.sub(rb"\\[nr]|[^A-Za-z0-9+/=]", b"", digits[:400]).partition(b"=")[0][:128]
    if not digits.startswith((b"M", b"/u3+", b"zs7O", b"LS")):
        return False
    octets = a2b_base64(digits[: len(digits) // 4 * 4])
    return bool(
        _DER.match(octets)
        or (octets.startswith(b"--") and b"PRIVATE KEY" in octets[:80])
        or (octets.startswith((_JKS, _JCEKS)) and octets[12:16] in _JAVA_KEYS)
    )


_Question: TypeAlias = Callable[[bytes, bytes], bool]


def _always(_text: bytes, _lower: bytes) -> bool:
    return True


_FORMS: tuple[tuple[bytes, str, _Question], ...] = (
    (b"putty-user-key-file-", "PuTTY", lambda _, lower: b"private-lines:" in lower or bool(re.search(_PUTTY, lower))),
    (b"age-secret-key-", "age", lambda _, lower: bool(re.search(_AGE, lower))),
    (b"privatekey", "WireGuard", lambda text, _: bool(re.search(_WIREGUARD, text))),
    (b"presharedkey", "WireGuard", lambda text, _: bool(re.search(_WIREGUARD, text))),
    (b"rwrty0iy", "minisign", lambda text, _: bool(re.search(_SIGNING, text))),
    (b"rwqaaeiy", "minisign", lambda text, _: bool(re.search(_SIGNING, text))),
    (b"rwrcs", "signify", lambda text, _: bool(re.search(_SIGNING, text))),
    (b"rsakeyvalue>", "XML", lambda _, lower: bool(re.search(_XML, lower))),
    (b"dsakeyvalue>", "XML", lambda _, lower: bool(re.search(_XML, lower))),
    (b"p11-kit-object-v1", "p11-kit", lambda _, lower: bool(re.search(_P11_KIT, lower))),
    (b"private-key-format: v", "BIND", _always),
    (b"ssh private key file format 1.", "SSH 1", _always),
    (b"b3blbnnzac1rzxktdjea", "OpenSSH", _always),
    (b"== ed25519v1-secret:", "Tor", _always),
)
"""A marker in lower case, the name of the format, and a test of the text, unchanged and in lower case, for its key."""


# -- binary ------------------------------------------------------------------------------------------------


def _binary_form(data: bytes) -> str:
    if data.startswith((_JKS, _JCEKS)):
        return "Java keystore" if _has_java_key(data) else ""
    if data.startswith(b"openssh-key-v1\0"):
        return "OpenSSH"
    start = len(data) - len(data.removeprefix(_BYTE_ORDER_MARK).lstrip(b" \t\r\n"))
    for pos in _elements(data, start):
        element = data[pos:] if pos else data
        if looks_like_private_key_der(element):
            return "DER"
        if looks_like_pkcs12(element) and any(bag in data for bag in _KEY_BAGS):
            return "PKCS#12"
    return ""


def _elements(data: bytes, pos: int) -> Iterator[int]:
    """Yield the offsets of the first few consecutive DER elements from ``pos`` on, as in a chain of certificates."""
    for _ in range(64):
        if data[pos : pos + 1] != b"\x30":
            return
        yield pos
        try:
            tag, _, indefinite, _, pos = header(data, pos, len(data))
        except MalformedError:
            return
        if indefinite or tag != SEQUENCE:
            return


def _has_java_key(data: bytes) -> bool:
    """Return whether a keystore of type JKS or JCEKS has an entry that is not a trusted certificate."""
    try:
        version, count = struct.unpack_from(">II", data, 4)
        pos = 12
        for _ in range(count):
            if data[pos : pos + 4] != _TRUSTED_CERTIFICATE:
                return data[pos : pos + 4] in _JAVA_KEYS
            pos += 6 + struct.unpack_from(">H", data, pos + 4)[0] + 8
            if version != 1:
                pos += 2 + struct.unpack_from(">H", data, pos)[0]
            pos += 4 + struct.unpack_from(">I", data, pos)[0]
    except struct.error:  # the keystore is cut short
        return False
    return False
