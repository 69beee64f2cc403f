"""Buildroot's store: sources that are unfit are reported, and the bundle is their bytes one after the other."""

from __future__ import annotations

from rootfs_trust.layouts.without_p11kit import BUILDROOT
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import encode
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

ONE, TWO = Authority("One"), Authority("Two")


def plan(**files: bytes) -> StorePlan:
    tree = {f"{BUILDROOT.tool.sources}/{name}.crt": File(data) for name, data in files.items()}
    return plan_store(BUILDROOT, MemoryTree(tree), Request(drop_unsourced=True))


def test_the_bundle_is_the_bytes_of_the_sources() -> None:
    assert plan(b=TWO.pem, a=ONE.pem).desired[BUILDROOT.bundle] == File(ONE.pem + TWO.pem)


def test_unusable_and_malformed_sources_are_reported() -> None:
    given = plan(a=b"no certificate", b=TWO.pem + b"# text\n", c=encode(ONE.der))
    assert [each.path for each in given.conflicts] == [f"{BUILDROOT.tool.sources}/a.crt"]
    assert [(each.id, each.path) for each in given.warnings] == [("pem-not-clean", f"{BUILDROOT.tool.sources}/b.crt")]
