"""Firefox: the policy ``Certificates.Install``, a list of certificate files.

Facts: mozilla.github.io/policy-templates (Certificates, Install); EnterprisePoliciesParent.sys.mjs:
``policies/policies.json`` in ``/etc/firefox`` is read in place of ``distribution/policies.json`` below the program. The
name of the directory is the application's name in lower case (GetUnixSystemConfigDir in SpecialSystemDirectory.cpp),
also for Debian's ESR, whose name is Firefox, too. A new file in ``/etc`` would hide the ``distribution`` file of every
Firefox. So if only the ``distribution`` file exists, that file is changed.
"""

from __future__ import annotations

from typing import Any

from rootfs_trust.errors import CONFLICT, MalformedError
from rootfs_trust.rootfs.view import Absent, Directory, File, View, join, read
from rootfs_trust.runtimes.policy_file import object_at, read_policies, texts_at, write_policies
from rootfs_trust.runtimes.programs import FIREFOX, FIREFOX_COMMANDS, FIREFOX_POLICIES
from rootfs_trust.runtimes.request import RuntimePlan, RuntimeRequest, RuntimeTree
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.x509 import encode, read_objects

NAME = "firefox"

DIRECTORY = "/usr/share/rootfs-trust/firefox"
"""Directory that only rootfs-trust writes: one PEM file for each anchor, which the policy names."""


def present(tree: RuntimeTree) -> bool:
    """Return whether the root filesystem has Firefox."""
    return bool(policy_files(tree.view))


def plan(tree: RuntimeTree, request: RuntimeRequest) -> RuntimePlan:
    """Plan the policies, and the files that they name."""
    result = RuntimePlan()
    view = tree.view
    ours = _ours(view)
    wanted = {f"{anchor.name}.pem": encode(anchor.certificate.der) for anchor in _wanted(view, ours, request)}
    for path in policy_files(view):
        try:
            _change(view, path, [join(DIRECTORY, name) for name in sorted(wanted)], result)
        except MalformedError as error:
            result.conflicts.append(CONFLICT(path, error.message, "make it valid JSON, or remove it"))
    result.desired |= {join(DIRECTORY, name): File(content) for name, content in wanted.items()}
    result.desired |= {join(DIRECTORY, name): Absent() for name in ours if name not in wanted}
    return result


def _ours(view: View) -> list[str]:
    return [name for name in view.names(DIRECTORY) if name.endswith(".pem")]


def _wanted(view: View, ours: list[str], request: RuntimeRequest) -> list[Anchor]:
    """Return the anchors of earlier runs and those of this run, by name."""
    kept: dict[str, Anchor] = {}
    for name in ours:
        stem = name.removesuffix(".pem")
        for _, certificate in read_objects(read(view, join(DIRECTORY, name)) or b"").certificates[:1]:
            kept[stem] = Anchor(stem, certificate, "")
    asked = kept | {anchor.name: anchor for anchor in request.anchors}
    return [anchor for anchor in asked.values() if anchor.certificate.sha256 not in request.removed]


def policy_files(view: View) -> list[str]:
    """Return the policy file of each Firefox, without duplicates."""
    return list(dict.fromkeys(path for path, _ in installations(view)))


def installations(view: View) -> list[tuple[str, str]]:
    """Return the policy file that each Firefox reads, with its directory or command.

    It is the system's policy file, or that of the program if no system file exists and a Firefox has such a file.
    """
    own = {path: f"{path}/distribution/policies.json" for path in FIREFOX if view.kind(path) is Directory}
    shared = view.kind(FIREFOX_POLICIES) is File or not any(view.kind(path) is File for path in own.values())
    found = [(FIREFOX_POLICIES if shared else path, program) for program, path in own.items()]
    return found or [(FIREFOX_POLICIES, command) for command in FIREFOX_COMMANDS if view.kind(command)]


def _change(view: View, path: str, wanted: list[str], result: RuntimePlan) -> None:
    data = read(view, path)
    document: dict[str, Any] = {} if data is None else read_policies(data)
    policies = object_at(document, "policies")
    certificates = object_at(policies, "Certificates")
    before = texts_at(certificates, "Install")
    after = [name for name in before if not name.startswith(f"{DIRECTORY}/")] + wanted
    if after == before:
        return
    certificates["Install"] = after
    _without_empty(document)
    if document:
        result.desired[path] = File(write_policies(document, data or b""))
    elif data is not None:
        result.desired[path] = Absent()


def _without_empty(document: dict[str, Any]) -> None:
    """Remove an empty list and the empty objects around it, so that removing anchors restores the previous file."""
    policies = document["policies"]
    if not policies["Certificates"]["Install"]:
        del policies["Certificates"]["Install"]
    if not policies["Certificates"]:
        del policies["Certificates"]
    if not policies:
        del document["policies"]
