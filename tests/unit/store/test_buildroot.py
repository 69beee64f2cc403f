"""Buildroot's store: sources that are unfit are reported, and the bundle is their bytes one after the other."""

from __future__ import annotations

from rootfs_trust.store.layout import Request, StorePlan
from rootfs_trust.store.layouts import BUILDROOT
from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

ONE, TWO = Authority("One"), Authority("Two")


def plan(**files: bytes) -> StorePlan:
    tree = {f"{BUILDROOT.sources}/{name}.crt": File(data) for name, data in files.items()}
    return BUILDROOT.plan(MemoryTree(tree), Request(drop_unsourced=True))


def test_the_bundle_is_the_bytes_of_the_sources() -> None:
    assert plan(b=TWO.pem, a=ONE.pem).desired[BUILDROOT.bundle] == File(ONE.pem + TWO.pem)


def test_unusable_and_malformed_sources_are_reported() -> None:
    given = plan(a=b"no certificate", b=TWO.pem + b"# text\n", c=encode(ONE.der))
    assert [each.path for each in given.conflicts] == [f"{BUILDROOT.sources}/a.crt"]
    assert [(each.id, each.path) for each in given.warnings] == [("pem-not-clean", f"{BUILDROOT.sources}/b.crt")]
