"""Chromium and its derivatives: the managed policy ``CACertificates``, a list of certificates in base64.

Facts: chromeenterprise.google, policy list (CACertificates, since Chrome 128); components/policy/core/common,
config_dir_policy_loader.cc: every file of a directory is read, and a policy that two files set is not merged. So the
anchors are in a separate file, unless another file in the directory sets the policy. Then they are added to that file.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from rootfs_trust.errors import CONFLICT, MalformedError
from rootfs_trust.rootfs.view import Absent, File, View, join, read
from rootfs_trust.runtimes.policy_file import read_policies, texts_at, write_policies
from rootfs_trust.runtimes.programs import CHROMIUM
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree

NAME = "chromium"

POLICY = "CACertificates"
OURS = "rootfs-trust.json"


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has one of the browsers."""
    return any(True for _ in directories(tree.view))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan the policy of each browser, with the anchors."""
    result = RuntimePlan()
    for directory in directories(tree.view):
        path = join(directory, OURS)
        try:
            path = _path(tree.view, directory)
            _change(tree.view, path, request, result)
        except MalformedError as error:
            result.conflicts.append(
                CONFLICT(_path_of_error(error, path), error.message, "make it valid JSON, or remove it")
            )
    return result


def directories(view: View) -> Iterator[str]:
    """Yield the policy directory of each browser in the root filesystem."""
    yield from (directory for directory, _ in browsers(view))


def browsers(view: View) -> Iterator[tuple[str, str]]:
    """Yield the policy directory and the program of each browser in the root filesystem."""
    for directory, programs in CHROMIUM:
        path = next((path for path in programs if view.kind(path)), None)
        if path:
            yield directory, path


class _PolicyError(MalformedError):
    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def _path_of_error(error: MalformedError, path: str) -> str:
    return error.path if isinstance(error, _PolicyError) else path


def _path(view: View, directory: str) -> str:
    """Return the file that sets the policy, or the file of rootfs-trust if none does."""
    for name in view.names(directory):
        path = join(directory, name)
        if name.endswith(".json") and name != OURS and POLICY in _policies(view, path):
            return path
    return join(directory, OURS)


def _policies(view: View, path: str) -> dict[str, Any]:
    data = read(view, path)
    try:
        return {} if data is None else read_policies(data)
    except MalformedError as error:
        raise _PolicyError(path, error.message) from error


def _change(view: View, path: str, request: RuntimeRequest, result: RuntimePlan) -> None:
    policies = _policies(view, path)
    before = texts_at(policies, POLICY)
    kept = [text for text in before if _digest(text) not in request.removed]
    there = set(map(_digest, kept))
    anchors = sorted(request.anchors, key=lambda anchor: anchor.name)
    wanted = [each.certificate for each in anchors if each.certificate.sha256 not in request.removed]
    after = kept + [b64encode(each.der).decode() for each in wanted if each.sha256 not in there]
    if after == before:
        return
    policies[POLICY] = after
    data = read(view, path) or b""
    if after or path.rpartition("/")[2] != OURS:
        result.desired[path] = File(write_policies(policies, data))
    else:
        result.desired[path] = Absent()


def _digest(text: str) -> str:
    try:
        return sha256(b64decode(text), usedforsecurity=False).hexdigest()
    except ValueError:
        return ""
