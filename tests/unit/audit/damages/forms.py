"""Files that clients read each in their own way."""

from __future__ import annotations

from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import (
    BUNDLE,
    CA,
    CERTS,
    LOCAL,
    TWINS,
    GoodTree,
)

EXTRA = f"{CERTS}/extra.pem"
"""A file that somebody leaves in the hash directory: a copy of a CA that is there already, in some other form."""


@damage("private-key")
def a_source_holds_the_key_too(tree: GoodTree) -> None:
    tree.append(f"{LOCAL}/my-ca.crt", Authority("x").key_pem)


@damage("private-key")
def a_shipped_file_holds_a_key(tree: GoodTree) -> None:
    tree.write("usr/share/ca-certificates/mozilla/key.crt", Authority("x").key_pem)


@damage("private-key")
def a_key_in_der_is_in_the_hash_directory(tree: GoodTree) -> None:
    tree.write(f"{CERTS}/server.key", Authority("x").key_der)


@damage("pem-malformed", "client-cannot-read")
def a_block_is_cut_short(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.pem[:200] + b"\n-----END CERTIFICATE-----\n")


@damage("pem-malformed", "client-cannot-read")
def a_block_holds_no_certificate(tree: GoodTree) -> None:
    tree.write(EXTRA, encode(b"0\x03\x02\x01\x01"))


@damage("pem-malformed", "client-cannot-read")
def a_block_has_no_end(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.pem.replace(b"-----END CERTIFICATE-----\n", b""))


@damage("pem-glued", "client-cannot-read")
def two_blocks_are_glued(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.pem.rstrip(b"\n") + TWINS[0].pem)


@damage("pem-cr-only")
def lines_end_with_cr(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.pem.replace(b"\n", b"\r"))


@damage("pem-unseen")
def a_begin_line_is_indented(tree: GoodTree) -> None:
    tree.write(EXTRA, b"  " + CA.pem)


@damage("pem-unseen")
def a_file_is_utf_16(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.pem.decode().encode("utf-16"))


@damage("pem-bom")
def a_byte_order_mark(tree: GoodTree) -> None:
    tree.write(EXTRA, b"\xef\xbb\xbf" + CA.pem)


@damage("pem-label")
def a_label_of_openssl_alone(tree: GoodTree) -> None:
    labelled = CA.pem.replace(b" CERTIFICATE-", b" X509 CERTIFICATE-")
    tree.write(f"{LOCAL}/my-ca.crt", labelled)
    tree.replace(BUNDLE, CA.pem, labelled)


@damage("pem-label")
def a_trusted_certificate(tree: GoodTree) -> None:
    labelled = CA.pem.replace(b" CERTIFICATE-", b" TRUSTED CERTIFICATE-")
    tree.write(f"{LOCAL}/my-ca.crt", labelled)
    tree.replace(BUNDLE, CA.pem, labelled)


@damage("pem-other-section")
def a_request_is_in_the_hash_directory(tree: GoodTree) -> None:
    tree.write(EXTRA, encode(b"0\x03\x02\x01\x01", "CERTIFICATE REQUEST"))


@damage("pem-header", "client-cannot-read")
def a_block_with_a_header(tree: GoodTree) -> None:
    block = encode(b"0\x03\x02\x01\x01", "MESSAGE").replace(b"MESSAGE-----\n", b"MESSAGE-----\nSubject: x\n\n", 1)
    tree.write(EXTRA, block)


@damage("pem-octets-behind", "client-cannot-read")
def bytes_after_a_certificate(tree: GoodTree) -> None:
    tree.write(EXTRA, encode(CA.der + b"junk"))


@damage("der")
def der_in_the_hash_directory(tree: GoodTree) -> None:
    tree.write(EXTRA, CA.der)


@damage("several-certificates")
def two_certificates_in_one_source(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/both.crt", TWINS[0].pem + TWINS[1].pem)


@damage("no-certificate")
def a_source_without_a_certificate(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/empty.crt", b"")
