"""Recognizes files that users mistake for certificate files, so that a message can say what they are."""

from __future__ import annotations

import re
from typing import NamedTuple

from rootfs_trust.inputs.archives import is_zip
from rootfs_trust.inputs.keystores import is_keystore
from rootfs_trust.inputs.kubernetes import kubernetes_kind
from rootfs_trust.x509 import looks_like_pkcs7, looks_like_request


class KnownForm(NamedTuple):
    """The form of a file, and what to use instead."""

    what: str
    instead: str


_READ = "PEM, DER, PKCS#7, JKS, PKCS#12 and certdata.txt are read"
_EMPTY = KnownForm("the file is empty", _READ)
_UNKNOWN = KnownForm("no certificate was found in the file", _READ)
_REQUEST = KnownForm(
    "the file is a certificate request, not a certificate", "give the certificate of the CA that signs such requests"
)
_WEB_PAGE = KnownForm(
    "the file is a web page (HTML), not a certificate",
    "a login or error page was saved in its place: download the file again, and compare its digest",
)
_ADDRESS = KnownForm(
    "the file contains a URL, not a certificate", "download the certificate from there, and compare its digest"
)
_PUBLIC_KEY = KnownForm("the file is a public key, not a certificate", "give the CA certificate that has this key")
_CRL = KnownForm("the file is a certificate revocation list (CRL), not a certificate", "give the certificate of the CA")
_PDF = KnownForm("the file is a PDF document, not a certificate", "export the certificate itself as PEM or DER")
_ARCHIVE = KnownForm("the file is a compressed archive", "unpack it, and give the certificate files")

_LABELS = (
    (b"-----BEGIN CERTIFICATE REQUEST-----", _REQUEST),
    (b"-----BEGIN NEW CERTIFICATE REQUEST-----", _REQUEST),
    (b"-----BEGIN X509 CRL-----", _CRL),
    (b"-----BEGIN PUBLIC KEY-----", _PUBLIC_KEY),
    (b"-----BEGIN RSA PUBLIC KEY-----", _PUBLIC_KEY),
)
_STARTS = (
    (b"%PDF-", _PDF),
    (b"\x1f\x8b", _ARCHIVE),
    (b"\xfd7zXZ\0", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"ssh-", _PUBLIC_KEY),
)
_HTML = re.compile(rb"<!doctype html|<html[\s>]", re.I)
_URL_FILE = re.compile(rb"(?:\[InternetShortcut\]\s+URL=)?(?:https?|ftps?|file)://\S+\s*", re.I)
_TAR = slice(257, 262)


_CONTAINERS = (
    (is_keystore, "the file is a keystore (JKS or PKCS#12), which does not say in which order a server sends"),
    (looks_like_pkcs7, "the file is PKCS#7, which does not say in which order a server sends"),
    (is_zip, "the file is a zip archive"),
    (kubernetes_kind, "the file is a Kubernetes object"),
)
"""Forms that contain certificates, but not the chain of a server."""


def not_a_chain(data: bytes) -> str:
    """Describe a file that was given as the chain of a server but contains none."""
    return next((what for question, what in _CONTAINERS if question(data)), None) or known_form(data).what


def known_form(data: bytes) -> KnownForm:
    """Describe a file that contains no certificate."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return _EMPTY
    by_start = (form for start, form in _STARTS if data.startswith(start))
    by_label = (form for label, form in _LABELS if label in data)
    return next(by_start, None) or next(by_label, None) or _by_structure(data, text)


def _by_structure(data: bytes, text: bytes) -> KnownForm:
    if looks_like_request(data):
        return _REQUEST
    if data[_TAR] == b"ustar":
        return _ARCHIVE
    if _HTML.search(text, 0, 1024):
        return _WEB_PAGE
    return _ADDRESS if _URL_FILE.fullmatch(text, 0, 4096) else _UNKNOWN
