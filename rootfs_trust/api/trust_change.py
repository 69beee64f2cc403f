"""Check that a run removes exactly the requested certificates from all clients of a tree, and no others.

Compares what the clients read before the run with what they would read after it. Roots that are compiled into a program
cannot be removed and are only a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.clients import node
from rootfs_trust.clients.file_readers import file_reader
from rootfs_trust.clients.pkcs12 import keystore_certificates
from rootfs_trust.clients.readings import ClientReading, TrustedBy, TrustingClient, readings, trusted_by
from rootfs_trust.clients.table import DIRECTORIES, JAVA_STORES
from rootfs_trust.errors import CONFLICT, DISTRUSTED_YET_TRUSTED, REPLACED_YET_TRUSTED, MalformedError, Problem
from rootfs_trust.layouts import BUNDLES
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Absent, Symlink, View, parent, read
from rootfs_trust.store.anchor import Anchor, name_of_subject
from rootfs_trust.store.plan_store import plan_store
from rootfs_trust.store.selection import DIGEST, Selection, selected
from rootfs_trust.store.store_plan import Request, StorePlan
from rootfs_trust.x509 import Certificate, read_objects

# -- gone ------------------------------------------------------------------------------------------------------


def without_trust(
    device: Device, layout: Layout, request: Request, store: StorePlan
) -> tuple[StorePlan, frozenset[str]]:
    """Return the plan without any copy of removed certificates, and the SHA-256 that must be gone.

    A file in a directory that clients read is also a copy, if it contains nothing else. The digests are for
    :func:`what_keeps`.
    """
    every = {word.removeprefix(DIGEST) for word in request.remove if word.startswith(DIGEST)}
    every |= request.distrust | store.selected | _selected_afterwards(device, request, store)
    # Roots outside the root program are removed only from the distribution's store, not from other stores.
    named = set() if request.only else {anchor.certificate.sha256 for anchor in store.removed} - every - store.outside
    if not (every or named):
        return store, frozenset()
    before = read_by_clients(device) if every else {}
    store, copies = _without_copies(device, layout, request, store, every)
    _settle(store, every.intersection(before), before)
    store.desired |= {path: each for path, each in copies.items() if path not in store.desired}
    told = {warning.id for warning in store.warnings}
    return store, frozenset(every if "distrusted-yet-trusted" in told else every | named)


def _selected_afterwards(device: Device, request: Request, store: StorePlan) -> set[str]:
    """Return the SHA-256 of the selected certificates that clients would still read after the run. A hash link that the
    run creates may make a foreign file readable.
    """
    if not request.selections:
        return set()
    after = read_by_clients(Device(PlannedTree(device, store.desired)))
    return {sha256 for sha256, (held, _) in after.items() if selected(request.selections, held)}


def with_digests_of_clients(device: Device, request: Request) -> Request:
    """Return ``request`` with selections that also match certificates that only clients of the tree read."""
    before = read_by_clients(device)

    def known(each: Selection) -> Selection:
        return each._replace(read=frozenset(sha256 for sha256, (held, _) in before.items() if each.matches(held)))

    named = {name: known(each) for name, each in request.named.items()}
    return request._replace(selections=tuple(map(known, request.selections)), named=named)


def what_keeps(device: Device, finished: Device, gone: frozenset[str]) -> StorePlan:
    """Return a conflict for each file through which a client of the tree ``finished``, which the run leaves, would
    still trust one of the digests ``gone``.
    """
    plan = StorePlan()
    after = read_by_clients(finished)
    for sha256 in sorted(gone.intersection(after)):
        _report(device, after[sha256], plan)
    return plan


def read_by_clients(device: Device) -> dict[str, TrustedBy]:
    """Return the certificates that any client of the tree trusts, by SHA-256."""
    return trusted_by(readings(device))


def _without_copies(
    device: Device, layout: Layout, request: Request, store: StorePlan, every: set[str]
) -> tuple[StorePlan, dict[str, Absent]]:
    """Return the plan for a tree without the foreign files that contain only a certificate of ``every``, and a list of
    these files.
    """
    copies: dict[str, Absent] = {}
    while more := set(_copies(PlannedTree(device, {**copies, **store.desired}), every)) - set(copies):
        copies |= dict.fromkeys(sorted(more), Absent())
        store = plan_store(layout, PlannedTree(device, copies), request)
    return store, copies


def _copies(view: View, every: set[str]) -> Iterator[str]:
    found = read_by_clients(Device(view))
    folders = {view.real_path(path) for path in DIRECTORIES}
    bundles = {view.real_path(path) for path in BUNDLES}
    for sha256 in every.intersection(found):
        for path in {reader.path for reader in found[sha256].readers}:
            if parent(path) in folders and path not in bundles and _holds_only(view, path, sha256):
                yield path


def _holds_only(view: View, path: str, sha256: str) -> bool:
    """Return whether a file, or the target of a link, contains this certificate and nothing else."""
    found = read_objects(read(view, path) or b"")
    others = found.crls or found.keys or found.others or found.bad
    return not others and {each.sha256 for _, each in found.certificates} == {sha256}


def _settle(store: StorePlan, found: set[str], before: dict[str, TrustedBy]) -> None:
    """Drop the "unknown anchor" problem of a digest that no source file has, if a client reads the certificate."""
    arguments = {f"{DIGEST}{sha256}" for sha256 in found}
    store.problems = [each for each in store.problems if each.argument not in arguments]
    removed = {anchor.certificate.sha256 for anchor in store.removed}
    for sha256 in sorted(found - removed):
        certificate, (first, *_) = before[sha256]
        store.removed.append(Anchor(name_of_subject(certificate.subject, sha256), certificate, first.path))


def _report(device: Device, kept: TrustedBy, store: StorePlan) -> None:
    """Add a conflict for each file that keeps a certificate trusted, or a warning if a program has it compiled in."""
    program = node.program(file_reader(device))
    for path, clients in _by_path(kept.readers).items():
        message = f"keeps {_description(kept.certificate)} trusted by {clients}"
        if path == program:
            hint = "its roots are compiled in; use a version without it"
            store.warnings.append(DISTRUSTED_YET_TRUSTED(path, message, hint))
        else:
            store.conflicts.append(CONFLICT(path, message, _advice(device.view, path, clients)))


_RUNTIMES = ("certifi", "java", "castore")
"""Clients whose own stores ``--runtimes`` changes."""


def _advice(view: View, path: str, clients: str) -> str:
    if isinstance(view.node(path), Symlink):
        return "delete this link, if nothing else needs it"
    if clients.partition(":")[0].partition(" ")[0] in _RUNTIMES and path not in JAVA_STORES:
        return "it is a program's own store; --runtimes auto removes the certificate from it"
    several = len(read_objects(read(view, path) or b"").certificates) > 1
    return "remove the certificate from this file" if several else "remove the certificate from this file, or delete it"


def _by_path(readers: Iterable[TrustingClient]) -> dict[str, str]:
    clients: dict[str, dict[str, None]] = {}
    for reader in readers:
        name = f"{reader.client} ({reader.because})" if reader.because else reader.client
        clients.setdefault(reader.path, {})[name] = None
    return {path: ", ".join(names) for path, names in clients.items()}


def _description(certificate: Certificate) -> str:
    return f"{certificate.subject.text or 'a certificate'} (sha256 {certificate.sha256[:16]}...)"


# -- replaced --------------------------------------------------------------------------------------------------


def still_trusted(finished: Device, replaced: frozenset[str]) -> Iterator[Problem]:
    """Yield a warning for each file through which a client of the tree ``finished`` trusts a replaced certificate."""
    after = read_by_clients(finished)
    for sha256 in sorted(replaced.intersection(after)):
        kept = after[sha256]
        for path, clients in _by_path(kept.readers).items():
            message = f"keeps {_description(kept.certificate)}, which this run replaces, trusted by {clients}"
            yield REPLACED_YET_TRUSTED(path, message, f"to remove it, use remove {DIGEST}{sha256}")


# -- nothing lost ----------------------------------------------------------------------------------------------


def lost(
    device: Device, layout: Layout, request: Request, store: StorePlan, finished: Device, replaced: frozenset[str]
) -> Iterator[Problem]:
    """Return a conflict for each certificate that a client would lose although the request does not remove it.

    ``finished`` is the tree that the run leaves.

    Needed only if :func:`~rootfs_trust.api.may_lose.may_lose` returns True.
    """
    before = readings(device)
    if not any(each.anchors for each in before):
        return
    after = {_key(each): each for each in readings(finished)}
    still = {anchor.certificate.sha256 for each in after.values() for anchor in each.anchors}
    asked = _requested_removals(device.view, layout, request, store) | replaced
    judged = _judged_by_layout(device.view) - still
    missing: dict[str, tuple[Certificate, list[TrustingClient]]] = {}
    for each in before:
        now = after.get(_key(each))
        expected = asked | judged | ({anchor.certificate.sha256 for anchor in now.anchors} if now else still)
        for certificate, path, _ in each.anchors:
            if certificate.sha256 not in expected:
                readers = missing.setdefault(certificate.sha256, (certificate, []))[1]
                readers.append(TrustingClient(each.client, path, each.because))
    for certificate, readers in missing.values():
        yield from _losses(layout, certificate, readers)


def _key(each: ClientReading) -> tuple[str, str]:
    return each.client, each.because


def _losses(layout: Layout, certificate: Certificate, readers: list[TrustingClient]) -> Iterator[Problem]:
    hint = (
        f"to keep it, use install --cert, which copies it to {layout.local}; "
        f"to drop it, use remove {DIGEST}{certificate.sha256}"
    )
    for path, clients in _by_path(readers).items():
        message = f"holds {_description(certificate)}, which {clients} would no longer trust after this run"
        yield CONFLICT(path, message, hint)


def _requested_removals(view: View, layout: Layout, request: Request, store: StorePlan) -> set[str]:
    """Return the SHA-256 of certificates that the caller removes, distrusts or drops as unsourced."""
    asked = {anchor.certificate.sha256 for anchor in store.removed} | request.distrust | store.selected | store.expired
    files = [layout.bundle, *JAVA_STORES] if request.drop_unsourced else []
    return asked.union(*(_digests(read(view, path) or b"") for path in files))


def _digests(data: bytes) -> set[str]:
    """Return the SHA-256 of the certificates in a PEM file or keystore."""
    try:
        found = keystore_certificates(data)
    except MalformedError:
        found = tuple(each for _, each in read_objects(data).certificates)
    return {each.sha256 for each in found}


def _judged_by_layout(view: View) -> set[str]:
    """Return the SHA-256 of the certificates in source files. The layout itself distrusts these."""
    trust = Trust(view)
    return {*trust.local, *trust.shipped}
