"""Throws mutated input at everything that reads foreign bytes. Run by hand, with atheris (no dependency of ours):

python3.11 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris
PYTHONPATH=. /tmp/fuzz/bin/python tests/fuzz/fuzz_parse.py -max_total_time=600 CORPUS_FOLDER

Nothing but MalformedError may come out of a parser, and nothing at all out of the rest. Two things are held
beside: reading PEM by the short way gives what reading by lines does, and what is parsed is parsed again.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["rootfs_trust"]):
    from rootfs_trust import x509
    from rootfs_trust.errors import MalformedError
    from rootfs_trust.store import hash_links
    from rootfs_trust.x509 import pem


def ask_everything(certificate: x509.Certificate) -> None:
    for attribute in dir(certificate):
        if not attribute.startswith("_"):
            getattr(certificate, attribute)
    for name in (certificate.subject, certificate.issuer):
        text = f"{name.text}{name.common_name}{name.organization}{name.hash}{name.hash_old}"
        text.encode()
        if x509.Name(name.raw) != name:
            raise AssertionError("a name read twice is another one")
    if x509.parse_certificate(certificate.der + b"\0", trailing=True) != certificate:
        raise AssertionError("a certificate read twice is another one")


def binary(data: bytes) -> None:
    for parse in (x509.parse_certificate, x509.parse_crl, x509.Name):
        try:
            found = parse(data)
        except MalformedError:
            continue
        if isinstance(found, x509.Certificate):
            ask_everything(found)
    for question in (x509.looks_like_pkcs7, x509.looks_like_pkcs12):
        question(data)


def text(data: bytes) -> None:
    entry = hash_links.read_entry("a.pem", data)
    if not entry.linkables and not entry.warnings:
        raise AssertionError("a file got no link, and nothing was told")
    hash_links.links([entry], ("new", "old"))
    for _, found in x509.read_objects(data).certificates:
        ask_everything(found)
    x509.private_key_form(data)
    x509.unrecognized_begin_lines(data)
    if pem.blocks(data) != list(pem._odd_blocks(pem._Lines(data, 0, 1))):
        raise AssertionError("the short way through PEM gives something else")


def one_input(data: bytes) -> None:
    binary(data)
    text(data)
    for label in ("CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL", "EC PRIVATE KEY"):
        text(pem.encode(data, label))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
