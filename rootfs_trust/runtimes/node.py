"""Node.js: ``NODE_EXTRA_CA_CERTS`` names a file of the anchors, which Node.js adds to its compiled-in roots."""

from __future__ import annotations

from rootfs_trust.errors import MalformedError
from rootfs_trust.rootfs.view import Absent, File, read
from rootfs_trust.runtimes.find import NODE
from rootfs_trust.runtimes.pem_block import read_pem_file, with_block
from rootfs_trust.runtimes.request import RuntimeAnswer, RuntimeRequest, RuntimeTree, conflict

NAME = "node"
TITLE = "`NODE_EXTRA_CA_CERTS`, with a file of the anchors"

VARIABLE = "NODE_EXTRA_CA_CERTS"
PATH = "/usr/share/rootfs-trust/node-extra-ca-certs.pem"
"""A file of ours: nothing else is written to it."""


def present(tree: RuntimeTree) -> bool:
    """Whether the root filesystem has Node.js."""
    return bool(tree.search.paths(NODE))


def answer(tree: RuntimeTree, request: RuntimeRequest) -> RuntimeAnswer:
    """The file of the anchors and the variable that names it; neither where there are no anchors."""
    result = RuntimeAnswer()
    data = read(tree.view, PATH)
    try:
        content = _content(data or b"", request)
    except MalformedError as error:
        result.conflicts.append(conflict(PATH, error.message, "delete the file, then run install again"))
        return result
    if content:
        result.desired[PATH] = File(content)
        result.variables[VARIABLE] = PATH
    elif data is not None:
        result.desired[PATH] = Absent()
    return result


def _content(data: bytes, request: RuntimeRequest) -> bytes:
    file = read_pem_file(data)
    if file.others.strip():
        raise MalformedError("is a file of somebody else where rootfs-trust keeps the anchors for Node.js")
    return with_block(b"", file.wanted(request))
