"""Decodes certificate files that are in UTF-16, or in base64 without PEM lines."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

_BEGIN = "-----BEGIN "
_UTF_16 = (
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
    (_BEGIN.encode("utf-16-le"), "utf-16-le"),
    (_BEGIN.encode("utf-16-be"), "utf-16-be"),
)
"""The first bytes of text in UTF-16: a byte order mark, or the first line of a PEM file."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")
_WHITE_SPACE = b" \t\r\n\v\f"
_DER_IN_BASE64 = b"MI"
_PEM_IN_BASE64 = b"LS0t"


def decoded(data: bytes) -> bytes:
    """Convert UTF-16 to UTF-8, and decode base64 of DER or PEM. Any other data is returned unchanged."""
    return base64_decoded(_as_utf_8(data))


def _as_utf_8(data: bytes) -> bytes:
    for start, encoding in _UTF_16:
        if data.startswith(start):
            return data.decode(encoding, "replace").removeprefix("\ufeff").encode()
    return data


def base64_decoded(data: bytes) -> bytes:
    """Return the decoded bytes if ``data`` contains only base64 of DER or PEM, else ``data``."""
    text = data.removeprefix(BOM_UTF8).lstrip()
    if not text.startswith((_DER_IN_BASE64, _PEM_IN_BASE64)):
        return data
    digits = text.translate(None, _WHITE_SPACE)
    if not _BASE64.fullmatch(digits):
        return data
    digits = digits.rstrip(b"=")
    try:
        return a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
    except Base64Error:
        return data
