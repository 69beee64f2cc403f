"""Node.js: environment variables that add the anchors to its compiled-in roots.

``NODE_USE_SYSTEM_CA=1`` adds the system's store, if every Node.js of the root filesystem knows it. Otherwise
``NODE_EXTRA_CA_CERTS`` names a file of the anchors.
"""

from __future__ import annotations

from rootfs_trust.errors import CONFLICT, MalformedError
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.view import Absent, File, View, join, read
from rootfs_trust.runtimes.find import NODE
from rootfs_trust.runtimes.node_version import knows_variable, node_version
from rootfs_trust.runtimes.pem_block import read_pem_file, with_block
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree

NAME = "node"

VARIABLE, SYSTEM = "NODE_EXTRA_CA_CERTS", "NODE_USE_SYSTEM_CA"
PATH = "/usr/share/rootfs-trust/node-extra-ca-certs.pem"
"""A file that only rootfs-trust writes."""
_SYSTEM_FILE, _SYSTEM_DIRECTORY = "/etc/ssl/cert.pem", "/etc/ssl/certs"
"""What NODE_USE_SYSTEM_CA=1 reads: OPENSSLDIR of nodejs.org's builds is /etc/ssl (src/crypto/crypto_context.cc)."""


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has Node.js."""
    return bool(tree.search.paths(NODE))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan the variable, and the file of the anchors if it needs one; neither if there are no anchors."""
    result = RuntimePlan()
    data = read(tree.view, PATH)
    by_system = bool(request.anchors) and _reads_system_store(tree, request)
    try:
        content = _content(data or b"", request)
    except MalformedError as error:
        result.conflicts.append(CONFLICT(PATH, error.message, "delete the file, then run install again"))
        return result
    if by_system:
        result.variables[SYSTEM] = "1"
    elif content:
        result.variables[VARIABLE] = PATH
        result.desired[PATH] = File(content)
    if data is not None and (by_system or not content):
        result.desired[PATH] = Absent()
    return result


def _reads_system_store(tree: RuntimeTree, request: RuntimeRequest) -> bool:
    """Return whether NODE_USE_SYSTEM_CA=1 makes every Node.js of the tree read the bundle with the anchors."""
    device = Device(tree.view)
    known = all(knows_variable(node_version(device, path)) for path in tree.search.paths(NODE))
    return known and _finds(tree.view, request.bundle)


def _finds(view: View, bundle: str) -> bool:
    paths = [_SYSTEM_FILE, *(join(_SYSTEM_DIRECTORY, name) for name in view.names(_SYSTEM_DIRECTORY))]
    real = view.real_path(bundle)
    return real is not None and any(view.real_path(path) == real for path in paths)


def _content(data: bytes, request: RuntimeRequest) -> bytes:
    file = read_pem_file(data)
    if file.others.strip():
        raise MalformedError("is a foreign file at the path where rootfs-trust writes the anchors for Node.js")
    return with_block(b"", file.wanted(request))
