"""Anchors that are not what they should be."""

from __future__ import annotations

import os

from rootfs_trust.inputs.constraints import host_names
from rootfs_trust.x509 import encode, parse_certificate
from rootfs_trust.x509.constrained import constrained
from rootfs_trust.x509.name import NameConstraints
from tests.support.authority import DAY, NOW, Authority, small_rsa_key
from tests.unit.audit.damages.damage import damage
from tests.unit.audit.good_tree import (
    BUNDLE,
    CA,
    CERTS,
    LOCAL,
    GoodTree,
    hash_of,
)


@damage("expired", asked={"at": NOW + 4000 * DAY})
def years_go_by(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("expires-soon", policy="min_days_left = 3700")
def the_image_has_to_last(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("not-yet-valid", asked={"at": NOW - 60 * DAY})
def the_clock_is_behind(tree: GoodTree) -> None:
    """Nothing is done."""


@damage("younger-than-clock")
def the_image_has_an_old_clock(tree: GoodTree) -> None:
    tree.write("usr/lib/clock-epoch", b"")
    os.utime(tree.path / "usr/lib/clock-epoch", (1_600_000_000, 1_600_000_000))


@damage("younger-than-clock")
def the_image_has_an_old_clock_in_yoctos_way(tree: GoodTree) -> None:
    tree.write("etc/timestamp", b"20110406000000\n")


@damage("anchor-missing", config='[[anchor]]\nfile = "wanted.pem"\n')
def an_anchor_of_the_config_was_never_installed(tree: GoodTree) -> None:
    (tree.path.parent / "wanted.pem").write_bytes(Authority("Wanted CA").pem)


@damage("unreadable-dates")
def without_date(tree: GoodTree) -> None:
    end = f"{NOW + 3650 * DAY:%y%m%d%H%M%SZ}".encode()
    assert CA.der.count(end) == 1
    pem = encode(CA.der.replace(end, b"no date yetZ!"))
    tree.write(f"{LOCAL}/my-ca.crt", pem)
    tree.replace(BUNDLE, CA.pem, pem)


@damage("forbidden", policy=f'forbid = ["{CA.sha256}"]')
def an_anchor_is_forbidden(tree: GoodTree) -> None:
    """Nothing is done."""


INSPECTION = Authority("Inspection CA")


@damage("forbidden", "not-in-store", policy=f'forbid = ["{INSPECTION.sha256}"]')
def a_source_is_forbidden(tree: GoodTree) -> None:
    tree.write(f"{LOCAL}/inspection.crt", INSPECTION.pem)


@damage("weak-key")
def a_short_key(tree: GoodTree) -> None:
    tree.install("short", Authority("Short CA", key=small_rsa_key(1024)))


SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("06092a864886f70d010105")


@damage("weak-signature")
def an_intermediate_signed_with_sha1(tree: GoodTree) -> None:
    """Nobody signs so any more: the name of the algorithm is exchanged, and the signature is wrong."""
    root = Authority("RSA Root", key=small_rsa_key(2048))
    inner = Authority("Inner CA", issuer=root)
    assert inner.der.count(SHA256_WITH_RSA) == 2
    tree.install("root", root)
    tree.put("inner", encode(inner.der.replace(SHA256_WITH_RSA, SHA1_WITH_RSA)), inner)


@damage("not-a-ca")
def a_server_that_signed_itself(tree: GoodTree) -> None:
    tree.install("edge", Authority("edge.example", ca=False))


@damage("not-an-anchor")
def a_server_of_a_ca(tree: GoodTree) -> None:
    server = CA.server("edge.example")
    tree.put("edge", server.pem, server)


@damage("ca-names-server")
def a_ca_that_is_a_server_too(tree: GoodTree) -> None:
    tree.install("edge", Authority("edge.example", names=("edge.example",)))


@damage("issuer-missing")
def an_intermediate_alone(tree: GoodTree) -> None:
    tree.install("inner", Authority("Inner CA", issuer=Authority("Root of it")))


COMPANY = Authority("Company CA")
FENCED = encode(constrained(parse_certificate(COMPANY.der), NameConstraints((host_names("corp.example"),))).der)


@damage("fence-bypassed")
def the_original_is_beside_a_constrained_anchor(tree: GoodTree) -> None:
    tree.install("company", COMPANY)
    tree.write(f"{LOCAL}/some-names.crt", FENCED)
    tree.link(f"{CERTS}/some-names.pem", f"/{LOCAL}/some-names.crt")
    tree.link(f"{CERTS}/{hash_of(COMPANY)}.1", "some-names.pem")
    tree.append(BUNDLE, FENCED)


@damage("fence-bypassed", "certifi-store")
def the_original_is_in_a_runtime(tree: GoodTree) -> None:
    tree.put("company", FENCED, COMPANY)
    tree.write("usr/lib/python3/dist-packages/certifi/cacert.pem", CA.pem + COMPANY.pem)
