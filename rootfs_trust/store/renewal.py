"""Renews a constrained anchor: the newer certificate of the CA is constrained to the same names."""

from __future__ import annotations

from collections.abc import Iterable

from rootfs_trust.errors import CONFLICT, MalformedError, Problem
from rootfs_trust.layouts.layout import Layout
from rootfs_trust.rootfs.view import View, join, read
from rootfs_trust.store.anchor import Anchor
from rootfs_trust.store.source_file import read_source
from rootfs_trust.x509 import Certificate
from rootfs_trust.x509.constrained import constrained, original_of


def with_kept_names(view: View, layout: Layout, anchors: Iterable[Anchor]) -> tuple[list[Anchor], list[Problem]]:
    """Constrain each anchor that replaces a constrained one to the same names, unless it has its own.

    Returns the anchors, and a conflict for each that cannot be constrained.
    """
    kept: list[Anchor] = []
    conflicts: list[Problem] = []
    for anchor in anchors:
        old = _constrained_before(view, layout, anchor)
        try:
            kept.append(anchor if old is None else _constrained_like(old, anchor))
        except MalformedError as error:
            message = f"replaces an anchor that is constrained to some names, and {error.message}"
            conflicts.append(CONFLICT(anchor.where, message, f"remove {anchor.name} first"))
    return kept, conflicts


def _constrained_like(old: Certificate, anchor: Anchor) -> Anchor:
    if old.name_constraints is None:
        raise MalformedError("its name constraints cannot be read")
    return anchor._replace(certificate=constrained(anchor.certificate, old.name_constraints))


def _constrained_before(view: View, layout: Layout, anchor: Anchor) -> Certificate | None:
    """Return the constrained certificate that the anchor replaces, by file name, or by subject in the bundle."""
    if not anchor.replace or original_of(anchor.certificate) is not None:
        return None
    in_bundle = layout.local == layout.bundle
    path = layout.bundle if in_bundle else join(layout.local, anchor.name + layout.suffix)
    for each in read_source(path, read(view, path) or b"").certificates:
        if original_of(each) is not None and (not in_bundle or each.subject == anchor.certificate.subject):
            return each
    return None
