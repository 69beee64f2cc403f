"""``remove``: anchors taken out again, or distrusted where the distribution ships them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rootfs_trust.api.carry_out import carry_out, refuse
from rootfs_trust.errors import ConflictError, InputError, Trouble
from rootfs_trust.inputs.tables import digest
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.door import Root
from rootfs_trust.rootfs.plan import make_plan
from rootfs_trust.store.detect import find_layout
from rootfs_trust.store.request import Request


def remove(
    root: str,
    names: Sequence[str],
    *,
    layout: str = "auto",
    timestamp: int | None = None,
    will_be_signed: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Take the anchors called ``names`` (or ``sha256:HEX``: every copy) out of the rootfs at the host path ``root``.

    The answer's anchors are those taken out. Raises InputError, ConflictError (both: nothing was written) or
    ApplyError.
    """
    refuse(InputError, bad_digests(names))
    with Root(root) as tree:
        tree.lock()
        chosen = find_layout(tree, layout)
        store = chosen.answer(tree, Request(remove=tuple(map(plain_name, names)), created=timestamp))
        refuse(InputError, store.troubles)
        plan = make_plan(tree, store.desired, will_be_signed=will_be_signed)
        refuse(ConflictError, [*store.conflicts, *plan.conflicts])
        warnings = list(store.warnings)
        if not dry_run:
            warnings += carry_out(tree, plan, store.desired, owner=tree.owner, timestamp=timestamp)
    removed = tuple(InstalledAnchor(each.name, each.certificate.sha256) for each in store.removed)
    return Outcome(chosen.name, plan.actions, removed, tuple(warnings), dry_run)


def bad_digests(names: Sequence[str]) -> Iterator[Trouble]:
    """What is wrong with those of ``names`` that begin with ``sha256:``."""
    for name in names:
        if name.startswith("sha256:"):
            try:
                digest(name)
            except ValueError as error:
                yield Trouble("usage", "", f"{name} has to hold {error}", "rootfs-trust list shows them")


def plain_name(name: str) -> str:
    """A digest in the one spelling that the store knows."""
    return f"sha256:{digest(name)}" if name.startswith("sha256:") else name
