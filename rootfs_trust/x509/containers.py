"""Telling by its first elements what a DER file is, so that a message can name it."""

from __future__ import annotations

from collections.abc import Callable

from rootfs_trust.errors import MalformedError
from rootfs_trust.x509.der import Reader
from rootfs_trust.x509.primitive import SEQUENCE

_PKCS7 = bytes.fromhex("2a864886f70d0107")  # 1.2.840.113549.1.7


def looks_like_pkcs7(data: bytes) -> bool:
    """A ContentInfo of PKCS #7 or CMS (RFC 5652, section 3)."""
    return answer(_is_content_info, data)


def looks_like_pkcs12(data: bytes) -> bool:
    """A PFX of PKCS #12 (RFC 7292, section 4)."""
    return answer(_is_pfx, data)


def answer(question: Callable[[Reader], bool], data: bytes) -> bool:
    """Ask about the contents of the SEQUENCE that ``data`` begins with; what cannot be read is a no."""
    try:
        return question(Reader(data).enter(SEQUENCE))
    except MalformedError:
        return False


def _is_content_info(body: Reader) -> bool:
    return body.oid().startswith(_PKCS7)


def _is_pfx(body: Reader) -> bool:
    return body.integer() == b"\3" and _is_content_info(body.enter(SEQUENCE))
