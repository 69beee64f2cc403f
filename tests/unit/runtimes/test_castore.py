"""Erlang's certifi, whose roots are in a file and, compiled in, in a module."""

from __future__ import annotations

import pytest

from rootfs_trust.clients import castore as client
from rootfs_trust.clients.file_readers import FileReader
from rootfs_trust.rootfs.device import Device
from rootfs_trust.runtimes import castore
from rootfs_trust.runtimes.request import RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import File, MemoryTree

THEIRS, OURS = Authority("Theirs"), Authority("Ours")
REQUEST = RuntimeRequest((Anchor("ours", parse_certificate(OURS.der), ""),))
APP = "/opt/release/lib/certifi-2.12.0"
CERTIFI = {f"{APP}/priv/cacerts.pem": File(THEIRS.pem), f"{APP}/ebin/certifi.beam": File(b"FOR1")}
CASTORE = {
    "/opt/lib/castore/priv/cacerts.pem": File(THEIRS.pem),
    "/opt/lib/castore/ebin/Elixir.CAStore.beam": File(b"FOR1"),
}


@pytest.mark.parametrize(
    ("files", "request_", "warned"),
    [
        (CERTIFI, REQUEST, [f"{APP}/ebin/certifi.beam"]),
        (CERTIFI, RuntimeRequest(removed=frozenset({OURS.sha256})), []),
        (CASTORE, REQUEST, []),
    ],
    ids=["certifi", "remove", "castore"],
)
def test_a_module_with_roots_is_a_warning_wherever_anchors_are_added(files, request_, warned):
    plan = castore.plan(RuntimeTree(MemoryTree(files)), request_)
    assert [(each.id, each.path) for each in plan.warnings] == [("compiled-roots", path) for path in warned]


@pytest.mark.parametrize(("files", "noted"), [(CERTIFI, True), (CASTORE, False)], ids=["certifi", "castore"])
def test_a_verdict_says_which_callers_it_is_about(files, noted):
    (found,) = client.clients(FileReader(Device(MemoryTree(files))))
    assert ("certifi:cacerts/0" in found.note) is noted
