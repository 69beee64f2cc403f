"""Node.js: the variable that its version knows, and its version."""

from __future__ import annotations

import pytest

from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Absent, File, Symlink
from rootfs_trust.runtimes import node
from rootfs_trust.runtimes.node_version import node_version
from rootfs_trust.runtimes.request import RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import parse_certificate
from tests.support.authority import Authority
from tests.support.memory import MemoryTree

OURS = Authority("Ours")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
REQUEST = RuntimeRequest((Anchor("ours", parse_certificate(OURS.der), ""),), bundle=BUNDLE)
DPKG = "/var/lib/dpkg/status"


def header(version: str) -> File:
    major, minor = version.split(".")
    text = f"#define NODE_MAJOR_VERSION {major}\n#define NODE_MINOR_VERSION {minor}\n#define NODE_PATCH_VERSION 9\n"
    return File(text.encode())


def tree_of(*versions: str, bundle: str = BUNDLE) -> dict:
    """A tree with a Node.js of each version, as nodejs.org packs it."""
    tree = {bundle: File(OURS.pem)}
    for version in versions:
        tree |= {
            f"/opt/n{version}/bin/node": File(b""),
            f"/opt/n{version}/include/node/node_version.h": header(version),
        }
    return tree


def answered(tree: dict, request: RuntimeRequest = REQUEST):
    return node.plan(RuntimeTree(MemoryTree(tree)), request)


@pytest.mark.parametrize(
    ("versions", "variable"),
    [
        (("22.19",), node.SYSTEM),
        (("24.6", "26.0"), node.SYSTEM),
        (("22.18",), node.VARIABLE),
        (("24.5",), node.VARIABLE),
        (("22.19", "20.20"), node.VARIABLE),
    ],
)
def test_the_systems_store_is_preferred_if_every_node_knows_the_variable(versions, variable):
    plan = answered(tree_of(*versions))
    assert plan.variables == {variable: "1" if variable == node.SYSTEM else node.PATH}
    assert list(plan.desired) == ([] if variable == node.SYSTEM else [node.PATH])


def test_a_bundle_that_node_does_not_read_is_not_relied_on():
    assert list(answered(tree_of("22.19", bundle="/opt/bundle.pem")).variables) == [node.VARIABLE]


def test_a_link_to_the_bundle_is_enough():
    tree = tree_of("22.19", bundle="/etc/pki/bundle.pem") | {"/etc/ssl/cert.pem": Symlink("/etc/pki/bundle.pem")}
    request = RuntimeRequest(REQUEST.anchors, bundle="/etc/pki/bundle.pem")
    assert list(answered(tree, request).variables) == [node.SYSTEM]


def test_the_file_of_an_earlier_run_goes_if_the_systems_store_is_used():
    old = answered(tree_of("20.20"))
    plan = answered(tree_of("22.19") | old.desired)
    assert plan.variables == {node.SYSTEM: "1"}
    assert isinstance(plan.desired[node.PATH], Absent)


def test_without_anchors_there_is_no_variable():
    assert answered(tree_of("22.19"), RuntimeRequest(bundle=BUNDLE)).variables == {}


@pytest.mark.parametrize(
    ("program", "others", "version"),
    [
        ("/usr/local/bin/node", {"/usr/local/include/node/node_version.h": header("22.21")}, (22, 21)),
        ("/root/.nvm/versions/node/v20.19.6/bin/node", {}, (20, 19)),
        ("/opt/node-v24.6.0-linux-arm64/bin/node", {}, (24, 6)),
        ("/usr/bin/node", {DPKG: File(b"Package: nodejs\nVersion: 1:20.19.2+dfsg-1\n")}, (20, 19)),
        ("/usr/bin/node", {"/lib/apk/db/installed": File(b"P:nodejs-22\nV:22.22.1-r0\n")}, (22, 22)),
        ("/opt/n/bin/node", {DPKG: File(b"Package: nodejs\nVersion: 20.19.2\n")}, None),
        ("/usr/bin/node", {DPKG: File(b"Package: nodejs-doc\nVersion: 20.19.2\n")}, None),
        ("/usr/bin/node", {"/usr/include/node/node_version.h": File(b"#define NODE_MAJOR_VERSION x\n")}, None),
    ],
)
def test_the_version_of_a_node(program, others, version):
    tree = {program: File(b""), "/opt/bin/node": Symlink(program), **others}
    for path in (program, "/opt/bin/node"):
        assert node_version(Device(MemoryTree(tree)), path) == version


@pytest.mark.parametrize("number", ["1" * 5000, "\u0661" * 5000])
def test_a_number_of_thousands_of_digits_is_not_a_version(number):
    """int() raises ValueError for it."""
    tree = MemoryTree(
        {
            "/opt/node/bin/node": File(b""),
            "/opt/node/include/node/node_version.h": header(f"{number}.1"),
            "/usr/bin/node": File(b""),
            DPKG: File(f"Package: nodejs\nVersion: {number}.1\n\n".encode()),
        }
    )
    assert [node_version(Device(tree), path) for path in ("/opt/node/bin/node", "/usr/bin/node")] == [None, None]
