"""Parses PEM the way p11-kit does, which differs from OpenSSL: BEGIN may occur anywhere, base64 in any lines.

Source: p11_pem_parse and pem_parse_block in common/pem.c, p11_b64_pton in common/base64.c.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_EMPTY_LINE = re.compile(rb"\n[ \t\v\f\r]*\n")
_SPACE = b" \t\n\v\f\r"


def blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield label and contents of each block. Invalid base64 is skipped; a malformed BEGIN or END stops parsing."""
    text, pos = data.partition(b"\0")[0], 0
    while (begin := text.find(_BEGIN, pos)) >= 0:
        label_end = text.find(_DASHES, begin + len(_BEGIN))
        label = text[begin + len(_BEGIN) : label_end]
        body = label_end + len(_DASHES)
        end = text.find(_END, body)
        if label_end < 0 or b"\n" in label or end < 0 or not text.startswith(_END + label + _DASHES, end):
            return
        contents = _decode(text[body:end]) if end > body else None
        if contents is not None:
            yield label.decode("latin-1"), contents
        pos = end + len(_DASHES)


def _decode(body: bytes) -> bytes | None:
    """Decode the text between BEGIN and END. Everything before the first empty line is a header, and ignored."""
    header = _EMPTY_LINE.search(body)
    text = body[header.end() if header else 0 :]
    contents = _base64(text)
    if contents is None and text[:-1].rstrip(_SPACE).endswith(b"="):
        return _base64(text[:-1])  # p11_b64_pton ignores the last character after padding
    return contents


def _base64(text: bytes) -> bytes | None:
    digits = text.translate(None, _SPACE)
    try:
        contents = a2b_base64(digits)
    except Base64Error:
        return None
    # No other characters, complete padding, unused bits zero: the encoding must be canonical.
    return contents if b2a_base64(contents, newline=False) == digits else None
